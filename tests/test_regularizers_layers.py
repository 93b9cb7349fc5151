"""Laws of every technique that puts another layer in the place of a layer, found through the folder."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from studylib.errors import StudyError
from studylib.regularizers import EXAMPLES
from studylib.regularizers._modules import Costly, Made, Noisy
from studylib.regularizers.base import LayerRewiring
from studylib.regularizers.dropconnect import DropConnect
from studylib.regularizers.spectral_norm import SpectralNorm
from studylib.seeds import Noise, Recorded, Replayed, initialising

ROWS = 100
# name: kind, layer, axes of an input beside the first
LAYERS: dict[str, tuple[str, Any, tuple[int, ...]]] = {
    "linear": ("linear", lambda: nn.Linear(5, 4), (5,)),
    "linear over positions": ("linear", lambda: nn.Linear(5, 4), (3, 5)),
    "without bias": ("linear", lambda: nn.Linear(5, 4, bias=False), (5,)),
    "convolution": ("convolution", lambda: nn.Conv2d(4, 6, 3, padding=1), (4, 5, 3)),
    "in groups": ("convolution", lambda: nn.Conv2d(4, 6, (3, 2), stride=2, dilation=2, groups=2), (4, 7, 5)),
    "over words": ("convolution", lambda: nn.Conv1d(4, 6, 3), (4, 5)),
    "embedding": ("embedding", lambda: nn.Embedding(7, 4), (3,)),
}
OTHERS: list[LayerRewiring] = [  # settings by which a technique is another one
    DropConnect(rate=0.3, masks="batch"),
    DropConnect(rate=0.3, inference="moments"),
    SpectralNorm(method="exact"),
]
TECHNIQUES = [one for one in EXAMPLES.values() if isinstance(one, LayerRewiring)] + OTHERS
CASES = [(one, name) for one in TECHNIQUES for name, (kind, _, _) in LAYERS.items() if kind in one.fits]
every_layer = pytest.mark.parametrize(("technique", "name"), CASES, ids=str)


def plain(name: str, seed: int = 1, dtype: torch.dtype = torch.float64) -> nn.Module:
    """Return a layer as a model has it before any technique."""
    with initialising(seed):
        layer: nn.Module = LAYERS[name][1]().to(dtype)
    return layer


def inputs(name: str, rows: int = 6, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return inputs for the layer: numbers of rows for an embedding, else normal numbers."""
    kind, _, axes = LAYERS[name]
    generator = torch.Generator().manual_seed(seed)
    if kind == "embedding":
        return torch.randint(7, (rows, *axes), generator=generator)
    return torch.randn((rows, *axes), generator=generator, dtype=torch.float64).to(dtype)


def remade(technique: LayerRewiring, name: str, seed: int = 1, rows: int = ROWS, **how: Any) -> Any:
    """Return what takes the place of the layer, in training, with its noise at the beginning."""
    return technique.rewired(plain(name, seed, **how), Noise(seed, "noise"), rows)


@every_layer
def test_training_follows_the_noise_and_evaluation_does_not(technique: LayerRewiring, name: str) -> None:
    """Equal noise gives equal training outputs, of the layer's shape; evaluation repeats itself."""
    x, module, twin = inputs(name), remade(technique, name), remade(technique, name)
    before, expected = x.clone(), plain(name)(x)
    trained = module(x)

    assert torch.equal(trained, twin(x))
    assert (trained.shape, trained.dtype) == (expected.shape, expected.dtype)
    assert torch.equal(x, before)
    module.eval()
    assert torch.equal(module(x), module(x))
    torch.testing.assert_close(module(x)[:1], module(x[:1]))


@every_layer
def test_sampling_goes_on_in_evaluation(technique: LayerRewiring, name: str) -> None:
    """What draws in training draws in evaluation too where that is asked for, and follows the noise."""
    x, module, twin = inputs(name), remade(technique, name).eval(), remade(technique, name).eval()
    if isinstance(module, Noisy):
        module.sampling = twin.sampling = True
        drawn = module(x)

        assert not torch.equal(drawn, remade(technique, name).eval()(x))
        assert torch.equal(drawn, twin(x))
        assert not torch.equal(drawn, module(x))
        module.noise = Noise(1, "noise")
        assert torch.equal(drawn, module(x))


