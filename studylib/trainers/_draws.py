"""The draws of a technique of a stack: each replica's from its own stream, stacked along a first axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, final

import torch
from torch.utils._pytree import tree_leaves, tree_map

from studylib.seeds import Noise
from studylib.trainers._questions import Questioned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from studylib.seeds import Draws
    from studylib.trainers._questions import Question

Shapes: TypeAlias = tuple[torch.Size, ...]

# at once for a replica on a GPU, at most: a call costs more than what it draws
NUMBERS, STEPS = 2**18, 32


@final
class DrawsOfAll:
    """What a technique asks for, found out once for each shape, and put to the stream of every replica.

    A processor draws step by step, as for one fit alone. A GPU draws for some steps of an epoch at once, into
    memory that stays where it is, so that a recorded step finds the next ones there. How many steps it is
    depends on the question alone, and what is left at the end of an epoch is never used: so nobody's draws
    depend on who else is in the stack.

    Attributes:
        asked: the shapes that it was asked for last.
    """

    def __init__(self, noises: Sequence[Draws]) -> None:
        self._noises = list(noises)
        self._questions: dict[Shapes, list[Question]] = {}
        self._supplies: dict[Shapes, list[_Supply]] = {}
        self.asked: Shapes = ()

    def of(self, places: Sequence[int]) -> list[Draws]:
        """Return the streams of the replicas at ``places``."""
        return [self._noises[place] for place in places if self._noises]

    def begin(self) -> None:
        """Forget what was drawn ahead in the epoch before."""
        for supplies in self._supplies.values():
            for supply in supplies:
                supply.empty()

    def __call__(self, use: Callable[..., Any], stacked: Sequence[Any]) -> list[Tensor]:
        """Return the draws, each (replicas, …), that ``use(draws, *slices)`` asks for of stacked slices."""
        if not self._noises:
            return []
        self.asked = tuple(one.shape for one in tree_leaves(stacked))
        if self.asked not in self._questions:
            self._ask(use, stacked)
        if not tree_leaves(stacked)[0].is_cuda:
            questions = self._questions[self.asked]
            return [torch.stack([one.put_to(noise) for noise in self._noises]) for one in questions]
        if not torch.cuda.is_current_stream_capturing():
            self.draw(self.asked)
        return [supply.next for supply in self._supplies[self.asked]]

    def draw(self, shapes: Shapes) -> None:
        """Put the next draws for slices of ``shapes`` where they are looked for."""
        for supply in self._supplies[shapes]:
            supply.draw()

    def _ask(self, use: Callable[..., Any], stacked: Sequence[Any]) -> None:
        asked = Questioned(Noise(0, "questions", str(tree_leaves(stacked)[0].device)))
        with torch.no_grad():
            use(asked, *tree_map(lambda one: one[0], list(stacked)))
        self._questions[self.asked] = asked.questions
        self._supplies[self.asked] = [_Supply(question, self._noises) for question in asked.questions]


@final
class _Supply:
    """Draws for one question, made for several steps at once.

    Attributes:
        next: those of the step at hand, (replicas, …), always at one place in memory.
    """

    next: Tensor

    def __init__(self, question: Question, noises: Sequence[Draws]) -> None:
        self._question, self._noises = question, noises
        self._ahead = torch.empty(0)
        self._taken = 0

    def empty(self) -> None:
        self._ahead, self._taken = torch.empty(0), 0

    def draw(self) -> None:
        if self._taken == len(self._ahead):
            many = max(1, min(STEPS, NUMBERS // max(1, self._question.numel())))
            self._ahead = torch.stack([self._question.ahead(many, noise) for noise in self._noises], 1)
            self._taken = 0
        if not hasattr(self, "next"):
            self.next = torch.empty_like(self._ahead[0])
        self.next.copy_(self._ahead[self._taken])
        self._taken += 1
