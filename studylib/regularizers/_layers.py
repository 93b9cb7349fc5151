"""What layers that take the place of another one have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from torch import Tensor, nn
from torch.nn import functional

from studylib.errors import StudyError
from studylib.regularizers._modules import Noisy

if TYPE_CHECKING:
    from studylib.regularizers.base import Regularizer
    from studylib.seeds import Draws

Response: TypeAlias = Callable[..., Tensor]  # of inputs, a weight, and a bias or None


def response(layer: nn.Module, technique: str) -> Response:
    """Return what a layer like ``layer`` makes of inputs, a weight and a bias; the axes of both stay.

    Raises:
        StudyError: a kind of layer that ``technique`` cannot remake, or one that has been remade already.
    """
    if isinstance(layer, nn.Linear):
        return functional.linear
    if isinstance(layer, nn.Conv1d | nn.Conv2d) and layer.padding_mode == "zeros":
        convolve: Response = functional.conv1d if isinstance(layer, nn.Conv1d) else functional.conv2d
        return partial(
            convolve,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            groups=layer.groups,
        )
    raise StudyError(
        f"{technique}: expected a linear layer or a convolution that pads with zeros, got {layer}. "
        "Keep one technique that remakes it, or choose other layers with 'layers'."
    )


def groups_of(layer: nn.Module) -> int:
    """Return into how many groups of channels a layer is divided; 1 for all but some convolutions."""
    return int(getattr(layer, "groups", 1))


class Remade(Noisy):
    """A layer in the place of another one, which draws noise in training; it keeps the bias.

    Args:
        technique: what it is remade by.
        noise: what it draws from.
        layer: the layer whose place it takes.
    """

    bias: nn.Parameter | None

    def __init__(self, technique: Regularizer, noise: Draws, layer: nn.Module) -> None:
        super().__init__(technique, noise)
        self.respond = response(layer, technique.name)
        self.groups = groups_of(layer)
        self.register_parameter("bias", layer.bias)  # type: ignore[arg-type]  # response() knows the layer


def dialled(technique: Regularizer) -> Tensor | float:
    """Return the strength or the rate of ``technique``."""
    value: Tensor | float = getattr(technique, technique.dial())
    return value


def deviation(respond: Response, x: Tensor, variance: Tensor) -> Tensor:
    """Return the standard deviation of each output, where the weights are independent with ``variance``."""
    # relu: fast convolutions may round a sum of squares to less than 0; and where it is 0, as for inputs of
    # zeros, no gradient passes, which would be infinite
    return functional.relu(respond(x.square(), variance, None)).sqrt()
