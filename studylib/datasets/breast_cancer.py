"""Breast cancer in Wisconsin. Source: Wolberg et al. (1995), https://doi.org/10.24432/C5DW2B"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Self, final

from pydantic import model_validator

from studylib.datasets._sources import installed
from studylib.datasets._splits import Scale, TrainRows, ValidationRows, leave_a_test, stratified
from studylib.datasets.base import Dataset, Examples, Split

if TYPE_CHECKING:
    import numpy as np

ROWS = 569


@final
class BreastCancer(Dataset):
    """569 breast masses described by 30 numbers, benign or malignant, split with the classes in proportion.

    Inputs have shape (n, 30) in float64, each column standardised by the train rows.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "tables"
    source: ClassVar[str] = (
        "Wolberg, Mangasarian, Street and Street (1995), Breast Cancer Wisconsin (Diagnostic),"
        " https://doi.org/10.24432/C5DW2B, as shipped with scikit-learn"
    )
    licence: ClassVar[str] = "CC BY 4.0"
    about: ClassVar[str] = (
        "569 breast masses, 212 malignant and 357 benign. Ten measures of the cell nuclei in a microscope"
        " image of each (radius, texture, …), every one as mean, standard error and worst value."
    )
    not_for: ClassVar[str] = (
        "Medical conclusions: one hospital, around 1990, and 37 % malignant, far more than among all"
        " patients. Radius, perimeter and area are nearly the same number, so single weights mean little."
    )

    train: TrainRows = 100
    validation: ValidationRows = 60

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        leave_a_test(ROWS, self.train, self.validation)
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``table`` (569, 30) in the units of the measures, and ``labels`` (569,)."""
        table, labels, _ = _load()
        return {"table": table, "labels": labels}

    def classes(self) -> tuple[str, ...]:
        """Return malignant, then benign."""
        return ("malignant", "benign")

    def columns(self) -> tuple[str, ...]:
        """Return the names of the 30 measures."""
        return _load()[2]

    def origin(self) -> list[str]:
        """Return the version of scikit-learn, which ships the data."""
        return installed("scikit-learn")

    def split(self, seed: int) -> Split:
        """Return the stratified split of ``seed``."""
        table, labels, names = _load()
        parts = stratified(seed, labels, self.train, self.validation)
        scale = Scale.of(table[parts.train])
        x = scale(table)
        train, validation, test = (Examples(x[rows], labels[rows]) for rows in parts)
        return Split(train, validation, test, inputs=(len(names),), outputs=2, unit=1 / scale.std)


@lru_cache(maxsize=1)
def _load() -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    table, labels = bunch.data.astype("float64"), bunch.target.astype("int64")
    table.flags.writeable = labels.flags.writeable = False
    return table, labels, tuple(str(name) for name in bunch.feature_names)


EXAMPLE = BreastCancer()
