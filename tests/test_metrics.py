"""Every metric beside scikit-learn, beside brute force, and at its edges."""

from __future__ import annotations

import subprocess
import sys
from math import log2

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    ndcg_score,
    r2_score,
    root_mean_squared_error,
)

from studylib.errors import ParameterError
from studylib.metrics import (
    KEYS,
    METRICS,
    calibration_bins,
    classification,
    density,
    metric_of,
    nonzeros,
    ranking,
    refuse_misfit,
    regression,
)

SEEDS = range(5)


def predictions(seed: int, rows: int = 400, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Draw probabilities and class numbers."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, 0.4), rows), rng.integers(0, classes, rows)


def recommendations(seed: int, rows: int = 40, items: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores and relevance, with masked items, and rows of none, few and more than 20 relevant ones."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, items))
    relevant = rng.random((rows, items)) < rng.choice([0.0, 0.05, 0.6], rows)[:, None]
    scores[(rng.random((rows, items)) < 0.2) & ~relevant] = -np.inf
    return scores, relevant


@pytest.mark.parametrize("seed", SEEDS)
def test_classification_agrees_with_scikit_learn(seed: int) -> None:
    """Accuracy and negative log-likelihood are accuracy_score and log_loss."""
    probabilities, labels = predictions(seed)
    ours = classification(probabilities, labels)

    assert ours["accuracy"] == accuracy_score(labels, probabilities.argmax(1))
    assert ours["nll"] == pytest.approx(log_loss(labels, probabilities, labels=range(4)), rel=1e-12)
    assert set(ours) == {"accuracy", "nll", "ece"}


@pytest.mark.parametrize("seed", SEEDS)
def test_calibration_error_agrees_with_a_loop_over_bins(seed: int) -> None:
    """ECE and its bins follow the definition, row by row."""
    probabilities, labels = predictions(seed)
    sure, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = calibration_bins(probabilities, labels)
    expected = 0.0
    for number in range(15):
        inside = (sure > number / 15) & (sure <= (number + 1) / 15)
        assert bins["count"][number] == inside.sum()
        if inside.any():
            assert bins["confidence"][number] == pytest.approx(sure[inside].mean())
            assert bins["accuracy"][number] == pytest.approx(right[inside].mean())
            expected += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
        else:
            assert bins["confidence"][number] == bins["accuracy"][number] == 0

    assert classification(probabilities, labels)["ece"] == pytest.approx(expected, rel=1e-12)


def test_calibration_error_of_known_cases() -> None:
    """Sure and right is 0, sure and wrong is 1, 80 % sure and half right is 0.3; bins end at their edge."""
    sure = np.eye(2)[[0, 1, 0, 1]]
    cautious = np.full((10, 2), 0.2)
    cautious[:, 1] = 0.8

    assert classification(sure, np.array([0, 1, 0, 1]))["ece"] == 0
    assert classification(sure, np.array([1, 0, 1, 0]))["ece"] == 1
    assert classification(cautious, np.arange(10) % 2)["ece"] == pytest.approx(0.3)
    assert calibration_bins(cautious, np.zeros(10, dtype=int))["count"].index(10) == 11, "0.8 ends bin 12"


def test_a_certain_mistake_costs_708_nats_and_stays_finite() -> None:
    """A probability of 0 is raised to the smallest normal float64."""
    measured = classification(np.array([[1.0, 0.0]]), np.array([1]))

    assert measured["nll"] == pytest.approx(708.396, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scale", [1.0, 77.1, 1e-4])
def test_regression_agrees_with_scikit_learn_in_the_targets_unit(seed: int, scale: float) -> None:
    """RMSE and the mean absolute error scale with the unit, R² does not; all are scikit-learn's."""
    rng = np.random.default_rng(seed)
    target = rng.normal(size=300)
    prediction = target + rng.normal(size=300)
    ours = regression(prediction, target, scale)

    assert ours["rmse"] == pytest.approx(root_mean_squared_error(target * scale, prediction * scale))
    assert ours["r2"] == pytest.approx(r2_score(target, prediction))
    assert ours["mae"] == pytest.approx(mean_absolute_error(target * scale, prediction * scale))
    assert set(ours) == {"rmse", "mae", "r2"}


@pytest.mark.parametrize("scale", [1.0, 16.7, 1e-4])
def test_log_likelihood_is_that_of_the_targets_own_unit(scale: float) -> None:
    """Densities of standardised targets, taken to another unit, are SciPy's of the target in that unit."""
    rng = np.random.default_rng(4)
    target, spread = rng.normal(size=50), 0.3
    logs = stats.norm.logpdf(target, 0.1, spread)
    expected = stats.norm.logpdf(target * scale, 0.1 * scale, spread * scale).mean()

    assert density(logs, scale) == {"log_likelihood": pytest.approx(expected, rel=1e-12)}
    assert (
        METRICS["log_likelihood"]
        .meaning(0.5, "MPa", "rows")
        .startswith("the true value gets about 65 % more")
    )
    meaning = METRICS["log_likelihood"].meaning
    assert meaning(0.5, "MPa", "rows") == "the true value gets about 65 % more probability"
    assert meaning(-900, "MPa", "rows") == "the true value gets about 100 % less probability"
    assert meaning(900, "MPa", "rows").endswith("a million times the probability")


def test_explained_variance_of_a_constant_target_is_1_or_0() -> None:
    """As scikit-learn does: 1 where it is met exactly, 0 otherwise, and never a division by zero."""
    target = np.full(5, 3.0)
    for prediction in (target, target + 1):
        assert regression(prediction, target)["r2"] == r2_score(target, prediction)


@pytest.mark.parametrize("seed", SEEDS)
def test_ndcg_agrees_with_scikit_learn(seed: int) -> None:
    """The mean of ndcg_score at 20 over rows with something relevant."""
    scores, relevant = recommendations(seed)
    asked = relevant.any(1)
    finite = np.where(np.isinf(scores), -100.0, scores)[asked]

    assert ranking(scores, relevant)["ndcg_at_20"] == pytest.approx(ndcg_score(relevant[asked], finite, k=20))


@pytest.mark.parametrize("seed", SEEDS)
def test_ranking_agrees_with_a_loop_over_rows_even_among_ties(seed: int) -> None:
    """Sorting each row in Python, with the first item winning a tie, gives the same numbers."""
    scores, relevant = recommendations(seed)
    scores = np.round(scores)
    recalls, gains = [], []
    for row, wanted in zip(scores, relevant, strict=True):
        if not wanted.any():
            continue
        best = sorted(range(len(row)), key=lambda item: (-row[item], item))[:20]
        recalls.append(sum(wanted[item] for item in best) / wanted.sum())
        gain = sum(1 / log2(rank + 2) for rank, item in enumerate(best) if wanted[item])
        gains.append(gain / sum(1 / log2(rank + 2) for rank in range(min(20, wanted.sum()))))
    ours = ranking(scores, relevant)

    assert ours == pytest.approx({"recall_at_20": np.mean(recalls), "ndcg_at_20": np.mean(gains)})


def test_ranking_at_its_edges() -> None:
    """Fewer than 20 items are all recommended; 40 relevant items cap recall at one half; none is an error."""
    few = np.eye(3, dtype=bool)
    many = np.ones((1, 40), dtype=bool)

    assert ranking(np.zeros((3, 3)), few)["recall_at_20"] == 1
    assert ranking(np.zeros((1, 40)), many) == pytest.approx({"recall_at_20": 0.5, "ndcg_at_20": 1.0})
    with pytest.raises(ParameterError, match="at least one row, got none"):
        ranking(np.zeros((3, 3)), ~few & few)


def test_nonzeros_counts_exact_zeros_only() -> None:
    """A tiny weight is not zero; both zeros are."""
    assert nonzeros(np.array([[0.0, -0.0], [1e-300, 2.0]]), np.array([3.0])) == 3


def test_a_metric_is_found_by_its_key() -> None:
    """Every part and metric has a key; a wrong one names the nearest right one."""
    assert len(KEYS) == 3 * (len(METRICS) - 1) + 1
    assert metric_of("validation_ndcg_at_20") is METRICS["ndcg_at_20"]
    assert metric_of("nonzeros").higher_is_better is False
    for wrong, right in (("accuracy", "test_accuracy"), ("test_acuracy", "test_accuracy")):
        with pytest.raises(ParameterError, match=f"unknown metric '{wrong}'. Did you mean '{right}'"):
            metric_of(wrong)
    with pytest.raises(ParameterError, match=r"^params/a\.yaml: unknown metric 'test_nonzeros'"):
        metric_of("test_nonzeros", "params/a.yaml")


def test_a_metric_of_another_task_is_refused() -> None:
    """The error names both tasks and what fits; a metric of the weights fits every task."""
    refuse_misfit("test_rmse", "regression")
    refuse_misfit("nonzeros", "classification")
    with pytest.raises(
        ParameterError, match=r"test_accuracy is for classification.* for regression\. Known: "
    ):
        refuse_misfit("test_accuracy", "regression")
    with pytest.raises(ParameterError, match=r"unknown metric 'test_rsme'\. Did you mean 'test_rmse'"):
        refuse_misfit("test_rsme", "regression")
    with pytest.raises(ParameterError, match=r"unknown metric \"\['a'\]\""):
        refuse_misfit(["a"], "regression")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.874, "87.4 %"),
        ("accuracy", 1.0, "100.0 %"),
        ("nll", 0.43124, "0.4312 nats"),
        ("ece", 0.012345, "0.01235"),
        ("rmse", 53.1234, "53.12 mg/dl"),
        ("r2", -0.25, "−0.2500"),
        ("nonzeros", 131.4, "131.4"),
        ("nonzeros", 0.0, "0.0"),
    ],
)
def test_values_read_as_a_reader_knows_them(name: str, value: float, text: str) -> None:
    """Shares of right answers in percent, everything else with four digits and its unit."""
    assert METRICS[name].formatted(value, "mg/dl") == text


