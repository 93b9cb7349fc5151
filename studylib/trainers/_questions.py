"""What a technique asks of its stream, written down, so that it can be put to the streams of others."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch

from studylib.seeds import Draws

if TYPE_CHECKING:
    from torch import Tensor


class Question(NamedTuple):
    """A draw that was asked for: the name of the method, its numbers, and the dtype and device it is like."""

    name: str
    numbers: tuple[Any, ...]
    like: Tensor

    def put_to(self, noise: Draws) -> Tensor:
        """Return the draw of ``noise``."""
        drawn: Tensor = getattr(noise, self.name)(*self.numbers, like=self.like)
        return drawn

    def numel(self) -> int:
        """Return how many numbers one draw is."""
        return prod(self._shape())

    def ahead(self, steps: int, noise: Draws) -> Tensor:
        """Return the draws of ``noise`` for so many steps, (steps, …)."""
        if self.name in {"permutation", "beta"}:
            return torch.stack([self.put_to(noise) for _ in range(steps)])
        bounds = self.numbers[: len(self.numbers) - len(self._shape())]
        return self._replace(numbers=(*bounds, steps, *self._shape())).put_to(noise)

    def _shape(self) -> tuple[int, ...]:
        if self.name == "beta":
            return ()
        return self.numbers[2:] if self.name == "integers" else self.numbers


@final
class Questioned(Draws):
    """Draws of ``noise``, and what was asked for in ``questions``, in order."""

    def __init__(self, noise: Draws) -> None:
        self._noise = noise
        self.questions: list[Question] = []

    def uniform(self, *shape: int, like: Tensor) -> Tensor:
        return self._put("uniform", shape, like)

    def normal(self, *shape: int, like: Tensor) -> Tensor:
        return self._put("normal", shape, like)

    def integers(self, low: int, high: int, *shape: int, like: Tensor) -> Tensor:
        return self._put("integers", (low, high, *shape), like)

    def permutation(self, size: int, *, like: Tensor) -> Tensor:
        return self._put("permutation", (size,), like)

    def beta(self, alpha: float, *, like: Tensor) -> Tensor:
        return self._put("beta", (alpha,), like)

    def _put(self, name: str, numbers: tuple[Any, ...], like: Tensor) -> Tensor:
        self.questions.append(Question(name, numbers, like.new_empty(0)))
        return self.questions[-1].put_to(self._noise)
