"""Leukemia by logistic regression without any tuning: scikit-learn on the data of Golub et al. (1999)."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

TEST = 34
_claim = partial(
    Claim,
    study="tabular",
    dataset="golub",
    settings={"splits": "published"},
    protocol=(
        "38 patients to train on, 34 to test; expressions clipped to 100 to 16000, log10, standardised; "
        "scikit-learn's logistic regression by saga, C = 1, nothing tuned"
    ),
)


def _accuracy(what: str, arm: str, errors: int) -> Claim:
    return _claim(
        what=f"{what}: test accuracy",
        arm=arm,
        metric="test_accuracy",
        printed=f"{errors} of {TEST} wrong",
        value=1 - errors / TEST,
        rounding=0.0,
        test_rows=TEST,
    )


def _genes(what: str, arm: str, genes: int) -> Claim:
    return _claim(
        what=f"{what}: genes kept",
        arm=arm,
        metric="nonzeros",
        printed=f"{genes} genes",
        value=genes,
        rounding=0.5,
    )


SOURCE = Source(
    "scikit-learn on the data of Golub et al. (1999)",
    "Molecular classification of cancer: class discovery and class prediction by gene expression monitoring",
    "https://doi.org/10.1126/science.286.5439.531",
    (
        _accuracy("ridge, untuned", "ridge, C = 1", 3),
        _accuracy("elastic net .5, untuned", "net, C = 1", 2),
        _accuracy("lasso, untuned", "lasso, C = 1", 1),
        _genes("elastic net .5, untuned", "net, C = 1", 206),
        _genes("lasso, untuned", "lasso, C = 1", 89),
    ),
)
