"""Tuning: equally many trials for every arm, chosen without the test rows, the same after a crash."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import inf, log
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import pytest
from command_line import ROOT, environment
from made_up import ROWS, MadeUp, Measures
from sklearn.linear_model import ElasticNetCV
from trying import tried

from studylib import computing, study
from studylib.compare.tuning import optimism, taken, tuned
from studylib.contents import Contents
from studylib.datasets.diabetes import Diabetes
from studylib.errors import ParameterError
from studylib.ledger import Ledger
from studylib.models.linear import Linear
from studylib.params import StudyParams, study_params
from studylib.records import Record
from studylib.seeds import numpy_generator
from studylib.store import Store
from studylib.trainers.base import Training
from studylib.trainers.candidates import Range, Values, Whole
from studylib.trainers.fitting import SCORES, fit
from studylib.trainers.proposals import Tried, proposals
from studylib.trainers.tuning import Space, Tuning, count, fitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from studylib.executors import Attempt

EXACT = Training(optimizer="exact", folds=5)
SPACE: dict[str, Values] = {
    "l1.strength": Range(low=1e-4, high=1.0),
    "model.hidden": ([8], [16]),
    "training.epochs": Whole(low=2, high=40),
}
TUNINGS = [
    Tuning(),
    Tuning(order="staged"),
    Tuning(method="random", trials=15),
    Tuning(method="random", trials=6, order="staged"),
    Tuning(method="tpe", trials=17),
    Tuning(method="tpe", trials=6, order="staged"),
]
every_tuning = pytest.mark.parametrize("tuning", TUNINGS, ids=lambda t: f"{t.method}-{t.order}")
ARMS: dict[str, Any] = {
    "none": {},
    "l2": {"l2": {"strength": {"low": 1e-4, "high": 1.0}}},
    "slow": {"training": {"learning_rate": {"low": 1e-4, "high": 1e-1}}},
}


def cost(point: Any) -> float:
    """Return how far settings are from those that are best."""
    far = abs(log(point["l1.strength"] / 0.01)) / 5 + abs(point["training.epochs"] - 11) / 30
    return float(far + (point["model.hidden"] != [16]))


def searched(space: Space, tuning: Tuning, seed: int, of: Callable[[Any], float] = cost) -> list[Tried]:
    """Return what is tried one after the other."""
    history: list[Tried] = []
    while points := proposals(space, tuning, seed, history):
        history += [Tried(point, of(point)) for point in points]
    return history


def small(arms: Any = ARMS, **changes: Any) -> StudyParams:
    """Return a run of a moment."""
    values = {"dataset": {"train": 60}, "model": {"name": "mlp", "hidden": [8]}, "training": {"epochs": 2}}
    return study_params("vision", **{**values, "seeds": 2, "arms": arms, **changes})


def run(params: StudyParams, folder: Path) -> tuple[Record, int]:
    """Compute a run in this process; return its record, and how many fits were computed."""
    store = Store(folder)
    ended: list[Attempt] = []
    with ThreadPoolExecutor(1) as here:
        [one] = study.planned([params], here, Contents(folder))
        todo = study.rounds([one], store)
        unkept = computing.computed(todo.begin(), store, here, ended.append, todo.more)
    return study.recorded(one, store, unkept), sum(attempt.final for attempt in ended)


@every_tuning
def test_as_many_trials_as_were_announced_all_different_and_within_their_ranges(tuning: Tuning) -> None:
    """Whatever the method, and again the same; another seed draws others."""
    history = searched(SPACE, tuning, 3)
    points = [one.settings for one in history]

    assert len(points) == count(SPACE, tuning)
    if tuning.order == "joint" or tuning.method == "grid":  # a stage may draw what the last one ended with
        assert len({repr(sorted(point.items())) for point in points}) == len(points)
    assert all(1e-4 <= point["l1.strength"] <= 1 and 2 <= point["training.epochs"] <= 40 for point in points)
    assert all(type(point["training.epochs"]) is int for point in points)
    assert history == searched(SPACE, tuning, 3)
    assert (history == searched(SPACE, tuning, 4)) == (tuning.method == "grid")


@every_tuning
def test_who_was_stopped_goes_on_with_the_very_same_proposals(tuning: Tuning) -> None:
    """The next proposal follows from the scores before it, and from nothing that a process remembers."""
    history = searched(SPACE, tuning, 5)
    done = 0
    while asked := proposals(SPACE, tuning, 5, history[:done]):
        assert asked == [one.settings for one in history[done : done + len(asked)]]
        done += len(asked)
    assert done == len(history)


def test_tpe_does_better_than_drawing_with_as_many_trials() -> None:
    """On a bowl with its bottom inside, on average over seeds."""
    found = {
        method: fmean(
            min(one.score for one in searched(SPACE, Tuning(method=method, trials=30), s)) for s in range(6)
        )
        for method in ("random", "tpe")
    }

    assert found["tpe"] < found["random"]


def test_what_diverges_is_passed_over_by_every_method() -> None:
    """Only strengths below .01 come to an end: TPE looks there in the end, and so is the best of all."""

    def diverging(point: Any) -> float:
        return inf if point["l1.strength"] > 0.01 else cost(point)

    for tuning in TUNINGS:
        history = searched(SPACE, tuning, 1, diverging)
        assert len(history) == count(SPACE, tuning)
    late = searched(SPACE, Tuning(method="tpe", trials=40), 1, diverging)[20:]
    assert sum(one.score < inf for one in late) > len(late) / 2


def test_a_staged_grid_holds_the_others_at_their_best() -> None:
    """First strengths at the first hidden layer and the fewest epochs, then layers at the best strength."""
    history = searched(SPACE, Tuning(order="staged"), 0)
    first, second, third = history[:10], history[10:11], history[11:]
    best = min(first, key=lambda one: one.score).settings

    assert {(repr(one.settings["model.hidden"]), one.settings["training.epochs"]) for one in first} == {
        ("[8]", 2)
    }
    assert [one.settings for one in second] == [{**best, "model.hidden": [16]}]
    assert {repr(one.settings["model.hidden"]) for one in third} == {"[16]"}
    assert min(history, key=lambda one: one.score).settings["training.epochs"] == min(
        Whole(low=2, high=40).values(), key=lambda epochs: abs(epochs - 11)
    )


def test_arms_are_tuned_with_equal_effort_or_not_at_all() -> None:
    """Unequal grids are refused with the counts and what to do; an arm with nothing open needs no trials."""
    unequal = {**ARMS, "few": {"l1": {"strength": [0.1, 0.2]}}}
    with pytest.raises(
        ParameterError, match=r"every arm that is tuned, got: few 2, l2 and slow 10\. .*trials: 10"
    ):
        small(unequal)
    small(unequal, tuning={"trials": 2})
    with pytest.raises(
        ParameterError, match=r"arms\.few: no grid of its open settings has 7 trials.* make 2: "
    ):
        small(unequal, tuning={"trials": 7})
    both = {
        "none": {},
        "net": {"elastic_net": {"mix": [0.1, 0.5, 0.9], "strength": {"low": 1e-3, "high": 1}}},
    }
    assert count(small(both, tuning={"trials": 12}).arms[1].space, Tuning(trials=12)) == 12
    with pytest.raises(ParameterError, match=r"arms\.net: .* has 13 trials, .* can make 12 or 15: "):
        small(both, tuning={"trials": 13})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tuning": {"method": "tpe"}}, "tuning: expected a number of trials with method 'tpe'"),
        ({"tuning": {"method": "tpee", "trials": 3}}, "tuning.method: .*'tpee'. Did you mean 'tpe'"),
        ({"tuning": {"trails": 3}}, "tuning: unknown setting 'trails'. Did you mean 'trials'"),
        (
            {"arms": {"a": {"l2": {"strenght": [0.1, 0.2]}}}},
            "arms.a.l2: .*'strenght'. Did you mean 'strength'",
        ),
        (
            {"arms": {"a": {"training": {"epochs": {"low": 1.5, "high": 4}}}}},
            "arms.a.training.epochs.low: expected a valid integer, got 1.5",
        ),
        (
            {"arms": {"a": {"training": {"epochs": {"low": 1, "high": 4, "points": 9}}}}},
            "arms.a.training.epochs: expected at most 4 points",
        ),
        (
            {"arms": {"a": {"training": {"epoch": [1, 2]}}}},
            "arms.a.training: .*'epoch'. Did you mean 'epochs'",
        ),
        (
            {"training": {"learning_rate": {"low": 1, "high": 0.1}}},
            "training.learning_rate: expected low < high",
        ),
        (
            {"training": {"optimizer": {"low": 1, "high": 2}}},
            "training.optimizer: expected a list of values .* only numbers have a range",
        ),
        ({"model": {"name": "mlp", "hidden": [[8], [0]]}}, "arms.none.model.hidden.0: .* got 0"),
        (
            {
                "arms": {
                    "a": {
                        "elastic_net": {
                            "mix": {"low": 0.1, "high": 1, "points": 200},
                            "strength": [*range(1, 13)],
                        }
                    }
                }
            },
            "arms.a: its open settings make 2400 combinations",
        ),
        (
            {"arms": {"a": {"l2": {"strength": [1, 2, 3]}}}, "tuning": {"method": "random", "trials": 5}},
            "arms.a: tuning.trials asks for 5 different trials of l2.strength, which can be had in 3 ways",
        ),
        (
            {"arms": {"a": {"training": {"optimizer": ["adamw", "sgd"], "momentum": 0.5}}}},
            "arms.a.training.momentum: .*'adamw'",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_trained(changes: Any, complaint: str) -> None:
    """With its place, what was expected, and the nearest right name."""
    with pytest.raises(ParameterError, match=f"(?m): {complaint}"):
        small(**changes)


def test_what_the_study_leaves_open_is_open_in_every_arm_that_does_not_say_it() -> None:
    """Training and model of the study and of an arm alike; and a record says it as it was asked for."""
    params = small(
        {"a": {}, "b": {"training": {"learning_rate": 0.1}}, "c": {"model": "linear"}},
        training={"learning_rate": [0.01, 0.02], "epochs": 2},
        model={"name": "mlp", "hidden": [[8], [4, 4]]},
        tuning={"method": "random", "trials": 2},
    )

    assert [set(arm.space) for arm in params.arms] == [
        {"training.learning_rate", "model.hidden"},
        {"model.hidden"},
        {"training.learning_rate"},
    ]
    asked = params.to_dict()
    assert asked["training"]["learning_rate"] == [0.01, 0.02]
    assert asked["model"]["hidden"] == [[8], [4, 4]]
    assert asked["tuning"]["method"] == "random"


def test_the_fit_of_the_best_trial_is_the_fit_of_the_arm(tmp_path: Path) -> None:
    """Nothing is trained twice; the record knows every trial, and what it was chosen by."""
    record, computed = run(small(tuning={"method": "tpe", "trials": 12}), tmp_path)
    again, nothing = run(small(tuning={"method": "tpe", "trials": 12}), tmp_path)

    assert computed == 2 * (1 + 12 + 12)
    assert (nothing, again) == (0, record)
    for one in record.finished("l2") + record.finished("slow"):
        chosen = taken(one)
        assert len(one.trials) == 12
        assert chosen
        assert chosen.keys == (one.key,)
        assert chosen.score == min(trial.score for trial in one.trials if trial.score is not None)
        assert optimism(one) == one.metrics["test_loss"] - chosen.score
    chosen = taken(record.finished("l2")[0])
    assert chosen
    assert record.finished("l2")[0].metrics["chosen_l2_strength"] == chosen.settings["l2.strength"]
    record.save(tmp_path / "record.json")
    assert Record.load(tmp_path / "record.json").fits == record.fits


def test_a_grid_in_rounds_is_brute_force(tmp_path: Path) -> None:
    """The chosen fit has, of all fits of the grid computed one by one, the lowest validation loss."""
    arms = {"none": {}, "l2": {"l2": {"strength": [1e-4, 1e-2, 1.0]}}}
    record, _ = run(small(arms), tmp_path)
    alone = {str(s): {"l2": {"strength": s}} for s in (1e-4, 1e-2, 1.0)}
    each, nothing = run(small(alone), tmp_path)

    assert nothing == 0, "the fits of a grid are those of arms that say one value"
    for one in record.finished("l2"):
        losses = {f.arm: f.metrics["validation_loss"] for f in each.fits if f.seed == one.seed}
        assert one.metrics["chosen_l2_strength"] == float(min(losses, key=lambda arm: losses[arm]))


def test_an_exact_grid_chooses_as_scikit_learn_does() -> None:
    """The same folds give the same mean held-out errors, and so the same strength, as its ElasticNetCV."""
    strengths, mix = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0], 0.5
    split = Diabetes(train=200, validation=60).split(2)
    settings = {"elastic_net": {"mix": mix, "strength": strengths}}
    ours = fit(Diabetes(train=200, validation=60), Linear(), settings, EXACT, 2, "cpu")
    order = numpy_generator(2, "folds").permutation(200)
    folds = [(np.setdiff1d(order, held), held) for held in np.array_split(order, 5)]
    # twice its objective is ours: λ·mix = 2αρ and λ·(1 − mix) = α(1 − ρ)
    share = mix / (mix + 2 * (1 - mix))
    alphas = [s * (mix / 2 + (1 - mix)) for s in strengths]
    theirs = ElasticNetCV(l1_ratio=share, alphas=alphas, cv=folds, tol=1e-10, max_iter=100_000)
    theirs.fit(split.train.x, split.train.y)

    assert ours.curves[SCORES] == pytest.approx(theirs.mse_path_.mean(axis=1)[::-1], rel=1e-6)
    assert ours.metrics["chosen_elastic_net_strength"] == strengths[alphas.index(theirs.alpha_)]


@final
class Chance(MadeUp):
    """Five numbers that say nothing of a sixth, which is standard normal."""

    task: ClassVar[str] = "regression"
    inputs: ClassVar[str] = "tables"
    shape: ClassVar[tuple[int, ...]] = (5,)
    outputs: ClassVar[int] = 1

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return measures and a number."""
        return rng.normal(size=(ROWS, 5)), rng.normal(size=ROWS)


