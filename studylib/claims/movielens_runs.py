"""Public runs on ml-latest-small: the means, the biases, and matrix factorisation."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

_claim = partial(
    Claim,
    study="recommender",
    dataset="movielens_small",
    settings={"feedback": "explicit", "held_out": "random"},
    metric="test_rmse",
)
SPLIT = "a random fifth of the ratings to test on, once"
SURPRISE = "five folds of Surprise, with its defaults"
HELD_OUT = "ours trains on as many rows, and tests on a tenth"

SOURCE = Source(
    "Public runs on MovieLens ml-latest-small",
    "Harper and Konstan (2015): The MovieLens datasets, history and context",
    "https://doi.org/10.1145/2827872",
    (
        _claim(
            what="global mean",
            arm="",
            printed="1.042",
            value=1.042,
            rounding=0.0005,
            protocol=SPLIT,
            incomparable="no arm here says the mean alone",
        ),
        _claim(
            what="user and item biases, regularised (λ 10)",
            arm="biases, λ 10",
            printed=".872",
            value=0.872,
            rounding=0.0005,
            protocol=SPLIT,
            differs=HELD_OUT,
        ),
        _claim(
            what="matrix factorisation (SVD)",
            arm="per interaction, chosen",
            printed=".8696",
            value=0.8696,
            rounding=0.00005,
            protocol=f"{SURPRISE}: 100 factors, 20 epochs, rate .005, L2 .02",
            differs=f"{HELD_OUT}; optimizer and factors are others, its strength is chosen",
        ),
        _claim(
            what="biases by alternating least squares",
            arm="biases, λ 10",
            printed=".8725",
            value=0.8725,
            rounding=0.00005,
            protocol=f"{SURPRISE}: λ 10 for items, 15 for users",
            differs=f"{HELD_OUT}; its λ is 10 for both",
        ),
    ),
)
