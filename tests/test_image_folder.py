"""Images of one's own, well formed and hostile."""

from __future__ import annotations

import os
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studylib.datasets._pictures import Frame
from studylib.datasets._splits import every_class
from studylib.datasets.base import content_hash
from studylib.datasets.image_folder import ImageFolder
from studylib.errors import ParameterError

Colour = str | int | tuple[int, ...]


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)


def picture(seed: int = 0, width: int = 20, height: int = 14) -> Image.Image:
    """Return a picture of noise."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def pets(counts: dict[str, int], root: str = "pets") -> Path:
    """Make a folder with so many pictures of each class, each another one."""
    for number, (name, count) in enumerate(counts.items()):
        (Path(root) / name).mkdir(parents=True, exist_ok=True)
        for one in range(count):
            picture(1000 * number + one).save(Path(root) / name / f"{one}.png")
    return Path(root)


def own(**settings: object) -> ImageFolder:
    """Return the dataset of ``pets`` with settings."""
    return ImageFolder.model_validate({"path": "pets", **settings})


def test_a_folder_is_a_class() -> None:
    """Names, counts, shapes and scale are as promised, and what systems leave behind is passed by."""
    pets({"dog": 40, "Cat": 30, "émeu": 20})
    for name in (".DS_Store", "dog/Thumbs.db", "dog/.hidden.png", "dog/desktop.ini", "LICENSE.txt"):
        (Path("pets") / name).write_bytes(b"no image")
    Path("pets/.git").mkdir()
    dataset = own()
    split = dataset.split(0)

    assert dataset.classes() == ("Cat", "dog", "émeu")
    assert split.inputs == (3, 32, 32)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [54, 18, 18]
    assert split.train.x.dtype == np.float32
    assert split.train.x.mean(axis=(0, 2, 3)) == pytest.approx([0, 0, 0], abs=1e-4)
    assert split.train.x.std(axis=(0, 2, 3)) == pytest.approx([1, 1, 1], abs=1e-4)
    assert "90 images of 3 classes: dog 40, Cat 30, émeu 20." in dataset.described()
    assert "Stored with 20×14 to 20×14 pixels." in dataset.described()
    dataset.refuse_unusable()


def test_a_pixel_is_shown_as_it_was() -> None:
    """(x − black)/unit is the stored pixel's share of white, channel by channel."""
    pets({"a": 26, "b": 24})
    dataset = own(size=16)
    split, images = dataset.split(3), dataset.arrays()["images"]
    parts = every_class(3, dataset.arrays()["labels"], 30, 10)
    assert split.black is not None

    shown = (split.test.x - split.black) / split.unit
    np.testing.assert_allclose(shown, images[parts.test] / 255, atol=1e-5)


def test_the_same_content_is_decoded_once_and_known_by_its_bytes() -> None:
    """A second look reads what is kept; a renamed or changed image is another content."""
    pets({"a": 4, "b": 4})
    first, digest = own().origin(), content_hash(own())
    kept = list(Path("store/datasets").glob("images-*/images.npy"))
    content_hash(own())

    assert len(kept) == 1
    assert not own().arrays()["images"].flags.writeable
    picture(99).save("pets/a/0.png")
    assert own().origin() != first
    assert content_hash(own()) != digest
    assert content_hash(own(colour="grey")) != content_hash(own())
    Path("pets/a/1.png").rename("pets/a/one.png")
    assert len({*map(tuple, (first, own().origin()))}) == 2
    assert own(path=str(Path("pets").resolve())).origin() == own().origin(), "wherever it lies"


def test_train_and_test_folders_are_kept_apart() -> None:
    """Test images are those of test/, whatever the seed; validation images come from train/, or from val/."""
    pets({"a": 10, "b": 10}, "pets/train")
    pets({"a": 3, "b": 2}, "pets/test")
    first, second = own().split(0), own().split(1)

    assert [len(part) for part in (first.train, first.validation, first.test)] == [15, 5, 5]
    assert not np.array_equal(first.validation.x, second.validation.x)
    assert np.array_equal(first.test.y, second.test.y)
    assert own().classes() == ("a", "b")
    assert "those of the folder test" in own().described()
    pets({"a": 2, "b": 2}, "pets/val")
    third = own().split(0)
    assert [len(part) for part in (third.train, third.validation, third.test)] == [20, 4, 5]


@pytest.mark.parametrize("counts", [[9, 9], [4, 50], [7, 1000, 11], [3, 900, 3]])
@pytest.mark.parametrize("shares", [(0.6, 0.2), (0.1, 0.1), (0.7, 0.15)])
@pytest.mark.parametrize("least_test", [0, 1])
def test_every_part_has_every_class(counts: list[int], shares: tuple[float, float], least_test: int) -> None:
    """Sizes are those asked for, each class has about its share, and at least a row, and no row is twice."""
    labels = np.repeat(np.arange(len(counts)), counts)
    sizes = [max(len(counts), int(len(labels) * share)) for share in shares]
    parts = every_class(0, labels, *sizes, least_test=least_test)

    assert [len(part) for part in parts[:2]] == sizes
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
    for part, least in zip(parts, (1, 1, least_test), strict=True):
        held = np.bincount(labels[part], minlength=len(counts))
        fair = np.array(counts) * len(part) / len(labels)
        assert held.min() >= least
        assert np.abs(held - fair).max() <= 1 + len(counts)
    with pytest.raises(ValueError, match="rows for validation, one for each class, got 1"):
        every_class(0, labels, 5, 1)