@pytest.mark.parametrize(
    ("name", "difference", "half_width", "text"),
    [
        ("accuracy", -0.0212, 0.0, "2.1 points"),
        ("accuracy", 0.021, 0.009, "2.1 points"),
        ("accuracy", 0.09, 0.04, "9 points"),
        ("accuracy", 0.00123, 0.0002, "0.123 points"),
        ("nll", -0.0123, 0.002, "0.0123 nats"),
        ("rmse", 3.14, 0.4, "3.1 mg/dl"),
        ("rmse", 3.14, float("inf"), "3.1 mg/dl"),
        ("r2", 0.0, 0.0, "0.0"),
    ],
)
def test_differences_are_as_precise_as_their_interval(
    name: str, difference: float, half_width: float, text: str
) -> None:
    """The last digit is worth a third to a thirtieth of the interval's half width; no sign."""
    assert METRICS[name].size(difference, half_width, "mg/dl") == text


def test_every_metric_says_what_it_is_in_one_line() -> None:
    """Name, noun and first sentence are there, and names are the keys of the catalogue."""
    for name, metric in METRICS.items():
        assert name == metric.name
        assert metric.noun
        assert "\n" not in metric.about
        assert len(metric.about) > 20


def test_metrics_are_known_without_importing_what_computes_them() -> None:
    """Parameters can be checked before numpy, torch, scipy, pandas or scikit-learn is loaded."""
    heavy = {"numpy", "torch", "scipy", "pandas", "sklearn"}
    script = "import sys; from studylib import metrics; metrics.metric_of('nonzeros'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert heavy.isdisjoint(loaded.stdout.split())
