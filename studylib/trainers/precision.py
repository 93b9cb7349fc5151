"""How many digits a training counts with, beside those that its weights have.

With ``bf16`` what a network makes of a batch, and the gradient of that, is computed in bfloat16: numbers have
the range of float32 and 8 significant bits of its 24, which processors that know them multiply several times
as fast. Weights, optimizer, losses, penalties and draws stay float32, and so does every evaluation: what is
reported is what the float32 weights say. Small networks lose by it, for each number is rounded first.

Source: Micikevicius et al. (2018), https://arxiv.org/abs/1710.03740; Kalamkar et al. (2019),
https://arxiv.org/abs/1905.12322
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor, nn

    from studylib.trainers.base import Training

    Passage = Callable[[nn.Module, Tensor], Tensor]


def stored(training: Training) -> torch.dtype:
    """Return the type of weights and inputs."""
    import torch

    return torch.float64 if training.precision == "float64" else torch.float32


def passage(training: Training) -> Passage:
    """Return what passes a batch through a network that learns; the outputs have the type of the weights."""
    return _rounded if training.precision == "bf16" else _as_it_is


def _as_it_is(network: nn.Module, x: Tensor) -> Tensor:
    said: Tensor = network(x)
    return said


def _rounded(network: nn.Module, x: Tensor) -> Tensor:
    import torch

    with torch.autocast(x.device.type, torch.bfloat16):
        said: Tensor = network(x)
    return said.float()


def rounded(*tensors: Tensor) -> Iterator[Tensor]:
    """Give tensors as torch's own layers would take them here: in bfloat16, while a batch passes in it."""
    import torch

    kind = tensors[0].device.type
    rounds = torch.is_autocast_enabled(kind)
    return (one.to(torch.get_autocast_dtype(kind)) if rounds else one for one in tensors)


def refuse_unknown(precision: str, device: str) -> None:
    """Raise where the processor, or the GPU, does not know a ``training.precision``.

    Raises:
        ParameterError: what is missing, and what to do.
    """
    if precision == "bf16" and not knows_bf16(device):
        raise ParameterError(
            f"training.precision: 'bf16' asks for a {_needed(device)}, and there is none here. Use 'float32',"
            " or another machine."
        )


def _needed(device: str) -> str:
    if device == "cpu":
        return "processor that multiplies such numbers (AVX512_BF16 or AMX of x86, BF16 of ARM)"
    return "GPU that multiplies such numbers (compute capability 8.0 or more)"


def knows_bf16(device: str) -> bool:
    """Tell whether the processor, or the GPU, multiplies numbers of bfloat16 itself."""
    import torch

    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any("bf16" in name and known for name, known in torch.cpu.get_capabilities().items())
