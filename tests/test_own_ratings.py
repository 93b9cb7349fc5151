"""Ratings, MovieLens' and one's own: which are held out, which count, and which files are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from readable import READABLE

from studylib.datasets import CATALOGUE
from studylib.datasets._ratings import LEAST, Ratings, core, last_out, latest, split_of
from studylib.datasets.movielens_small import MovielensSmall
from studylib.datasets.ratings_csv import RatingsCsv
from studylib.errors import ParameterError
from studylib.inspection import inspected
from studylib.runs import from_command_line

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 300


def rows(seed: int = 0) -> list[list[str]]:
    """Return 300 rows of 30 users and 25 items, some of them twice, in no order of time."""
    rng = np.random.default_rng(seed)
    when = rng.integers(1_500_000_000, 1_500_000_400, ROWS)
    who, what, stars = rng.integers(0, 30, ROWS), rng.integers(0, 25, ROWS), rng.integers(1, 6, ROWS)
    own = zip(who.tolist(), what.tolist(), stars.tolist(), when.tolist(), strict=True)
    return [[f"ü{u}", f"film {i}", str(s), str(t)] for u, i, s, t in own]


def written(folder: Path, lines: list[list[str]], name: str = "r.csv") -> Path:
    """Return the path of a CSV with who, what, stars and when."""
    path = folder / name
    path.write_text("\r\n".join(",".join(line) for line in [["u", "i", "r", "t"], *lines]) + "\r\n", "utf-8")
    return path


def own(path: Path, **settings: Any) -> RatingsCsv:
    """Return the dataset."""
    made = CATALOGUE.make("ratings_csv", {"path": str(path), "user": "u", "item": "i", **settings})
    assert isinstance(made, RatingsCsv)
    return made


def ratings(seed: int = 0) -> Ratings:
    """Return ratings, one of each user and item, with times of which many are equal."""
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(np.argwhere(rng.random((12, 10)) < 0.4))
    times = rng.integers(0, 6, len(pairs))
    names = np.arange(12).astype(str), np.arange(10).astype(str)
    return Ratings(pairs, rng.random(len(pairs)), times, *names)


@pytest.mark.parametrize("seed", range(5))
def test_the_last_of_each_user_is_the_test(seed: int) -> None:
    """By brute force: of equal times the later row is later; whoever has fewer than three stays in train."""
    known = ratings(seed)
    parts = last_out(known)
    place = {int(row): name for name, part in parts._asdict().items() for row in part}
    assert sorted(place) == list(range(len(known.pairs)))
    for user in range(12):
        mine = [row for row in range(len(known.pairs)) if known.pairs[row, 0] == user]
        ordered = sorted(mine, key=lambda row: (known.times[row], row))
        held = ["validation", "test"] if len(mine) >= LEAST else ["train"] * min(2, len(mine))

        assert [place[row] for row in ordered] == ["train"] * (len(mine) - len(held)) + held


def test_a_tenth_each_is_held_out_at_random() -> None:
    """No rating is in two parts, none is left out, and another seed holds out others."""
    known = ratings()
    count = len(known.pairs)
    split, other = (split_of(known, "random", seed, rated=True) for seed in (0, 1))
    parts = [split.train, split.validation, split.test]
    together = np.concatenate([np.column_stack([part.x, part.y]) for part in parts])

    assert [len(part) for part in parts] == [count - 2 * round(count / 10), *[round(count / 10)] * 2]
    assert sorted(map(tuple, together)) == sorted(map(tuple, np.column_stack([known.pairs, known.values])))
    assert not np.array_equal(split.test.x, other.test.x)
    assert set(split_of(known, "random", 0, rated=False).train.y) == {1.0}


def test_of_the_same_user_and_item_the_latest_counts() -> None:
    """Its value is kept, in the place where it stands; of one time the one that stands last."""
    pairs = np.array([[0, 1], [0, 1], [2, 1], [0, 1], [2, 1]])
    known = Ratings(
        pairs, np.arange(5.0), np.array([3, 9, 4, 9, 4]), np.array(list("abc")), np.array(list("xy"))
    )
    one_each = latest(known)

    assert one_each.values.tolist() == [3.0, 4.0]
    assert one_each.pairs.tolist() == [[0, 1], [2, 1]]


def test_the_core_is_what_is_left_when_the_rare_are_gone() -> None:
    """Everyone in it has as many as asked, nobody could be added, and names go with their numbers."""
    known = ratings(3)
    left = core(known, 3)
    for side, names in ((0, left.users), (1, left.items)):
        assert np.bincount(left.pairs[:, side], minlength=len(names)).min() >= 3
    named = {(left.users[u], left.items[i]) for u, i in left.pairs}

    assert named <= {(known.users[u], known.items[i]) for u, i in known.pairs}
    assert core(left, 3).pairs.tolist() == left.pairs.tolist()


def test_a_file_of_ratings_is_read_as_it_stands(tmp_path: Path) -> None:
    """Numbers stand for names, with a rating it is asked for, and without one which items there are."""
    lines = rows()
    dataset = own(written(tmp_path, lines), rating="r", time="t")
    last = {(u, i): (int(t), place, float(s)) for place, (u, i, s, t) in enumerate(lines)}
    for place, (u, i, s, t) in enumerate(lines):
        last[u, i] = max(last[u, i], (int(t), place, float(s)))
    found = dataset.ratings()
    said = {(found.users[u], found.items[i]): v for (u, i), v in zip(found.pairs, found.values, strict=True)}

    assert said == {key: value for key, (_, _, value) in last.items()}
    assert (dataset.task, dataset.unit) == ("rating", "rating points")
    assert dataset.deciding().metric == "test_rmse"
    assert f"{len(last)} ratings of 30 users and 25 items, from 1 to 5" in dataset.described()
    assert f"{ROWS - len(last)} earlier ones of the same user and item are left out" in dataset.described()
    liked = own(written(tmp_path, lines))
    assert (liked.task, liked.unit, liked.deciding().metric) == ("ranking", "", "test_ndcg_at_20")


REFUSED = [
    (
        [["a", *line[1:]] for line in rows()],
        {},
        "column 'u': expected at least 2 different values, got 1, 'a'",
    ),
    ([[line[0], "x", *line[2:]] for line in rows()], {}, "column 'i': expected at least 2 different values"),
    (
        [[*line[:2], "3", line[3]] for line in rows()],
        {"rating": "r"},
        "expected different ratings, got 3 in all",
    ),
    (
        [*rows()[:4], ["u", "i", "good", "1500000000"]],
        {"rating": "r"},
        "row 6, column 'r': expected a number",
    ),
    ([*rows()[:4], ["u", "i", "nan", "1500000000"]], {"rating": "r"}, "row 6, column 'r': expected a finite"),
    ([*rows()[:4], ["", "i", "3", "1500000000"]], {}, "row 6, column 'u': expected a value"),
    ([*rows()[:4], ["u", "i", "3", "soon"]], {"time": "t"}, "row 6, column 't': expected a time"),
    ([*rows()[:4], ["u", "i" * 501, "3", "1"]], {}, "row 6, column 'i': expected a name of at most 500"),
    (rows()[:9], {}, "expected at least 20 pairs of user and item, got 9"),
    (rows(), {"rating": "stars"}, "dataset.rating: there is no column 'stars'"),
    (rows(), {"held_out": "last_out"}, "expected a column as time"),
    (rows(), {"core": 90}, "Lower dataset.core"),
    (
        [[f"{n}", *line[1:]] for n, line in enumerate(rows())],
        {"time": "t", "held_out": "last_out"},
        "at least 3 rows",
    ),
]


@pytest.mark.parametrize(("lines", "settings", "said"), REFUSED, ids=[said[:40] for *_, said in REFUSED])
def test_what_cannot_be_learnt_from_is_refused(
    tmp_path: Path, lines: list[list[str]], settings: dict[str, Any], said: str
) -> None:
    """The message names the file, the place in it, and what was expected."""
    with pytest.raises(ParameterError) as caught:
        own(written(tmp_path, lines), **settings).refuse_unusable()

    assert said in str(caught.value)


def test_a_study_takes_ratings_of_ones_own_as_it_is(tmp_path: Path) -> None:
    """Nothing but the file and its columns is to be said, and what decides follows the data."""
    path = written(tmp_path, rows())
    told = {
        "dataset.name": "ratings_csv",
        "dataset.path": str(path),
        "dataset.user": "u",
        "dataset.item": "i",
    }
    for more, metric in (({}, "test_ndcg_at_20"), ({"dataset.rating": "r"}, "test_rmse")):
        settings = [f"{key}={value}" for key, value in (told | more).items()]
        params = from_command_line("recommender", None, settings, [], "own").params

        assert params.metric == metric
        assert len(params.arms) > 5


def test_a_look_before_a_run_counts_what_is_there(tmp_path: Path) -> None:
    """How full, how often rated twice, and the ratings by their values; nobody is unseen here."""
    lines = rows()
    dataset = own(written(tmp_path, lines), rating="r")
    found = {one.what: one.text for one in inspected(dataset).findings}
    pairs = {(u, i) for u, i, *_ in lines}

    assert found["interactions"].startswith(f"{len(pairs)}, {len(pairs) / 750:.2%} of all pairs; 30 users")
    assert found["duplicates"].startswith(f"{ROWS - len(pairs)} rows are of a user and an item that")
    assert sum(int(line.split()[-1]) for line in found["ratings"].splitlines()[1:]) == len(pairs)
    assert "unseen" not in found


needs_files = pytest.mark.skipif(
    "movielens_small" not in READABLE,
    reason="the files of movielens_small are not here; set STUDYLIB_DATA to a folder that has them",
)


@needs_files
def test_movielens_is_what_its_readme_says() -> None:
    """Its counts are those of GroupLens, one of each user is last out, and the licence's words are there."""
    explicit, implicit = MovielensSmall(held_out="last_out"), MovielensSmall(feedback="implicit")
    split, likes = explicit.split(0), implicit.split(0)
    arrays = explicit.arrays()

    assert (split.inputs, len(arrays["ratings"])) == ((610, 9724), 100_836)
    assert set(arrays["ratings"]) == set(np.arange(1, 11) / 2)
    assert len(split.test) == len(split.validation) == len(set(split.test.x[:, 0])) == 610
    assert arrays["items"][0] == "Toy Story (1995)"
    assert np.bincount(implicit.arrays()["interactions"][:, 1]).min() >= 5
    assert likes.inputs == (601, 1955)
    assert "Harper" in explicit.words()["attribution"]
    assert any(file.path.endswith("README.txt") for file in explicit.files)
