"""Breast cancer in Wisconsin. Source: Wolberg et al. (1995), https://doi.org/10.24432/C5DW2B"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, final

from pydantic import Field, model_validator

from studylib.datasets._sources import installed
from studylib.datasets._splits import Scale, TrainRows, ValidationRows, leave_a_test, stratified
from studylib.datasets.base import Dataset, Examples, Split
from studylib.seeds import numpy_generator

if TYPE_CHECKING:
    import numpy as np

ROWS = 569
MEASURES = 30
PROBE = "probe of "  # what the name of each begins with
DEALT = 1995  # seed of the probes: they are content, the same in every split

Probes = Annotated[
    int,
    Field(ge=0, le=3000, description="columns appended that know nothing: permuted copies, in turn"),
]


@final
class BreastCancer(Dataset):
    """569 breast masses described by 30 numbers, benign or malignant, split with the classes in proportion.

    Inputs have shape (n, 30 + probes) in float64, each column standardised by the train rows. A probe is a
    column whose rows are dealt anew: it has the distribution of what it copies, and knows nothing of the
    class or of any other column. What a model finds in it is chance.
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
    probes: Probes = 0

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        leave_a_test(ROWS, self.train, self.validation)
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``table`` (569, 30 + probes) in the units of the measures, and ``labels`` (569,)."""
        table, labels, _ = _load(self.probes)
        return {"table": table, "labels": labels}

    def classes(self) -> tuple[str, ...]:
        """Return malignant, then benign."""
        return ("malignant", "benign")

    def columns(self) -> tuple[str, ...]:
        """Return the names of the 30 measures, and of the probes: ``probe of mean radius``."""
        return _load(self.probes)[2]

    def origin(self) -> list[str]:
        """Return the version of scikit-learn, which ships the data."""
        return installed("scikit-learn")

    def split(self, seed: int) -> Split:
        """Return the stratified split of ``seed``."""
        table, labels, names = _load(self.probes)
        parts = stratified(seed, labels, self.train, self.validation)
        scale = Scale.of(table[parts.train])
        x = scale(table)
        train, validation, test = (Examples(x[rows], labels[rows]) for rows in parts)
        return Split(train, validation, test, inputs=(len(names),), outputs=2, unit=1 / scale.std)


@lru_cache(maxsize=2)
def _load(probes: int) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    import numpy as np
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    names = [str(name) for name in bunch.feature_names]
    measures, labels = bunch.data.astype("float64"), bunch.target.astype("int64")
    columns = [measures]
    for probe in range(probes):
        place, copy = probe % MEASURES, probe // MEASURES
        order = numpy_generator(DEALT, f"probe {probe}").permutation(ROWS)
        columns.append(measures[order, place, None])
        names.append(f"{PROBE}{names[place]}" + (f" ({copy + 1})" if copy else ""))
    table = np.hstack(columns)
    table.flags.writeable = labels.flags.writeable = False
    return table, labels, tuple(names)


EXAMPLE = BreastCancer()