# what a picture looks like


def framed(
    image: Image.Image, name: str = "one.png", frame: Frame | None = None, **saved: object
) -> np.ndarray:
    """Save a picture and return its pixels, (height, width, channels)."""
    image.save(name, **saved)  # type: ignore[arg-type]  # whatever the format takes
    pixels, _ = (frame or Frame(8, "rgb", "crop")).pixels(Path(name), name)
    return pixels.transpose(1, 2, 0)


def halves(left: Colour, right: Colour, mode: str = "RGB") -> Image.Image:
    """Return a picture of 8×8 pixels, of one colour to the left and another to the right."""
    image = Image.new(mode, (8, 8), left)
    image.paste(right, (4, 0, 8, 8))
    return image


def test_the_middle_square_is_kept_or_black_is_put_beside() -> None:
    """Of a wide picture cropping drops left and right; padding keeps all, with black above and below."""
    wide = Image.new("RGB", (32, 8), "red")
    wide.paste("blue", (12, 0, 20, 8))

    assert (framed(wide) == [0, 0, 255]).all()
    padded = framed(wide, frame=Frame(8, "rgb", "pad"))
    assert (padded[[0, 1, 2, 5, 6, 7]] == 0).all()
    assert padded[3, 0].tolist() == [255, 0, 0]
    line = framed(Image.new("RGB", (4000, 1), "red"), frame=Frame(8, "rgb", "pad"))
    assert line[3].tolist() == [[255, 0, 0]] * 8


def test_making_smaller_averages() -> None:
    """Stripes of a pixel become grey, and not whichever stripe is met."""
    stripes = Image.fromarray(np.tile(np.array([0, 255], dtype=np.uint8), (64, 32)))

    assert np.abs(framed(stripes, frame=Frame(8, "grey", "crop")).astype(int) - 127).max() < 8


def test_a_phone_held_upright_has_upright_pictures() -> None:
    """The orientation that EXIF says is applied."""
    image = halves("red", "blue")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    turned = framed(image, exif=exif)

    assert turned[0, 0].tolist() == [255, 0, 0]
    assert turned[0, 7].tolist() == [255, 0, 0]
    assert turned[7, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("image", "name", "expected"),
    [
        (halves((0, 255, 255, 0), (0, 0, 0, 0), "CMYK"), "one.tif", [[255, 0, 0], [255, 255, 255]]),
        (halves(0, 1, "1"), "one.png", [[0, 0, 0], [255, 255, 255]]),
        (halves((255, 0, 0, 255), (0, 0, 0, 0), "RGBA"), "one.png", [[255, 0, 0], [255, 255, 255]]),
        (halves((9, 255), (0, 0), "LA"), "one.png", [[9, 9, 9], [255, 255, 255]]),
        (Image.fromarray(np.full((8, 8), 0x80FF, np.uint16)), "one.png", [[128] * 3, [128] * 3]),
        (Image.fromarray(np.full((8, 8), 0x80FF, np.int32)), "one.tif", [[128] * 3, [128] * 3]),
    ],
    ids=["CMYK", "1 bit", "alpha", "grey with alpha", "16 bit", "32 bit"],
)
def test_every_kind_of_pixel_becomes_eight_bits(
    image: Image.Image, name: str, expected: list[list[int]]
) -> None:
    """Ink, bits, transparency (on white) and sixteen bits are what a viewer shows."""
    pixels = framed(image, name)

    assert [pixels[4, 1].tolist(), pixels[4, 6].tolist()] == expected


def test_a_palette_with_transparency_lies_on_white() -> None:
    """A GIF's transparent index is white, and of several pictures the first is taken."""
    image = halves(0, 1, "P")
    image.putpalette([255, 0, 0, 0, 255, 0])
    pixels = framed(
        image, "one.gif", transparency=1, save_all=True, append_images=[Image.new("P", (8, 8), 0)], duration=9
    )
    _, seen = Frame(8, "rgb", "crop").pixels(Path("one.gif"), "one.gif")

    assert pixels[4, 1].tolist() == [255, 0, 0]
    assert pixels[4, 6].tolist() == [255, 255, 255]
    assert (seen.format, seen.frames) == ("GIF", 2)


# what is refused


