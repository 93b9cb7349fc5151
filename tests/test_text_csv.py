"""Texts of one's own, well formed and hostile, in any script."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest

from studylib.datasets import _scripts
from studylib.datasets._words import encode, vocabulary
from studylib.datasets.text_csv import TextCsv
from studylib.errors import ParameterError


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)


def mails(*rows: tuple[str, str]) -> None:
    """Write mails.csv, of rows (body, kind)."""
    with Path("mails.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("body", "kind"), *rows])


def plain(count: int = 60, classes: str = "ab") -> list[tuple[str, str]]:
    """Return different texts of 3 to 12 words, with the classes in turn."""
    draw = random.Random(0)
    words = [f"w{number}" for number in range(40)]
    return [
        (
            f"Text {number}: " + " ".join(draw.choices(words, k=draw.randint(1, 10))),
            classes[number % len(classes)],
        )
        for number in range(count)
    ]


def own(**settings: object) -> TextCsv:
    """Return the dataset of mails.csv with settings."""
    return TextCsv.model_validate({"path": "mails.csv", "text": "body", "label": "kind", **settings})


def test_texts_are_the_numbers_of_their_words() -> None:
    """Rows, words, labels and vocabulary are those that the encoding of other text datasets gives."""
    rows = plain(90, "abc")
    mails(*rows)
    split = own(length=5, min_count=3).split(0)
    learnt = [_scripts.words(text, 5) for text, _ in rows]
    parts = own(length=5)._parts(0)  # noqa: SLF001  # which rows they are
    numbers = vocabulary((learnt[row] for row in parts.train), 3)

    assert split.vocabulary == tuple(numbers)
    assert split.inputs == (len(numbers) + 2, 5)
    for part, drawn in zip((split.train, split.validation, split.test), parts, strict=True):
        assert np.array_equal(part.x, encode([learnt[row] for row in drawn], numbers, 5))
        assert [own().classes()[label] for label in part.y] == [rows[row][1] for row in drawn]
    assert [len(part) for part in parts] == [54, 18, 18]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(90))
    assert not np.array_equal(parts.train, own()._parts(1).train)  # noqa: SLF001


def test_a_text_that_stands_twice_is_in_one_part() -> None:
    """Whatever its case and spaces; unless it is asked for otherwise."""
    rows = plain()
    mails(*rows, *((f"  {text.upper()} ", kind) for text, kind in rows))
    split = own().split(0)
    seen = [{tuple(row) for row in part.x.tolist()} for part in (split.train, split.validation, split.test)]
    parts = own()._parts(0)  # noqa: SLF001

    for part in parts:
        assert sorted(row % 60 for row in part) == sorted(2 * [row for row in part if row < 60])
    assert len(seen[0]) <= 36
    assert "60 repeat another text, and stay in one part with it." in own().described()
    anywhere = own(duplicates="anywhere")._parts(0)  # noqa: SLF001
    assert {row % 60 for row in anywhere.train} & {row % 60 for row in anywhere.test}


def test_what_was_found_is_described() -> None:
    """Counts, lengths, what was cut and what holds no word."""
    mails(*plain(), ("word " * 100, "a"), ("!!! ???", "b"), ("x " * 1_000_000, "b"))
    told = own().described()

    assert told.startswith("63 texts of 2 classes: b 32, a 31. Half of them have at least ")
    assert "2 are longer than 60 words, and cut there." in told
    assert "1 hold no word." in told
    assert own().split(0).train.x.shape[1] == 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don’t panic, it's 42% off!", ["don't", "panic", "it's", "42", "off"]),
        ("Größe ÜBER naïve café", ["größe", "über", "naïve", "café"]),
        ("Привет, как дела?", ["привет", "как", "дела"]),
        ("हिन्दी में लिखा", ["हिन्दी", "में", "लिखा"]),
        ("今日は天気", ["今", "日", "は", "天", "気"]),
        ("我爱Python3语言", ["我", "爱", "python3", "语", "言"]),
        ("안녕하세요 세계", ["안녕하세요", "세계"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("cafe\u0301 fi\u00adne ﬁne ＡＢＣ", ["café", "fine", "fine", "abc"]),
        ("snake_case_name 🎉 a-b", ["snake", "case", "name", "a", "b"]),
    ],
)
def test_words_are_found_in_any_script(text: str, expected: list[str]) -> None:
    """By spaces where there are some, sign by sign where there are none, vowel signs with their letters."""
    found = _scripts.words(text, 50)

    if text == "ที่นี่":
        assert "".join(found) == text
        assert len(found) > 1
    else:
        assert list(found) == expected


@pytest.mark.parametrize(
    ("rows", "settings", "said"),
    [
        (plain(), {"text": "bodi"}, "there is no column 'bodi'. Did you mean 'body'"),
        (plain(), {"label": "body"}, "two columns as text and label, not 'body' for both"),
        (plain(40, "a"), {}, r"every row is of the class 'a'"),
        (
            [(str(number), "ab"[number % 2]) for number in range(60)],
            {},
            "expected texts, got numbers in every row",
        ),
        ([*plain(), ("a rare one", "z"), ("another", "z")], {}, r"row 62, column 'kind': .* got 2 of 'z'"),
        ([*plain(), ("", "a")], {}, r"row 62, column 'body'"),
        ([*plain(), ("a text", "")], {}, r"row 62, column 'kind'"),
        (
            [(text, str(number)) for number, (text, _) in enumerate(plain())],
            {},
            "60 different classes in 60 rows",
        ),
        (plain(12), {}, "expected at least 10 rows for train"),
        ([("?!", "ab"[number % 2]) for number in range(60)], {}, "no text holds a word"),
        ([], {}, "expected rows"),
    ],
)
def test_what_cannot_be_learnt_is_refused(
    rows: list[tuple[str, str]], settings: dict[str, str], said: str
) -> None:
    """One message says where and what, before anything starts."""
    mails(*rows)
    with pytest.raises((ParameterError, ValueError), match=said):
        own(**settings).refuse_unusable()


def test_a_label_of_repeated_texts_alone_is_refused() -> None:
    """Where one text has two labels, the second may be met in no train row: it is named."""
    rows = plain(60)
    twice = [(text, "z") for text, _ in rows[:1]]
    mails(*rows, *twice, ("one of z", "z"), ("two of z", "z"), ("three of z", "z"))
    own().refuse_unusable()
    mails(*rows, *twice)
    with pytest.raises(ParameterError, match=r"row 62, column 'kind': .* 'z'"):
        own().refuse_unusable()
