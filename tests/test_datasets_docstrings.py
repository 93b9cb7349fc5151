"""The sentences of the installed libraries, and what is made of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from small_packages import write

from studylib.datasets import _sources, _words, docstrings
from studylib.datasets._splits import stratified
from studylib.datasets._words import MASK
from studylib.datasets.docstrings import LIBRARIES, Docstrings
from studylib.errors import StudyError


def test_docstrings_are_sentences_of_4_to_60_words_without_a_librarys_name() -> None:
    """Nothing gives the class away by its name, and no sentence stands twice."""
    texts = Docstrings(per_class=1500).arrays()["texts"].tolist()
    rows = [_words.words(text) for text in texts]
    seen = {word for row in rows for word in row}
    aliases = {"np", "pd", "plt", "mpl", "nx", "sp"}

    assert {4, 20} <= {len(row) for row in rows}
    assert min(map(len, rows)) >= 4
    assert max(map(len, rows)) <= 60
    assert not [word for word in seen if any(name in word for name in (*LIBRARIES, "scikit"))]
    assert not seen & aliases
    assert MASK in seen
    assert len(set(rows)) == len(rows)


def test_the_cap_per_class_takes_the_first_of_one_order() -> None:
    """Each library has exactly per_class rows, and a smaller cap keeps a part of what a larger one has."""
    small, large = (Docstrings(per_class=n, train=40, validation=40).arrays() for n in (100, 250))

    assert np.bincount(small["labels"]).tolist() == [100] * len(LIBRARIES)
    assert np.bincount(large["labels"]).tolist() == [250] * len(LIBRARIES)
    for label in range(len(LIBRARIES)):
        first = small["texts"][small["labels"] == label]
        assert first.tolist() == large["texts"][large["labels"] == label][:100].tolist()


def test_the_vocabulary_is_that_of_the_train_rows() -> None:
    """2 … are words that train has min_count times; 1 stands for the others; 0 only after the end."""
    dataset = Docstrings(train=80, validation=80, per_class=100, length=12, min_count=2)
    texts, labels = dataset.arrays().values()
    parts = stratified(6, labels, 80, 80)
    split = dataset.split(6)
    counts = Counter(word for row in parts.train for word in _words.words(texts[row]))
    known = {word for word, count in counts.items() if count >= 2}

    assert split.inputs == (len(known) + 2, 12)
    for part, rows in zip((split.train, split.validation, split.test), parts, strict=True):
        expected = [_words.words(texts[row])[:12] for row in rows]
        assert [int((line > 0).sum()) for line in part.x] == [len(row) for row in expected]
        assert all((line[len(row) :] == 0).all() for line, row in zip(part.x, expected, strict=True))
        assert [
            [number == 1 for number in line[: len(row)]] for line, row in zip(part.x, expected, strict=True)
        ] == [[word not in known for word in row] for row in expected]
    assert set(np.unique(split.train.x)) <= set(range(split.inputs[0]))


def test_numbers_of_words_go_by_frequency_and_then_by_the_alphabet() -> None:
    """A vocabulary does not depend on the order of the rows."""
    rows = [("b", "a", "b"), ("c", "a"), ("d",)]

    assert _words.vocabulary(rows, 1) == {"a": 2, "b": 3, "c": 4, "d": 5}
    assert _words.vocabulary(rows[::-1], 2) == {"a": 2, "b": 3}
    assert _words.encode([("a", "x", "b", "a")], {"a": 2, "b": 3}, 3).tolist() == [[2, 1, 3]]
    assert _words.encode([("b",)], {"a": 2, "b": 3}, 3).tolist() == [[3, 0, 0]]


def test_first_paragraphs_are_found_wherever_they_stand(tmp_path: Path) -> None:
    """Modules, classes, nested functions; not tests, calls, prompts, or files that Python cannot read."""
    sources = write(
        tmp_path / "small",
        {
            "__init__.py": '"""The torch module\n   uses NumPy arrays.\n   \nAnd more."""\n',
            "a.py": 'if True:\n    class A:\n        """An np array of Matplotlib\'s."""\n'
            '        async def f():\n            """Uses scikit-learn, pytorch_lightning and plt."""\n',
            "latin.py": b'# coding: latin-1\n"""Poincar\xe9 was here again."""\n',
            "marked.py": '\ufeff"""A byte order mark stands before."""\n'.encode(),
            "calls.py": '"""f(x, y) returns a sum of these."""\ndef g():\n    """>>> this is a prompt"""\n',
            "broken.py": '"""This one does not parse."""\ndef (:\n',
            "nul.py": b'"""This one has a nul."""\n\0\n',
            "escape.py": '"""An invalid escape is no warning \\d here."""\n',
            "tests/test_a.py": '"""A test is left out of this."""\n',
            "conftest.py": '"""A fixture is left out of this."""\n',
            "not-a-module.py": '"""It can not be imported by name."""\n',
        },
    )

    assert [source.module for source in sources][:2] == ["small", "small.a"]
    assert {text for source in sources for text in docstrings.paragraphs(source)} == {
        f"The {MASK} module uses {MASK} arrays.",
        f"An {MASK} array of {MASK}'s.",
        f"Uses {MASK}, {MASK}_lightning and {MASK}.",
        "Poincaré was here again.",
        "A byte order mark stands before.",
        "An invalid escape is no warning \\d here.",
    }


def test_what_two_libraries_say_is_left_out(tmp_path: Path) -> None:
    """Equal words count as equal, whatever the case, the signs and the library that is named."""
    one = write(
        tmp_path / "one", {"a.py": '"""Return a NumPy array."""', "b.py": '"""Only said once, here."""'}
    )
    two = write(
        tmp_path / "two",
        {
            "a.py": '"""return a torch array!"""',
            "b.py": '"""Said here by two of us."""',
            "c.py": '"""Said here, by two of us."""',
            "d.py": '"""Too short, this."""',
        },
    )

    assert docstrings.collect([one, two]) == [["Only said once, here."], ["Said here by two of us."]]


def test_a_package_that_is_not_installed_is_named() -> None:
    """The error says which package is missing, and what installs it."""
    with pytest.raises(StudyError, match=r"'no_such_package'.*make env"):
        _sources.modules_of("no_such_package")
    with pytest.raises(StudyError, match=r"'no-such-package'.*make env"):
        _sources.ingredients(["numpy", "no-such-package"])
