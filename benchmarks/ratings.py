"""Matrix factorization of MovieLens beside Surprise's SVD and implicit's ALS, five seeds, one thread.

All are trained on the same train rows, have three settings each to choose from by the same validation rows,
and are measured on the same test rows. Seconds are of the processor, on one thread, for one training with the
setting that was chosen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from statistics import mean, stdev
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple, final

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Split

    Measured = dict[str, float]
    Contestant = Callable[[Split, int], list[Callable[[], "Attempt"]]]

SEEDS, SWEEPS, WEIGHTED_SWEEPS = 5, 6, 10
FACTORS = 32
STRENGTHS = (10.0, 15.0, 20.0)  # of the factors; that of the biases is 3
DECAYS = (0.05, 0.1, 0.15)
CONFIDENCES = ((2.0, 10.0), (5.0, 30.0), (10.0, 50.0))  # with a strength


@final
class Attempt(NamedTuple):
    """One training: what it says, measured, how good it is on validation rows, and how long it took."""

    measured: Measured
    loss: float
    seconds: float


def main() -> None:
    """Print the test error, or the quality of the ranking, and the seconds of each."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    stars: dict[str, Contestant] = {
        "biases, λ 10": _biases,
        "studylib": _ours,
        "SVD, defaults": _svd_as_it_is,
        "SVD, tuned": _svd,
    }
    _compare("explicit", stars, ("test_rmse", "test_mae"))
    _compare(
        "implicit", {"studylib": _our_likes, "implicit": _implicit}, ("test_ndcg_at_20", "test_recall_at_20")
    )


def _compare(feedback: str, contestants: dict[str, Contestant], shown: tuple[str, str]) -> None:
    from studylib import datasets

    dataset = datasets.CATALOGUE.make("movielens_small", {"feedback": feedback})
    best: dict[str, list[Attempt]] = {name: [] for name in contestants}
    for seed in range(SEEDS):
        split = dataset.split(seed)
        for name, contestant in contestants.items():
            attempts = [attempt() for attempt in contestant(split, seed)]
            best[name].append(min(attempts, key=lambda one: one.loss))
    print(f"{feedback}, {len(split.train)} train rows, {SEEDS} seeds")
    for name, attempts in best.items():
        told = (_spread(key, [one.measured[key] for one in attempts]) for key in shown)
        seconds = [one.seconds for one in attempts]
        took = f"{mean(seconds):6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"  {name:<14} {'  '.join(told)}  {took}")


def _spread(key: str, values: list[float]) -> str:
    return f"{key} {mean(values):.4f} ± {stdev(values):.4f}"


def _timed(train: Callable[[], Callable[[np.ndarray], np.ndarray]], split: Split) -> Attempt:
    from studylib.trainers.recommendations import rated

    start = process_time()
    predict = train()
    seconds = process_time() - start
    measured, _ = rated(predict, split)
    return Attempt(measured, measured["validation_rmse"], seconds)


def _alternating(split: Split, seed: int, factors: int, strength: float, biases: float) -> Attempt:
    from studylib.models.matrix_factorization import MatrixFactorization
    from studylib.regularizers import make
    from studylib.trainers import alternating
    from studylib.trainers.base import Training

    model, training = MatrixFactorization(factors=factors), Training(epochs=SWEEPS, optimizer="exact")
    penalty = make("embedding_l2", strength=strength, biases=biases, definition="batch")
    return _timed(lambda: alternating.train(split, model, [penalty], training, seed).predict, split)


def _biases(split: Split, seed: int) -> list[Callable[[], Attempt]]:
    return [partial(_alternating, split, seed, 0, 10.0, 10.0)]


def _ours(split: Split, seed: int) -> list[Callable[[], Attempt]]:
    return [partial(_alternating, split, seed, FACTORS, strength, 3.0) for strength in STRENGTHS]


def _surprise(split: Split, **settings: float) -> Attempt:
    import numpy as np
    import pandas as pd
    from surprise import SVD, Dataset, Reader

    columns = {"user": split.train.x[:, 0], "item": split.train.x[:, 1], "rating": split.train.y}
    rows = Dataset.load_from_df(pd.DataFrame(columns), Reader(rating_scale=(0.5, 5))).build_full_trainset()

    def train() -> Callable[[np.ndarray], np.ndarray]:
        fitted = SVD(random_state=0, **settings).fit(rows)
        return lambda pairs: np.array([fitted.predict(u, i).est for u, i in pairs.tolist()])

    return _timed(train, split)


def _svd_as_it_is(split: Split, _seed: int) -> list[Callable[[], Attempt]]:
    return [partial(_surprise, split)]


def _svd(split: Split, _seed: int) -> list[Callable[[], Attempt]]:
    return [partial(_surprise, split, n_epochs=50, lr_all=0.01, reg_all=decay) for decay in DECAYS]


def _our_likes(split: Split, seed: int) -> list[Callable[[], Attempt]]:
    return [partial(_confident, split, seed, *pair) for pair in CONFIDENCES]


def _confident(split: Split, seed: int, confidence: float, strength: float) -> Attempt:
    from studylib.models.matrix_factorization import MatrixFactorization
    from studylib.regularizers import make
    from studylib.trainers import confidence as weighted
    from studylib.trainers.base import Training
    from studylib.trainers.recommendations import ranked

    training = Training(epochs=WEIGHTED_SWEEPS, optimizer="exact", confidence=confidence)
    penalty = make("embedding_l2", strength=strength, definition="batch")
    start = process_time()
    trained = weighted.train(split, MatrixFactorization(factors=FACTORS), [penalty], training, seed)
    seconds = process_time() - start
    measured, _ = ranked(trained.scores(), split)
    return Attempt(measured, -measured["validation_ndcg_at_20"], seconds)


def _implicit(split: Split, seed: int) -> list[Callable[[], Attempt]]:
    return [partial(_of_implicit, split, seed, *pair) for pair in CONFIDENCES]


def _of_implicit(split: Split, seed: int, confidence: float, strength: float) -> Attempt:
    import numpy as np
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    from studylib.trainers.recommendations import ranked

    likes: Any = csr_matrix((np.ones(len(split.train), "float32"), tuple(split.train.x.T)), split.inputs)  # type: ignore[arg-type]  # two numbers
    model = AlternatingLeastSquares(
        FACTORS, strength, confidence, iterations=WEIGHTED_SWEEPS, num_threads=1, random_state=seed
    )
    start = process_time()
    model.fit(likes, show_progress=False)
    seconds = process_time() - start
    measured, _ = ranked(model.user_factors @ model.item_factors.T, split)
    return Attempt(measured, -measured["validation_ndcg_at_20"], seconds)
