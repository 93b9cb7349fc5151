"""Randomness made of (seed, purpose), and the only place that touches global generators.

Split, initial weights, batch order and noise are separate streams, so that two arms with one seed share
everything but what is compared.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor


def derive(seed: int, purpose: str) -> int:
    """Return a 63-bit seed that is a pure function of ``(seed, purpose)``."""
    digest = sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def numpy_generator(seed: int, purpose: str) -> np.random.Generator:
    """Return NumPy's generator of the stream ``(seed, purpose)``."""
    import numpy as np

    return np.random.default_rng(derive(seed, purpose))


@contextmanager
def initialising(seed: int) -> Iterator[None]:
    """Let torch's layers draw their initial weights from the stream ``(seed, "init")``."""
    import torch

    with torch.random.fork_rng(devices=[]):
        # layers are made on the CPU; torch.manual_seed would reseed the generators of other devices as well
        torch.default_generator.manual_seed(derive(seed, "init"))
        yield


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """Let a GPU add in the same order each time, where its fastest kernels do not.

    An operation that has no such kernel raises a ``RuntimeError`` of torch that names it.
    """
    if device == "cpu":
        yield
        return
    import torch

    # cuBLAS reads it when it is first used: a workspace of its own for each stream
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    cudnn: Any = torch.backends.cudnn
    deterministic: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), cudnn.deterministic, cudnn.benchmark
    filling = deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(mode=True)
    # memory that is not written to before it is read is a fault of ours, and costs a kernel to fill
    deterministic.fill_uninitialized_memory = False
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=before[0])
        deterministic.fill_uninitialized_memory = filling
        cudnn.deterministic, cudnn.benchmark = before[1:]


class Draws(ABC):
    """Random tensors like those that they disturb, whatever they come from."""

    @abstractmethod
    def uniform(self, *shape: int, like: Tensor) -> Tensor:
        """Draw from U(0, 1), with the device of ``like``, in float64 if it is, else in float32."""

    @abstractmethod
    def normal(self, *shape: int, like: Tensor) -> Tensor:
        """Draw from N(0, 1), with the device of ``like``, in float64 if it is, else in float32."""

    @abstractmethod
    def integers(self, low: int, high: int, *shape: int, like: Tensor) -> Tensor:
        """Draw whole numbers from ``low`` to ``high − 1`` on the device of ``like``."""

    @abstractmethod
    def permutation(self, size: int, *, like: Tensor) -> Tensor:
        """Draw a random order of ``0 … size − 1`` on the device of ``like``."""

    @abstractmethod
    def beta(self, alpha: float, *, like: Tensor) -> Tensor:
        """Draw one number from Beta(alpha, alpha), as a tensor without axes, of a dtype as ``uniform``."""

    def keep(self, *shape: int, rate: Tensor | float, like: Tensor) -> Tensor:
        """Draw the inverted-dropout mask: 0 with probability ``rate``, else 1/(1 − rate)."""
        drawn = self.uniform(*shape, like=like)
        return (drawn >= rate).to(drawn.dtype) / (1 - rate)


@final
class Noise(Draws):
    """The random draws of one fit and one purpose.

    Regularizers get their randomness from here and nowhere else, which keeps them pure functions.
    """

    def __init__(self, seed: int, purpose: str, device: str = "cpu") -> None:
        import torch

        self._torch: torch.Generator = torch.Generator(device).manual_seed(derive(seed, purpose))
        # orders are the same wherever they are used; of the rest a GPU draws its own
        own = device == "cpu"
        self._orders = self._torch if own else torch.Generator().manual_seed(derive(seed, purpose))
        self._numpy = numpy_generator(seed, f"{purpose}/scalars")

    def uniform(self, *shape: int, like: Tensor) -> Tensor:
        import torch

        return torch.rand(shape, generator=self._torch, dtype=_dtype(like), device=like.device)

    def normal(self, *shape: int, like: Tensor) -> Tensor:
        import torch

        return torch.randn(shape, generator=self._torch, dtype=_dtype(like), device=like.device)

    def integers(self, low: int, high: int, *shape: int, like: Tensor) -> Tensor:
        import torch

        return torch.randint(low, high, shape, generator=self._torch, device=like.device)

    def permutation(self, size: int, *, like: Tensor) -> Tensor:
        import torch

        return torch.randperm(size, generator=self._orders).to(like.device)

    def beta(self, alpha: float, *, like: Tensor) -> Tensor:
        import torch

        return torch.tensor(self._numpy.beta(alpha, alpha), dtype=_dtype(like), device=like.device)


def _dtype(like: Tensor) -> torch.dtype:
    """Return float64 for float64, else float32: shorter numbers would be another draw, and a coarse one."""
    import torch

    return torch.float64 if like.dtype == torch.float64 else torch.float32


@final
class Recorded(Draws):
    """The draws of ``noise``, kept in the order in which they are made."""

    def __init__(self, noise: Draws) -> None:
        self._noise = noise
        self.drawn: list[Tensor] = []

    def uniform(self, *shape: int, like: Tensor) -> Tensor:
        return self._kept(self._noise.uniform(*shape, like=like))

    def normal(self, *shape: int, like: Tensor) -> Tensor:
        return self._kept(self._noise.normal(*shape, like=like))

    def integers(self, low: int, high: int, *shape: int, like: Tensor) -> Tensor:
        return self._kept(self._noise.integers(low, high, *shape, like=like))

    def permutation(self, size: int, *, like: Tensor) -> Tensor:
        return self._kept(self._noise.permutation(size, like=like))

    def beta(self, alpha: float, *, like: Tensor) -> Tensor:
        return self._kept(self._noise.beta(alpha, like=like))

    def _kept(self, draw: Tensor) -> Tensor:
        self.drawn.append(draw)
        return draw


@final
class Replayed(Draws):
    """Draws that were made before, given out again in their order.

    Stacked along a new first axis and handed to a function under ``torch.func.vmap``, the draws of several
    fits let it treat each fit as it would be treated alone.
    """

    def __init__(self, drawn: Sequence[Tensor]) -> None:
        self._left = iter(drawn)

    def uniform(self, *shape: int, like: Tensor) -> Tensor:  # noqa: ARG002  as drawn before
        return next(self._left)

    def normal(self, *shape: int, like: Tensor) -> Tensor:  # noqa: ARG002  as above
        return next(self._left)

    def integers(self, low: int, high: int, *shape: int, like: Tensor) -> Tensor:  # noqa: ARG002  as above
        return next(self._left)

    def permutation(self, size: int, *, like: Tensor) -> Tensor:  # noqa: ARG002  as above
        return next(self._left)

    def beta(self, alpha: float, *, like: Tensor) -> Tensor:  # noqa: ARG002  as above
        return next(self._left)
