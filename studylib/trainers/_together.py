"""A technique on several replicas at once: each with its own strength and its own draws, as if alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

import torch
from torch.func import vmap
from torch.utils._pytree import tree_leaves

from studylib.regularizers.base import Layered, Regularizer
from studylib.seeds import Replayed
from studylib.trainers._draws import DrawsOfAll

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from studylib.seeds import Draws
    from studylib.trainers.techniques import Techniques

R = TypeVar("R", bound=Regularizer)


@final
class Together(Generic[R]):
    """A technique of a stack: what its replicas have of it differs in the strength alone.

    It runs once for all of them: where it treats each number by itself, with one strength for each slice, and
    else by ``torch.func.vmap``. The draws are made before, replica by replica.
    """

    def __init__(self, live: Sequence[Callable[[], R]], noises: Sequence[Draws] = ()) -> None:
        """Take what gives the technique of each replica as strong as it is now, and its draws."""
        self._live = list(live)
        self.draws = DrawsOfAll(noises)
        self._dial = self.one.dial()
        self._factors = torch.empty(0)

    @property
    def one(self) -> R:
        """The technique as the first replica has it now."""
        return self._live[0]()

    @property
    def each(self) -> list[R]:
        """The technique as each replica has it now."""
        return [live() for live in self._live]

    def covers(self, layer: str) -> bool:
        """Tell whether the layer is covered, as it is in all replicas alike."""
        one = self.one
        return isinstance(one, Layered) and one.covers(layer)

    def kept(self, places: Sequence[int]) -> Together[R]:
        """Return the same of the replicas at ``places``; their draws go on."""
        return Together([self._live[place] for place in places], self.draws.of(places))

    def begin(self) -> None:
        """Begin an epoch, in which each is as strong as it is now."""
        self.draws.begin()
        if len(self._factors):
            self._factors.copy_(torch.tensor(self._strengths(), dtype=self._factors.dtype))

    def __call__(self, use: Callable[..., Any], *stacked: Any) -> Any:
        """Return ``use(technique, draws, *slices)`` of all replicas, along a first axis.

        Of a sum of numbers that are treated each by itself it is the sum over the replicas.

        Args:
            use: called with the technique as strong as a replica has it, its draws, and its slices.
            stacked: tensors, or lists of them, whose first axis is that of the replicas.
        """
        one = self.one
        drawn = self.draws(partial(use, one), stacked)
        if not self._dial:
            return vmap(lambda drawn, *own: use(one, Replayed(drawn), *own))(drawn, *stacked)
        unit = one.model_copy(update={self._dial: 1.0})
        factors = self._as_tensor(tree_leaves(stacked)[0])
        if one.elementwise:
            column = factors.view(-1, *[1] * (stacked[0].ndim - 1))
            return use(unit.turned(column), Replayed(drawn), *stacked)
        return vmap(lambda factor, drawn, *own: use(unit.turned(factor), Replayed(drawn), *own))(
            factors, drawn, *stacked
        )

    def _strengths(self) -> list[float]:
        return [float(getattr(one, self._dial)) for one in self.each]

    def _as_tensor(self, like: Tensor) -> Tensor:
        """Return the strengths of the replicas as they were when the epoch began, shape (replicas,)."""
        if not len(self._factors):
            # more exact than what they multiply, where that is bfloat16
            dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
            self._factors = torch.tensor(self._strengths(), dtype=dtype, device=like.device)
        return self._factors


def of_all(kind: type[R], techniques: Sequence[Techniques], *, drawing: bool = False) -> list[Together[R]]:
    """Return each technique of a ``kind``, of all replicas; with their streams if it is ``drawing``."""
    named = zip(*(own.of(kind) for own in techniques), strict=True)
    return [
        Together(
            [partial(own.live, one) for own, one in zip(techniques, some, strict=True)],
            [own.noise(one) for own, one in zip(techniques, some, strict=True) if drawing],
        )
        for some in named
    ]
