"""Label smoothing. Source: Szegedy et al. (2016), https://doi.org/10.1109/CVPR.2016.308"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class LabelSmoothing(Perturbation):
    r"""t ← (1 − ε)·t + ε/K: a share ε of the target is spread evenly over all K classes.

    The true class is among the K, as in the paper and in torch. Where only the K − 1 others share ε, the same
    number means more: ``others`` at ε is ``all`` at ε·K/(K − 1).

    Two classes are two columns, and the sigmoid of the difference of their scores is the probability of the
    second. Its binary target y becomes y·(1 − ε) + ε/2 with ``all``, and y·(1 − ε) + (1 − y)·ε with
    ``others``: twice as much.

    Formula: t' = (1 - \varepsilon)\,t + \frac{\varepsilon}{K} \quad \text{or} \quad
    t' = (1 - \varepsilon)\,t + \varepsilon\,\frac{1 - t}{K - 1}

    Use: Classes that are sometimes labelled wrongly, or models that are too sure of themselves; 0.1 is usual.

    Traps: The loss cannot reach 0 any more (at ε = 0.1 its least value is 0.20 for 2 classes, 0.50 for 10),
    so a smoothed loss must not be compared with a plain one. After mixup it gives the same as before it. With
    ``others`` the true class is the likeliest only below ε = (K − 1)/K, which is a half for two classes.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "text", "tables"})
    softens: ClassVar[bool] = True

    strength: Annotated[float, Field(ge=0, lt=1, description="ε, share of the target that is spread")]
    spread: Annotated[
        Literal["all", "others"],
        Field(description="all counts the true class among those that share ε; others does not"),
    ] = "all"

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return ``x`` as it is, and the class probabilities smoothed."""
        classes = target.shape[1]
        even = 1 / classes if self.spread == "all" else (1 - target) / (classes - 1)
        return x, (1 - self.strength) * target + self.strength * even


EXAMPLE = LabelSmoothing(strength=0.1)
