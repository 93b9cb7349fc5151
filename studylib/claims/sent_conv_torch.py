"""Kim's network run again in Torch: the same two data, other numbers."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

_claim = partial(
    Claim,
    study="text",
    arm="Kim 2014",
    metric="test_accuracy",
    rounding=0.0005,
    differs="ours has AdamW for Adadelta, and one vector for all words that the train rows do not have",
)

SOURCE = Source(
    "harvardnlp/sent-conv-torch",
    "Sentence convolution code in Torch",
    "https://github.com/harvardnlp/sent-conv-torch",
    (
        _claim(
            what="CNN-rand on movie reviews (MR)",
            dataset="movie_reviews",
            settings={"train": None},
            printed="75.9",
            value=0.759,
            test_rows=10_662,
            protocol="mean over ten folds, 25 epochs, settings as in Kim (2014)",
        ),
        _claim(
            what="CNN-rand on TREC",
            dataset="trec",
            settings={"train": None, "duplicates": "keep"},
            printed="88.2",
            value=0.882,
            test_rows=500,
            protocol="the official test of 500 questions, a tenth of train for choosing the epoch out of 25",
        ),
    ),
)
