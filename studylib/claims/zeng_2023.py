"""Zeng et al. (2023): one linear layer against transformers, on ETTh1 at four horizons."""

from __future__ import annotations

from studylib.claims.base import Claim, Source

HORIZONS = (96, 192, 336, 720)
ERRORS = {
    "Linear": (0.375, 0.418, 0.479, 0.624),
    "NLinear": (0.374, 0.408, 0.429, 0.440),
    "DLinear": (0.375, 0.405, 0.439, 0.472),
}


def _claim(model: str, horizon: int, error: float) -> Claim:
    return Claim(
        what=f"{model}, {horizon} hours ahead",
        study="forecasting",
        dataset="etth1",
        settings={"horizon": horizon, "look_back": 336},
        arm=model,
        metric="test_mse",
        printed=f"{error:.3f}",
        value=error,
        rounding=0.0005,
        protocol="all seven series, standardised by the train rows; 336 hours to look back on; their split",
        differs="every training here has the same epochs and every window counts; theirs stop early",
    )


SOURCE = Source(
    "Zeng, Chen, Zhang and Xu (2023)",
    "Are transformers effective for time series forecasting?",
    "https://doi.org/10.1609/aaai.v37i9.26317",
    tuple(
        _claim(model, horizon, error)
        for model, errors in ERRORS.items()
        for horizon, error in zip(HORIZONS, errors, strict=True)
    ),
)
