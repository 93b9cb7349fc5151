"""Elastic-net paths with 10-fold cross-validation: seconds of one thread, at one duality gap, beside peers.

100 strengths λ from λmax down to λmax/100, l1_ratio .5, grid and folds the same for all, a last fit on all
rows. Every solution of every fold has a duality gap of at most 1e-6·Σ(y − ȳ)²: tolerances of the
peers are lowered tenfold until that is so, which is checked before the clock starts. Peers run inside
scikit-learn's ElasticNetCV, with their own ``path`` in place of its own: celer's ElasticNetCV cannot be built
with this scikit-learn, and that of skglm compiles anew for every strength. Compilers are done before.
After that, the breakpoints of the lasso's path on diabetes, beside those that Efron et al. (2004) print.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from statistics import median
from time import process_time
from typing import Any, final

import numpy as np

from studylib.downloads import data_folder

STRENGTHS, FOLDS, RATIO, GAP, ROUNDS = 100, 10, 0.5, 1e-6, 3
PRINTED = (0, 60.1, 663.7, 888.9, 1250.7, 1440.8, 1537.1, 1914.6, 2115.7, 2195.8, 2802.4, 2863.0)
Rows = tuple[np.ndarray, np.ndarray]


def main() -> None:
    """Print the seconds of each on each problem, the gaps, and the breakpoints."""
    os.environ["OMP_NUM_THREADS"] = "1"
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        for name, (x, y) in problems().items():
            compare(name, Problem(x, y))
    print_breakpoints()


def problems() -> dict[str, Rows]:
    """Return the rows of each problem, columns standardised; golub only where its files are."""
    from studylib import datasets

    found = {}
    if data_folder() and "golub" in datasets.CATALOGUE:
        split = datasets.CATALOGUE.make("golub", {}).split(0)
        parts = (split.train, split.validation, split.test)
        found["golub"] = np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts]) * 1.0
    found["2000 × 1000"] = correlated(2000, 1000)
    return {
        name: ((x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9), y) for name, (x, y) in found.items()
    }


def correlated(rows: int, columns: int) -> Rows:
    """Return neighbouring columns that correlate at .5, a tenth of which make the target, and noise."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, columns))
    for j in range(1, columns):
        x[:, j] = 0.5 * x[:, j - 1] + np.sqrt(0.75) * x[:, j]
    weights = np.zeros(columns)
    weights[generator.choice(columns, columns // 10, replace=False)] = generator.normal(size=columns // 10)
    signal = x @ weights
    return x, signal + signal.std() / 3 * generator.normal(size=rows)


@final
class Problem:
    """Rows, folds, and a grid of scikit-learn's ``alpha``."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = x, y
        self.held = np.array_split(np.random.default_rng(1).permutation(len(y)), FOLDS)
        self.folds = [(np.setdiff1d(np.arange(len(y)), held), held) for held in self.held]
        top = np.abs((y - y.mean()) @ x).max() / len(y) / RATIO
        self.alphas = top * np.geomspace(1, 1e-2, STRENGTHS)
        self.pairs = [(2 * a * RATIO, a * (1 - RATIO)) for a in self.alphas]

    def gap(self, kept: np.ndarray, weights: np.ndarray, alpha: float) -> float:
        """Return the duality gap of weights of the ``kept`` rows, relative to Σ(y − ȳ)²."""
        x, y = self.x[kept] - self.x[kept].mean(axis=0), self.y[kept] - self.y[kept].mean()
        l1, l2 = alpha * RATIO * len(y), alpha * (1 - RATIO) * len(y)
        rest = y - x @ weights
        largest = np.abs(x.T @ rest - l2 * weights).max()
        share = min(1.0, l1 / largest)
        square = (rest @ rest + l2 * weights @ weights) * (1 + share**2) / 2
        return float((square + l1 * np.abs(weights).sum() - share * rest @ y) / (y @ y))


def compare(name: str, problem: Problem) -> None:
    """Print seconds of each contestant, and how many times as long as ours it takes."""
    tolerances = {peer: tightened(problem, path) for peer, path in peers().items()}
    runs: dict[str, Callable[[], object]] = {"studylib": partial(ours, problem)}
    for peer, (tolerance, _) in tolerances.items():
        runs[peer] = partial(theirs, problem, peers()[peer], tolerance)
    seconds: dict[str, list[float]] = {one: [] for one in runs}
    for _ in range(ROUNDS):
        for one, run in runs.items():
            start = process_time()
            run()
            seconds[one].append(process_time() - start)
    gaps = {"studylib": own_gap(problem)} | {peer: gap for peer, (_, gap) in tolerances.items()}
    for one, values in seconds.items():
        times = median(t / o for t, o in zip(values, seconds["studylib"], strict=True))
        print(
            f"{name:<12} {one:<13} {median(values):7.2f} s ({min(values):.2f} to {max(values):.2f}), "
            f"{times:5.2f} × ours, largest gap {gaps[one]:.1e}"
        )


def ours(problem: Problem) -> object:
    """Choose among the strengths and solve on all rows."""
    from studylib.trainers import linear

    draws = np.random.default_rng(1)  # deals rows as ``held`` does
    return linear.selected(problem.x, problem.y, problem.pairs, FOLDS, draws, "squared")


def own_gap(problem: Problem) -> float:
    """Return the largest gap of the solutions in our cross-validation."""
    from studylib.trainers import _problems, _tall_folds, _wide_folds
    from studylib.trainers.conversions import Strengths

    task: Any = _problems.problem(problem.x, problem.y, "squared")
    pairs = [Strengths(*pair) for pair in problem.pairs]
    n, p = problem.x.shape
    if p <= n:
        tall = _tall_folds.TallFolds(task, problem.y)
        tables = [tall.without(held).solutions(pairs) for held in problem.held]
    else:
        tables = [np.zeros((len(pairs), p)) for _ in problem.held]
        wide = _wide_folds.WideFolds(task, problem.y).solved(problem.held, pairs)
        for number, (index, fold) in enumerate(wide):
            tables[number % FOLDS][index, fold.alive] = fold.weights
    return largest_gap(problem, [table.T for table in tables])


def largest_gap(problem: Problem, tables: Sequence[np.ndarray]) -> float:
    """Return the largest gap of each fold's weights, of shape (p, strengths) each."""
    return max(
        problem.gap(kept, weights, alpha)
        for (kept, _), table in zip(problem.folds, tables, strict=True)
        for alpha, weights in zip(problem.alphas, table.T, strict=True)
    )


def peers() -> dict[str, Callable[..., Any]]:
    """Return the ``path`` of each peer."""
    from sklearn.linear_model import enet_path

    found: dict[str, Callable[..., Any]] = {"scikit-learn": enet_path}
    if find_spec("celer"):
        found["celer"] = _celer
    if find_spec("skglm"):
        found["skglm"] = _skglm
    return found


def _celer(x: np.ndarray, y: np.ndarray, **told: Any) -> Any:
    from celer import celer_path

    asked = {key: told[key] for key in ("alphas", "l1_ratio", "tol")}
    return celer_path(x, y, "lasso", max_iter=1000, **asked)


def _skglm(x: np.ndarray, y: np.ndarray, **told: Any) -> Any:
    from skglm import ElasticNet

    model = ElasticNet(l1_ratio=told["l1_ratio"], tol=told["tol"], max_iter=1000, fit_intercept=False)
    return model.path(x, y, told["alphas"])[:3]


def theirs(problem: Problem, path: Callable[..., Any], tolerance: float) -> list[np.ndarray]:
    """Cross-validate with ``path``; return the weights of each fold."""
    import warnings

    from sklearn.linear_model import ElasticNetCV

    tables = []

    def kept(x: np.ndarray, y: np.ndarray, **told: Any) -> Any:
        found = path(x, y, **told)
        tables.append(found[1])
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one that has not converged: its gap is measured
        model = ElasticNetCV(
            l1_ratio=RATIO, alphas=problem.alphas, cv=problem.folds, tol=tolerance, max_iter=100_000
        )
        model.path = kept
        model.fit(problem.x, problem.y)
    return tables


def tightened(problem: Problem, path: Callable[..., Any]) -> tuple[float, float]:
    """Return the first tolerance at which all gaps are small enough, and the largest of them."""
    for tolerance in (1e-6, 1e-7, 1e-8, 1e-9):
        gap = largest_gap(problem, theirs(problem, path, tolerance))
        if gap <= GAP:
            break
    return tolerance, gap


def print_breakpoints() -> None:
    """Print Σ|w| at each breakpoint of the lasso's path on diabetes beside the published digits."""
    from sklearn.datasets import load_diabetes

    from studylib.paths import breakpoints

    bunch = load_diabetes()
    found = breakpoints(bunch.data, bunch.target)
    for published, point in zip(PRINTED, found, strict=True):
        names = [f"+{bunch.feature_names[j]}" for j in point.entering]
        names += [f"−{bunch.feature_names[j]}" for j in point.leaving]
        print(f"diabetes {' '.join(names):<5} Σ|w| {point.length:8.1f}, published {published:8.1f}")
