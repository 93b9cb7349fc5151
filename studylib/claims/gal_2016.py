"""Gal and Ghahramani (2016): dropout as a Bayesian approximation, on two of the UCI regressions."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

SPLITS = 20
_claim = partial(
    Claim,
    study="tabular",
    arm="MC dropout",
    runs=SPLITS,
    differs=(
        "ours learns from 72 % of the rows and theirs from 90 %, for they fit again once a rate is chosen; "
        "100 passes for 10 000, and inputs are not dropped"
    ),
    protocol=(
        "mean and standard error over the 20 splits of Hernández-Lobato and Adams (2015), 90 % to train on; "
        "a hidden layer of 50; dropout rate and precision chosen on a fifth of the train rows; the numbers "
        "of the authors' repository"
    ),
)


def _pair(dataset: str, rmse: tuple[float, float], likelihood: tuple[float, float]) -> tuple[Claim, Claim]:
    first = _claim(
        what=f"{dataset}: test RMSE",
        dataset=dataset,
        metric="test_rmse",
        printed=f"{rmse[0]} ± {rmse[1]}",
        value=rmse[0],
        se=rmse[1],
        rounding=0.005,
    )
    second = _claim(
        what=f"{dataset}: test log-likelihood",
        dataset=dataset,
        metric="test_log_likelihood",
        printed=f"{likelihood[0]} ± {likelihood[1]}".replace("-", "−"),
        value=likelihood[0],
        se=likelihood[1],
        rounding=0.005,
    )
    return first, second


SOURCE = Source(
    "Gal and Ghahramani (2016)",
    "Dropout as a Bayesian approximation: representing model uncertainty in deep learning",
    "https://doi.org/10.48550/arXiv.1506.02142",
    (
        *_pair("concrete", (4.82, 0.16), (-2.93, 0.02)),
        *_pair("energy", (0.54, 0.06), (-1.21, 0.01)),
    ),
)