@every_layer
def test_rate_0_gives_the_plain_layer(technique: LayerRewiring, name: str) -> None:
    """Without a rate, training and sampling are the plain layer bit for bit, whatever type the 0 has."""
    if technique.dial() == "rate":
        x, expected = inputs(name), plain(name)(inputs(name))
        for factor in (0.0, torch.tensor(0.0, dtype=torch.float64)):
            module = remade(technique, name)
            module.technique = technique.turned(factor)
            module.sampling = True

            assert torch.equal(module(x), expected)
            assert torch.equal(module.eval()(x), expected)


@every_layer
@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_gradients_are_finite_and_reach_the_inputs(technique: LayerRewiring, name: str, scale: float) -> None:
    """Gradients of inputs and parameters are finite, also where all inputs and all weights are 0."""
    layer = plain(name)
    with torch.no_grad():
        layer.weight.mul_(scale)  # type: ignore[operator]  # a parameter
    module: Any = technique.rewired(layer, Noise(1, "noise"), ROWS)
    x = inputs(name)
    if x.is_floating_point():
        x = (scale * x).requires_grad_()
    cost = module.cost() if isinstance(module, Costly) else 0
    (module(x).sin().sum() + module.weight.square().sum() + cost).backward()

    assert all(p.grad.isfinite().all() for p in module.parameters() if p.grad is not None)
    if x.is_floating_point():
        assert x.grad is not None
        assert x.grad.isfinite().all()
        assert x.grad.any() or not scale


@every_layer
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_batches_of_one_and_both_precisions(technique: LayerRewiring, name: str, dtype: torch.dtype) -> None:
    """A batch of one is a batch, everything stays in the layer's precision, and so does a price."""
    x, module = inputs(name, rows=1, dtype=dtype), remade(technique, name, dtype=dtype)

    for mode in (True, False):
        assert module.train(mode)(x).isfinite().all()
        assert module(x).dtype == module.weight.dtype == dtype
    assert {p.dtype for p in [*module.parameters(), *module.buffers()]} == {dtype}
    assert not isinstance(module, Costly) or module.cost().dtype == dtype
    exact = deepcopy(module).double()(x.double() if x.is_floating_point() else x)
    torch.testing.assert_close(module(x).double(), exact, rtol=1e-4, atol=1e-4)


@every_layer
def test_a_layer_can_be_copied_and_saved(technique: LayerRewiring, name: str) -> None:
    """A deep copy goes on exactly like the original, and its state loads into the layer of another fit."""
    x, module = inputs(name), remade(technique, name)
    module(x)
    copy = deepcopy(module)

    assert torch.equal(copy(x), module(x))
    restored = remade(technique, name, seed=2)
    assert not torch.equal(restored.weight, module.weight)
    restored.load_state_dict(module.state_dict())
    assert torch.equal(restored.eval()(x), module.eval()(x))
    assert torch.equal(restored.weight, module.weight)


@every_layer
def test_the_weight_is_what_the_technique_says(technique: LayerRewiring, name: str) -> None:
    """It is a parameter, or proportional to its scales, or does not change with the size of any parameter."""
    module, layer = remade(technique, name), plain(name)
    before = module.weight.detach().clone()

    assert before.shape == layer.weight.shape
    assert (module.bias is None) == (getattr(layer, "bias", None) is None)
    if technique.weight in ("parameter", "input"):
        assert isinstance(module.weight, nn.Parameter)
        assert torch.equal(module.weight, layer.weight)  # type: ignore[arg-type]  # as above
        return
    changed = module.scales() if technique.weight == "made" else list(module.parameters())
    with torch.no_grad():
        for parameter in changed:
            parameter.mul_(2)
    factor = 2 if technique.weight == "made" else 1
    # where a weight is 0 from the start it may come back, once its scale is large enough
    torch.testing.assert_close(module.weight[before != 0], factor * before[before != 0])
    module.weight.square().sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in module.parameters())


@every_layer
def test_a_price_is_paid_once_for_all_rows(technique: LayerRewiring, name: str) -> None:
    """With ten times the rows it is a tenth, with half the strength a half, and none without."""
    module, more = remade(technique, name), remade(technique, name, rows=10 * ROWS)
    if isinstance(module, Costly):
        price = module.cost()

        assert price.shape == ()
        torch.testing.assert_close(more.cost(), price / 10)
        for factor in (0.5, 0.0):
            module.technique = technique.turned(factor)  # type: ignore[assignment]  # of a part that is noisy
            torch.testing.assert_close(module.cost(), factor * price)