@pytest.mark.parametrize("folds", ["none", 4])
def test_where_there_is_nothing_to_learn_the_score_that_chose_is_too_good(folds: Any) -> None:
    """Test rows say no better than chance, and the chosen score does: that is what they are kept for."""
    space = {"l1": {"strength": {"low": 1e-3, "high": 1.0}}, "l2": {"strength": {"low": 1e-3, "high": 1.0}}}
    tuning = Tuning(method="random", trials=15, folds=folds)
    gaps, chance = [], []
    for seed in range(12):
        outcome, history = tried(Chance(), Linear(), space, EXACT, tuning, seed)
        test = Chance().split(seed).test.y
        gaps.append(outcome.metrics["test_loss"] - min(one.score for one in history))
        chance.append(outcome.metrics["test_loss"] - float((test**2).mean()))

    assert fmean(chance) > 0
    assert fmean(gaps) > 0


def test_validation_rows_choose_nothing_where_folds_do() -> None:
    """With folds the validation rows stay unseen until the choice is made, as the test rows do."""
    space = {"l2": {"strength": [1e-3, 0.1, 1.0]}}
    training = Training(epochs=3, batch_size=16, learning_rate=0.05)
    first, second = (
        tried(Measures(validation_labels=labels), Linear(), space, training, Tuning(folds=3))
        for labels in (0, 7)
    )

    assert first[1] == second[1]
    assert first[0].metrics["validation_loss"] != second[0].metrics["validation_loss"]
    assert first[0].metrics["test_loss"] == second[0].metrics["test_loss"]


