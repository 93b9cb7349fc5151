"""Laws of the published benchmarks, on their own files; skipped where these are not."""

from __future__ import annotations

import csv
import gzip
from hashlib import sha256
from io import StringIO
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import pytest
from command_line import studylib
from readable import READABLE

from studylib.archives import members
from studylib.datasets import CATALOGUE
from studylib.datasets._splits import held_out
from studylib.datasets._words import tokens
from studylib.datasets.banking77 import Banking77
from studylib.datasets.fashion_mnist import FashionMNIST, idx
from studylib.datasets.movie_reviews import FOLDS, MovieReviews, folds
from studylib.datasets.trec import TREC, labelled
from studylib.downloads import fetched
from studylib.errors import ParameterError
from studylib.models import CATALOGUE as MODELS
from studylib.params import study_params
from studylib.records import Record
from studylib.trainers import fitting
from studylib.trainers.base import Training

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.datasets.base import Dataset, Examples

SETS: dict[str, type[Dataset]] = {
    "fashion_mnist": FashionMNIST,
    "trec": TREC,
    "movie_reviews": MovieReviews,
    "banking77": Banking77,
}
TEXTS = ("trec", "movie_reviews", "banking77")
SMALL: dict[str, dict[str, Any]] = {
    "fashion_mnist": {"train": 200, "validation": 100},
    "trec": {"train": 200, "validation": 100},
    "movie_reviews": {"train": 200, "validation": 100},
    "banking77": {"per_class": 2, "validation": 100},
}
every = pytest.mark.parametrize("name", SETS)
every_text = pytest.mark.parametrize("name", TEXTS)


def made(name: str, **settings: Any) -> Dataset:
    """Return a benchmark; the test is skipped where its files are not."""
    if name not in READABLE:
        pytest.skip(f"the files of {name} are not here; set STUDYLIB_DATA, or: studylib data fetch {name}")
    return CATALOGUE.make(name, settings)


def digest(part: Examples) -> str:
    """Return a hash of the rows and their classes."""
    return sha256(part.x.tobytes() + part.y.tobytes()).hexdigest()


@every
def test_the_test_rows_are_those_of_every_run(name: str) -> None:
    """They depend neither on the train rows that are asked for, nor, but for folds, on the seed."""
    small, other = made(name, **SMALL[name]), made(name)
    labels = {(seed, one): one.split(seed).test.y.tobytes() for seed in (0, 3) for one in (small, other)}

    assert labels[0, small] == labels[0, other]
    assert name == "movie_reviews" or len(set(labels.values())) == 1


@every
def test_parts_are_as_large_as_they_were_asked_for(name: str) -> None:
    """With a number, that many rows; without one, all that validation and test leave."""
    rows = {"trec": 5452, "movie_reviews": 10_662, "banking77": 10_003}
    tests = {"fashion_mnist": 10_000, "trec": 500, "movie_reviews": 1067, "banking77": 3080}
    split = made(name, **SMALL[name]).split(0)
    whole = made(name).split(0)

    assert (len(split.train), len(split.validation)) == (154 if name == "banking77" else 200, 100)
    assert len(split.test) == len(whole.test) == tests[name]
    if name in rows:
        left = rows[name] - len(whole.validation) - (len(whole.test) if name == "movie_reviews" else 0)
        assert len(whole.train) == left


def test_fashion_mnist_is_what_the_files_say() -> None:
    """Images and labels are the bytes behind the headers, 6 000 and 1 000 of each class, and read-only."""
    dataset = made("fashion_mnist")
    arrays = dataset.arrays()
    for file, array in zip(dataset.files, arrays.values(), strict=True):
        body = gzip.decompress(fetched(file).read_bytes())
        assert body[-array.size :] == array.astype(np.uint8).tobytes()
        assert not array.flags.writeable

    assert np.bincount(arrays["train_labels"]).tolist() == [6000] * 10
    assert np.bincount(arrays["test_labels"]).tolist() == [1000] * 10
    assert dataset.classes()[arrays["train_labels"][0]] == "ankle boot"


