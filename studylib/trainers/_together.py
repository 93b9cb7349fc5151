"""A technique on several replicas at once: each with its own strength and its own draws, as if alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

import torch
from torch.func import vmap
from torch.utils._pytree import tree_leaves, tree_map

from studylib.regularizers.base import Layered, Regularizer
from studylib.seeds import Noise, Question, Questioned, Replayed

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
    else by ``torch.func.vmap``. The draws are made before, replica by replica, in the
    order in which the technique asks for them, which is found out once for each shape.
    """

    def __init__(self, live: Sequence[Callable[[], R]], noises: Sequence[Draws] = ()) -> None:
        """Take what gives the technique of each replica as strong as it is now, and its draws."""
        self._live = list(live)
        self._noises = list(noises)
        self._dial = self.one.dial()
        self._strengths: list[float] = []
        self._factors = torch.empty(0)
        self._questions: dict[tuple[torch.Size, ...], list[Question]] = {}

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
        return Together(
            [self._live[place] for place in places], [self._noises[place] for place in places if self._noises]
        )

    def __call__(self, use: Callable[..., Any], *stacked: Any) -> Any:
        """Return ``use(technique, draws, *slices)`` of all replicas, along a first axis.

        Of a sum of numbers that are treated each by itself it is the sum over the replicas.

        Args:
            use: called with the technique as strong as a replica has it, its draws, and its slices.
            stacked: tensors, or lists of them, whose first axis is that of the replicas.
        """
        drawn, one = self._drawn(use, stacked), self.one
        if not self._dial:
            return vmap(lambda drawn, *own: use(one, Replayed(drawn), *own))(drawn, *stacked)
        unit = one.model_copy(update={self._dial: 1.0})
        if one.elementwise:
            first = stacked[0]
            column = self._as_tensor(first).view(-1, *[1] * (first.ndim - 1))
            return use(unit.turned(column), Replayed(drawn), *stacked)
        return vmap(lambda factor, drawn, *own: use(unit.turned(factor), Replayed(drawn), *own))(
            self._as_tensor(tree_leaves(stacked)[0]), drawn, *stacked
        )

    def _as_tensor(self, like: Tensor) -> Tensor:
        """Return the strengths of the replicas as they are, shape (replicas,)."""
        strengths = [float(getattr(one, self._dial)) for one in self.each]
        if strengths != self._strengths:
            self._strengths = strengths
            dtype = like.dtype if like.is_floating_point() else torch.float32
            self._factors = torch.tensor(strengths, dtype=dtype, device=like.device)
        return self._factors

    def _drawn(self, use: Callable[..., Any], stacked: Sequence[Any]) -> list[Tensor]:
        if not self._noises:
            return []
        shapes = tuple(one.shape for one in tree_leaves(stacked))
        if shapes not in self._questions:
            asked = Questioned(Noise(0, "questions", str(tree_leaves(stacked)[0].device)))
            with torch.no_grad():
                use(self.one, asked, *tree_map(lambda one: one[0], list(stacked)))
            self._questions[shapes] = asked.questions
        draws = [[question.put_to(noise) for noise in self._noises] for question in self._questions[shapes]]
        return [torch.stack(own) for own in draws]


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
