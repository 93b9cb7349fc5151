"""Zou and Hastie (2005): errors and genes of six methods on the leukemia data.

As recalled, not read in the paper: ``checked`` is False for all.
"""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

TEST = 34
METHODS = (  # name, arm here, test errors, genes
    ("Golub's weighted votes", "", 4, 50),
    ("SVM with recursive feature elimination", "", 1, 31),
    ("penalised logistic with recursive feature elimination", "", 1, 26),
    ("nearest shrunken centroids", "", 2, 21),
    ("elastic net", "net .5", 0, 45),
)
CV = (
    ("Golub's weighted votes", 3),
    ("SVM-RFE", 2),
    ("logistic RFE", 2),
    ("centroids", 2),
    ("elastic net", 3),
)
NAIVE = (
    "theirs regresses on the class, rescales the net by 1 + λ₂ and stops after so many steps; ours is the "
    "logistic loss, with the strength chosen by cross-validation"
)
NO_ARM = "no arm here is this method"

_claim = partial(
    Claim,
    study="tabular",
    dataset="golub",
    settings={"splits": "published"},
    protocol="38 patients to train on, 34 to test; genes and strengths chosen by ten folds of the 38",
    checked=False,
)


def _test_error(method: str, arm: str, errors: int) -> Claim:
    return _claim(
        what=f"{method}: test accuracy",
        arm=arm,
        metric="test_accuracy",
        printed=f"{errors} of {TEST} wrong",
        value=1 - errors / TEST,
        rounding=0.0,
        test_rows=TEST,
        differs=NAIVE if arm else "",
        incomparable="" if arm else NO_ARM,
    )


def _genes(method: str, arm: str, genes: int) -> Claim:
    return _claim(
        what=f"{method}: genes kept",
        arm=arm,
        metric="nonzeros",
        printed=f"{genes} genes",
        value=genes,
        rounding=0.0,
        incomparable=NAIVE if arm else NO_ARM,
    )


def _folds(method: str, errors: int) -> Claim:
    return _claim(
        what=f"{method}: accuracy in ten folds of the train rows",
        arm="",
        metric="validation_accuracy",
        printed=f"{errors} of 38 wrong",
        value=1 - errors / 38,
        rounding=0.0,
        incomparable="a record keeps the error that strengths were chosen by, which is not this one",
    )


SOURCE = Source(
    "Zou and Hastie (2005)",
    "Regularization and variable selection via the elastic net",
    "https://doi.org/10.1111/j.1467-9868.2005.00503.x",
    (
        *(_test_error(method, arm, errors) for method, arm, errors, _ in METHODS),
        *(_genes(method, arm, genes) for method, arm, _, genes in METHODS),
        *(_folds(method, errors) for method, errors in CV),
    ),
)
