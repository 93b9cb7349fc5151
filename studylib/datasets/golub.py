"""Leukemia by gene expression. Source: Golub et al. (1999), https://doi.org/10.1126/science.286.5439.531"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self, final

from pydantic import Field, model_validator

from studylib.datasets._splits import Scale, held_out, stratified
from studylib.datasets.base import Dataset, Examples, Split
from studylib.downloads import File, fetched
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

PATIENTS, LEARNT = 72, 38
CLASSES = ("ALL", "AML")
COMMIT = "e6a1d8be4d763c9e4d9d71348abfaabd61a32131"
URL = f"https://raw.githubusercontent.com/tkhan11/Gene-Expression-Classification/{COMMIT}"
DECIDES = {
    "published": "which of the published 38 patients validate; the 34 others always test",
    "resampled": "which of the 72 patients train, validate and test, classes in proportion: draws that"
    " overlap, not the published split",
}
UNVALIDATED = ". None validates: what is called validation is measured on the train rows, and flatters"

Validating = Annotated[
    int,
    Field(
        ge=0, le=16, description="rows of the 38 that validate; 0: none, and the train rows stand for them"
    ),
]
Splits = Annotated[
    Literal["published", "resampled"],
    Field(description="38 and 34 patients as published, or of the 72 at random"),
]


@final
class Golub(Dataset):
    """72 patients with acute leukemia, 7 129 genes each, lymphoblastic (ALL) or myeloid (AML).

    Inputs have shape (n, 7129): log₁₀ of the intensity, which is first brought into ``low`` … ``high``, each
    column standardised by the train rows.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "tables"
    files: ClassVar[tuple[File, ...]] = (
        File(
            "golub/data_set_ALL_AML_train.csv",
            f"{URL}/data_set_ALL_AML_train.csv",
            "7c8b432b4af99e68f923c53e289c73f1834986b05d80c2c43502053d8fca9f2c",
            2039600,
        ),
        File(
            "golub/data_set_ALL_AML_independent.csv",
            f"{URL}/data_set_ALL_AML_independent.csv",
            "38bd56674360e5765840c579622fc0be2650780c0d6ef46f8601074e96677bd3",
            1856314,
        ),
        File(
            "golub/actual.csv",
            f"{URL}/actual.csv",
            "af291eced4116e257af0b73043e83b55d9b42f0d815440a4c5bc72424d2f44e1",
            511,
        ),
    )
    source: ClassVar[str] = (
        "Golub et al. (1999), Molecular Classification of Cancer, https://doi.org/10.1126/science.286.5439.531,"
        " as in https://github.com/tkhan11/Gene-Expression-Classification"
    )
    licence: ClassVar[str] = "none stated (public data of the Broad Institute, for research)"
    about: ClassVar[str] = (
        "72 patients with acute leukemia, 47 lymphoblastic (ALL) and 25 myeloid (AML). Intensities of 7 129"
        " probes for genes on an Affymetrix chip; 38 patients were published to learn from, 34 to test on."
    )
    not_for: ClassVar[str] = (
        "Medical conclusions: 72 patients, and the two published groups come from other hospitals and other"
        " kinds of samples. One test patient more or less is 3 points of accuracy. Hundreds of genes tell the"
        " classes apart, so which of them are kept is a matter of chance."
    )

    splits: Splits = "published"
    validation: Validating = 8
    low: Annotated[float, Field(ge=1, description="lower intensities are raised to this")] = 100.0
    high: Annotated[float, Field(le=1e6, description="higher intensities are lowered to this")] = 16_000.0

    @model_validator(mode="after")
    def _leaves_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low < high, not low {self.low:g} and high {self.high:g}")
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``table`` (72, 7129) of intensities by patient number, and ``labels`` (72,)."""
        found = _load(*map(fetched, self.files))
        return {"table": found.table, "labels": found.labels}

    def classes(self) -> tuple[str, ...]:
        """Return ALL, then AML."""
        return CLASSES

    def columns(self) -> tuple[str, ...]:
        """Return the accession numbers of the 7 129 genes."""
        return _load(*map(fetched, self.files)).genes

    def origin(self) -> list[str]:
        """Return the hashes of the files."""
        return [file.sha256 for file in self.files]

    def words(self) -> dict[str, Any]:
        """Return the facts, and what a seed decides."""
        decides = DECIDES[self.splits] + (UNVALIDATED if not self.validation else "")
        return {**super().words(), "a seed decides": decides}

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``."""
        import numpy as np

        table, labels, _ = _load(*map(fetched, self.files))
        x = np.log10(np.clip(table, self.low, self.high))
        train, validation, test = self._parts(seed, labels)
        scale = Scale.of(x[train])
        x = scale(x)
        first, second, third = (Examples(x[rows], labels[rows]) for rows in (train, validation, test))
        return Split(first, second, third, inputs=(x.shape[1],), outputs=2, unit=1 / scale.std)

    def _parts(self, seed: int, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        import numpy as np

        if self.splits == "resampled":
            drawn = stratified(seed, labels, LEARNT - self.validation, self.validation)
            train, validation, test = drawn
        else:
            train, validation = held_out(seed, labels[:LEARNT], None, self.validation)
            test = np.arange(LEARNT, PATIENTS)
        return train, validation if len(validation) else train, test


@final
class Measured(NamedTuple):
    """Intensities by patient and gene, classes, and names of genes."""

    table: np.ndarray
    labels: np.ndarray
    genes: tuple[str, ...]


@lru_cache(maxsize=1)
def _load(learnt: Path, tested: Path, actual: Path) -> Measured:
    import numpy as np

    genes, columns = _columns(learnt)
    others, more = _columns(tested)
    if genes != others:
        raise ParameterError(f"{tested}: expected the genes of {learnt.name}, in its order.")
    columns |= more
    with actual.open(encoding="utf-8", newline="") as file:
        told = {int(row[0]): CLASSES.index(row[1]) for row in list(csv.reader(file))[1:] if row}
    patients = range(1, PATIENTS + 1)
    table = np.array([columns[patient] for patient in patients], dtype=np.float64)
    labels = np.array([told[patient] for patient in patients], dtype=np.int64)
    table.flags.writeable = labels.flags.writeable = False
    return Measured(table, labels, genes)


def _columns(path: Path) -> tuple[tuple[str, ...], dict[int, list[str]]]:
    """Return the genes, and the intensities of each patient, whose columns are in no order of numbers."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = (row for row in csv.reader(file) if row)
    places = {int(name): place for place, name in enumerate(header) if name.strip().isdigit()}
    return (
        tuple(row[1] for row in rows),
        {patient: [row[place] for row in rows] for patient, place in places.items()},
    )


EXAMPLE = Golub()
