"""What a difference means to somebody who does not know the metric.

Each function takes the difference arm − baseline, the unit of the target, and what a row is called in the
plural, and returns a phrase such as ``about 21 more right answers in 1 000 images``.
Numbers have two digits, for what is behind them has hardly more.
"""

from __future__ import annotations

from math import exp, log

LEAST_SHARE, MOST_SHARE = 1_000, 100_000
MOST_NATS = log(1e6)
TWICE = 2  # from there on a factor is said, not a percentage


def right_answers(difference: float, unit: str, rows: str) -> str:
    """Accuracy: right answers among so many rows that there is at least one."""
    del unit
    among = LEAST_SHARE
    while abs(difference) * among < 1 and among < MOST_SHARE:
        among *= 10
    return f"about {_two(difference * among)} {_more(difference)} right answers in {_grouped(among)} {rows}"


def probability(difference: float, unit: str, rows: str) -> str:
    """Negative log-likelihood: e^(−difference) is the factor of the geometric mean of p(true class)."""
    del unit, rows
    return _likelier("answer", -difference)


def density(difference: float, unit: str, rows: str) -> str:
    """Log-likelihood: e^difference is the factor of the geometric mean of the density at the true value."""
    del unit, rows
    return _likelier("value", difference)


def honesty(difference: float, unit: str, rows: str) -> str:
    """Calibration error: stated confidence against the share of right answers."""
    del unit, rows
    way = "nearer to" if difference < 0 else "further from"
    return f"stated confidence is about {_two(100 * difference)} points {way} the share of right answers"


def typical_error(difference: float, unit: str, rows: str) -> str:
    """RMSE: how far off predictions are."""
    del rows
    size = f"{_two(difference)} {unit}".strip()
    return f"predictions are typically off by about {size} {_more(difference, 'less')}"


def squared_error(difference: float, unit: str, rows: str) -> str:
    """Mean squared error of standardised values: a share of how much they vary."""
    del unit, rows
    return f"the squared error is {_two(100 * difference)} % of the variance {_more(difference, 'less')}"


def avoided(difference: float, unit: str, rows: str) -> str:
    """Skill: of the error that repeating the last value makes."""
    del unit, rows
    return f"{_two(100 * difference)} % {_more(difference, 'less')} of a naive forecast's error is avoided"


def explained(difference: float, unit: str, rows: str) -> str:
    """R²: of how much the rows differ."""
    del unit
    return f"about {_two(100 * difference)} % {_more(difference, 'less')} of how {rows} differ is explained"


def found(difference: float, unit: str, rows: str) -> str:
    """Recall: relevant items among the first."""
    del unit, rows
    count = f"{_two(LEAST_SHARE * difference)} {_more(difference)} of {_grouped(LEAST_SHARE)}"
    return f"about {count} relevant items are among the first 20 shown"


def standing(difference: float, unit: str, rows: str) -> str:
    """NDCG: how near the order is to the best one."""
    del unit, rows
    way = "higher" if difference > 0 else "lower"
    worth = f"{_two(100 * difference)} % of what the best order is worth"
    return f"relevant items stand {way} among the first 20 shown, by about {worth}"


def weights(difference: float, unit: str, rows: str) -> str:
    """Weights in use."""
    del unit, rows
    return f"about {_two(difference)} {_more(difference)} weights are in use"


def _likelier(what: str, nats: float) -> str:
    if nats > MOST_NATS:
        return f"the true {what} gets more than a million times the probability"
    factor = exp(nats)
    if factor >= TWICE:
        return f"the true {what} gets about {_two(factor)} times the probability"
    return f"the true {what} gets about {_two(100 * (factor - 1))} % {_more(nats, 'less')} probability"


def _two(value: float) -> str:
    """Return the size in two significant digits: ``21``, ``3.1``, ``1 200``."""
    short = float(f"{abs(value):.2g}")
    return _grouped(short) if short >= LEAST_SHARE else f"{short:g}"


def _grouped(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def _more(difference: float, less: str = "fewer") -> str:
    return "more" if difference > 0 else less
