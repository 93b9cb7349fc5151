"""A table of one's own: a target, and the columns that it is to be predicted from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from studylib.datasets import _own_parts
from studylib.datasets._asked_table import AskedTable
from studylib.datasets._design import Design
from studylib.datasets._reading import Reading, read_of
from studylib.datasets._sources import installed
from studylib.datasets._splits import Parts, Scale
from studylib.datasets._tables import Place
from studylib.datasets._targets import refuse_unlearnt
from studylib.datasets.base import Examples, Split
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np


class OwnTable(AskedTable):
    """A table with a column to be predicted from others.

    Inputs have shape (n, features) in float32: numbers and times as they are, a column for each level of a
    text, missing cells filled in by the train rows' median with an indicator beside it, everything
    standardised by the train rows. A target of texts, or of at most ten different whole numbers, is a class.
    """

    inputs: ClassVar[str] = "tables"

    @property
    def task(self) -> str:
        """Return classification or regression: as the target looks, or as was told."""
        return self._read().target.task

    @property
    def unit(self) -> str:
        """Return the unit of a regression's target: what ``target_unit`` says, or units of the column."""
        return "" if self.task != "regression" else self.target_unit or f"units of {self.target}"

    def refuse_unusable(self) -> None:
        """Read it and draw a split, so that what is wrong is said before anything starts."""
        self._parts(0)

    def origin(self) -> list[str]:
        """Return the sha256 of the file, and the version of what reads it."""
        return [*super().origin(), *installed("pyarrow")]

    def described(self) -> str:
        """Return rows, columns, and why it is taken for a classification or a regression."""
        return self._read().described()

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``values``, NaN where missing; their ``names`` and levels; and ``target`` or ``labels``."""
        import numpy as np

        read = self._read()
        columns, target = read.columns, read.target
        levels = [
            f"{name}={level}"
            for name, own in zip(columns.names, columns.levels, strict=True)
            for level in own
        ]
        names = np.array([*columns.names, *levels])
        names.flags.writeable = False
        key = "labels" if target.classes else "target"
        return {"values": columns.cells, "names": names, key: target.values}

    def classes(self) -> tuple[str, ...]:
        """Return the classes: whole numbers by their size, texts by the alphabet."""
        return self._read().target.classes

    def columns(self) -> tuple[str, ...]:
        """Return the names of the inputs: ``age``, ``age is missing``, ``colour=red``."""
        return tuple(feature.name for feature in self._read().features)

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``; medians, levels and scales are those of its train rows.

        Raises:
            ParameterError: what is wrong with the file.
        """
        read, parts = self._read(), self._parts(seed)
        design = Design.of(read.columns.cells, read.features, parts.train)
        target, scale = read.target.values, 1.0
        if not read.target.classes:
            standard = Scale.of(target[parts.train])
            target, scale = standard(target), float(standard.std)
        train, validation, test = (Examples(design(rows), target[rows]) for rows in parts)
        outputs = max(1, len(read.target.classes))
        return Split(train, validation, test, (len(read.features),), outputs, scale, 1 / design.std)

    def _parts(self, seed: int) -> Parts:
        read = self._read()
        labels = read.target.values if read.target.classes else None
        try:
            sizes = _own_parts.sizes(len(read.columns), self.train, self.validation)
            if self.group:
                groups = read.columns.of(self.group).astype("int64")
                parts = _own_parts.grouped(seed, groups, *sizes, labels)
            elif self.time:
                parts = _own_parts.in_time(seed, read.columns.of(self.time), *sizes, labels)
            else:
                parts = _own_parts.drawn(seed, len(read.columns), *sizes, labels)
        except ParameterError as error:
            raise ParameterError(f"{self.path}: {error}") from None
        refuse_unlearnt(read.target, parts.train, Place(self.path, self.target, read.columns.first))
        return parts

    def _read(self) -> Reading:
        return read_of(self)
