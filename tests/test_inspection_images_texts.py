"""What a look at images and texts of one's own finds."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studylib.datasets.image_folder import ImageFolder
from studylib.datasets.text_csv import TextCsv
from studylib.inspection import inspected


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)


def pictures(
    name: str, ending: str, side: tuple[int, int], count: int = 30, colour: int | None = None
) -> None:
    """Save pictures of a class: of noise, or of one colour."""
    Path("pets", name).mkdir(parents=True, exist_ok=True)
    for one in range(count):
        rng = np.random.default_rng([one, len(name)])
        pixels = rng.integers(0, 256, (*side, 3), dtype=np.uint8)
        if colour is not None:
            pixels[:] = colour
        Image.fromarray(pixels).save(Path("pets", name, f"{one}-{colour}{ending}"))


def told(dataset: ImageFolder | TextCsv) -> str:
    """Return the findings as they are read."""
    return "\n".join(f"{one.what}: {one.text} {one.advice}" for one in inspected(dataset).findings)


def test_plain_images_and_texts_are_not_suspected() -> None:
    """Nothing is found where nothing is wrong."""
    for name in ("cat", "horse"):
        pictures(name, ".png", (40, 44))
    mails("no")

    assert told(ImageFolder(path="pets")) == ""
    assert told(TextCsv(path="mails.csv", text="body", label="kind")) == ""


def test_files_that_betray_their_class_are_found() -> None:
    """A class that is all JPEG, or all of one size, can be told without looking; so can repeated pictures."""
    pictures("cat", ".jpg", (20, 44))
    pictures("horse", ".png", (20, 150))
    pictures("horse", ".png", (20, 150), count=3, colour=7)
    found = told(ImageFolder(path="pets"))

    assert "leakage?: the format of its file tells the class of 100.0% of the images" in found
    assert "leakage?: the size of its file" in found
    assert "small: 63 of 63 images have a side below 32 pixels" in found
    assert "--set dataset.size=20" in found
    assert "cut off: 33 of 63 images are over 3 times as long as wide" in found
    assert "blank: 3 images are of one colour" in found
    assert "duplicates: 2 rows" in found


def mails(extra: str, count: int = 200) -> None:
    """Write mails of two kinds, those of the first with ``extra`` words before them."""
    draw = random.Random(1)
    with Path("mails.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["body", "kind"])
        for number in range(count):
            body = " ".join(draw.choices([f"w{one}" for one in range(60)], k=20))
            rows.writerow(
                [extra + " " + body if number % 2 else "no " + body, "spam" if number % 2 else "ham"]
            )


def test_words_that_quote_the_label_are_found() -> None:
    """A word in nearly all texts of one class and in none of the others is told; so is what is cut."""
    mails("no x-spam-flag")
    found = told(TextCsv(path="mails.csv", text="body", label="kind", length=10))

    assert "leakage?: 'flag' is in 100% of the texts of the class 'spam' and in 0 others" in found
    assert "cut: 100% of the texts have 10 words or more, and the first 10 are read." in found
    assert "--set dataset.length=20" in found
