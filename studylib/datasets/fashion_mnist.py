"""Articles of clothing, 28×28 pixels. Source: Xiao, Rasul and Vollgraf (2017), https://arxiv.org/abs/1708.07747"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, final

from pydantic import Field, model_validator

from studylib.datasets._splits import held_out
from studylib.datasets.base import Dataset, Examples, Split
from studylib.downloads import File, fetched
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

TRAIN, TEST = 60_000, 10_000
BYTE, WHITE = 8, 255  # the code of unsigned bytes in an idx file; the largest grey level
SIDE = 28
_HOME = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist"
    "/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion"
)
_FILES = {
    "train-images-idx3-ubyte.gz": (
        26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    "train-labels-idx1-ubyte.gz": (
        29515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    "t10k-images-idx3-ubyte.gz": (
        4422102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        5148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}
SHAPES = ((TRAIN, SIDE, SIDE), (TRAIN,), (TEST, SIDE, SIDE), (TEST,))


@final
class FashionMNIST(Dataset):
    """60 000 + 10 000 pictures of clothes in 28×28 pixels, 10 classes; the test rows are the published ones.

    Inputs have shape (n, 1, 28, 28) in float32; all pixels are standardised by one mean and one standard
    deviation, those of the train pixels. Train and validation rows are drawn from the 60 000, with as many of
    each class: validation first, the same for every ``train``, and the train rows of a smaller one are among
    those of a larger one.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "images"
    files: ClassVar[tuple[File, ...]] = tuple(
        File(f"fashion-mnist/{name}", f"{_HOME}/{name}", sha256, size)
        for name, (size, sha256) in _FILES.items()
    )
    source: ClassVar[str] = (
        "Xiao, Rasul and Vollgraf (2017), Fashion-MNIST, https://arxiv.org/abs/1708.07747,"
        " https://github.com/zalandoresearch/fashion-mnist"
    )
    licence: ClassVar[str] = "MIT"
    about: ClassVar[str] = (
        "70 000 photographs of the articles of one shop, in grey, 28×28 pixels; 10 classes of 7 000, and"
        " the 10 000 test rows that everybody uses."
    )
    not_for: ClassVar[str] = (
        "Photographs as people take them: every article lies straight, alone, before black. Tiny differences:"
        " some labels are wrong, and people are right on 83.5 %, for shirt, T-shirt, pullover and coat look"
        " alike at this size. The test rows have been looked at by so many that methods fit them."
    )

    train: Annotated[int, Field(ge=20, le=TRAIN - 20, description="rows of the 60 000 to fit on")] = 10_000
    validation: Annotated[
        int, Field(ge=20, le=10_000, description="rows of the 60 000 that strengths and epochs are chosen on")
    ] = 5000

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.train + self.validation > TRAIN:
            raise ValueError(
                f"train + validation to be at most {TRAIN}"
                f" (here {self.train} + {self.validation} = {self.train + self.validation})"
            )
        return self

    @property
    def side(self) -> int:
        return SIDE

    def arrays(self) -> dict[str, np.ndarray]:
        """Return images (n, 28, 28), grey levels 0 to 255, and labels (n,), of the 60 000 and the 10 000."""
        names = ("train_images", "train_labels", "test_images", "test_labels")
        return dict(zip(names, _read(), strict=True))

    def classes(self) -> tuple[str, ...]:
        """Return the ten kinds of articles."""
        names = "T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot"
        return tuple(names.split(", "))

    def origin(self) -> list[str]:
        """Return the hashes of the files."""
        return [file.sha256 for file in self.files]

    def split(self, seed: int) -> Split:
        """Return train and validation rows of ``seed``, and the published test rows."""
        import numpy as np

        images, labels, test_images, test_labels = _read()
        train, validation = held_out(seed, labels, self.train, self.validation)
        seen, levels = np.bincount(images[train].ravel(), minlength=WHITE + 1), np.arange(WHITE + 1)
        mean = np.average(levels, weights=seen)
        std = np.sqrt(np.average((levels - mean) ** 2, weights=seen))
        scaled = ((levels - mean) / std).astype("float32")  # of each grey level: there are only 256
        parts = ((images[train], labels[train]), (images[validation], labels[validation]))
        fitted, checked, tested = (
            Examples(scaled[x][:, None], y.copy()) for x, y in (*parts, (test_images, test_labels))
        )
        return Split(fitted, checked, tested, (1, SIDE, SIDE), outputs=10, unit=np.array(WHITE / std))


def _read() -> tuple[np.ndarray, ...]:
    return _unpacked(tuple(fetched(file) for file in FashionMNIST.files))


@lru_cache(maxsize=1)
def _unpacked(paths: tuple[Path, ...]) -> tuple[np.ndarray, ...]:
    return tuple(idx(path, shape) for path, shape in zip(paths, SHAPES, strict=True))


def idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return the unsigned bytes of a gzipped idx file: images as they are, labels (n,) as int64; read-only.

    The header is two zero bytes, a type, the number of axes, and the length of each in four bytes, the
    highest first: http://yann.lecun.com/exdb/mnist.

    Raises:
        ParameterError: it is not gzipped, its header says otherwise than ``shape``, or bytes are missing.
    """
    import gzip
    import zlib

    import numpy as np

    header = bytes([0, 0, BYTE, len(shape)]) + np.array(shape, dtype=">u4").tobytes()
    expected = len(header) + int(np.prod(shape))
    try:
        with gzip.open(path) as opened:
            body = opened.read(expected + 1)  # never more than it should have
    except (OSError, EOFError, zlib.error) as error:
        raise ParameterError(f"{path}: expected a gzipped idx file, but {error}.") from None
    if len(body) != expected or not body.startswith(header):
        raise ParameterError(
            f"{path}: expected an idx file of {' × '.join(map(str, shape))} unsigned bytes, which begins with"
            f" {header.hex()} and has {expected} bytes; got {body[: len(header)].hex()} and {len(body)}."
        )
    array = np.frombuffer(body, np.uint8, offset=len(header)).reshape(shape)
    array = array if len(shape) > 1 else array.astype(np.int64)
    array.flags.writeable = False
    return array


EXAMPLE = FashionMNIST()
