"""Images of one's own: a folder for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.datasets._folders import Folder, Part, folder_of
from studylib.datasets._own import OwnData
from studylib.datasets._own_parts import TrainShare, ValidationShare, sizes
from studylib.datasets._pictures import Colour, Frame, Seen, Shape
from studylib.datasets._pixels import Pixels, pixels_of
from studylib.datasets._splits import Parts, every_class
from studylib.datasets.base import Examples, Split
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

WHITE = 255
LISTED = 12  # classes that a sentence lists


@final
class ImageFolder(OwnData):
    """Images in a folder for each class, as ``pets/cat/1.jpg``, all made as large as each other.

    Inputs have shape (n, channels, size, size) in float32: upright, cut to their middle square (or padded),
    made smaller, and standardised channel by channel by the train pixels. Train and validation take their
    share of each class, and what is left is the test. Where there are folders ``train`` and ``test`` with the
    classes in them, the test is theirs, and ``train`` is divided into train and validation, unless there is a
    folder ``val``.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "images"
    source: ClassVar[str] = "the folder of whoever ran this"
    about: ClassVar[str] = "images of one's own, in a folder for each class."

    size: Annotated[int, Field(ge=8, le=512, description="pixels of each side")] = 32
    colour: Annotated[Colour, Field(description="three channels, or one")] = "rgb"
    shape: Annotated[Shape, Field(description="the middle square, or all with black beside it")] = "crop"
    train: TrainShare = 0.6
    validation: ValidationShare = 0.2

    @property
    def side(self) -> int:
        return self.size

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
        """Decode all images, and draw a split.

        Raises:
            ParameterError: which file is no image, and what it is; or a class that is too small.
        """
        folder = folder_of(self.path)
        self._pixels(folder)
        self._parts(0, folder)

    def seen(self) -> tuple[Seen, ...]:
        """Return what each file is, in the order of ``arrays``."""
        return self._pixels(folder_of(self.path)).seen

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
            sentences.append("The test images are those of the folder test.")
        return " ".join(sentences)

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``, with the classes in proportion."""
        folder = folder_of(self.path)
        return scaled(self._pixels(folder).images, _labels(folder), self._parts(seed, folder), folder.classes)

    def _pixels(self, folder: Folder) -> Pixels:
        return pixels_of(folder, self.path, Frame(self.size, self.colour, self.shape))

    def _parts(self, seed: int, folder: Folder) -> Parts:
        labels = _labels(folder)
        try:
            if not folder.parted:
                self._refuse_few(folder.counts(), 3)
                return every_class(seed, labels, *sizes(len(labels), self.train, self.validation))
            train, validation, test = (_rows(folder, part) for part in ("train", "validation", "test"))
            if len(validation):
                return Parts(train, validation, test)
            self._refuse_few(folder.counts("train"), 2)
            drawn = every_class(seed, labels[train], *self._of_train(len(train)), least_test=0)
        except ParameterError as error:
            raise ParameterError(f"{self.path}: {error}") from None
        except ValueError as error:
            raise ParameterError(f"{self.path}: expected {error}. Change dataset.train.") from None
        return Parts(train[drawn.train], train[drawn.validation], test)

    def _of_train(self, rows: int) -> tuple[int, int]:
        """Return how many rows of a folder ``train`` are fitted on and validate: shares are of each other."""
        fitted, checked = self.train, self.validation
        whole = fitted + checked if isinstance(fitted, float) and isinstance(checked, float) else 1.0
        validation = round(rows * checked / whole) if isinstance(checked, float) else checked
        return (rows - validation if isinstance(fitted, float) else fitted), validation

    def _refuse_few(self, counts: Mapping[str, int], parts: int) -> None:
        name = min(counts, key=lambda one: counts[one])
        if counts[name] < parts:
            raise ParameterError(
                f"expected at least {parts} images of a class, one for each part that is drawn, got"
                f" {counts[name]} of {name!r}. Add some, or remove the folder."
            )


def scaled(images: np.ndarray, labels: np.ndarray, parts: Parts, classes: tuple[str, ...]) -> Split:
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
    return Split(train, validation, test, images.shape[1:], len(classes), unit=unit, black=black)


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
