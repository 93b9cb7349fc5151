"""Made-up records of several runs: four sizes of one dataset, and some beside published numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from studylib import compare
from studylib.records import Fit, Record

SEEDS = 5
SIZES = (1_000, 5_000, 10_000, 50_000)


def run(
    study: str,
    name: str,
    dataset: dict[str, Any],
    arms: dict[str, float],
    **own: Any,
) -> Record:
    """Return the record of a run whose arms have these means, with the same luck for all arms of a seed.

    ``own`` may be a metric, the number of train rows, the spread over seeds, facts of the data, training.
    """
    metric, train = own.get("metric", "test_accuracy"), own.get("train", 1_000)
    spread, facts, training = own.get("spread", 0.004), own.get("facts"), own.get("training")
    rng = np.random.default_rng(train)
    luck = rng.normal(0, spread, SEEDS)
    fits = tuple(
        Fit(arm, seed, metrics={metric: mean + float(luck[seed] + rng.normal(0, spread / 4))})
        for arm, mean in arms.items()
        for seed in range(SEEDS)
    )
    params = {
        "dataset": dataset,
        "model": {"name": "small_cnn"},
        "training": training or {"epochs": 3, "batch_size": 32},
        "arms": {arm: {} for arm in arms},
        "seeds": SEEDS,
        "metric": metric,
        "smallest_effect": 0.005,
    }
    split = {"train": train, "validation": 500, "test": 1_000}
    about = {"name": dataset["name"], "sha256": "5e613c0a" * 8, "rows": 70_000, "split": split}
    record = Record(study, name, params, {**about, **(facts or {})}, fits, {"python": "3.11"})
    return compare.concluded(record)


def sizes(prefix: str = "benchmark-fashion_mnist-") -> list[Record]:
    """Return runs on growing train sets: augmentation gains 3 points at first, and hardly any at last."""
    found = []
    for rows, base in zip(SIZES, (0.80, 0.86, 0.88, 0.91), strict=True):
        gain = 0.03 * (SIZES[0] / rows) ** 0.7
        arms = {"none": base, "cutout": base + gain, "batch norm": base + 0.02, "dropout": base}
        dataset = {"name": "fashion_mnist", "train": rows, "validation": 500}
        training = {"epochs": 60 if rows < SIZES[-1] else 12, "batch_size": 32}
        found.append(run("vision", f"{prefix}{rows}", dataset, arms, train=rows, training=training))
    return found


def published() -> list[Record]:
    """Return runs that published numbers are held against, one of them with data that want credit."""
    credit = {"attribution": "Snippets by Ada & Bob, CC BY 4.0."}
    reviews = {"name": "movie_reviews", "train": None}
    hours = {"name": "etth1", "horizon": 720, "look_back": 336}
    linear = {"Linear": 0.7, "NLinear": 0.44, "DLinear": 0.40}
    return [
        run("text", "benchmark-movie_reviews", reviews, {"none": 0.74, "Kim 2014": 0.757}, facts=credit),
        run("forecasting", "quick-etth1-720", hours, linear, metric="test_mse", spread=0.0004),
    ]
