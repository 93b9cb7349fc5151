"""Handwritten digits, 8×8 pixels. Source: Alpaydin and Kaynak (1998), https://doi.org/10.24432/C50P49"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Self, final

from pydantic import model_validator

from studylib.datasets._sources import installed
from studylib.datasets._splits import Scale, TrainRows, ValidationRows, leave_a_test, stratified
from studylib.datasets.base import Dataset, Examples, Split

if TYPE_CHECKING:
    import numpy as np

ROWS = 1797
SIDE = 8  # pixels
GREY_LEVELS = 16  # from black to white


@final
class Digits(Dataset):
    """1 797 scanned digits of 8×8 pixels in 10 classes, split with the classes in proportion.

    Inputs have shape (n, 1, 8, 8) in float32; all pixels are standardised by one mean and one standard
    deviation, those of the train pixels.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "images"
    source: ClassVar[str] = (
        "Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, test part,"
        " https://doi.org/10.24432/C50P49, as shipped with scikit-learn"
    )
    licence: ClassVar[str] = "CC BY 4.0"
    about: ClassVar[str] = (
        "1 797 digits written by 13 people, scanned, reduced to 8×8 pixels of 17 grey levels; 10 classes,"
        " 174 to 183 rows each."
    )
    not_for: ClassVar[str] = (
        "Images of today's size. It does not say who wrote a digit, so the same hand stands in train and"
        " test, and the accuracy on new writers would be lower. It is easy: with most rows to train on, many"
        " models are right on 97 % or more, which is why few rows are trained on here. The digits are centred"
        " and stand on black, and a shift by one pixel moves them by an eighth of their frame. The arm best"
        " three of the study joins what did well by validation accuracy on other seeds of these rows."
    )

    train: TrainRows = 200
    validation: ValidationRows = 300

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        leave_a_test(ROWS, self.train, self.validation)
        return self

    @property
    def side(self) -> int:
        return SIDE

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``images`` (1797, 8, 8), grey levels 0 to 16, and ``labels`` (1797,)."""
        images, labels = _load()
        return {"images": images, "labels": labels}

    def classes(self) -> tuple[str, ...]:
        """Return the ten digits."""
        return tuple("0123456789")

    def origin(self) -> list[str]:
        """Return the version of scikit-learn, which ships the data."""
        return installed("scikit-learn")

    def split(self, seed: int) -> Split:
        """Return the stratified split of ``seed``."""
        images, labels = _load()
        parts = stratified(seed, labels, self.train, self.validation)
        scale = Scale.of(images[parts.train].ravel())
        x = scale(images[:, None]).astype("float32")
        train, validation, test = (Examples(x[rows], labels[rows]) for rows in parts)
        return Split(train, validation, test, inputs=(1, 8, 8), outputs=10, unit=GREY_LEVELS / scale.std)


@lru_cache(maxsize=1)
def _load() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images, labels = bunch.images.astype("float64"), bunch.target.astype("int64")
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


EXAMPLE = Digits()
