"""Which module imports which? Source: the packages that are installed here, read as text."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple, Self, final

from pydantic import Field, model_validator

from studylib import memory
from studylib.datasets import _sources
from studylib.datasets._cache import stored
from studylib.datasets._sources import Source
from studylib.datasets.base import Dataset, Examples, Split
from studylib.places import store_folder
from studylib.seeds import numpy_generator

if TYPE_CHECKING:
    import numpy as np

# imported as, installed as; torch is left out, for half of all modules would be its own
PACKAGES = {
    "IPython": "ipython",
    "PIL": "pillow",
    "jupyter_server": "jupyter_server",
    "matplotlib": "matplotlib",
    "nbconvert": "nbconvert",
    "networkx": "networkx",
    "numpy": "numpy",
    "pandas": "pandas",
    "pydantic": "pydantic",
    "rich": "rich",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "sklearn": "scikit-learn",
    "sympy": "sympy",
    "tornado": "tornado",
    "traitlets": "traitlets",
}
CORE = 5

Share = Annotated[float, Field(gt=0, lt=0.8, description="share of each row's items that is held out")]


@final
class Imports(Dataset):
    """Modules of Python's library and of 16 packages, and the modules that each of them imports.

    A row is a module, an item is a module that it imports, and the question is which others it imports. Rows
    and items with fewer than five partners are left out, again and again, until all have five.
    """

    task: ClassVar[str] = "ranking"
    inputs: ClassVar[str] = "interactions"
    source: ClassVar[str] = (
        "import statements of Python's standard library, https://docs.python.org/3/library, and of the"
        f" installed {', '.join(PACKAGES.values())}"
    )
    licence: ClassVar[str] = "names of modules, which are facts; the packages have licences of their own"
    about: ClassVar[str] = (
        "Every import statement, wherever it stands in a module; relative ones are resolved,"
        " `from a.b import c` counts as a.b, __future__ is left out. Each row and each item has at least"
        " five partners."
    )
    not_for: ClassVar[str] = (
        "Conclusions about people's taste: modules have none, and each is of one package, whose other modules"
        " are easy guesses. Comparison with other people's numbers: the rows change with the versions of the"
        " packages and of Python, and a little with the operating system."
    )

    rows: Annotated[int, Field(ge=1000, description="modules drawn, before the rare are left out")] = 4000
    validation: Share = 0.2
    test: Share = 0.2

    @model_validator(mode="after")
    def _leaves_a_train(self) -> Self:
        if self.validation + self.test > 0.8:
            raise ValueError(
                "validation + test to be at most 0.8, which leaves one of five items to train on"
                f" (here {self.validation} + {self.test})"
            )
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``interactions`` (n, 2), and the names of ``modules`` (rows) and ``imported`` (items)."""
        return _core(store_folder(), self.rows)._asdict()

    def origin(self) -> list[str]:
        """Return the versions of Python and of the packages that are read."""
        return _sources.installed(*PACKAGES.values())

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``: of each row's items the shares are held out, at least one each."""
        import numpy as np

        pairs, modules, imported = _core(store_folder(), self.rows)
        place = _place_in_row(numpy_generator(seed, "split"), pairs[:, 0])
        counts = np.bincount(pairs[:, 0])
        tested = np.maximum(1, counts * self.test).astype(np.int64)[pairs[:, 0]]
        held = tested + np.maximum(1, counts * self.validation).astype(np.int64)[pairs[:, 0]]
        masks = (place >= held, (place >= tested) & (place < held), place < tested)
        train, validation, test = (Examples(pairs[mask], np.ones(mask.sum())) for mask in masks)
        return Split(train, validation, test, (len(modules), len(imported)), outputs=1)


@final
class Interactions(NamedTuple):
    """Who imports whom, by number, and the names behind the numbers."""

    interactions: np.ndarray
    modules: np.ndarray
    imported: np.ndarray


def imported_by(source: Source) -> set[str]:
    """Return the absolute names of the modules that a module imports, other than itself."""
    package = source.module.split(".")
    if not source.is_package:
        package.pop()
    tree = source.parse()
    names: set[str] = set()
    for node in _sources.statements(tree) if tree else ():
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(_absolute(node, package))
    return names - {"", "__future__", source.module}


def _absolute(node: ast.ImportFrom, package: list[str]) -> str:
    """Return the name of the module that is imported from; nothing if the dots lead out of the package."""
    if node.level > len(package):
        return ""
    above = package[: len(package) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


def collect(sources: Iterable[Source]) -> Interactions:
    """Return the imports of all modules, sorted by name."""
    import numpy as np

    found = sorted({(source.module, name) for source in sources for name in imported_by(source)})
    modules, row = np.unique([module for module, _ in found], return_inverse=True)
    imported, item = np.unique([name for _, name in found], return_inverse=True)
    return Interactions(np.column_stack([row, item]).astype(np.int64), modules, imported)


def drawn(all_of_them: Interactions, rows: int) -> Interactions:
    """Return the imports of at most ``rows`` modules, the first in the order of a hash of their names."""
    import numpy as np

    pairs, modules, imported = all_of_them
    order = sorted(range(len(modules)), key=lambda row: sha256(str(modules[row]).encode()).digest())
    return Interactions(pairs[np.isin(pairs[:, 0], order[:rows])], modules, imported)


def core(known: Interactions, least: int = CORE) -> Interactions:
    """Leave out rows and items with fewer than ``least`` partners until all have them; renumber the rest."""
    import numpy as np

    pairs, modules, imported = known
    while True:
        row, item = pairs.T
        enough = (np.bincount(row)[row] >= least) & (np.bincount(item)[item] >= least)
        if enough.all():
            break
        pairs = pairs[enough]
    rows, row = np.unique(pairs[:, 0], return_inverse=True)
    items, item = np.unique(pairs[:, 1], return_inverse=True)
    return Interactions(np.column_stack([row, item]), modules[rows], imported[items])


def _place_in_row(generator: np.random.Generator, row: np.ndarray) -> np.ndarray:
    """Return the place, from 0, of each interaction in a random order within its row; ``row`` is sorted."""
    import numpy as np

    order = np.lexsort([generator.random(len(row)), row])
    counts = np.bincount(row)
    place = np.empty(len(row), dtype=np.int64)
    place[order] = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place


@lru_cache(maxsize=4)
def _core(folder: Path, rows: int) -> Interactions:
    ingredients = _sources.ingredients(PACKAGES.values(), __file__)
    known = stored(folder, "imports", ingredients, _build)
    result = core(drawn(Interactions(**known), rows))
    for array in result:
        array.flags.writeable = False
    return result


def _build() -> dict[str, np.ndarray]:
    libraries = (source for name in PACKAGES for source in _sources.modules_of(name))
    with memory.collector_paused():
        return collect([*_sources.standard_library(), *libraries])._asdict()


EXAMPLE = Imports()
