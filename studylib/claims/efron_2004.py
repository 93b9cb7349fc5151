"""Efron, Hastie, Johnstone and Tibshirani (2004): the lasso's path on the diabetes data, computed at once."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from studylib.claims.base import Claim, Source
from studylib.datasets.diabetes import EXAMPLE, NAMES
from studylib.paths import Breakpoint, breakpoints

if TYPE_CHECKING:
    import numpy as np


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Return all rows as the paper has them: columns and target centred, the columns of length 1."""
    arrays = EXAMPLE.arrays()
    table, target = (arrays[name].astype(float) for name in ("table", "target"))
    centred = table - table.mean(axis=0)
    return centred / (centred**2).sum(axis=0) ** 0.5, target - target.mean()


@cache
def _bends() -> list[Breakpoint]:
    return breakpoints(*_table())


def _lengths() -> str:
    return ", ".join(f"{one.length:.1f}" for one in _bends())


def _order() -> str:
    return ", ".join(NAMES[column] for one in _bends() for column in one.entering)


def _leaving() -> str:
    return ", ".join(NAMES[column] for one in _bends() for column in one.leaving)


@cache
def _least_squares() -> tuple[float, float]:
    """Return Σ|β| and R² of the path's end, which has no penalty."""
    import numpy as np

    x, y = _table()
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    return float(np.abs(weights).sum()), 1 - float(((y - x @ weights) ** 2).sum() / (y**2).sum())


_claim = partial(
    Claim,
    study="tabular",
    dataset="diabetes",
    arm="",
    metric="",
    value=0.0,
    rounding=0.0,
    protocol="all 442 rows, ten columns, centred and of length 1; no test rows, no chance",
)

SOURCE = Source(
    "Efron, Hastie, Johnstone and Tibshirani (2004)",
    "Least angle regression",
    "https://doi.org/10.1214/009053604000000067",
    (
        _claim(
            what="Σ|β| at the twelve breakpoints",
            printed="0.0, 60.1, 663.7, 888.9, 1250.7, 1440.8, 1537.1, 1914.6, 2115.7, 2195.8, 2802.4, 2863.0",
            computed=_lengths,
        ),
        _claim(
            what="order in which columns enter",
            printed="bmi, s5, bp, s3, sex, s6, s1, s4, s2, age, s3",
            computed=_order,
        ),
        _claim(what="column that leaves again", printed="s3", computed=_leaving),
        _claim(
            what="Σ|β| at the end, least squares",
            printed="3460.0",
            computed=lambda: f"{_least_squares()[0]:.1f}",
        ),
        _claim(
            what="R² of least squares",
            printed="0.5177",
            computed=lambda: f"{_least_squares()[1]:.4f}",
        ),
    ),
)
