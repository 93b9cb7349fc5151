"""Which data there are: name, task, size, licence, whether they are here and where, and how they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from textwrap import shorten
from typing import final

from studylib import datasets
from studylib.datasets._own import OwnData
from studylib.datasets.base import Dataset
from studylib.downloads import File, cache_folder, data_folder, fetched, present
from studylib.errors import Complaints, unknown
from studylib.regularizers._wordnet_files import LICENCE, SOURCE, WORDNET_2025

MB = 1e6
LICENCE_WIDTH = 60  # characters that the list has of it; all of it stands in the JSON
EVERYTHING = "all"
WORDNET = "open-english-wordnet"
# what is asked of one's own data, by what a row is
TASKS = {
    "images": "classification",
    "interactions": "rating or ranking",
    "series": "forecasting",
    "tables": "classification or regression",
    "text": "classification",
}


@final
@dataclass(frozen=True)
class Supply:
    """A dataset, or what else is fetched.

    Attributes:
        task: what is asked of it.
        comes: ``from a server``, ``with the packages`` that are installed, or ``from you``.
        present: whether it can be read without a network; None of one's own data, of which nobody knows.
        where: the folder of its first file, empty if there is none.
        bytes: of its files.
        files: what it is fetched from.
    """

    name: str
    task: str
    comes: str
    licence: str
    source: str
    present: bool | None
    where: str = ""
    bytes: int = 0
    files: tuple[File, ...] = ()


def survey() -> list[Supply]:
    """Return what there is, in the order of the names; this reads no data.

    Raises:
        ParameterError: ``STUDYLIB_DATA`` names no folder.
    """
    known = [_dataset(name, datasets.CATALOGUE.example(name)) for name in datasets.CATALOGUE]
    wordnet = _from_files(WORDNET, "synonyms for arms", LICENCE, SOURCE, WORDNET_2025)
    return sorted([*known, wordnet], key=lambda one: one.name)


def _dataset(name: str, dataset: Dataset) -> Supply:
    if isinstance(dataset, OwnData):
        return Supply(name, TASKS[dataset.inputs], "from you", dataset.licence, dataset.source, present=None)
    if dataset.files:
        return _from_files(name, dataset.task, dataset.licence, dataset.source, dataset.files)
    return Supply(name, dataset.task, "with the packages", dataset.licence, dataset.source, present=True)


def _from_files(name: str, task: str, licence: str, source: str, files: Sequence[File]) -> Supply:
    paths = [present(file) for file in files]
    found = [path for path in paths if path]
    here, where = len(found) == len(files), str(found[0].parent) if found else ""
    size = sum(file.bytes for file in files)
    return Supply(name, task, "from a server", licence, source, here, where, size, tuple(files))


def as_json(supplies: Sequence[Supply]) -> str:
    """Return everything that is known of the supplies, as JSON."""
    return json.dumps([asdict(one) for one in supplies], indent=1, ensure_ascii=False)


def as_lines(supplies: Sequence[Supply]) -> list[str]:
    """Return a line for each holding, under a heading, and where files are looked for."""
    heading = ("name", "task", "size", "present", "licence")
    rows = [heading, *(_row(one) for one in supplies)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading) - 1)]
    lines = ["  ".join([*map(str.ljust, row, widths), row[-1]]) for row in rows]
    held = data_folder()
    looked = f"{held} (STUDYLIB_DATA), then {cache_folder()}" if held else f"{cache_folder()}"
    return [*lines, "", f"Files are looked for in {looked}.", "To get some: studylib data fetch NAME…"]


def _row(one: Supply) -> tuple[str, ...]:
    size = f"{one.bytes / MB:.1f} MB" if one.files else "-"
    if one.present is None:
        return one.name, one.task, size, "yours", "yours"
    here = "with packages" if not one.files else "yes" if one.present else "in part" if one.where else "no"
    return one.name, one.task, size, here, shorten(one.licence, LICENCE_WIDTH, placeholder=" …")


def places(names: Sequence[str]) -> list[str]:
    """Return a line for each file of the supplies called ``names``, of all if there are none: where it is.

    Raises:
        ParameterError: a name is unknown.
    """
    chosen = named(names) if names else [one for one in survey() if one.files]
    return [line for one in chosen for line in _places(one)]


def _places(one: Supply) -> list[str]:
    if not one.files:
        return [f"{one.name}: it comes {one.comes}."]
    not_yet = f"(not yet: studylib data fetch {one.name})"
    return [str(present(file) or f"{cache_folder() / file.path} {not_yet}") for file in one.files]


def named(names: Sequence[str]) -> list[Supply]:
    """Return the supplies called ``names``, each once; all that come from a server for ``all``.

    Raises:
        ParameterError: every name that is unknown, with what was meant.
    """
    known = {one.name: one for one in survey()}
    told = Complaints()
    chosen: dict[str, Supply] = {}
    for name in names:
        if name == EVERYTHING:
            chosen |= {one.name: one for one in known.values() if one.files}
        elif name in known:
            chosen[name] = known[name]
        else:
            told.hear(_refuse, name, known)
    if told.lines:
        raise told.error()
    return list(chosen.values())


def _refuse(name: str, known: dict[str, Supply]) -> None:
    raise unknown("data", name, [*known, EVERYTHING], "data")


def fetch(names: Sequence[str], tell: Callable[[str], object]) -> None:
    """Fetch and check the files of the supplies called ``names``; one that fails does not stop the others.

    Raises:
        ParameterError: a name is unknown, which is said before anything is fetched, or what cannot be had.
    """
    told = Complaints()
    for one in named(names):
        line = told.hear(_fetched, one)
        tell(line or f"{one.name}: cannot be had, as said below.")
    if told.lines:
        raise told.error()


def _fetched(one: Supply) -> str:
    if not one.files:
        return f"{one.name}: it comes {one.comes}; there is nothing to fetch."
    first, *others = [fetched(file) for file in one.files]
    count = f"{len(others) + 1} files" if others else "1 file"
    return f"{one.name}: {count}, {one.bytes / MB:.1f} MB, in {first.parent}, as they should be"
