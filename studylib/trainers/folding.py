"""A fold held out of the train rows, in place of the validation rows, which stay unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from studylib.datasets.base import Examples
from studylib.errors import ParameterError
from studylib.seeds import numpy_generator

if TYPE_CHECKING:
    from studylib.datasets.base import Split


def folded(split: Split, seed: int, fold: Mapping[str, int]) -> Split:
    """Return a split that is trained on all but one fold of the train rows, and validated on that.

    Rows are dealt to folds by the stream (seed, "folds"); the windows of a forecast, which overlap, stay in
    the order of time. The scale is that of all train rows: of a thing that is only compared with others on
    the same fold, it decides nothing.

    Args:
        split: of the seed.
        seed: of the fit.
        fold: how many there are, ``of``, and which is ``held`` out, from 0; with nothing in it, none is.

    Raises:
        ParameterError: there are fewer train rows than folds.
    """
    if not fold:
        return split
    rows = len(split.train)
    if rows < fold["of"]:
        raise ParameterError(f"tuning.folds: expected at most {rows}, the train rows, got {fold['of']}.")
    timed = not split.classified and split.train.y.ndim > 1
    order = np.arange(rows) if timed else numpy_generator(seed, "folds").permutation(rows)
    held = np.array_split(order, fold["of"])[fold["held"]]
    kept = np.setdiff1d(order, held)
    train, validation = (Examples(split.train.x[part], split.train.y[part]) for part in (kept, held))
    return replace(split, train=train, validation=validation)
