"""Modules that rewirings put into a network before training, and how to find them again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from studylib.models._slot import Slot
from studylib.regularizers._modules import Made
from studylib.regularizers.base import LayerRewiring, Rewiring, Site
from studylib.seeds import Noise
from studylib.trainers.techniques import noisy

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.trainers.techniques import Techniques


def rewire(module: nn.Module, model: Model, techniques: Techniques, rows: int) -> None:
    """Replace layers of ``module`` and fill its open slots; each technique draws from a stream of its own.

    Args:
        module: the network of ``model``.
        model: names its layers and slots.
        techniques: of the arm.
        rows: number of train rows.
    """
    like = next(module.parameters())
    # what changes a layer's input is put around what makes its weight
    for rewiring in sorted(techniques.of(LayerRewiring), key=lambda one: one.weight == "input"):
        noise = techniques.noise(rewiring)
        for layer, kind in model.layers().items():
            if kind in rewiring.fits and rewiring.covers(layer):
                new = rewiring.rewired(module.get_submodule(layer), noise, rows)
                module.add_module(layer, new.to(like.device, like.dtype))
    slots = [part for part in module.modules() if isinstance(part, Slot)]
    for technique in techniques.of(Rewiring):
        noise = techniques.noise(technique)
        for slot in slots:
            if slot.place in technique.places and technique.covers(slot.layer):
                site = Site(slot.layer, slot.place, slot.width, slot.depth)
                slot.append(technique.module(site, noise).to(like.device, like.dtype))


def sample(module: nn.Module, seed: int, device: str) -> None:
    """Let the parts that draw noise go on in evaluation, each from a stream that begins anew."""
    for number, part in enumerate(noisy(module)):
        part.sampling = True
        part.noise = Noise(seed, f"prediction/{part.technique.name}/{number}", device)


def layer_of(parameter: str, module: nn.Module, model: Model) -> str:
    """Return the layer that a parameter of ``module`` belongs to: its own, or that of the slot it is in."""
    for part in _ancestors(parameter, module):
        if isinstance(part, Slot):
            return part.layer
    first = parameter.partition(".")[0]
    return first if first in model.layers() else list(model.layers())[-1]


def _ancestors(parameter: str, module: nn.Module) -> Iterator[nn.Module]:
    names = parameter.split(".")[:-1]
    for count in range(1, len(names) + 1):
        yield module.get_submodule(".".join(names[:count]))


def sizing(module: nn.Module, layer: str) -> list[Tensor]:
    """Return the parameters that the size of a layer's weight is proportional to."""
    part = module.get_submodule(layer)
    return list(part.scales()) if isinstance(part, Made) else [part.get_parameter("weight")]


def acting(module: nn.Module, layer: str) -> Callable[[], Tensor]:
    """Return what gives the weight of a layer as it acts in each step."""
    weight = weights(module, layer)
    # to look it up by name in every step would cost more than many a penalty
    return (lambda: weight) if weight.is_leaf else (lambda: weights(module, layer))


def weights(module: nn.Module, layer: str) -> Tensor:
    """Return the weight of a layer as it acts: a parameter, or what is made of some."""
    weight: Tensor = module.get_submodule(layer).weight  # type: ignore[assignment]  # every layer has one
    return weight
