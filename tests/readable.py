"""The datasets that can be read here: all but one's own data, and those whose files are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.datasets import CATALOGUE
from studylib.datasets._own import OwnData
from studylib.downloads import present

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset


def is_readable(dataset: Dataset) -> bool:
    """Tell whether the files of ``dataset`` are there, which nothing is fetched for."""
    return not isinstance(dataset, OwnData) and all(present(file) for file in dataset.files)


READABLE = {name: one for name in CATALOGUE if is_readable(one := CATALOGUE.example(name))}
