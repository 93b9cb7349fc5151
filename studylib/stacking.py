"""Which fits that wait are trained as one network, and how many of them at a time.

The fits of a stack share dataset, model, techniques and training; they differ in the seed, in the strengths
of their techniques, and in the learning rate. How wide a stack is decides how long it takes (`costs`), and no
number. What is handed out as one stack may be trained in parts, if memory is not enough (`trainers.widths`).
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, final

from studylib import datasets, models
from studylib.costs import cost
from studylib.errors import ParameterError
from studylib.trainers import fitting
from studylib.trainers.candidates import choices
from studylib.trainers.stacks import why_alone

if TYPE_CHECKING:
    from studylib.plan import FitSpec


def stack_of(spec: FitSpec) -> str:
    """Return what the fits of one stack have in common; empty for a fit that is trained by itself."""
    try:
        model = _model(json.dumps(spec.model, sort_keys=True))
        dataset = _dataset(json.dumps(spec.dataset, sort_keys=True))
        candidates = choices(spec.regularizers)
    except ParameterError:  # it is told when the fit is computed
        return ""
    by_steps = fitting.trainer(dataset.task, spec.training["optimizer"]) in fitting.FAMILIES
    if not by_steps or len(candidates) > 1:
        return ""
    if why_alone(model, candidates[0], spec.device, dataset.side):
        return ""
    techniques = {one.name: _without(one.model_dump(mode="json"), one.dial()) for one in candidates[0]}
    common = {
        **spec.to_dict(),
        "seed": None,
        "training": _without(spec.training, "learning_rate"),
        "regularizers": techniques,
    }
    return json.dumps(common, sort_keys=True)


def _without(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != name}


@lru_cache(maxsize=64)
def _model(settings: str) -> Any:
    own = json.loads(settings)
    return models.CATALOGUE.make(own.pop("name"), own)


@lru_cache(maxsize=64)
def _dataset(settings: str) -> Any:
    own = json.loads(settings)
    return datasets.CATALOGUE.make(own.pop("name"), own)


@final
class Turn(NamedTuple):
    """A fit, the number of its next attempt, and how many of those before were at it alone."""

    spec: FitSpec
    attempt: int = 1
    alone: int = 0

    def next(self, *, alone: bool) -> Turn:
        """Return the next attempt, after one that was at the fit alone, or at a whole stack."""
        return Turn(self.spec, self.attempt + 1, self.alone + alone)


@final
class Waiting:
    """Fits that wait, first come, first served, and with the first those of its stack."""

    def __init__(self, specs: Iterable[FitSpec], stack_of: Callable[[FitSpec], str] = stack_of) -> None:
        self._stacks: OrderedDict[str, deque[Turn]] = OrderedDict()
        self._parts: deque[list[Turn]] = deque()  # of the stack that was taken from last
        self._count = 0
        self._stack_of = stack_of
        self.extend(specs)

    def __len__(self) -> int:
        return self._count

    def extend(self, specs: Iterable[FitSpec]) -> None:
        """Let ``specs`` wait, behind the others, for their first attempt."""
        for spec in specs:
            self._stacks.setdefault(self._stack_of(spec) or spec.key, deque()).append(Turn(spec))
            self._count += 1

    def again(self, turn: Turn) -> None:
        """Let a fit be next, and by itself: whatever ended its stack, its mates are not to end with it."""
        own = f"{turn.spec.key} {turn.attempt}"
        self._stacks[own] = deque([turn])
        self._stacks.move_to_end(own, last=False)
        self._count += 1

    def take(self, idle: int) -> list[Turn]:
        """Return the fits that are next, for one of ``idle`` workers.

        A stack is cut as it is begun: into no wider parts than pay, and so that the workers for whom there is
        no other stack are all done soonest. Who comes later makes another stack.
        """
        if not self._parts or self._first_again():
            self._parts.extendleft(reversed(self._cut(idle)))
        taken = self._parts.popleft()
        self._count -= len(taken)
        return taken

    def _first_again(self) -> bool:
        """Tell whether a fit that is tried again waits, before the rest of a stack."""
        return bool(self._stacks) and next(iter(self._stacks.values()))[0].attempt > 1

    def _cut(self, idle: int) -> list[list[Turn]]:
        _, waiting = self._stacks.popitem(last=False)
        # those of one seed share their split, and factorizations their order and their negatives
        fits = sorted(waiting, key=lambda turn: turn.spec.seed)
        own = cost(fits[0].spec.device, fits[0].spec.model["name"])
        count = own.parts(len(fits), max(1, idle - len(self._stacks)))
        cuts = [len(fits) * part // count for part in range(count + 1)]
        return [fits[begin:end] for begin, end in pairwise(cuts)]