def test_folds_are_fits_and_one_more_on_all_train_rows(tmp_path: Path) -> None:
    """Each row is held out once; a trial has a key for each fold, and its score is their mean."""
    params = small({"none": {}, "l2": {"l2": {"strength": [1e-4, 1.0]}}}, tuning={"folds": 3})
    record, computed = run(params, tmp_path)
    (one, _) = record.finished("l2")
    trial = one.trials[0]

    assert computed == 2 * (1 + 2 * 3 + 1)
    assert [len(each.keys) for each in one.trials] == [3, 3]
    assert one.key not in {key for each in one.trials for key in each.keys}
    assert trial.test is None
    assert trial.score is not None


def test_diverged_trials_are_passed_over_and_shown(tmp_path: Path) -> None:
    """Where every one diverges so does the fit, with the reason of one of them."""
    wild = {"optimizer": "sgd", "learning_rate": [1e30, 0.01]}
    lost = {"optimizer": "sgd", "learning_rate": [1e30, 1e31]}
    record, _ = run(small({"none": {}, "wild": {"training": wild}, "lost": {"training": lost}}), tmp_path)
    one, other = record.fits[2], record.fits[4]

    assert [trial.status for trial in one.trials] == ["diverged", "ok"]
    assert one.status == "ok"
    assert (other.status, [trial.status for trial in other.trials]) == ("diverged", ["diverged"] * 2)
    assert "every one of its trials" in other.reason
    assert "learning_rate" in other.reason
    assert [one.lost for one in tuned(record)] == [0, 2, 4]


