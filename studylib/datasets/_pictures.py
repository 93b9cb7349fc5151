"""One image file as pixels of one size: opened by Pillow, upright, in eight bits, without transparency."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, final

from PIL import Image, ImageOps, UnidentifiedImageError

from studylib.datasets._own import NOT_OPENED, NOT_OPENED_BY_ENDING
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

# none of which runs a program, as PostScript would; a phone's MPO is a JPEG
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TIFF", "WEBP")
_BROKEN = "one that is broken at its beginning"
_PAGE = "a web page: a download may have gone wrong"
_DRAWING = "a vector drawing or XML. Save it as PNG"
BEGINNINGS = {  # of what Pillow does not take for an image
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*"), _BROKEN),
    **NOT_OPENED,
    **dict.fromkeys((b"<html", b"<HTML", b"<!doc", b"<!DOC"), _PAGE),
    **dict.fromkeys((b"<svg", b"<?xml"), _DRAWING),
    b"%!PS": "PostScript, which is a program and is not run",
}
MOST_PIXELS = 100_000_000  # of an image; more is never decoded
WIDE = 65_535  # the largest value of 16 bits
Colour = Literal["rgb", "grey"]
Shape = Literal["crop", "pad"]


@final
class Seen(NamedTuple):
    """What a file is: pixels as they are stored, Pillow's names of format and mode, and how many pictures."""

    width: int
    height: int
    format: str
    mode: str
    frames: int


@final
@dataclass(frozen=True)
class Frame:
    """How every image is to look.

    Attributes:
        size: of each side, in pixels.
        colour: ``rgb``, or ``grey`` by ITU-R 601: .299·R + .587·G + .114·B.
        shape: ``crop`` keeps the middle square, ``pad`` the whole, with black beside it.
    """

    size: int
    colour: Colour
    shape: Shape

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return 3 if self.colour == "rgb" else 1

    def pixels(self, path: Path, shown: str) -> tuple[np.ndarray, Seen]:
        """Return the image as uint8 (channels, size, size), and what the file is.

        Of several pictures in a file it is the first; what is transparent lies on white; sides are averaged
        down by a bicubic filter as wide as the step.

        Raises:
            ParameterError: it is no image, is broken, or has more than 100 million pixels, named ``shown``.
        """
        import numpy as np

        _refuse_formats(path, shown)
        try:
            with Image.open(path, formats=_formats()) as image:
                _refuse_huge(shown, image.size)
                seen = _seen(image)
                if image.mode in {"RGB", "L"}:  # a JPEG is decoded no larger than it has to be
                    image.draft(None, (4 * self.size, 4 * self.size))
                upright = ImageOps.exif_transpose(image)
                framed = self._framed(_opaque(_eight_bits(upright, shown)))
        except ParameterError:
            raise
        except UnidentifiedImageError:
            raise ParameterError(f"{shown}: expected an image, got {_kind(path)}.") from None
        except Image.DecompressionBombError:
            raise ParameterError(f"{shown}: {_huge('more than 178 million')}") from None
        except Exception as error:  # noqa: BLE001  Pillow raises whatever a broken file leads it to
            raise ParameterError(f"{shown}: the image is broken: {_told(error)}.") from None
        pixels = np.asarray(framed)
        return (pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels[None]), seen

    def _framed(self, image: Image.Image) -> Image.Image:
        image = image.convert("RGB" if self.colour == "rgb" else "L")
        side = (self.size, self.size)
        if self.shape == "crop":
            across = min(image.size)
            left, top = ((whole - across) / 2 for whole in image.size)
            box = (left, top, left + across, top + across)
            return image.resize(side, Image.Resampling.BICUBIC, box=box)
        scale = self.size / max(image.size)
        width, height = (max(1, round(whole * scale)) for whole in image.size)
        canvas = Image.new(image.mode, side)
        small = image.resize((width, height), Image.Resampling.BICUBIC)
        canvas.paste(small, ((self.size - width) // 2, (self.size - height) // 2))
        return canvas


def _formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]  # AVIF is not in every build of Pillow


def _refuse_formats(path: Path, shown: str) -> None:
    """Refuse by its first bytes or its ending what runs code when it is opened, and what is empty."""
    with path.open("rb") as file:
        first = file.read(16)
    if not first:
        raise ParameterError(f"{shown}: expected an image, got an empty file.")
    begun = (kind for start, kind in NOT_OPENED.items() if first.startswith(start))
    if path.suffix.lower() in NOT_OPENED_BY_ENDING or "a pickle" in begun:
        raise ParameterError(
            f"{shown}: expected an image, got a pickle. It was not opened: a pickle may run anything."
        )


def _refuse_huge(shown: str, size: tuple[int, int]) -> None:
    if prod(size) > MOST_PIXELS:
        raise ParameterError(f"{shown}: {_huge(f'{size[0]} × {size[1]}')}")


def _huge(pixels: str) -> str:
    return (
        f"expected at most {MOST_PIXELS // 10**6} million pixels, got {pixels}. It was not decoded: a small"
        " file can fill the memory. Make it smaller, or take it out."
    )


def _seen(image: Image.Image) -> Seen:
    # a phone's MPO holds the same picture several times
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    return Seen(*image.size, image.format or "", image.mode, frames)


def _eight_bits(image: Image.Image, shown: str) -> Image.Image:
    """Return an image of 16 bits by the upper eight of them."""
    import numpy as np

    if image.mode == "F":
        raise ParameterError(
            f"{shown}: expected 8 or 16 bits, got floating-point pixels of unknown white. Save it as PNG."
        )
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    if values.min(initial=0) < 0 or values.max(initial=0) > WIDE:
        raise ParameterError(f"{shown}: expected 8 or 16 bits, got values beyond. Save it as PNG.")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    own = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", own.size, "white"), own).convert("RGB")


def _kind(path: Path) -> str:
    """Return what a file is that Pillow does not know, by its first bytes."""
    with path.open("rb") as file:
        first = file.read(512)
    begun = (kind for start, kind in BEGINNINGS.items() if first.lstrip().startswith(start))
    if known := next(begun, ""):
        return known
    if b"\0" not in first:
        return "text"
    return f"something else, which begins with {first[:8].hex(' ')}"


def _told(error: Exception) -> str:
    said = str(error).strip().rstrip(".") or type(error).__name__
    return said[0].lower() + said[1:]
