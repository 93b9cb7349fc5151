"""Who imports whom, and what is held out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from small_packages import write

from studylib.datasets import imports
from studylib.datasets.imports import Imports


def test_imports_are_resolved_to_absolute_names(tmp_path: Path) -> None:
    """Dots count from the package; functions and conditions are entered; a module does not import itself."""
    sources = write(
        tmp_path / "pack",
        {
            "__init__.py": "from . import a\nfrom .deep import mod\nfrom __future__ import annotations\n",
            "a.py": "import os, os.path\nfrom . import b\nfrom .b import c\nfrom .. import outside\n",
            "deep/__init__.py": "from ..a import x\nimport pack.deep\n",
            "deep/mod.py": "def f():\n    if x:\n        from ...pack import y\n"
            "    else:\n        import json as j\n"
            "try:\n    from ..a import x\nexcept E:\n    from collections.abc import Mapping\n",
            "tests/mod.py": "import unittest\n",
        },
    )

    assert {source.module: imports.imported_by(source) for source in sources} == {
        "pack": {"pack.deep"},
        "pack.a": {"os", "os.path", "pack", "pack.b"},
        "pack.deep": {"pack.a"},
        "pack.deep.mod": {"json", "pack.a", "collections.abc"},
    }


def test_the_five_core_is_the_largest_part_where_all_have_five() -> None:
    """Rows and items that lose partners by a removal are removed too, as a slow search over sets confirms."""
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 60, (420, 2)) ** 2 // 60, axis=0)
    names = np.array([f"n{i:02d}" for i in range(60)])
    found = imports.core(imports.Interactions(pairs, names, names))
    slow = {tuple(pair) for pair in pairs.tolist()}
    while True:
        rows, items = Counter(r for r, _ in slow), Counter(i for _, i in slow)
        kept = {(r, i) for r, i in slow if rows[r] >= 5 and items[i] >= 5}
        if kept == slow:
            break
        slow = kept
    named = {(str(found.modules[r]), str(found.imported[i])) for r, i in found.interactions}

    assert 0 < len(slow) < len(pairs)
    assert named == {(names[r], names[i]) for r, i in slow}


def test_imports_are_a_five_core_of_different_pairs_in_order() -> None:
    """Every row and item has five partners, no pair stands twice, names and pairs are sorted."""
    pairs, modules, imported = Imports().arrays().values()

    assert np.bincount(pairs[:, 0], minlength=len(modules)).min() >= 5
    assert np.bincount(pairs[:, 1], minlength=len(imported)).min() >= 5
    assert np.array_equal(np.unique(pairs, axis=0), pairs)
    assert np.array_equal(np.unique(modules), modules)
    assert np.array_equal(np.unique(imported), imported)
    assert 1000 < len(modules) < 4000
    assert "__future__" not in imported
    assert not any(".tests." in name or name.startswith("test.") for name in modules)


@pytest.mark.parametrize("shares", [(0.2, 0.2), (0.01, 0.79), (0.79, 0.01), (0.4, 0.4), (0.33, 0.1)])
def test_each_row_has_items_in_every_part_and_none_in_two(shares: tuple[float, float]) -> None:
    """Held-out items are the share of the row's, at least one; at least one is left to train on."""
    dataset = Imports(rows=1000, validation=shares[0], test=shares[1])
    pairs = dataset.arrays()["interactions"]
    split = dataset.split(1)
    counts = [np.bincount(x[:, 0]) for x in (pairs, split.train.x, split.validation.x, split.test.x)]

    together = np.concatenate([split.train.x, split.validation.x, split.test.x])
    assert np.array_equal(np.unique(together, axis=0), pairs)
    assert len(together) == len(pairs)
    assert counts[1].min() >= 1
    for held, share in zip(counts[2:], shares, strict=True):
        assert np.array_equal(held, np.maximum(1, (counts[0] * share).astype(int)))
    assert (split.train.y == 1).all()


def test_fewer_rows_are_drawn_by_name() -> None:
    """The modules of a smaller draw are among those of a larger one, before the rare are left out."""
    names = np.array([f"m{i}" for i in range(50)])
    everything = imports.Interactions(np.array([[i, 0] for i in range(50)]), names, names[:1])
    few, more = (set(imports.drawn(everything, rows).interactions[:, 0].tolist()) for rows in (10, 30))

    assert len(few) == 10
    assert len(more) == 30
    assert few < more
