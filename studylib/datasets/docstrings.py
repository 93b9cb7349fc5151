"""Which library is this docstring from? Source: the packages that are installed here, read as text."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, final

from pydantic import Field, model_validator

from studylib import memory
from studylib.datasets import _sources, _words
from studylib.datasets._cache import stored
from studylib.datasets._sources import Source
from studylib.datasets._splits import TrainRows, ValidationRows, leave_a_test, stratified
from studylib.datasets._words import MASK, Texts, chosen, split_of, words
from studylib.datasets.base import Dataset, Split
from studylib.errors import StudyError
from studylib.places import store_folder

if TYPE_CHECKING:
    import numpy as np

# imported as, installed as
LIBRARIES = {
    "matplotlib": "matplotlib",
    "networkx": "networkx",
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "sympy": "sympy",
    "torch": "torch",
}
MOST_FILES = 300  # of a library, in the order of a hash: torch alone has two thousand
MOST_SENTENCES = 1500  # of a library, in the order of a hash
SHORTEST, LONGEST = 4, 60

_ALIASES = r"np|sp|pd|plt|mpl|nx|scikit[- ]learn"
_NAMES = "|".join([*LIBRARIES, "scikit"])
_LIBRARY = re.compile(rf"(?<![^\W_])(?:{_ALIASES})(?![^\W_])|[^\W_]*(?:{_NAMES})[^\W_]*", re.IGNORECASE)
_PROSE = re.compile(r"[^\W\d_][^\s(=]*\s")  # it begins with a word, not with a call, a prompt or a directive
_DESCRIBED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@final
class Docstrings(Dataset):
    """First paragraphs of docstrings in eight scientific Python libraries; the class is the library.

    Inputs have shape (n, length) in int64: the first words of a sentence by their numbers, 0 after its end
    and 1 for a word that the train rows have fewer than ``min_count`` times.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "text"
    source: ClassVar[str] = (
        "docstrings of the installed matplotlib, networkx, numpy, pandas, scipy, scikit-learn, sympy and"
        " torch: https://matplotlib.org, https://networkx.org, https://numpy.org, https://pandas.pydata.org,"
        " https://scipy.org, https://scikit-learn.org, https://www.sympy.org, https://pytorch.org"
    )
    licence: ClassVar[str] = "BSD-3-Clause; matplotlib: its own, based on the PSF licence"
    about: ClassVar[str] = (
        "First paragraphs, 4 to 60 words, of the docstrings of modules, classes and functions, as many from"
        f" each of eight libraries. The libraries' names and usual abbreviations are replaced by {MASK};"
        " a paragraph that stands in two libraries is left out."
    )
    not_for: ClassVar[str] = (
        "Comparison with other people's numbers: the rows change with the versions of the libraries and of"
        " Python. English outside of programming: they are short, technical and partly written from"
        " templates. Paragraphs that differ in a word or two may stand in train"
        " and test, for libraries repeat themselves."
    )

    train: TrainRows = 240
    validation: ValidationRows = 400
    per_class: Annotated[int, Field(ge=30, le=MOST_SENTENCES, description="rows of each library")] = 600
    length: Annotated[int, Field(ge=4, le=LONGEST, description="words of a row that are kept")] = 40
    min_count: Annotated[int, Field(ge=1, description="how often train must have a word to number it")] = 2

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        leave_a_test(len(LIBRARIES) * self.per_class, self.train, self.validation)
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``texts`` (n,) as strings and ``labels`` (n,), by class and then in the order of a hash."""
        import numpy as np

        texts, labels = _corpus(store_folder(), self.per_class)
        return {"texts": np.array(texts), "labels": labels}

    def classes(self) -> tuple[str, ...]:
        """Return the names of the libraries."""
        return tuple(LIBRARIES.values())

    def origin(self) -> list[str]:
        """Return the versions of Python and of the packages that are read."""
        return _sources.installed(*LIBRARIES.values())

    def split(self, seed: int) -> Split:
        """Return the stratified split of ``seed``; the vocabulary is that of its train rows.

        Raises:
            StudyError: an installed library has fewer than ``per_class`` sentences.
        """
        texts, labels = _corpus(store_folder(), self.per_class)
        rows = Texts([words(text) for text in texts], labels)
        parts = stratified(seed, labels, self.train, self.validation)
        return split_of((chosen(rows, part) for part in parts), self.min_count, self.length, len(LIBRARIES))


def collect(libraries: Iterable[Sequence[Source]]) -> list[list[str]]:
    """Return the masked sentences of each library, in the order of a hash; what two have is left out."""
    found = [_sentences(sources) for sources in libraries]
    sayers = Counter(key for sentences in found for key in sentences)
    own = [[text for key, text in sentences.items() if sayers[key] == 1] for sentences in found]
    return [sorted(texts, key=_hash)[:MOST_SENTENCES] for texts in own]


def _sentences(sources: Sequence[Source]) -> dict[tuple[str, ...], str]:
    """Return the sentences of one library by their words; of those with the same words, the first."""
    drawn = sorted(sources, key=lambda source: _hash(source.module))[:MOST_FILES]
    texts = {text for source in drawn for text in paragraphs(source)}
    known = {words(text): text for text in sorted(texts, reverse=True)}
    return {key: text for key, text in known.items() if SHORTEST <= len(key) <= LONGEST}


def paragraphs(source: Source) -> Iterator[str]:
    """Give the first paragraph of each docstring that begins like prose, in one line and masked."""
    tree = source.parse()
    for node in _sources.statements(tree) if tree else ():
        described = ast.get_docstring(node) if isinstance(node, _DESCRIBED) else None
        first = " ".join(re.split(r"\n\s*\n", (described or "").strip())[0].split())
        if _PROSE.match(first):
            yield _LIBRARY.sub(MASK, first)


def _hash(text: str) -> bytes:
    return sha256(text.encode(errors="replace")).digest()


@lru_cache(maxsize=4)
def _corpus(folder: Path, per_class: int) -> tuple[tuple[str, ...], np.ndarray]:
    import numpy as np

    ingredients = _sources.ingredients(LIBRARIES.values(), __file__, _words.__file__)
    known = stored(folder, "docstrings", ingredients, _build)
    texts: list[str] = []
    for name, installed in LIBRARIES.items():
        sentences = known[name].tobytes().decode().split("\n")
        if len(sentences) < per_class:
            raise StudyError(
                f"docstrings: the installed {installed} has {len(sentences)} sentences,"
                f" but per_class asks for {per_class}; lower it."
            )
        texts += sentences[:per_class]
    labels = np.repeat(np.arange(len(LIBRARIES)), per_class)
    labels.flags.writeable = False
    return tuple(texts), labels


def _build() -> dict[str, np.ndarray]:
    import numpy as np

    with memory.collector_paused():
        sentences = collect(_sources.modules_of(name) for name in LIBRARIES)
    return {
        name: np.frombuffer("\n".join(texts).encode(errors="replace"), dtype=np.uint8)
        for name, texts in zip(LIBRARIES, sentences, strict=True)
    }


EXAMPLE = Docstrings()
