"""Images of one's own: a folder for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.datasets._folders import Folder, Part, folder_of
from studylib.datasets._own import OwnData
from studylib.datasets._pictures import Colour, Frame, Shape
from studylib.datasets._pixels import Pixels, pixels_of
from studylib.datasets._splits import Parts, Share, by_share, by_shares
from studylib.datasets.base import Examples, Split
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

WHITE = 255
PARTS = 3  # that each class has images in
LISTED = 12  # classes that a sentence lists


@final
class ImageFolder(OwnData):
    """Images in a folder for each class, as ``pets/cat/1.jpg``, all made as large as each other.

    Inputs have shape (n, channels, size, size) in float32: upright, cut to their middle square (or padded),
    made smaller, and standardised channel by channel by the train pixels. Validation and test take their
    share of each class. Where there are folders ``train`` and ``test`` with the classes in them, the test is
    theirs, and validation images are taken from ``train``, or are those of ``val``.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "images"
    source: ClassVar[str] = "the folder of whoever ran this"
    about: ClassVar[str] = "images of one's own, in a folder for each class."

    size: Annotated[int, Field(ge=8, le=512, description="pixels of each side")] = 32
    colour: Annotated[Colour, Field(description="three channels, or one")] = "rgb"
    shape: Annotated[Shape, Field(description="the middle square, or all with black beside it")] = "crop"
    validation: Share = 0.2
    test: Share = 0.2

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``images`` (n, channels, size, size), uint8, ``labels`` (n,), and the folders' ``parts``."""
        import numpy as np

        folder = folder_of(self.path)
        parts = np.array([member.part for member in folder.members])
        return {"images": self._pixels(folder).images, "labels": _labels(folder), "parts": parts}

    def classes(self) -> tuple[str, ...]:
        """Return the names of the folders."""
        return folder_of(self.path).classes

    def origin(self) -> list[str]:
        """Return the sha256 over names and bytes of all images."""
        return [folder_of(self.path).fingerprint()]

    def refuse_unusable(self) -> None:
        """Decode all images, and count them.

        Raises:
            ParameterError: which file is no image, and what it is; or a class that is too small.
        """
        folder = folder_of(self.path)
        self._pixels(folder)
        self._refuse_few(folder)

    def described(self) -> str:
        """Return in sentences what was found."""
        folder = folder_of(self.path)
        seen = self._pixels(folder).seen
        counts = sorted(folder.counts().items(), key=lambda one: (-one[1], one[0]))
        listed = ", ".join(f"{name} {count}" for name, count in counts[:LISTED])
        more = f" and {len(counts) - LISTED} more" if len(counts) > LISTED else ""
        smallest, largest = (by(seen, key=lambda one: one.width * one.height) for by in (min, max))
        kept = "cut to the middle square" if self.shape == "crop" else "padded to a square with black"
        colour = "in colour" if self.colour == "rgb" else "in grey"
        sentences = [
            f"{len(seen):,} images of {len(counts)} classes: {listed}{more}.",
            f"Stored with {smallest.width}×{smallest.height} to {largest.width}×{largest.height} pixels.",
            f"Here they are {kept}, {self.size}×{self.size} pixels {colour}.",
        ]
        several = sum(one.frames > 1 for one in seen)
        if several:
            sentences.append(f"Of {several} files with several pictures the first is taken.")
        if folder.parted:
            sentences.append(
                "The test images are those of the folder test; dataset.test has no meaning here."
            )
        return " ".join(sentences)

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``, by shares of each class."""
        folder = folder_of(self.path)
        self._refuse_few(folder)
        images, labels = self._pixels(folder).images, _labels(folder)
        parts = self._parts(seed, folder, labels)
        return scaled(images, labels, parts, len(folder.classes))

    def _pixels(self, folder: Folder) -> Pixels:
        return pixels_of(folder, self.path, Frame(self.size, self.colour, self.shape))

    def _parts(self, seed: int, folder: Folder, labels: np.ndarray) -> Parts:
        if not folder.parted:
            return by_shares(seed, labels, self.validation, self.test)
        train, validation, test = (_rows(folder, part) for part in ("train", "validation", "test"))
        if not len(validation):
            fitted, checked = by_share(seed, labels[train], self.validation)
            train, validation = train[fitted], train[checked]
        return Parts(train, validation, test)

    def _refuse_few(self, folder: Folder) -> None:
        """Insist that each class has an image for each part that it is drawn from.

        Raises:
            ParameterError: the smallest class has fewer.
        """
        counts = folder.counts("train" if folder.parted else "")
        name = min(counts, key=lambda one: counts[one])
        if counts[name] < PARTS:
            where = "train/" if folder.parted else ""
            raise ParameterError(
                f"{self.path.rstrip('/')}/{where}{name}: expected at least {PARTS} images of a class, to have"
                f" some in train, validation and test; got {counts[name]}. Add some, or remove the class."
            )


def scaled(images: np.ndarray, labels: np.ndarray, parts: Parts, classes: int) -> Split:
    """Return a split of images (n, channels, height, width), uint8, each channel standardised by train."""
    import numpy as np

    levels = np.arange(WHITE + 1)
    learnt = images[np.sort(parts.train)]
    seen = [np.bincount(channel.ravel(), minlength=WHITE + 1) for channel in np.moveaxis(learnt, 1, 0)]
    mean = np.array([np.average(levels, weights=one) for one in seen])
    spread = [np.average((levels - at) ** 2, weights=one) for at, one in zip(mean, seen, strict=True)]
    std = np.array([one**0.5 or 1.0 for one in spread])  # a channel may be of one level
    scale = ((levels - mean[:, None]) / std[:, None]).astype("float32")  # of each level: there are only 256

    def part(rows: np.ndarray) -> Examples:
        raw = images[rows]
        x = np.stack([own[raw[:, channel]] for channel, own in enumerate(scale)], axis=1)
        return Examples(x, labels[rows])

    train, validation, test = map(part, parts)
    black, unit = (one[:, None, None] for one in (-mean / std, WHITE / std))
    return Split(train, validation, test, images.shape[1:], classes, unit=unit, black=black)


def _labels(folder: Folder) -> np.ndarray:
    import numpy as np

    numbers = {name: number for number, name in enumerate(folder.classes)}
    labels = np.array([numbers[member.label] for member in folder.members], dtype=np.int64)
    labels.flags.writeable = False
    return labels


def _rows(folder: Folder, part: Part) -> np.ndarray:
    import numpy as np

    return np.array([row for row, one in enumerate(folder.members) if one.part == part], dtype=np.int64)


EXAMPLE = ImageFolder(path="pets")