DYING = """
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from test_tuning import small
from studylib import computing, study
from studylib.contents import Contents
from studylib.store import Store
folder, last = Path(sys.argv[1]), int(sys.argv[2])
done = 0
def count(attempt):
    global done
    done += attempt.final
    if done == last:
        os.kill(os.getpid(), signal.SIGKILL)
store = Store(folder)
with ThreadPoolExecutor(1) as here:
    [one] = study.planned([small(tuning={"method": "tpe", "trials": 14})], here, Contents(folder))
    todo = study.rounds([one], store)
    computing.computed(todo.begin(), store, here, count, todo.more)
"""


def test_who_is_killed_in_the_middle_of_tpe_goes_on_without_a_fit_twice(tmp_path: Path) -> None:
    """What was stored is not computed again, and the record is that of a run that nobody disturbed."""
    params = small(tuning={"method": "tpe", "trials": 14})
    paths = environment(tmp_path / "own") | {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    command = [sys.executable, "-c", DYING, str(tmp_path / "killed"), "49"]
    killed = subprocess.run(command, env=paths, capture_output=True, text=True, check=False)
    before = Counter(row.key for row in Ledger(tmp_path / "killed").rows() if row.state == "ok")
    record, computed = run(params, tmp_path / "killed")
    after = Counter(row.key for row in Ledger(tmp_path / "killed").rows() if row.state == "ok")
    whole, in_all = run(params, tmp_path / "whole")

    assert killed.returncode == -9, killed.stderr
    assert 0 < len(before) < in_all
    assert set(after.values()) == {1}
    assert len(before) + computed == in_all
    assert replace(record, versions={}) == replace(whole, versions={})
    assert fitted({}, Tuning(), "") == {}