def test_more_images_are_the_fewer_and_others() -> None:
    """For one seed validation is the same at every size, train sets are nested, all classes have a tenth."""
    few, many = (made("fashion_mnist", train=n, validation=100).split(2) for n in (1000, 2000))

    assert np.array_equal(few.validation.y, many.validation.y)
    train, larger, kept = (
        {tuple(np.unique(image, return_inverse=True)[1].ravel()) for image in part.x}
        for part in (few.train, many.train, few.validation)
    )
    assert train < larger
    assert not larger & kept
    for part, size in ((few.train, 100), (many.train, 200), (few.validation, 10)):
        assert np.bincount(part.y).tolist() == [size] * 10


def test_pixels_are_on_the_scale_of_the_train_pixels() -> None:
    """Train has mean 0 and deviation 1; ``unit`` is the way from black to white."""
    split = made("fashion_mnist", train=500, validation=100).split(1)

    assert abs(split.train.x.mean(dtype=np.float64)) < 1e-6
    assert split.train.x.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    for part in (split.train, split.validation, split.test):
        assert part.x.max() - part.x.min() == pytest.approx(float(split.unit), rel=1e-6)  # type: ignore[arg-type]  # it has one
        assert part.x.dtype == np.float32


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: gzip.compress(body[:-1]),
        lambda body: gzip.compress(body + b"x"),
        lambda body: gzip.compress(b"\0\0\x08\x01" + body[4:]),
        lambda body: gzip.compress(body[:4] + (3).to_bytes(4, "big") + body[8:]),
        lambda body: gzip.compress(body)[:-9],
        lambda body: body,
        lambda body: gzip.compress(body)[:20] + b"x" + gzip.compress(body)[21:],
    ],
)
def test_a_header_or_a_length_that_is_wrong_is_refused(tmp_path: Path, damage: Any) -> None:
    """Short, long, other axes, another count, cut, not gzipped, damaged inside: the file is named."""
    body = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 3, 3)) + bytes(range(18))
    path = tmp_path / "small.gz"
    path.write_bytes(gzip.compress(body))
    assert idx(path, (2, 3, 3)).tolist() == np.arange(18).reshape(2, 3, 3).tolist()

    path.write_bytes(damage(body))
    with pytest.raises(ParameterError, match=r"small\.gz: expected "):
        idx(path, (2, 3, 3))


def test_trec_is_what_the_files_say() -> None:
    """5 452 and 500 lines, of which 71 repeat one before, and 10 stand in the test; classes as counted."""
    arrays = made("trec").arrays()
    train, test = arrays["train_texts"].tolist(), arrays["test_texts"].tolist()

    assert np.bincount(arrays["train_labels"]).tolist() == [1162, 1250, 86, 1223, 835, 896]
    assert np.bincount(arrays["test_labels"]).tolist() == [138, 94, 9, 65, 81, 113]
    assert len(train) - len(set(train)) == 71
    assert sum(text in set(test) for text in train) == 10
    assert "sister\xf0city" in next(text for text in train if "oldest relationship" in text)
    for question, kind in (("Which city has the oldest", "location"), ("When was Ozzy Osbourne", "number")):
        row = next(row for row, text in enumerate(train) if text.startswith(question))
        assert made("trec").classes()[arrays["train_labels"][row]] == kind


def test_dropped_questions_are_those_that_stand_twice_or_in_the_test() -> None:
    """What is left are all other questions, each once, in the classes that they had."""
    keep, drop = (made("trec", duplicates=how, validation=100) for how in ("keep", "drop"))
    arrays = drop.arrays()
    texts, test = arrays["train_texts"].tolist(), set(arrays["test_texts"].tolist())
    left = {text: int(label) for text, label in zip(texts, arrays["train_labels"], strict=True)}
    split, whole = drop.split(0), keep.split(0)
    counts = np.bincount(np.concatenate([split.train.y, split.validation.y]))

    assert len(whole.train) + 100 == 5452
    assert len(split.train) + 100 == 5452 - 71 - 10 == len(left.keys() - test)
    assert counts.tolist() == np.bincount([left[text] for text in left.keys() - test]).tolist()
    assert digest(split.test) != digest(whole.test)  # other train rows, other numbers of the words
    assert np.array_equal(split.test.y, whole.test.y)


@pytest.mark.parametrize("line", ["6 What ?", "What ?", "0", "0  ", ""])
def test_a_line_that_is_no_question_is_named(tmp_path: Path, line: str) -> None:
    """Another label, none, or no text: file and line are told."""
    path = tmp_path / "questions"
    path.write_text(f"0 What is it ?\n{line}\n1 And this ?\n", encoding="latin-1")

    with pytest.raises(ParameterError, match=r"questions, line 2: expected a label from 0 to 5"):
        labelled(path)


