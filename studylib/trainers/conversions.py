"""Our two strengths in the scalings of other packages, and back: the only place that knows them.

Ours: mean loss per example + l1·Σ|w| + l2·Σw², the intercept free. The loss is (y − ŷ)² without a factor ½,
or the cross-entropy. ``rows`` is the number of rows that the other package is fitted to.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple, final

from studylib.errors import ParameterError


@final
class Strengths(NamedTuple):
    """λ₁ and λ₂ of our objective, both at least 0."""

    l1: float
    l2: float


def to_sklearn_lasso(l1: float) -> float:
    """Return ``alpha`` of ``Lasso``: Σ(y − ŷ)²/(2n) + alpha·Σ|w|, which is half of ours."""
    return _checked(l1=l1) / 2


def from_sklearn_lasso(alpha: float) -> Strengths:
    """Return (2·alpha, 0)."""
    return Strengths(2 * _checked(alpha=alpha), 0.0)


def to_sklearn_ridge(l2: float, rows: int) -> float:
    """Return ``alpha`` of ``Ridge``: Σ(y − ŷ)² + alpha·Σw², a sum of losses, n times ours."""
    return _checked(l2=l2) * rows


def from_sklearn_ridge(alpha: float, rows: int) -> Strengths:
    """Return (0, alpha/n)."""
    return Strengths(0.0, _checked(alpha=alpha) / rows)


def to_sklearn_elastic_net(strengths: Strengths) -> tuple[float, float]:
    """Return ``alpha`` and ``l1_ratio`` of ``ElasticNet``, whose objective is half of ours.

    Σ(y − ŷ)²/(2n) + alpha·l1_ratio·Σ|w| + ½·alpha·(1 − l1_ratio)·Σw²
    """
    l1, l2 = strengths
    return _mixed(_checked(l1=l1) / 2, _checked(l2=l2))


def from_sklearn_elastic_net(alpha: float, l1_ratio: float) -> Strengths:
    """Return (2·alpha·l1_ratio, alpha·(1 − l1_ratio))."""
    ratio = _share(l1_ratio=l1_ratio)
    return Strengths(2 * _checked(alpha=alpha) * ratio, alpha * (1 - ratio))


def to_sklearn_logistic(strengths: Strengths, rows: int) -> tuple[float, float]:
    """Return ``C`` and ``l1_ratio`` of ``LogisticRegression`` (1.8 or later, without ``penalty``).

    C·Σ loss + l1_ratio·Σ|w| + ½·(1 − l1_ratio)·Σw², which is n·C times ours; ``C`` is infinite without a
    penalty. The solver ``liblinear`` is another method: it penalises the intercept.
    """
    l1, l2 = strengths
    total, ratio = _mixed(_checked(l1=l1), 2 * _checked(l2=l2))
    return (1 / (rows * total) if total else inf), ratio


def from_sklearn_logistic(C: float, l1_ratio: float, rows: int) -> Strengths:  # noqa: N803 - their name
    """Return (l1_ratio/(n·C), ½·(1 − l1_ratio)/(n·C))."""
    if not C > 0:
        raise ParameterError(f"C: expected a number above 0, or infinity, got {C!r}.")
    ratio = _share(l1_ratio=l1_ratio)
    return Strengths(ratio / (rows * C), (1 - ratio) / (2 * rows * C))


def to_glmnet_gaussian(strengths: Strengths) -> tuple[float, float]:
    """Return ``lambda`` and ``alpha`` of glmnet with family "gaussian" and ``standardize = FALSE``.

    Σ(y − ŷ)²/(2n) + lambda·(alpha·Σ|w| + ½·(1 − alpha)·Σw²): scikit-learn's two numbers by other names, as
    long as y has variance 1 (with 1/n). Otherwise glmnet divides the ℓ₂ part by the standard deviation of y.
    Friedman, Hastie and Tibshirani (2010), https://doi.org/10.18637/jss.v033.i01
    """
    return to_sklearn_elastic_net(strengths)


def from_glmnet_gaussian(lambda_: float, alpha: float) -> Strengths:
    """Return (2·lambda·alpha, lambda·(1 − alpha))."""
    share = _share(alpha=alpha)
    return Strengths(2 * _checked(lambda_=lambda_) * share, lambda_ * (1 - share))


def to_glmnet_binomial(strengths: Strengths) -> tuple[float, float]:
    """Return ``lambda`` and ``alpha`` of glmnet with family "binomial" and ``standardize = FALSE``.

    Σ loss/n + lambda·(alpha·Σ|w| + ½·(1 − alpha)·Σw²): no ½ before the loss, unlike "gaussian".
    """
    l1, l2 = strengths
    return _mixed(_checked(l1=l1), 2 * _checked(l2=l2))


def from_glmnet_binomial(lambda_: float, alpha: float) -> Strengths:
    """Return (lambda·alpha, ½·lambda·(1 − alpha))."""
    share = _share(alpha=alpha)
    return Strengths(_checked(lambda_=lambda_) * share, lambda_ * (1 - share) / 2)


def to_torch_weight_decay(l2: float) -> float:
    """Return the ``weight_decay`` of ``torch.optim.SGD`` on the mean loss.

    It is coupled: it adds weight_decay·w to the gradient, the gradient of ½·weight_decay·Σw². That of
    ``AdamW`` is decoupled and is the minimiser of no objective of ours.
    """
    return 2 * _checked(l2=l2)


def from_torch_weight_decay(weight_decay: float) -> Strengths:
    """Return (0, weight_decay/2)."""
    return Strengths(0.0, _checked(weight_decay=weight_decay) / 2)


def to_fedprox_mu(strength: float) -> float:
    """Return μ of FedProx, whose term is ½·μ·Σ(w − wₜ)²; α of L2-SP, ½·α·Σ(w − w⁰)², is the same."""
    return 2 * _checked(strength=strength)


def from_fedprox_mu(mu: float) -> float:
    """Return μ/2, the strength of ``fedprox`` or ``l2_sp``."""
    return _checked(mu=mu) / 2


def to_half_loss_mcp(strength: float, gamma: float) -> tuple[float, float]:
    """Return ``lambda`` and ``gamma`` of MCP beside Σ(y − ŷ)²/(2n), as ncvreg and skglm have it."""
    return _checked(strength=strength) / 2, 2 * _checked(gamma=gamma)


def from_half_loss_mcp(lambda_: float, gamma: float) -> tuple[float, float]:
    """Return (2·lambda, gamma/2), ``strength`` and ``gamma`` of ``mcp``."""
    return 2 * _checked(lambda_=lambda_), _checked(gamma=gamma) / 2


def to_two_class_softmax(strengths: Strengths) -> Strengths:
    """Return the strengths at which a softmax with a weight vector per class fits the same probabilities.

    Only the difference w of the two vectors matters, and the penalty is least where they are ±w/2: the
    absolute values then add up to Σ|w|, the squares to ½·Σw².
    """
    return Strengths(_checked(l1=strengths.l1), 2 * _checked(l2=strengths.l2))


def from_two_class_softmax(strengths: Strengths) -> Strengths:
    """Return (l1, l2/2)."""
    return Strengths(_checked(l1=strengths.l1), _checked(l2=strengths.l2) / 2)


def _mixed(absolute: float, squared: float) -> tuple[float, float]:
    """Return strength and ℓ₁ share of absolute·Σ|w| + ½·squared·Σw²; the share of nothing is 0."""
    total = absolute + squared
    return total, (absolute / total if total else 0.0)


def _checked(**strength: float) -> float:
    ((name, value),) = strength.items()
    if not 0 <= value < inf:
        raise ParameterError(f"{name}: expected a finite number of at least 0, got {value!r}.")
    return value


def _share(**share: float) -> float:
    ((name, value),) = share.items()
    if not 0 <= value <= 1:
        raise ParameterError(f"{name}: expected a number from 0 to 1, got {value!r}.")
    return value
