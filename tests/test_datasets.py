"""What every dataset promises."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from readable import READABLE
from sklearn.preprocessing import StandardScaler

from studylib.datasets import CATALOGUE
from studylib.datasets._splits import Scale, shuffled, stratified
from studylib.datasets.base import Split

EVERY = READABLE  # own data have files, and laws, of their own: test_own_tables and its neighbours
CLASSIFICATION = [name for name, dataset in EVERY.items() if dataset.task == "classification"]
TABLES = [name for name, dataset in EVERY.items() if dataset.inputs == "tables"]
CUT_ONCE = ["etth1"]  # in time, as the papers do, whatever the seed
# whose rows are drawn anew by each seed, none of them given by a publisher's own split
DRAWN = [name for name in EVERY if name in {"breast_cancer", "diabetes", "digits", "docstrings"}]

every = pytest.mark.parametrize("name", EVERY)
every_classification = pytest.mark.parametrize("name", CLASSIFICATION)
every_table = pytest.mark.parametrize("name", TABLES)
every_drawn = pytest.mark.parametrize("name", DRAWN)
every_drawn_classification = pytest.mark.parametrize(
    "name", [name for name in DRAWN if name in CLASSIFICATION]
)
every_drawn_table = pytest.mark.parametrize("name", [name for name in DRAWN if name in TABLES])


def parts_of(split: Split) -> dict[str, np.ndarray]:
    """Return every array of a split by name."""
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    return {f"{name}.{axis}": getattr(part, axis) for name, part in parts.items() for axis in "xy"}


def digest(split: Split) -> dict[str, str]:
    """Return type, shape and bytes of every array of a split, hashed."""
    return {
        name: f"{array.dtype}{array.shape}{sha256(array.tobytes()).hexdigest()}"
        for name, array in parts_of(split).items()
    }


@every
def test_every_dataset_says_what_it_is_and_what_it_is_not_good_for(name: str) -> None:
    """Source with an address, licence, about and limits are sentences, and regression has a unit."""
    dataset = EVERY[name]

    assert set(dataset.words()) - {"attribution", "a seed decides"} == {
        "source",
        "licence",
        "about",
        "not good for",
    }
    assert all(dataset.words().values())
    assert all(text.endswith(".") for text in (dataset.about, dataset.not_for))
    assert "https://" in dataset.source
    assert dataset.task in {"classification", "regression", "forecasting", "ranking", "rating"}
    assert dataset.inputs in {"images", "tables", "text", "series", "interactions"}
    assert bool(dataset.unit) == (dataset.task in {"regression", "forecasting", "rating"})
    assert bool(dataset.classes()) == (dataset.task == "classification")


@every
def test_a_split_has_the_shapes_that_it_announces(name: str) -> None:
    """Inputs, outputs and dtypes are those of the contract, and every number is finite."""
    dataset = EVERY[name]
    split = dataset.split(0)
    row = {"text": split.inputs[1:], "interactions": (2,)}.get(dataset.inputs, split.inputs)
    types = {"images": {"float32"}, "text": {"int64"}, "interactions": {"int64"}}
    horizon = (split.outputs,) if dataset.task == "forecasting" else ()

    for part in (split.train, split.validation, split.test):
        assert part.x.shape == (len(part), *row)
        assert part.y.shape == (len(part), *horizon)
        assert part.x.dtype.name in types.get(dataset.inputs, {"float32", "float64"})
        assert part.y.dtype == ("int64" if dataset.task == "classification" else "float64")
        assert np.isfinite(part.x).all()
        assert np.isfinite(part.y).all()
    assert dataset.task == "forecasting" or split.outputs == max(1, len(dataset.classes()))


@every
def test_the_seed_alone_decides_the_split(name: str) -> None:
    """Equal seeds give equal bytes whatever the global generator holds, which stays as it was."""
    dataset = EVERY[name]
    np.random.seed(1)  # noqa: NPY002  # the global state is what this is about
    before = digest(dataset.split(3))
    np.random.seed(2)  # noqa: NPY002
    state = repr(np.random.get_state())  # noqa: NPY002

    assert before == digest(type(dataset)().split(3))
    assert repr(np.random.get_state()) == state  # noqa: NPY002
    assert (name in CUT_ONCE) == (before == digest(dataset.split(4)))


@every
def test_what_a_split_holds_can_be_changed_without_changing_the_dataset(name: str) -> None:
    """Filling a split with zeros leaves the next one as it was."""
    dataset = EVERY[name]
    before = digest(dataset.split(0))
    for array in parts_of(dataset.split(0)).values():
        array[:] = 0

    assert digest(dataset.split(0)) == before
    assert all(not array.flags.writeable for array in dataset.arrays().values() if array.dtype.kind != "U")


@every_drawn
def test_the_parts_share_no_row_and_leave_none_out(name: str) -> None:
    """The sizes are those asked for and add up, for the drawing behind every dataset with a target."""
    dataset = EVERY[name]
    rows = len(next(iter(dataset.arrays().values())))
    split = dataset.split(0)
    labels = dataset.arrays().get("labels")
    sizes = (len(split.train), len(split.validation))
    parts = shuffled(0, rows, *sizes) if labels is None else stratified(0, labels, *sizes)

    assert sizes == (dataset.model_dump()["train"], dataset.model_dump()["validation"])
    assert [len(part) for part in parts] == [*sizes, len(split.test)]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(rows))


@every_drawn_classification
@pytest.mark.parametrize("sizes", [{}, {"train": 20, "validation": 20}, {"train": 157, "validation": 101}])
def test_each_class_has_its_share_within_one_row(name: str, sizes: dict[str, int]) -> None:
    """Train and validation hold n_class · size / n rows of each class, rounded up or down, for any seed."""
    dataset = CATALOGUE[name](**sizes)
    counts = np.bincount(dataset.arrays()["labels"])
    for seed in range(3):
        split = dataset.split(seed)
        for part in (split.train, split.validation):
            fair = counts * len(part) / counts.sum()
            held = np.bincount(part.y, minlength=len(counts))

            assert np.abs(held - fair).max() < 1
            assert held.min() > 0
        assert set(split.test.y) == set(range(len(dataset.classes())))


@every_classification
def test_parts_are_not_sorted_by_class(name: str) -> None:
    """A trainer that takes rows as they come, in batches or folds, sees the classes mixed."""
    y = EVERY[name].split(0).train.y

    assert np.mean(y[1:] == y[:-1]) < 0.75


@every_drawn_table
def test_tables_are_on_the_scale_of_their_train_rows(name: str) -> None:
    """Train has mean 0 and deviation 1; all parts are what scikit-learn's scaler, fitted on train, gives."""
    dataset = EVERY[name]
    arrays = dataset.arrays()
    labels = arrays.get("labels")
    split = dataset.split(5)
    sizes = (len(split.train), len(split.validation))
    parts = shuffled(5, 442, *sizes) if labels is None else stratified(5, labels, *sizes)
    peer = StandardScaler().fit(arrays["table"][parts.train])

    assert np.abs(split.train.x.mean(axis=0)).max() < 1e-12
    assert np.abs(split.train.x.std(axis=0) - 1).max() < 1e-12
    for part, rows in zip((split.train, split.validation, split.test), parts, strict=True):
        assert part.x == pytest.approx(peer.transform(arrays["table"][rows]), abs=1e-12)
        if labels is not None:
            assert np.array_equal(part.y, labels[rows])


@every_table
def test_every_column_of_a_table_has_a_name(name: str) -> None:
    """Names are different from each other, and as many as the columns."""
    columns = EVERY[name].columns()

    assert len(set(columns)) == len(columns) == EVERY[name].split(0).inputs[0]


def test_a_column_that_is_constant_in_train_becomes_zero() -> None:
    """0.1 summed up is not 0.1 · n: the deviation is rounding noise, and is not divided by."""
    train = np.column_stack([np.full(10, 0.1), np.arange(10.0)])

    assert np.abs(Scale.of(train)(train)[:, 0]).max() < 1e-12
    assert Scale.of(train)(train)[:, 1].std() == pytest.approx(1)