def test_movie_reviews_are_what_the_archive_says() -> None:
    """5 331 sentences of each opinion, all different, and the attribution is that of the README."""
    dataset = made("movie_reviews")
    arrays = dataset.arrays()
    path = fetched(dataset.files[0])
    readme = members(path, ["sentence_polarity/README.txt"]).popitem()[1].decode()
    quoted = readme.split("Attribution:\n")[1].split("\n\n")[0]
    with ZipFile(path) as archive:
        body = b"".join(archive.read(f"sentence_polarity/rt-polarity.{one}") for one in ("neg", "pos"))

    assert "\n".join(arrays["texts"].tolist()) + "\n" == body.decode()
    assert np.bincount(arrays["labels"]).tolist() == [5331, 5331]
    assert len(set(arrays["texts"].tolist())) == 10_662
    assert dataset.attribution == " ".join(quoted.split())


def test_ten_seeds_test_every_review_once() -> None:
    """The folds of seeds 0 to 9 are disjoint and cover all, half of each opinion; 10 to 19 are others."""
    dataset = made("movie_reviews", train=500, validation=100)
    labels = dataset.arrays()["labels"]
    numbers = [folds(seed // FOLDS, labels) for seed in (0, 10)]
    tests = [dataset.split(seed).test.y for seed in range(10)]

    assert not np.array_equal(numbers[0], numbers[1])
    for number in numbers:
        counts = np.array([np.bincount(labels[number == fold], minlength=2) for fold in range(10)])
        assert np.abs(counts - 533.1).max() < 1
        assert counts.sum(axis=1).max() - counts.sum(axis=1).min() <= 1
    assert [len(y) for y in tests] == np.bincount(numbers[0]).tolist()
    assert sum(map(len, tests)) == 10_662


def test_banking77_is_what_the_files_say() -> None:
    """Rows are those of a CSV parser, lines within quotes included; a class is its place in the list."""
    dataset = made("banking77")
    arrays, intents = dataset.arrays(), dataset.classes()
    for file, part in zip(dataset.files, ("train", "test"), strict=False):
        rows = list(csv.DictReader(StringIO(fetched(file).read_bytes().decode(), newline="")))
        labels = [intents[label] for label in arrays[f"{part}_labels"]]
        assert arrays[f"{part}_texts"].tolist() == [row["text"] for row in rows]
        assert labels == [row["category"] for row in rows]

    assert np.bincount(arrays["test_labels"]).tolist() == [40] * 77
    assert np.bincount(arrays["train_labels"]).min() == 35
    assert any("\n" in text for text in arrays["train_texts"].tolist())


@pytest.mark.parametrize("per_class", [10, 30])
def test_few_rows_are_as_many_of_each_intent(per_class: int) -> None:
    """Of each of the 77, and with the most validation rows that are allowed there are still enough."""
    most = {"validation": 1400, "per_class": per_class}
    few, whole = made("banking77", **most).split(1), made("banking77", validation=1400).split(1)

    assert np.bincount(few.train.y).tolist() == [per_class] * 77
    assert np.array_equal(few.validation.y, whole.validation.y)
    assert np.bincount(whole.validation.y, minlength=77).min() >= 4


@every_text
def test_no_word_of_a_sentence_is_cut_off_but_of_the_longest(name: str) -> None:
    """The usual length holds every question and review whole, and all but a few in a thousand of a bank's."""
    split = made(name).split(0)
    ends = [(part.x[:, -1] > 0).mean() for part in (split.train, split.validation, split.test)]

    assert max(ends) <= (0.004 if name == "banking77" else 0)


@every_text
def test_words_are_known_from_train_rows_alone(name: str) -> None:
    """Every number stands in train; the test has words that are unknown, and is not asked for them."""
    split = made(name, **SMALL[name]).split(0)

    assert set(np.unique(split.train.x)) - {0} == set(range(2, split.inputs[0]))
    assert (split.test.x == 1).any()
    assert len(split.vocabulary) == split.inputs[0] - 2


def test_tokens_are_those_of_kim() -> None:
    """Words and marks in lower case, with what is short for not, is, have, are, had and will apart."""
    said = " ".join(tokens("It's not (quite) what I'd've liked, isn't it?!"))

    assert said == "it 's not ( quite ) what i 'd 've liked , is n't it ? !"
    assert tokens("Émile_Zola & co. -- 2nd ; ") == ("émile", "zola", "co", "2nd")


def test_held_out_rows_share_nothing_and_leave_nothing() -> None:
    """Without a number of train rows, train and validation are all; with one, train is among those."""
    labels = np.repeat(np.arange(5), [40, 30, 20, 7, 3])
    for seed in range(5):
        train, validation = held_out(seed, labels, None, 25)
        some, same = held_out(seed, labels, 30, 25)

        assert sorted([*train, *validation]) == list(range(100))
        assert np.array_equal(validation, same)
        assert set(some) <= set(train)
        assert len(some) == 30
        assert np.abs(np.bincount(labels[validation]) - np.bincount(labels) / 4).max() < 1


@every
def test_a_small_network_learns_from_the_files(name: str) -> None:
    """A fit on a few rows is right more often than the largest class is; its numbers come again."""
    dataset = made(name, **SMALL[name])
    images = name == "fashion_mnist"
    model = MODELS.make(
        *(("small_cnn", {"channels": [4, 4], "hidden": 16}) if images else ("bag_of_words", {}))
    )
    training = Training(epochs=12, batch_size=20, learning_rate=0.005 if images else 0.02)
    once, again = (fitting.fit(dataset, model, {}, training, 0, "cpu").metrics for _ in range(2))
    labels = dataset.split(0).test.y

    assert once == again
    assert once["test_accuracy"] > np.bincount(labels).max() / len(labels) + 0.01


@pytest.mark.parametrize("name", ["fashion_mnist", "trec"])
def test_validation_rows_are_never_disturbed(name: str) -> None:
    """Where nothing is learned, disturbing every train row changes no number of validation and test rows."""
    dataset = made(name, **SMALL[name])
    images = name == "fashion_mnist"
    model = MODELS.make(*(("small_cnn", {"channels": [4, 4], "hidden": 16}) if images else ("text_cnn", {})))
    arms: dict[str, dict[str, dict[str, Any]]] = {
        "fashion_mnist": {"flip": {"axis": "horizontal"}, "random_erasing": {"probability": 1.0}},
        "trec": {"eda": {"share": 0.5, "probability": 1.0}},
    }
    training = Training(epochs=1, optimizer="sgd", learning_rate=1e-30)
    plain, disturbed = (
        fitting.fit(dataset, model, own, training, 0, "cpu").metrics for own in ({}, arms[name])
    )

    for part in ("train", "validation", "test"):
        for metric in ("accuracy", "nll"):
            assert plain[f"{part}_{metric}"] == disturbed[f"{part}_{metric}"]


def test_what_a_licence_asks_to_be_said_is_said_on_the_page() -> None:
    """The line of the data and that of the synonyms that arms read stand in what a page shows of them."""
    made("movie_reviews")
    arms = {"none": {}, "eda": {"eda": {"share": 0.1, "probability": 0.5}}}
    plain = study_params("text", dataset={"name": "trec"}, arms={"none": {}})
    both = study_params("text", dataset={"name": "movie_reviews", "train": 100}, arms=arms)

    assert "attribution" not in plain.about_data()
    for words in ("Bo Pang", "Open English WordNet 2025", "CC BY 4.0"):
        assert words in both.about_data()


def test_a_benchmark_runs_whole_and_credits_whose_it_is(tmp_path: Path) -> None:
    """From the files to the page in one command; record and page name the authors of data and synonyms."""
    made("movie_reviews")
    few = tmp_path / "few.yaml"
    few.write_text(
        "seeds: 2\ndataset: {name: movie_reviews, train: 100, validation: 60}\nmodel: {name: bag_of_words}\n"
        "training: {epochs: 1}\narms: {none: {}, EDA: {eda: {share: 0.1, probability: 0.8}}}\n",
        encoding="utf-8",
    )
    done = studylib("run", "text", "--params", few, cwd=tmp_path, store=tmp_path / "store")
    assert done.returncode == 0, done.stderr
    record = Record.load(tmp_path / "reports" / "text" / "few.json")
    page = (tmp_path / "reports" / "text" / "few.html").read_text(encoding="utf-8")

    assert record.params["metric"] == "test_accuracy"
    assert [fit.status for fit in record.fits] == ["ok"] * 4
    for words in ("by Bo Pang", "Open English WordNet 2025"):
        assert words in record.dataset["attribution"]
        assert words in page