class Everything(nn.Module):
    """All that training asks of a layer, with given draws and at a given share of the strength."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, draws: Any, factor: Tensor) -> tuple[Tensor, ...]:
        """Return outputs, weight and price."""
        if isinstance(self.inner, Noisy):
            technique = self.inner.technique
            self.inner.noise = draws
            self.inner.technique = technique.turned(factor) if technique.dial() else technique
        outputs = self.inner(x)
        if isinstance(self.inner, Noisy):
            self.inner.technique, self.inner.noise = technique, Noise(1, "noise")
        return outputs, self.inner.weight, self.inner.cost() if isinstance(self.inner, Costly) else outputs


@every_layer
@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_replicas_under_vmap_are_trained_as_if_alone(technique: LayerRewiring, name: str, mode: str) -> None:
    """Stacked states, draws and strengths under vmap give what each layer gives alone, and its gradients."""
    modules = [Everything(remade(technique, name, seed)).train(mode == "training") for seed in (1, 2, 3)]
    x = torch.stack([inputs(name, seed=seed) for seed in (1, 2, 3)])
    factors = torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64)
    for module in modules:
        if isinstance(module.inner, Noisy):
            module.inner.sampling = True
    parameters, buffers = stack_module_state(modules)
    base, noises = deepcopy(modules[0]), [Recorded(Noise(seed, "noise")) for seed in (1, 2, 3)]
    alone = [m(*given) for m, given in zip(modules, zip(x, noises, factors, strict=True), strict=True)]

    def one(own: Any, state: Any, drawn: list[Tensor], *given: Tensor) -> Any:
        return functional_call(base, (own, state), (given[0], Replayed(drawn), given[1]))

    drawn = [torch.stack(draws) for draws in zip(*(noise.drawn for noise in noises), strict=True)]
    together = vmap(one)(parameters, buffers, drawn, x, factors)
    sum(out.sin().sum() for outs in alone for out in outs).backward()
    sum(out.sin().sum() for out in together).backward()

    for expected, result in zip(zip(*alone, strict=True), together, strict=True):
        torch.testing.assert_close(result, torch.stack(expected))
    for key, stacked in parameters.items():
        for module, gradient in zip(modules, stacked.grad, strict=True):
            torch.testing.assert_close(gradient, module.get_parameter(key).grad)
    for key, state in buffers.items():
        torch.testing.assert_close(state, torch.stack([module.get_buffer(key) for module in modules]))


@pytest.mark.parametrize("name", ["convolution", "in groups"])
@pytest.mark.parametrize("technique", [one for one in TECHNIQUES if "convolution" in one.fits], ids=repr)
def test_images_keep_their_layout(technique: LayerRewiring, name: str) -> None:
    """Where the channels of a pixel lie side by side, they do so after the layer, in both modes."""
    layer = plain(name).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = technique.rewired(layer, Noise(1, "noise"), ROWS)
    x = inputs(name).to(memory_format=torch.channels_last)

    for mode in (True, False):
        assert module.train(mode)(x).is_contiguous(memory_format=torch.channels_last)


@every_layer
def test_inputs_can_be_dropped_before_any_layer(technique: LayerRewiring, name: str) -> None:
    """A technique that changes what comes in goes around another one, and shows its weight."""
    kind, _, _ = LAYERS[name]
    for outer in TECHNIQUES:
        if outer.weight == "input" and outer is not technique and kind in outer.fits:
            inner = remade(technique, name)
            both: Any = outer.rewired(inner, Noise(2, "noise"), ROWS)

            assert torch.equal(both.weight, inner.weight)
            assert not torch.equal(both(inputs(name)), remade(technique, name)(inputs(name)))
            assert torch.equal(both.eval()(inputs(name)), inner(inputs(name)))
            sizing = inner.scales() if isinstance(inner, Made) else [inner.weight]
            assert all(one is other for one, other in zip(both.scales(), sizing, strict=True))


@pytest.mark.parametrize("technique", TECHNIQUES, ids=repr)
def test_what_cannot_be_remade_is_refused(technique: LayerRewiring) -> None:
    """A layer that another technique has remade is an error that names the technique and the way out."""
    if "linear" in technique.fits and technique.weight != "input":
        twice = remade(technique, "linear")
        with pytest.raises(StudyError, match=rf"^{technique.name}: expected a linear layer.*'layers'"):
            technique.rewired(twice, Noise(1, "noise"), ROWS)
