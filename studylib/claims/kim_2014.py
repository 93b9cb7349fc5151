"""Kim (2014): a convolution over words that start at random, on movie reviews and on questions."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

FILTERS = "widths 3, 4 and 5 with 100 filters each, dropout .5, max-norm 3, batches of 50, Adadelta"
_claim = partial(
    Claim,
    study="text",
    arm="Kim 2014",
    metric="test_accuracy",
    rounding=0.0005,
    differs="ours has AdamW for Adadelta, and one vector for all words that the train rows do not have",
)

SOURCE = Source(
    "Kim (2014)",
    "Convolutional neural networks for sentence classification",
    "https://doi.org/10.3115/v1/D14-1181",
    (
        _claim(
            what="CNN-rand on movie reviews (MR)",
            dataset="movie_reviews",
            settings={"train": None},
            printed="76.1",
            value=0.761,
            test_rows=10_662,
            protocol=f"mean over ten folds; {FILTERS}",
        ),
        _claim(
            what="CNN-rand on TREC",
            dataset="trec",
            settings={"train": None, "duplicates": "keep"},
            printed="91.2",
            value=0.912,
            test_rows=500,
            protocol=f"the official test of 500 questions; {FILTERS}",
        ),
    ),
)
