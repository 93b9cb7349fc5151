"""Coefficients of a study's linear arms over the strengths that they choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studylib.trainers.candidates import choices

if TYPE_CHECKING:
    from studylib.params import Arm, StudyParams
    from studylib.trainers.linear import Loss


def coefficient_paths(params: StudyParams, seed: int = 0) -> dict[str, Any]:
    """Return ``strengths``, ``paths`` and ``names`` of the arms that leave one strength open.

    ``paths`` holds, by arm, coefficients of shape (strengths, columns) on the train rows of ``seed``. Arms
    are shown together only if they choose from the same strengths; those of the first such arm count. Both
    are empty if no arm is exact and leaves its strength open.
    """
    import numpy as np

    from studylib.trainers import linear

    split = params.dataset.split(seed)
    loss: Loss = "logistic" if split.classified else "squared"
    open_arms = {arm.name: grid for arm in params.arms if (grid := _grid(arm, loss))}
    strengths = next(iter(open_arms.values()))[0] if open_arms else []
    paths = {
        name: linear.path(split.train.x, split.train.y, own, mix, loss) * np.array(stretches)[:, None]
        for name, (own, mix, stretches) in open_arms.items()
        if own == strengths
    }
    return {"strengths": np.array(strengths), "paths": paths, "names": params.dataset.columns() or None}


def _grid(arm: Arm, loss: Loss) -> tuple[list[float], float, list[float]] | None:
    """Return the strengths that a linear arm chooses from, its mix, and what each solution is multiplied by.

    None without one mix and many strengths.
    """
    from studylib.trainers.linear import strengths_of, stretch_of

    candidates = choices(arm.regularizers)
    if arm.training.optimizer != "exact" or len(candidates) == 1:
        return None
    pairs = [strengths_of(penalties) for penalties in candidates]
    strengths = [pair.l1 + pair.l2 for pair in pairs]
    mixes = {round(pair.l1 / total, 9) for pair, total in zip(pairs, strengths, strict=True) if total}
    stretches = [stretch_of(penalties, loss) for penalties in candidates]
    return (strengths, mixes.pop(), stretches) if len(mixes) == 1 else None
