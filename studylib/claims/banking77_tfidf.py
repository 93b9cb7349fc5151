"""BANKING77 by TF-IDF and logistic regression: what a network has to beat."""

from __future__ import annotations

from studylib.claims.base import Claim, Source

SOURCE = Source(
    "TF-IDF and logistic regression on the data of Casanueva et al. (2020)",
    "Efficient intent detection with dual sentence encoders",
    "https://doi.org/10.18653/v1/2020.nlp4convai-1.5",
    (
        Claim(
            what="TF-IDF with logistic regression, all train rows",
            study="text",
            dataset="banking77",
            settings={"per_class": None},
            arm="none",
            metric="test_accuracy",
            printed="87.1",
            value=0.871,
            rounding=0.0005,
            test_rows=3080,
            protocol="10 003 queries to train on, the official test of 3 080; scikit-learn",
            incomparable="TF-IDF and a convex loss there, a network here: a yardstick, not the same method",
        ),
    ),
)
