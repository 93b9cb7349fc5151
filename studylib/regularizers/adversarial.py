"""Adversarial training. Source: Goodfellow, Shlens and Szegedy (2015), https://arxiv.org/abs/1412.6572

PGD is that of Madry et al. (2018), https://arxiv.org/abs/1706.06083
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, final

from pydantic import Field

from studylib.regularizers.base import Attack

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from studylib.seeds import Draws


@final
class Adversarial(Attack):
    r"""x + δ with |δ| ≤ ε for every number of the input, δ such that the loss goes up.

    ``fgsm`` takes one step of the length ε along the sign of the gradient. ``pgd`` starts at a random point
    of the box |δ| ≤ ε, takes ``steps`` steps of the length ``step``·ε along that sign, and comes back into
    the box after each; the last point counts. Where the loss is a growing function of w·x, FGSM is the
    strongest attack there is: w·x moves by ε·Σ|w|.

    ε is in the unit that the inputs had before they were standardised. The model is in evaluation mode while
    the attack is made, and in training mode when it learns from it.

    Formula: \delta_0 \sim U(-\varepsilon, \varepsilon), \quad \delta_{j+1} = \Pi_{|\delta| \le \varepsilon}
    \bigl(\delta_j + s\,\varepsilon\,\operatorname{sign} \nabla_x L(x + \delta_j)\bigr)

    Use: When inputs may be tampered with, or must not matter in their last bits; one more pass per step.

    Traps: Accuracy on inputs as they are usually falls. A model trained with FGSM can learn to defeat that
    one step and nothing else, so look at PGD as well. Nothing is clipped to the range of pixels, and one ε
    has to do for all columns of a table, whatever their units.
    """

    method: Annotated[
        Literal["fgsm", "pgd"],
        Field(description="fgsm is one step of the length ε, pgd several from anywhere"),
    ]
    epsilon: Annotated[
        float, Field(ge=0, description="ε, largest change of a number, in the inputs' own unit; 0 is none")
    ]
    steps: Annotated[int, Field(ge=1, description="steps of pgd; fgsm takes one")] = 7
    step: Annotated[
        float, Field(gt=0, le=2, description="length of a step of pgd, as a share of ε; that of fgsm is 1")
    ] = 0.25
    probability: Annotated[float, Field(ge=0, le=1, description="how often a row is attacked")] = 1.0

    def perturb(self, x: Tensor, noise: Draws, gradient: Callable[[Tensor], Tensor], unit: Tensor) -> Tensor:
        """Return the rows, attacked with the given probability each."""
        radius = self.epsilon * unit.to(x.dtype)
        hit = noise.uniform(len(x), *[1] * (x.dim() - 1), like=x) < self.probability
        if self.method == "fgsm":
            attacked = x + radius * gradient(x).sign()
        else:
            attacked = self._climbed(x, noise, gradient, radius)
        return attacked.where(hit, x)

    def _climbed(
        self, x: Tensor, noise: Draws, gradient: Callable[[Tensor], Tensor], radius: Tensor
    ) -> Tensor:
        low, high = x - radius, x + radius
        at = (x + radius * (2 * noise.uniform(*x.shape, like=x) - 1)).clamp(low, high)
        for _ in range(self.steps):
            at = (at + self.step * radius * gradient(at).sign()).clamp(low, high)
        return at


EXAMPLE = Adversarial(method="pgd", epsilon=0.1)
