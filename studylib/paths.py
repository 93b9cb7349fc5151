"""Coefficients of linear models over their strengths, those of a study's arms and of the lasso."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from studylib.trainers.candidates import listed, made

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from studylib.arms import Arm
    from studylib.params import StudyParams
    from studylib.trainers.linear import Loss


class Breakpoint(NamedTuple):
    """Where the lasso's path bends.

    Attributes:
        strength: λ₁.
        length: Σ|w| there.
        entering: columns whose coefficients are zero down to this strength, and not below.
        leaving: columns whose coefficients become zero.
    """

    strength: float
    length: float
    entering: tuple[int, ...]
    leaving: tuple[int, ...]


def coefficient_paths(params: StudyParams, seed: int = 0) -> dict[str, Any]:
    """Return ``strengths``, ``paths`` and ``names`` of the arms that leave one strength open.

    ``paths`` holds, by arm, coefficients of shape (strengths, columns) on the train rows of ``seed``, or, of
    more than two classes, the lengths of each column's coefficients. Arms
    are shown together only if they choose from the same strengths; those of the first such arm count. Both
    are empty if no arm is exact and leaves its strength open.
    """
    import numpy as np

    from studylib.trainers import linear

    loss = _loss(params)
    open_arms = {arm.name: grid for arm in params.arms if (grid := _grid(arm, loss))}
    names = params.dataset.columns() or None
    if not open_arms:
        return {"strengths": np.array([]), "paths": {}, "names": names}
    strengths = next(iter(open_arms.values()))[0]
    split = params.dataset.split(seed)  # which takes its time with a large table
    paths = {
        name: linear.path(split.train.x, split.train.y, own, mix, loss) * np.array(stretches)[:, None]
        for name, (own, mix, stretches) in open_arms.items()
        if own == strengths
    }
    return {"strengths": np.array(strengths), "paths": paths, "names": names}


def _loss(params: StudyParams) -> Loss:
    if params.dataset.task != "classification":
        return "squared"
    return "logistic" if len(params.dataset.classes()) == 2 else "softmax"


def _grid(arm: Arm, loss: Loss) -> tuple[list[float], float, list[float]] | None:
    """Return the strengths that a linear arm chooses from, its mix, and what each solution is multiplied by.

    None without one mix and many strengths.
    """
    from studylib.trainers.linear import strengths_of, stretch_of

    if not (arm.space and arm.shared):
        return None
    points = product(*map(listed, arm.space.values()))
    candidates = [
        made(arm.at(dict(zip(arm.space, point, strict=True))).regularizers, arm.name) for point in points
    ]
    pairs = [strengths_of(penalties) for penalties in candidates]
    strengths = [pair.l1 + pair.l2 for pair in pairs]
    mixes = {round(pair.l1 / total, 9) for pair, total in zip(pairs, strengths, strict=True) if total}
    stretches = [stretch_of(penalties, loss) for penalties in candidates]
    return (strengths, mixes.pop(), stretches) if len(mixes) == 1 else None


def breakpoints(x: ArrayLike, y: ArrayLike, least: float = 1e-4, apart: float = 1e-2) -> list[Breakpoint]:
    """Return where coefficients of the lasso appear or vanish, strongest first, to a relative 1e-12.

    Args:
        x: features, shape (n, p).
        y: target, shape (n,), of a regression.
        least: strength at which the search ends, relative to that at which the first appears.
        apart: relative distance within which two coefficients that come and go, or one that does both, may
            be missed.
    """
    import numpy as np

    from studylib.trainers import linear

    def support(strength: float) -> tuple[bool, ...]:
        return tuple((linear.path(x, y, [strength], 1.0, "squared")[0] != 0).tolist())

    top = linear.largest_strength(x, y, 1.0, "squared")
    grid = top * np.exp(np.arange(0, np.log(least), -apart))
    weights = linear.path(x, y, grid.tolist(), 1.0, "squared")
    kept = weights != 0
    found = [Breakpoint(top, 0.0, (int(np.flatnonzero(kept[1])[0]),), ())]
    for k in np.flatnonzero((kept[1:-1] != kept[2:]).any(axis=1)) + 1:
        high, low, before = float(grid[k]), float(grid[k + 1]), tuple(kept[k].tolist())
        while high - low > 1e-12 * high:
            middle = (high + low) / 2
            high, low = (middle, low) if support(middle) == before else (high, middle)
        size = float(np.abs(linear.path(x, y, [high], 1.0, "squared")).sum())
        changed = np.flatnonzero(kept[k] != kept[k + 1])
        came = tuple(int(j) for j in changed if kept[k + 1][j])
        found.append(Breakpoint(high, size, came, tuple(int(j) for j in changed if kept[k][j])))
    return found
