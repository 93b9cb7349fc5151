"""Elastic net penalty. Source: Zou and Hastie (2005), https://doi.org/10.1111/j.1467-9868.2005.00503.x"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import Penalty, Strength, soft_threshold

if TYPE_CHECKING:
    from torch import Tensor


@final
class ElasticNet(Penalty):
    r"""λ·(mix·Σ|w| + (1 − mix)·Σw²): exact zeros, and correlated inputs share their weight.

    There is no factor ½ before the squares. The paper calls the minimiser naive, because it shrinks twice,
    and multiplies it by 1 + λ₂, with columns of sum of squares 1 and λ₂ before Σw² beside a sum of squared
    errors. Columns of mean square 1 and a mean of squared errors, as here, leave that λ₂ what it is: the
    factor is 1 + λ·(1 − mix). With uncorrelated columns it undoes all that the ridge part did.

    Libraries, scikit-learn and glmnet among them, give the naive one and call it elastic net. The rescaled
    one is no minimiser of mean loss and penalty, so only the exact solver of a regression has it.

    Formula: \lambda \left( m \sum_i |w_i| + (1 - m) \sum_i w_i^2 \right)

    Use: Inputs are correlated and only some matter: l1 picks one of each group at random, this keeps them
    together. With more columns than rows it can keep more of them than there are rows.

    Traps: A strength of scikit-learn or glmnet is half of this one in its ℓ₁ part, and as large in its ℓ₂
    part. As for l1, zeros need the proximal step.
    """

    smooth: ClassVar[bool] = False
    elementwise: ClassVar[bool] = True
    turn: ClassVar[int] = 1  # after a soft threshold; it scales, and so does a prox of groups

    strength: Strength
    mix: Annotated[float, Field(ge=0, le=1, description="share of the L1 part; 1 is l1, 0 is l2")]
    form: Annotated[
        Literal["naive", "rescaled"],
        Field(
            description="naive is the minimiser; rescaled multiplies it by 1 + λ·(1 − mix), as the paper does"
        ),
    ] = "naive"

    def value(self, w: Tensor) -> Tensor:
        """Return λ·(mix·Σ|w| + (1 − mix)·Σw²)."""
        return (self.strength * (self.mix * w.abs() + (1 - self.mix) * w.square())).sum()

    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return sign(w)·max(|w| − step·λ·mix, 0)/(1 + 2·step·λ·(1 − mix))."""
        lasso, ridge = self.strength * self.mix, self.strength * (1 - self.mix)
        return soft_threshold(w, step * lasso) / (1 + 2 * ridge * step)

    def stretch(self) -> float:
        """Return what the minimiser is multiplied by: 1, or 1 + λ·(1 − mix) for the rescaled form."""
        return 1.0 + (self.strength * (1 - self.mix) if self.form == "rescaled" else 0.0)


EXAMPLE = ElasticNet(strength=0.01, mix=0.5)
