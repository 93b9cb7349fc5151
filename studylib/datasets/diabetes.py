"""Diabetes progression. Source: Efron et al. (2004), https://doi.org/10.1214/009053604000000067"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from studylib.datasets._sources import installed
from studylib.datasets._splits import Scale, TrainRows, ValidationRows, leave_a_test, shuffled
from studylib.datasets.base import Dataset, Examples, Split

if TYPE_CHECKING:
    import numpy as np

ROWS = 442
NAMES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
# sex has two values, so its square is a copy of itself
SQUARED = tuple(name for name in NAMES if name != "sex")


@final
class Diabetes(Dataset):
    """442 diabetes patients, ten measures each, and how far the disease went within a year.

    Inputs have shape (n, 10), or (n, 64) if ``features`` is ``quadratic``: the ten, nine squares and 45
    products of the ten in standard units. Every column, and the target, is standardised by the train rows.
    """

    task: ClassVar[str] = "regression"
    inputs: ClassVar[str] = "tables"
    unit: ClassVar[str] = "score points"
    source: ClassVar[str] = (
        "Efron, Hastie, Johnstone and Tibshirani (2004), Least Angle Regression,"
        " https://doi.org/10.1214/009053604000000067, as shipped with scikit-learn"
    )
    licence: ClassVar[str] = "none stated by the authors; shipped with scikit-learn (BSD-3-Clause)"
    about: ClassVar[str] = (
        "442 patients: age, sex, body mass index, mean blood pressure and six blood serum values (s1 to s6),"
        " and a measure of disease progression one year later. The quadratic features add nine squares and"
        " 45 products of these, as the paper does: many columns that say almost the same."
    )
    not_for: ClassVar[str] = (
        "Medical conclusions: the paper does not say how the patients were chosen, or which sex is 1 and"
        " which is 2. Least squares explains half of the target's variance. s1 and s2 correlate at .90, so"
        " which of the two a sparse model keeps is close to chance."
    )

    train: TrainRows = 100
    validation: ValidationRows = 60
    features: Annotated[
        Literal["main", "quadratic"], Field(description="10 columns, or 64 with squares and products")
    ] = "main"

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        leave_a_test(ROWS, self.train, self.validation)
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``table`` (442, 10) in the units of the measures, and ``target`` (442,) in points."""
        table, target = _load()
        return {"table": table, "target": target}

    def columns(self) -> tuple[str, ...]:
        """Return the names of the 10 or 64 columns: ``bmi``, ``bmi²``, ``age·sex``."""
        if self.features == "main":
            return NAMES
        squares = (f"{name}²" for name in SQUARED)
        return (*NAMES, *squares, *(f"{a}·{b}" for a, b in combinations(NAMES, 2)))

    def origin(self) -> list[str]:
        """Return the version of scikit-learn, which ships the data."""
        return installed("scikit-learn")

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``; ``target_scale`` is in points."""
        table, target = _load()
        parts = shuffled(seed, ROWS, self.train, self.validation)
        measures = Scale.of(table[parts.train])
        x = measures(table)
        if self.features == "quadratic":
            x = quadratic(x)
            x = Scale.of(x[parts.train])(x)
        unit = 1 / measures.std if self.features == "main" else None  # products have no scale of their own
        scale = Scale.of(target[parts.train])
        y = scale(target)
        train, validation, test = (Examples(x[rows], y[rows]) for rows in parts)
        return Split(train, validation, test, (x.shape[1],), 1, target_scale=float(scale.std), unit=unit)


def quadratic(x: np.ndarray) -> np.ndarray:
    """Return the ten columns of ``x``, the nine squares, and the 45 products: shape (n, 64).

    Centred columns should go in: the square of a raw age is nearly a copy of the age.
    """
    import numpy as np

    squares = x[:, [NAMES.index(name) for name in SQUARED]] ** 2
    left, right = np.triu_indices(len(NAMES), k=1)
    return np.hstack([x, squares, x[:, left] * x[:, right]])


@lru_cache(maxsize=1)
def _load() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    table, target = bunch.data.astype("float64"), bunch.target.astype("float64")
    table.flags.writeable = target.flags.writeable = False
    return table, target


EXAMPLE = Diabetes()
