"""How the exact linear trainer chooses among strengths, and what it hands over."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import ElasticNet as PeerElasticNet
from sklearn.preprocessing import scale

from studylib.datasets.base import Examples, Split
from studylib.errors import Divergence, ParameterError
from studylib.regularizers.elastic_net import ElasticNet
from studylib.regularizers.l1 import L1
from studylib.regularizers.l2 import L2
from studylib.regularizers.weight_decay import WeightDecay
from studylib.seeds import numpy_generator
from studylib.trainers.base import Training
from studylib.trainers.conversions import (
    to_sklearn_elastic_net,
)
from studylib.trainers.linear import (
    Strengths,
    by_column,
    cross_validate,
    solve,
    strengths_of,
    train,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studylib.regularizers.base import Regularizer

Rows = tuple[np.ndarray, np.ndarray]
EXACT = Training(optimizer="exact", folds=4)


@cache
def diabetes() -> Rows:
    """Return 442 rows of 10 standardised columns, and the standardised target."""
    x, y = load_diabetes(return_X_y=True)
    return scale(x), scale(y)


@cache
def breast_cancer() -> Rows:
    """Return 569 rows of 30 standardised columns, some correlated beyond .99, and two classes."""
    x, y = load_breast_cancer(return_X_y=True)
    return scale(x), y


def brute_force(
    x: np.ndarray, y: np.ndarray, pairs: Sequence[Strengths], folds: int, seed: int
) -> list[float]:
    """Return the mean held-out squared error of scikit-learn's ElasticNet on the same folds."""
    errors = np.zeros((len(pairs), len(y)))
    for held in np.array_split(np.random.default_rng(seed).permutation(len(y)), folds):
        kept = np.setdiff1d(np.arange(len(y)), held)
        for i, pair in enumerate(pairs):
            alpha, l1_ratio = to_sklearn_elastic_net(pair)
            peer = PeerElasticNet(alpha, l1_ratio=l1_ratio, tol=1e-12, max_iter=1_000_000)
            errors[i, held] = (peer.fit(x[kept], y[kept]).predict(x[held]) - y[held]) ** 2
    return [float(e) for e in errors.mean(axis=1)]


def test_cross_validation_is_brute_force() -> None:
    """Scores equal those of scikit-learn's ElasticNet on the same folds; the lowest is the best."""
    x, y = diabetes()
    x, y = x[:100], y[:100]
    pairs = [Strengths(s * m, s * (1 - m)) for s in (0.01, 0.1, 1.0, 3.0) for m in (0.2, 1.0)]
    ours = cross_validate(x, y, pairs, 5, np.random.default_rng(3), "squared")
    expected = brute_force(x, y, pairs, 5, 3)

    assert ours.scores == pytest.approx(expected, abs=1e-8)
    assert ours.best == int(np.argmin(expected))


def test_cross_validation_of_classes_is_cold_solutions_fold_by_fold() -> None:
    """Warm starts leave the scores alone; ``folds`` = n is leave-one-out."""
    x, y = breast_cancer()
    x, y = x[:24, :4], y[:24]
    pairs = [Strengths(0.01, 0.01), Strengths(0.1, 0), Strengths(0, 0.1)]
    ours = cross_validate(x, y, pairs, 24, np.random.default_rng(0), "logistic")
    expected = np.zeros(3)
    for row in range(24):
        for i, (l1, l2) in enumerate(pairs):
            model = solve(np.delete(x, row, 0), np.delete(y, row), l1=l1, l2=l2, loss="logistic")
            z = x[row] @ model.weights + model.intercept
            expected[i] += (np.logaddexp(0, z) - y[row] * z) / 24

    assert ours.scores == pytest.approx(expected, abs=1e-9)


def test_of_equal_candidates_the_stronger_is_taken() -> None:
    """Above λmax all candidates predict the mean, and the largest strength is chosen wherever it stands."""
    x, y = diabetes()
    pairs = [Strengths(5.0, 0), Strengths(9.0, 1.0), Strengths(7.0, 0)]
    ours = cross_validate(x, y, pairs, 5, np.random.default_rng(0), "squared")

    assert len(set(ours.scores)) == 1
    assert ours.best == 1


def test_a_candidate_without_a_solution_is_never_the_best() -> None:
    """No penalty on separated classes scores infinity; if that is all there is, it is an error."""
    x, y = breast_cancer()
    ours = cross_validate(x, y, [(0, 0), (0, 0.01)], 3, np.random.default_rng(0), "logistic")

    assert ours.scores[0] == np.inf
    assert ours.best == 1
    with pytest.raises(Divergence, match="no candidate"):
        cross_validate(x, y, [(0, 0)], 3, np.random.default_rng(0), "logistic")


