"""Student's t of many imaginary studies at once."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr, stdtrit


def reach(d: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Return the half width of Student's interval of each row."""
    pairs = d.shape[-1]
    half: np.ndarray = stdtrit(pairs - 1, (1 + level) / 2) * d.std(-1, ddof=1) / np.sqrt(pairs)
    return half


def t_p(d: np.ndarray) -> np.ndarray:
    """Return the two-sided p of Student's t of each row; 0 where there is no spread."""
    error = d.std(-1, ddof=1) / np.sqrt(d.shape[-1])
    p: np.ndarray = 2 * stdtr(d.shape[-1] - 1, -np.abs(d.mean(-1)) / np.maximum(error, 1e-300))
    return p
