"""Public runs on ml-latest-small: the means, the biases, and matrix factorisation."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

_claim = partial(Claim, study="recommender", dataset="movielens_small", metric="test_rmse")
SPLIT = "a random fifth of the ratings to test on, once"

SOURCE = Source(
    "Public runs on MovieLens ml-latest-small",
    "Harper and Konstan (2015): The MovieLens datasets, history and context",
    "https://doi.org/10.1145/2827872",
    (
        _claim(
            what="global mean",
            arm="global mean",
            printed="1.042",
            value=1.042,
            rounding=0.0005,
            protocol=SPLIT,
            settings={"split": "random"},
        ),
        _claim(
            what="user and item biases, regularised (λ 10)",
            arm="biases",
            printed=".872",
            value=0.872,
            rounding=0.0005,
            protocol=SPLIT,
            settings={"split": "random"},
        ),
        _claim(
            what="matrix factorisation (SVD)",
            arm="SGD",
            printed=".8696",
            value=0.8696,
            rounding=0.00005,
            protocol="Surprise's SVD with its defaults: 100 factors, 20 epochs, rate .005, L2 .02",
            settings={"split": "random"},
            checked=False,
        ),
        _claim(
            what="biases by alternating least squares",
            arm="biases",
            printed=".8725",
            value=0.8725,
            rounding=0.00005,
            protocol="Surprise's baseline with its defaults",
            settings={"split": "random"},
            checked=False,
        ),
    ),
)