def bomb(side: int = 50_000) -> bytes:
    """Return a PNG of a few bytes that says that it has so many pixels on each side."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def truncated() -> bytes:
    """Return the first half of a JPEG."""
    picture(0, 200, 200).save("whole.jpg")
    whole = Path("whole.jpg").read_bytes()
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.png", lambda: b"hello, I am a text\n", r"pets/a/x\.png: expected an image, got text"),
        ("x.jpg", lambda: b"<!DOCTYPE html><html>", "got a web page: a download may have gone wrong"),
        ("x.png", lambda: b"", "got an empty file"),
        ("x.png", lambda: pickle.dumps([1]), "got a pickle. It was not opened: a pickle may run anything"),
        ("x.pkl", lambda: b"anything", "got a pickle"),
        ("x.zip", lambda: b"PK\x03\x04....", "got a zip archive"),
        ("x.eps", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", "got PostScript, which is a program and is not run"),
        ("x.svg", lambda: b"<svg></svg>", "got a vector drawing or XML. Save it as PNG"),
        ("x.bin", lambda: bytes(range(256)), "something else, which begins with 00 01 02"),
        ("x.jpg", truncated, r"x\.jpg: the image is broken: image file is truncated"),
        ("x.png", bomb, "at most 100 million pixels, got more than 178 million. It was not decoded"),
        ("x.png", lambda: bomb(12_000), "got 12000 × 12000"),  # which Pillow alone would decode
        ("x.png", lambda: bomb().replace(b"IHDR\0", b"IHDR\1"), "got one that is broken at its beginning"),
    ],
)
def test_what_is_no_image_is_named(name: str, content: Callable[[], bytes], said: str) -> None:
    """One message says which file it is and what was found in it, before anything starts."""
    pets({"a": 3, "b": 3})
    Path("pets/a", name).write_bytes(content())
    with pytest.raises(ParameterError, match=said):
        own().refuse_unusable()


def test_many_broken_files_are_told_at_once() -> None:
    """The first five are named, the others counted, and nothing is kept half decoded."""
    pets({"a": 3, "b": 3})
    for number in range(8):
        Path(f"pets/b/x{number}.png").write_bytes(b"text")
    with pytest.raises(ParameterError) as told:
        own().refuse_unusable()

    assert len(str(told.value).splitlines()) == 6
    assert "And 3 more files are no images." in str(told.value)
    assert not list(Path("store/datasets").glob("*images*/*"))


def test_the_folders_have_to_be_those_of_classes() -> None:
    """What is missing, alike, empty, alone or within is said with its place."""
    with pytest.raises(ParameterError, match=r"pets: no such folder"):
        own().refuse_unusable()
    pets({"a": 3})
    with pytest.raises(ParameterError, match="at least two classes, got one, 'a'"):
        own().refuse_unusable()
    Path("pets/b").mkdir()
    with pytest.raises(ParameterError, match=r"pets/b: expected images of this class, got none"):
        own().refuse_unusable()
    pets({"b": 2})
    with pytest.raises(ParameterError, match=r"pets: expected at least 3 images of a class.* got 2 of 'b'"):
        own().refuse_unusable()
    pets({"B": 3, "b": 3})
    with pytest.raises(ParameterError, match="'B' and 'b' differ in case alone"):
        own().refuse_unusable()
    pets({"deep": 3}, "pets/a/within")
    with pytest.raises(
        ParameterError, match=r"pets/a/within: expected an image of the class 'a', got a folder"
    ):
        own().refuse_unusable()
    with pytest.raises(ParameterError, match=r"pets/a/0\.png: expected a folder, got a file"):
        own(path="pets/a/0.png").refuse_unusable()
    with pytest.raises(ParameterError, match="Did you mean 'pets'"):
        own(path="pest").refuse_unusable()


def test_a_class_of_the_test_alone_is_refused() -> None:
    """Nothing can be learnt of it."""
    pets({"a": 4, "b": 4}, "pets/train")
    pets({"a": 2, "c": 2}, "pets/test")
    with pytest.raises(ParameterError, match=r"the class 'c' is in test \(test/c/0\.png\) but not in train"):
        own().refuse_unusable()


def test_no_link_leads_outside() -> None:
    """A link within the folder is followed; one that leaves it, or leads nowhere, or a pipe, is refused."""
    pets({"a": 26, "b": 24})
    picture(5).save("secret.png")
    Path("pets/a/inside.png").symlink_to(Path("pets/b/0.png").resolve())
    own().refuse_unusable()

    assert own().classes() == ("a", "b")
    for target in (Path("secret.png").resolve(), Path("../../../etc/passwd")):
        Path("pets/a/out.png").symlink_to(target)
        with pytest.raises(ParameterError, match=r"pets/a/out\.png: a link that leads outside of the folder"):
            own().refuse_unusable()
        Path("pets/a/out.png").unlink()
    Path("pets/c").symlink_to(Path.cwd())
    with pytest.raises(ParameterError, match=r"pets/c: a link that leads outside"):
        own().refuse_unusable()
    Path("pets/c").unlink()
    Path("pets/a/gone.png").symlink_to("nowhere.png")
    with pytest.raises(ParameterError, match="which is not there"):
        own().refuse_unusable()
    Path("pets/a/gone.png").unlink()
    os.mkfifo("pets/a/pipe.png")
    with pytest.raises(ParameterError, match="got a pipe"):
        own().refuse_unusable()
