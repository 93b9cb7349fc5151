"""What a dataset holds: its hash, its facts, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from studylib.datasets import CATALOGUE, _sources, docstrings, imports
from studylib.datasets._own import OwnData
from studylib.datasets._splits import shuffled, stratified
from studylib.datasets.base import Dataset, Split, content_hash
from studylib.datasets.diabetes import Diabetes
from studylib.datasets.digits import Digits
from studylib.errors import ParameterError

ROOT = Path(__file__).parents[1]


@final
class Held(Dataset):
    """A dataset of two numbers and a name."""

    task: ClassVar[str] = "regression"

    first: float = 1.0
    wide: bool = False
    called: str = "a"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the numbers, in a row or in a column."""
        return {self.called: np.array([self.first, 2.0]).reshape((1, 2) if self.wide else (2, 1))}

    def origin(self) -> list[str]:
        """Return nothing: the arrays are all there is."""
        return []

    def split(self, seed: int) -> Split:
        """Two rows are not split."""
        raise NotImplementedError(seed)


def python(program: str, **environment: str) -> str:
    """Return what a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def fingerprints() -> dict[str, str]:
    """Return the content hash of every dataset, and of what is built from two small packages just now."""
    shipped = (
        one for one in map(CATALOGUE.example, CATALOGUE) if not (one.files or isinstance(one, OwnData))
    )
    hashes = {dataset.name: content_hash(dataset) for dataset in shipped}
    small = [_sources.modules_of(name) for name in ("nbconvert", "traitlets")]
    found = imports.collect(source for sources in small for source in sources)
    hashes["built imports"] = sha256(b"".join(array.tobytes() for array in found)).hexdigest()
    hashes["built docstrings"] = sha256(repr(docstrings.collect(small)).encode()).hexdigest()
    return hashes


def test_the_content_hash_is_the_same_in_another_process() -> None:
    """Another process and other hashes of strings: equal content, and equal results of building it."""
    program = "from tests.test_datasets_content import fingerprints; print(fingerprints())"
    other = python(program, PYTHONHASHSEED="77")

    assert other == str(fingerprints())
    assert "built docstrings" in other


def test_the_content_hash_sees_every_difference() -> None:
    """A value, a shape or a name that changes gives another hash; equal content gives an equal one."""
    variants = [Held(), Held(first=1.0000001), Held(wide=True), Held(called="b")]

    assert len({content_hash(dataset) for dataset in variants}) == 4
    assert content_hash(Held()) == content_hash(Held())


def test_datasets_are_listed_and_checked_without_heavy_imports() -> None:
    """Parameters are checked before torch, scikit-learn, pandas, SciPy or NumPy are loaded."""
    program = """
import sys
from studylib.datasets import CATALOGUE
[CATALOGUE.example(name) for name in CATALOGUE]
print({"torch", "sklearn", "pandas", "scipy", "numpy"} & set(sys.modules))
"""

    assert python(program) == "set()"


@pytest.mark.parametrize(
    ("name", "settings", "figures"),
    [
        ("digits", {"train": 1500}, ["1697", "1797", "1800"]),
        ("diabetes", {"validation": 300}, ["342", "442", "400"]),
        ("breast_cancer", {"train": 500}, ["469", "569", "560"]),
        ("docstrings", {"per_class": 60}, ["380", "480", "640"]),
        ("imports", {"validation": 0.7}, ["0.8", "0.7 + 0.2"]),
    ],
)
def test_a_split_that_leaves_too_little_is_refused_with_figures(
    name: str, settings: dict[str, object], figures: list[str]
) -> None:
    """The message has the place, what was asked for, and the most that there can be."""
    with pytest.raises(ParameterError, match=rf"^dataset\.{name}: expected ") as refused:
        CATALOGUE.make(name, settings, "dataset")

    assert all(figure in str(refused.value) for figure in figures)


def test_the_digits_are_the_known_ones() -> None:
    """1 797 images, grey levels 0 to 16, 174 to 183 of each digit."""
    arrays = Digits().arrays()

    assert arrays["images"].shape == (1797, 8, 8)
    assert (arrays["images"].min(), arrays["images"].max()) == (0, 16)
    assert (np.bincount(arrays["labels"]).min(), np.bincount(arrays["labels"]).max()) == (174, 183)


def test_digits_are_on_one_scale_of_all_train_pixels() -> None:
    """One mean and one deviation: train has 0 and 1, and the test images are the raw ones on that scale."""
    images, labels = Digits().arrays().values()
    parts = stratified(2, labels, 200, 300)
    mean, std = images[parts.train].mean(), images[parts.train].std()
    split = Digits().split(2)

    assert split.train.x.mean(dtype="float64") == pytest.approx(0, abs=1e-6)
    assert split.train.x.std(dtype="float64") == pytest.approx(1, abs=1e-6)
    assert split.test.x[:, 0] == pytest.approx((images[parts.test] - mean) / std, abs=1e-6)
    assert np.array_equal(split.test.y, labels[parts.test])


def test_diabetes_is_the_known_one() -> None:
    """442 rows; least squares on the ten columns has the R² of Efron et al. (2004): .5177."""
    table, target = Diabetes().arrays().values()

    assert table.shape == (442, 10)
    assert (target.min(), target.max()) == (25, 346)
    assert LinearRegression().fit(table, target).score(table, target) == pytest.approx(0.5177, abs=5e-5)


def test_the_target_of_diabetes_is_standardised_and_its_scale_is_in_points() -> None:
    """Target · target_scale, shifted by the mean of train, is the raw target of each part."""
    target = Diabetes().arrays()["target"]
    split = Diabetes().split(1)
    rows = shuffled(1, 442, 100, 60)
    mean = target[rows.train].mean()

    assert split.train.y.mean() == pytest.approx(0, abs=1e-12)
    assert split.train.y.std() == pytest.approx(1)
    assert split.test.y * split.target_scale + mean == pytest.approx(target[rows.test])


def test_quadratic_diabetes_has_the_64_columns_of_the_paper() -> None:
    """10 mains, 9 squares without sex, 45 products: standardised, independent, each what its name says."""
    dataset = Diabetes(features="quadratic", train=280)
    split, names = dataset.split(0), dataset.columns()
    x = dict(zip(names, split.train.x.T, strict=True))

    assert split.inputs == (64,)
    assert sum("²" in name for name in names) == 9
    assert sum("·" in name for name in names) == 45
    assert "sex²" not in names
    assert np.linalg.matrix_rank(split.train.x) == 64
    assert np.abs(split.train.x.mean(axis=0)).max() < 1e-12
    assert np.abs(split.train.x.std(axis=0) - 1).max() < 1e-12
    assert np.corrcoef(x["bmi²"], x["bmi"] ** 2)[0, 1] == pytest.approx(1)
    assert np.corrcoef(x["age·s5"], x["age"] * x["s5"])[0, 1] == pytest.approx(1)
    assert split.train.x[:, :10] == pytest.approx(Diabetes(train=280).split(0).train.x, abs=1e-12)


def test_breast_cancer_is_the_known_one() -> None:
    """569 rows of 30 measures, 212 malignant and 357 benign, in the order of the class names."""
    table, labels = CATALOGUE.example("breast_cancer").arrays().values()

    assert table.shape == (569, 30)
    assert np.bincount(labels).tolist() == [212, 357]
    assert CATALOGUE.example("breast_cancer").classes() == ("malignant", "benign")
