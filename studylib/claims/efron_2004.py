"""Efron, Hastie, Johnstone and Tibshirani (2004): the lasso path on the diabetes data."""

from __future__ import annotations

from studylib.claims.base import Claim, Source

SOURCE = Source(
    "Efron, Hastie, Johnstone and Tibshirani (2004)",
    "Least angle regression",
    "https://doi.org/10.1214/009053604000000067",
    (
        Claim(
            what="R² of least squares on all rows",
            study="tabular",
            dataset="diabetes",
            arm="",
            metric="train_r2",
            printed=".5177",
            value=0.5177,
            rounding=0.00005,
            protocol="least squares on all 442 rows and ten columns, measured on the same rows",
            incomparable="every run here keeps rows for testing, so none fits all 442",
        ),
    ),
)