def test_more_folds_than_rows_are_refused() -> None:
    """The message names the setting."""
    with pytest.raises(ParameterError, match=r"training\.folds"):
        cross_validate(np.eye(3), np.arange(3), [(1, 0)], 4, np.random.default_rng(0), "squared")


def split_of(x: np.ndarray, y: np.ndarray, outputs: int) -> Split:
    """Return a split whose train rows are the first 80 % and the others the rest."""
    cut = len(y) * 4 // 5
    first, rest = Examples(x[:cut], y[:cut]), Examples(x[cut:], y[cut:])
    return Split(first, rest, rest, (x.shape[1],), outputs)


def test_penalties_add_up() -> None:
    """λ₁ and λ₂ of an arm are sums over its penalties, an elastic net counted by its mix."""
    penalties = (L1(strength=0.1), L2(strength=0.2), ElasticNet(strength=1.0, mix=0.25))

    assert strengths_of(penalties) == pytest.approx((0.35, 0.95))
    assert strengths_of(()) == (0, 0)
    with pytest.raises(ParameterError, match="weight_decay"):
        strengths_of((WeightDecay(strength=0.1),))


def test_one_candidate_is_solved_on_the_train_rows() -> None:
    """Weights are those of ``solve``, predictions are xw + b, and nothing was cross-validated."""
    x, y = diabetes()
    split = split_of(x.astype(np.float32), y, 1)
    ours = train(split, [(L1(strength=0.1),)], EXACT, seed=1)
    expected = solve(split.train.x, split.train.y, l1=0.1, l2=0, loss="squared")

    assert ours.weights.tolist() == expected.weights.tolist()
    assert ours.predict(split.test.x) == pytest.approx(expected.scores(split.test.x.astype(float)))
    assert (ours.chosen, ours.scores) == (0, ())


def test_two_classes_get_logits() -> None:
    """The first logit is 0, and the second is the log-odds."""
    x, y = breast_cancer()
    split = split_of(x, y, 2)
    ours = train(split, [(L2(strength=0.01),)], EXACT, seed=1)
    logits = ours.predict(split.test.x)

    assert logits.shape == (len(split.test), 2)
    assert not logits[:, 0].any()
    assert (logits.argmax(axis=1) == split.test.y).mean() > 0.95


def test_candidates_are_chosen_inside_the_train_rows() -> None:
    """Cross-validation on the stream (seed, "folds") chooses, and the refit uses all train rows."""
    x, y = diabetes()
    split = split_of(x, y, 1)
    candidates: list[tuple[Regularizer, ...]] = [(L1(strength=s),) for s in (0.001, 0.05, 1.0)]
    ours = train(split, candidates, EXACT, seed=7)
    pairs = [(0.001, 0), (0.05, 0), (1.0, 0)]
    expected = cross_validate(split.train.x, split.train.y, pairs, 4, numpy_generator(7, "folds"), "squared")

    assert (ours.chosen, ours.scores) == (expected.best, expected.scores)
    refit = solve(split.train.x, split.train.y, l1=pairs[expected.best][0], l2=0, loss="squared")
    assert ours.weights.tolist() == refit.weights.tolist()
    assert ours.scores != train(split, candidates, EXACT, seed=8).scores


def test_three_classes_get_a_score_each() -> None:
    """Cross-validation chooses the ridge that helps, and a column's weight is the length of its three."""
    x, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    split = split_of(scale(x)[order], y[order], 3)
    ours = train(split, [(L2(strength=s),) for s in (1e-3, 10.0)], EXACT, seed=0)
    logits = ours.predict(split.test.x)

    assert ours.chosen == 0
    assert logits.shape == (len(split.test), 3)
    assert (logits.argmax(axis=1) == split.test.y).mean() > 0.9
    assert by_column(ours.weights) == pytest.approx(np.linalg.norm(ours.weights, axis=0))


def test_a_class_without_a_train_row_is_named() -> None:
    """No intercept is small enough for it."""
    with pytest.raises(Divergence, match=r"all 3 classes .* none is of class 2"):
        train(split_of(np.eye(30), np.arange(30) % 2, 3), [(L2(strength=1.0),)], EXACT, seed=0)


def test_the_trainer_needs_neither_torch_nor_scikit_learn() -> None:
    """Importing it loads no heavy package; SciPy waits for the first solution."""
    heavy = "{'torch', 'sklearn', 'pandas', 'scipy'}"
    code = f"import sys, studylib.trainers.linear; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
