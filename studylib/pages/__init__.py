"""Pages for everyone: one file each, no script, no other host, the same inputs the same bytes."""

from __future__ import annotations

from studylib import deferred  # noqa: F401  before nbconvert
from studylib.pages.catalogue import catalogue_page
from studylib.pages.comparison import compare_page
from studylib.pages.index import index_page
from studylib.pages.reproductions import reproductions_page
from studylib.pages.sizes import sizes_page
from studylib.pages.speeds import speeds_page
from studylib.pages.study import study_page

__all__ = [
    "catalogue_page",
    "compare_page",
    "index_page",
    "reproductions_page",
    "sizes_page",
    "speeds_page",
    "study_page",
]
