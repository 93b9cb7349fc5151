"""A look at data before anything is run: what they hold, and what is likely to mislead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from studylib.datasets._own_table import OwnTable
from studylib.errors import ParameterError
from studylib.inspection import images, leakage, parts, ratings, series, tables, texts
from studylib.inspection.finding import Finding

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset, Split

__all__ = ["Finding", "Inspection", "inspected"]


@final
@dataclass(frozen=True)
class Inspection:
    """What was seen of a dataset.

    Attributes:
        facts: what it holds, a line each.
        columns: of one's own table a row per column, the first of them names what is in it; else empty.
        findings: what is likely to mislead, with what to do about it.
        unusable: why it cannot be run as it is; empty if it can.
    """

    facts: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]
    unusable: str = ""

    def lines(self) -> Iterator[str]:
        """Give the text that a person reads."""
        yield from self.facts
        if self.columns:
            yield ""
            yield from _aligned(self.columns)
        yield ""
        for finding in self.findings:
            yield f"{finding.what}: {finding.text}"
            if finding.advice:
                yield f"    {finding.advice}"
        if self.unusable:
            yield f"cannot be used yet: {self.unusable}"
        elif not self.findings:
            yield "Nothing suspicious was found."


def inspected(dataset: Dataset) -> Inspection:
    """Look at ``dataset``, and at its split of seed 0.

    Raises:
        ParameterError: there is no such file, or it is no table at all.
    """
    if isinstance(dataset, OwnTable):
        return _of_table(dataset)
    dataset.refuse_unusable()
    split = dataset.split(0)
    own = (*leakage.of_inputs(dataset, split), *texts.findings(dataset, split), *images.findings(dataset))
    own = (*own, *series.findings(dataset, split), *ratings.findings(dataset, split))
    found = (*own, *parts.findings(dataset, split), *_remarks(dataset))
    return Inspection(_facts(dataset, split), (), found)


def _of_table(table: OwnTable) -> Inspection:
    profile = tables.profile(table)
    try:
        table.refuse_unusable()
        split = table.split(0)
    except ParameterError as error:
        return Inspection(profile.facts, profile.rows, profile.findings, str(error))
    found = (*tables.suspects(table), *parts.findings(table, split), *profile.findings, *_remarks(table))
    return Inspection(_facts(table, split), profile.rows, found)


def _facts(dataset: Dataset, split: Split) -> tuple[str, ...]:
    words = dataset.words()
    return (dataset.name, f"{words['source']}: {words['about']}", *parts.facts(dataset, split))


def _remarks(dataset: Dataset) -> list[Finding]:
    return [Finding("note", remark) for remark in dataset.remarks()]


def _aligned(rows: tuple[tuple[str, ...], ...]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
