"""How the settings that an arm leaves open are chosen, and how many trials that takes.

Sources: Bergstra and Bengio (2012), https://jmlr.org/papers/v13/bergstra12a.html (random); Bergstra and
others (2011), https://papers.nips.cc/paper/4443 (TPE); Cawley and Talbot (2010),
https://jmlr.org/papers/v11/cawley10a.html (why the score that chose is too good)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from studylib.components import Component
from studylib.errors import ParameterError
from studylib.trainers.candidates import Range, Values, listed

Space = Mapping[str, Values]
Point = Mapping[str, Any]

MOST = 2000  # trials of an arm
FINEST = 200  # points of a range


@final
class Tuning(Component):
    """How open settings are chosen, the same for every arm.

    ``grid`` tries every combination, ``random`` draws, and ``tpe`` draws where what was tried before did
    well. Without ``folds`` a trial is trained on the train rows and scored on the validation rows; with them,
    the train rows are dealt to that many folds, each is held out in turn, and the validation rows stay unseen
    until the choice is made. ``joint`` opens all settings at once, ``staged`` one after the other: those that
    were not turned to yet are at their first value.
    """

    kind: ClassVar[str] = "tuning"

    method: Literal["grid", "random", "tpe"] = "grid"
    trials: (
        Annotated[int, Field(ge=2, le=MOST, description="of each arm that leaves something open")] | None
    ) = None
    folds: Annotated[int, Field(ge=2, le=100)] | Literal["none"] = "none"
    order: Literal["joint", "staged"] = "joint"

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.method != "grid" and self.trials is None:
            raise ValueError(f"a number of trials with method {self.method!r}, such as trials: 20")
        return self


def first(space: Space) -> dict[str, Any]:
    """Return the first value of each setting: of a range, the low end."""
    return {name: values[0] if isinstance(values, tuple) else values.low for name, values in space.items()}


def corners(space: Space) -> dict[str, tuple[Any, ...]]:
    """Return the values of each setting of which some combination is wrong if any is."""
    return {
        name: values if isinstance(values, tuple) else (values.low, values.high)
        for name, values in space.items()
    }


def count(space: Space, tuning: Tuning) -> int:
    """Return how many trials choose from ``space``: 1 if it is empty."""
    if not space:
        return 1
    if tuning.order == "staged":
        return sum(stages(space, tuning))
    return prod(_sizes(space)) if tuning.method == "grid" else tuning.trials or 0


def stages(space: Space, tuning: Tuning) -> list[int]:
    """Return how many trials each setting has where they are chosen one after the other.

    A grid has one for each value; the best so far was tried already when a later stage begins. Trials that
    are drawn are shared out evenly, what is left over to the first settings.
    """
    if tuning.method == "grid":
        return [size - (place > 0) for place, size in enumerate(_sizes(space))]
    share, over = divmod(tuning.trials or 0, len(space))
    return [share + (place < over) for place in range(len(space))]


def _sizes(space: Space) -> list[int]:
    return [len(values) if isinstance(values, tuple) else _points(values) for values in space.values()]


def _points(values: Any) -> int:
    return values.points if isinstance(values, Range) else min(values.points, values.most)


def fitted(space: Space, tuning: Tuning, where: str) -> Space:
    """Return ``space`` with as many points in its ranges as ``tuning`` has trials, if that is a grid.

    Ranges whose points were said keep them; the others get the same number each.

    Raises:
        ParameterError: no number of points makes so many, or there are fewer combinations, or far too many.
    """
    if not space:
        return space
    if tuning.method != "grid":
        return _refuse_too_few(space, tuning, where)
    if tuning.trials is None:
        return _refuse_too_many(space, tuning, where)
    free = {n for n, v in space.items() if not isinstance(v, tuple) and "points" not in v.model_fields_set}
    found = {}
    for points in range(2, FINEST + 1):
        own = {
            n: v.clipped(points) if n in free and not isinstance(v, tuple) else v for n, v in space.items()
        }
        found[count(own, tuning)] = own
        if not free or max(found) > tuning.trials:
            break
    if tuning.trials in found:
        return found[tuning.trials]
    raise ParameterError(_no_grid(where, tuning.trials, sorted(found), bool(free)))


def _no_grid(where: str, trials: int, possible: list[int], free: bool) -> str:  # noqa: FBT001  # words alone
    below = [n for n in possible if n < trials][-1:]
    above = [n for n in possible if n > trials][:1]
    near = " or ".join(map(str, below + above))
    how = "Its ranges can make" if free else "Its lists and points make"
    return (
        f"{where}: no grid of its open settings has {trials} trials, as tuning.trials asks. {how} {near}:"
        f" set tuning.trials to {near}, change its lists or points, or use tuning.method 'random'."
    )


def _refuse_too_few(space: Space, tuning: Tuning, where: str) -> Space:
    """Refuse to draw more different trials than there are."""
    parts = [{name: values} for name, values in space.items()] if tuning.order == "staged" else [space]
    asked = stages(space, tuning) if tuning.order == "staged" else [tuning.trials or 0]
    for part, trials in zip(parts, asked, strict=True):
        sizes = [len(v) if isinstance(v, tuple) else getattr(v, "most", 0) for v in part.values()]
        if all(sizes) and prod(sizes) < trials:
            raise ParameterError(
                f"{where}: tuning.trials asks for {trials} different trials of {' and '.join(part)}, which"
                f" can be had in {prod(sizes)} ways. Lower tuning.trials, or use tuning.method 'grid'."
            )
    if 0 in asked:
        raise ParameterError(
            f"{where}: tuning.trials are too few for {len(space)} settings, one after the other. Set them to"
            f" at least {2 * len(space)}, or tuning.order to 'joint'."
        )
    return space


def _refuse_too_many(space: Space, tuning: Tuning, where: str) -> Space:
    found = count(space, tuning)
    if found > MOST:
        raise ParameterError(
            f"{where}: its open settings make {found} combinations, and more than {MOST} are too many for a"
            " grid. Lower their points, or use tuning.method 'random' with tuning.trials."
        )
    return space


def refuse_unequal(counts: Mapping[str, int]) -> None:
    """Refuse arms that would be tuned with different effort: who tries more finds more, by luck alone.

    Args:
        counts: trials of each arm that leaves something open.

    Raises:
        ParameterError: the counts, and how to make them equal.
    """
    if len(set(counts.values())) < 2:
        return
    told = ", ".join(f"{_names(counts, n)} {n}" for n in sorted(set(counts.values())))
    most = max(counts.values())
    raise ParameterError(
        f"arms: expected the same number of trials for every arm that is tuned, got: {told}. Make them equal"
        f" by the points of their ranges or the length of their lists; or say tuning: {{trials: {most}}},"
        f" which gives ranges the points that make {most}; or tuning: {{method: random, trials: {most}}}."
    )


def _names(counts: Mapping[str, int], number: int) -> str:
    return " and ".join(name for name, own in counts.items() if own == number)


def grid(space: Space) -> Iterable[tuple[Any, ...]]:
    """Return the values of each setting that a grid takes."""
    return [listed(values) for values in space.values()]
