"""Records of studies that nobody ran: plain numbers, for tests of what is drawn and written from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from studylib.compare import concluded
from studylib.records import Fit, Record
from studylib.trials import Trial

SEEDS = 8
GAINS = {
    "none": 0.0,
    "l2": 0.004,
    "l2 strong": -0.016,
    "dropout": 0.021,
    "label smoothing": 0.0004,
    "mixup": 0.008,
}


def classification(**changes: Any) -> Record:
    """Six arms on images, one seed of ``mixup`` diverged."""
    rng = np.random.default_rng(7)
    luck = rng.normal(0, 0.006, SEEDS)
    fits = [
        _network(arm, seed, gain, luck[seed], rng) for arm, gain in GAINS.items() for seed in range(SEEDS)
    ]
    lost = Fit(
        "mixup", 3, "diverged", reason="The loss was inf at epoch 4. Lower training.learning_rate (now 0.1)."
    )
    fits[fits.index(next(f for f in fits if (f.arm, f.seed) == ("mixup", 3)))] = lost
    record = Record("vision", "default", _params(GAINS), _facts("classification"), tuple(fits), _versions())
    return replace(concluded(record), **changes)


def ranking() -> Record:
    """Three arms of a matrix factorization with norms and recall by popularity."""
    rng = np.random.default_rng(5)
    size = {"none": 1.0, "l2": 0.7, "l2 embeddings": 0.55}
    fits = [
        Fit(
            arm,
            seed,
            metrics={
                "test_ndcg_at_20": float(0.2 + rng.normal(0, 0.01)),
                "row_norm": float(2.1 * factor + rng.normal(0, 0.02)),
                "item_norm": float(1.7 * factor + rng.normal(0, 0.02)),
            },
            curves={
                name: [float(v) for v in np.sort(rng.uniform(0, 0.4, 5))]
                for name in ("recall_by_popularity", "recall_by_user_activity")
            },
        )
        for arm, factor in size.items()
        for seed in range(SEEDS)
    ]
    params = _params(size) | {"metric": "test_ndcg_at_20"}
    return concluded(Record("recommender", "default", params, _facts("ranking"), tuple(fits), _versions()))


def regression() -> Record:
    """Three linear arms with coefficients of five features; the lasso drops two of them."""
    rng = np.random.default_rng(3)
    keeps = {"none": 5, "l2": 5, "l1": 3}
    fits = []
    for arm, count in keeps.items():
        for seed in range(SEEDS):
            weights = rng.normal(1, 0.2, 5)
            weights[count:] = 0.0
            fits.append(
                Fit(arm, seed, metrics={"test_rmse": 55.0 + seed}, curves={"coefficients": weights.tolist()})
            )
    params = _params(keeps) | {"metric": "test_rmse", "smallest_effect": 0.5}
    facts = _facts("regression") | {"unit": "mg/dl"}
    return concluded(Record("tabular", "default", params, facts, tuple(fits), _versions()))


def tuned(**changes: Any) -> Record:
    """A ridge whose strength is at the high end in every seed, a net with two open settings, and neither.

    The trials of the ridge are whole fits, those of the net came out of one fit for each seed.
    """
    rng = np.random.default_rng(6)
    strengths, mixes = [0.01, 0.1, 1.0, 10.0], [0.2, 0.8]
    arms = {
        "none": {},
        "ridge": {"l2": {"strength": {"low": 0.01, "high": 10.0, "points": 4}}},
        "net": {"elastic_net": {"strength": {"low": 0.1, "high": 1.0, "points": 2}, "mix": mixes}},
    }
    fits = []
    for seed in range(SEEDS):
        luck = rng.normal(0, 0.02)
        ridge = tuple(
            Trial({"l2.strength": s}, 0.9 - 0.1 * k + luck, "ok", (f"{seed}{k}",), 0.95 - 0.1 * k + luck)
            for k, s in enumerate(strengths)
        )
        lost = Trial({"elastic_net.strength": 0.1, "elastic_net.mix": 0.2}, None, "diverged")
        net = (
            lost,
            *(
                Trial({"elastic_net.strength": s, "elastic_net.mix": m}, s + m + luck)
                for s, m in ((0.1, 0.8), (1.0, 0.2), (1.0, 0.8))
            ),
        )
        losses = {"validation_loss": 0.8 + luck, "test_loss": 0.8 + luck + rng.normal(0, 0.05)}
        fits.append(Fit("none", seed, metrics={"test_rmse": 55.0 + seed, **losses}))
        fits.append(
            Fit("ridge", seed, metrics={"test_rmse": 53.0 + seed, "test_loss": 0.65 + luck}, trials=ridge)
        )
        fits.append(Fit("net", seed, metrics={"test_rmse": 54.0 + seed, "test_loss": 0.9 + luck}, trials=net))
    params = _params(arms) | {"metric": "test_rmse", "smallest_effect": 0.5, "arms": arms}
    facts = _facts("regression") | {"unit": "mg/dl"}
    record = concluded(Record("tabular", "default", params, facts, tuple(fits), _versions()))
    return replace(record, **changes)


def forecasting() -> Record:
    """Three arms of a forecast of 40 steps, each further off the further ahead."""
    rng = np.random.default_rng(4)
    growth = {"none": 0.02, "l2": 0.01, "nlinear + l2": 0.002}
    steps, fits = np.arange(1, 41), []
    for arm, slope in growth.items():
        for seed in range(SEEDS):
            error = (slope * steps + 0.01) * rng.uniform(0.9, 1.1, 40)
            curves = {"error_by_step": error, "naive_by_step": 0.03 * steps}
            curves |= {f"forecast_{number}": slope * steps + number for number in (1, 2, 3)}
            held = {name: values.tolist() for name, values in curves.items()}
            fits.append(Fit(arm, seed, metrics={"test_mse": float(error.mean())}, curves=held))
    params = _params(growth) | {"metric": "test_mse", "smallest_effect": 0.01}
    facts = _facts("forecasting") | {"unit": "standard deviations"}
    return concluded(Record("forecasting", "default", params, facts, tuple(fits), _versions()))


def _network(arm: str, seed: int, gain: float, luck: float, rng: np.random.Generator) -> Fit:
    epochs = np.arange(1, 31 - (seed % 3 if arm == "dropout" else 0))
    train = 2.3 * np.exp(-epochs / 5) + 0.02 + rng.normal(0, 0.004, len(epochs))
    validation = 2.2 * np.exp(-epochs / 5) + 0.16 - gain + 0.002 * epochs + rng.normal(0, 0.01, len(epochs))
    accuracy = float(0.921 + gain + luck + rng.normal(0, 0.002))
    error = float(0.04 - gain + rng.normal(0, 0.003))
    share = np.array([0, 0, 0, 0, 0, 1, 3, 5, 6, 7, 9, 12, 18, 39, 260])
    middle = (np.arange(15) + 0.5) / 15
    right = np.where(share > 0, np.clip(middle - 0.08 + 4 * gain + rng.normal(0, 0.03, 15), 0, 1), 0)
    return Fit(
        arm,
        seed,
        metrics={
            "test_accuracy": accuracy,
            "test_ece": error,
            "test_nll": 0.3 - gain,
        },
        curves={
            "train_loss": train.tolist(),
            "validation_loss": validation.tolist(),
            "calibration_confidence": np.where(share > 0, middle, 0).tolist(),
            "calibration_accuracy": right.tolist(),
            "calibration_count": share.tolist(),
        },
    )


def _params(arms: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset": {"name": "digits", "test_share": 0.2},
        "model": {"name": "small_cnn", "channels": [16, 32]},
        "training": {"epochs": 30, "batch_size": 64, "optimizer": "adamw", "learning_rate": 1e-3},
        "seeds": SEEDS,
        "arms": {arm: ({} if arm == "none" else {arm.split()[0]: {"strength": 0.01}}) for arm in arms},
        "metric": "test_accuracy",
        "smallest_effect": 0.005,
        "device": "cpu",
    }


def _facts(task: str) -> dict[str, Any]:
    return {
        "name": "digits",
        "sha256": "5f2b9d0a" * 8,
        "rows": 1797,
        "split": {"train": 1077, "validation": 360, "test": 360},
        "inputs": [1, 8, 8],
        "outputs": 10,
        "classes": [str(k) for k in range(10)],
        "task": task,
        "unit": "",
        "source": "Alpaydin and Kaynak (1998), https://doi.org/10.24432/C50P49",
        "licence": "CC BY 4.0",
        "about": "Handwritten digits on an 8 × 8 grid of grey values.",
        "not good for": "Telling strong models apart: most score above 97 %.",
    }


def _versions() -> dict[str, str]:
    return {
        "python": "3.11.9",
        "studylib": "0.1.0",
        "numpy": "2.4.6",
        "torch": "2.13.0",
        "scikit-learn": "1.9.1",
    }
