"""Steps of training that a GPU was shown once, and repeats: launching its kernels costs more than they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from studylib.memory import collector_paused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from studylib.trainers._draws import DrawsOfAll

    Step = Callable[[Tensor], None]

BEFORE = 2  # steps of a shape that are taken one kernel at a time, which lets libraries choose theirs


@final
class Recorded:
    """A step that is recorded for each shape of its input, after some steps of that shape.

    What it reads must stay where it is in memory, and what differs from step to step be put there before.
    """

    def __init__(self, step: Step, drawing: Sequence[DrawsOfAll]) -> None:
        """Take the step, and what draws in it."""
        self._step, self._drawing = step, list(drawing)
        self._taken: dict[torch.Size, int] = {}
        self._recordings: dict[torch.Size, Step] = {}

    def __call__(self, numbers: Tensor) -> None:
        """Take a step with the rows of those numbers."""
        shape = numbers.shape
        taken = self._taken[shape] = self._taken.get(shape, 0) + 1
        if taken <= BEFORE:
            self._step(numbers)
            return
        if shape not in self._recordings:
            self._recordings[shape] = self._recorded(numbers)
        self._recordings[shape](numbers)

    def _recorded(self, numbers: Tensor) -> Step:
        """Return the step as it was recorded; itself if it asks the GPU for a number, and cannot be."""
        try:
            return _Recording(self._step, numbers, self._drawing).play
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            return self._step


@final
class _Recording:
    """A step as a graph of kernels."""

    def __init__(self, step: Step, numbers: Tensor, drawing: Sequence[DrawsOfAll]) -> None:
        self._numbers = numbers.contiguous().clone()
        self._graph = torch.cuda.CUDAGraph()
        # a graph of before that was freed now would take this one with it
        with collector_paused(), torch.cuda.graph(self._graph):
            step(self._numbers)
        self._draws = [(one, one.asked) for one in drawing if one.asked]

    def play(self, numbers: Tensor) -> None:
        for draws, asked in self._draws:
            draws.draw(asked)
        self._numbers.copy_(numbers)
        self._graph.replay()
