"""Strength over the epochs. Source: Morerio et al. (2017), https://arxiv.org/abs/1703.06229

The gap as a controller, with steps of one size, a target and bounds, is that of Karras et al. (2020),
https://arxiv.org/abs/2006.06676, who turn the probability of augmentations by a measure of overfitting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, final

from pydantic import Field, ValidationInfo, field_validator

from studylib.regularizers import base

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Factor = Annotated[float, Field(ge=0, description="what the strength is multiplied by; 1 leaves it alone")]


@final
class StrengthSchedule(base.StrengthSchedule):
    r"""λₑ = fₑ·λ: other techniques of the arm grow stronger or weaker from epoch to epoch.

    ``constant`` is f = 1. ``rising`` and ``falling`` go from ``start`` in the first epoch to ``end`` in
    equal steps over ``epochs`` epochs, and stay there; they look at nobody's plan, so that early stopping
    does not bend them. ``gap`` begins at ``start`` and moves by a step of the same size after each epoch: up
    if the validation loss is above the train loss by more than ``target``, else down, and not at all if that
    is not a number. It stays between ``start`` and ``end``. (Morerio et al. raise the rate of dropout by
    1 − exp(−10·e/epochs), which is nearly there after a third of the way.)

    Formula: \lambda_e = f_e\lambda, \quad f_e = s + (t - s)\min(e/E, 1), \quad \text{or by the gap } f_{e+1} = \operatorname{clip}\left(f_e + \frac{|t - s|}{E}\operatorname{sign}(L^{\text{validation}}_e - L^{\text{train}}_e - g),\ \min(s, t),\ \max(s, t)\right)

    Use: Rising, when a technique at full strength keeps the first epochs from learning; by the gap, when the
    right strength is unknown and a training long enough to find it is affordable.

    Traps: A factor above 1 can push a rate to 1 and more. The gap reads validation rows, which then say less
    about new ones, and its ``target`` is in units of the loss, which differ from dataset to dataset.
    """  # noqa: E501  a formula is one line

    shape: Annotated[
        Literal["constant", "rising", "falling", "gap"], Field(description="how the factor f moves")
    ]
    start: Annotated[Factor, Field(description="factor in the first epoch; with gap also a bound")] = 0.0
    end: Annotated[Factor, Field(description="factor at the end of the way; with gap also a bound")] = 1.0
    epochs: Annotated[int, Field(ge=1, description="epochs, so many steps, from start to end")] = 10
    target: Annotated[
        float, Field(ge=0, description="validation loss minus train loss that is left alone, for gap")
    ] = 0.0

    @field_validator("end")
    @classmethod
    def _goes_that_way(cls, end: float, others: ValidationInfo) -> float:
        shape, start = others.data.get("shape"), others.data.get("start", end)
        if (shape == "rising" and end < start) or (shape == "falling" and end > start):
            way = "at least" if shape == "rising" else "at most"
            raise ValueError(f"{way} start, which is {start:g}, with the shape {shape!r}")
        return end

    def factor(
        self, epoch: int, epochs: int, train_loss: Sequence[float], validation_loss: Sequence[float]
    ) -> float:
        """Return f of this ``epoch``; the length ``epochs`` of the whole training does not count."""
        if self.shape == "constant":
            return 1.0
        steps = min(epoch, self.epochs)
        if self.shape == "gap":
            gaps = (held - seen for seen, held in zip(train_loss, validation_loss, strict=True))
            steps = self._steps(gaps)
        # a share of either end, rather than a sum of steps, arrives at both of them exactly
        share = steps / self.epochs
        return (1 - share) * self.start + share * self.end

    def _steps(self, gaps: Iterable[float]) -> int:
        """Return how many steps from ``start`` the controller is after these gaps."""
        steps, away = 0, 1 if self.end >= self.start else -1
        for gap in gaps:
            move = (gap > self.target) - (gap <= self.target)  # 0 if the gap is not a number
            steps = min(max(steps + away * move, 0), self.epochs)
        return steps


EXAMPLE = StrengthSchedule(technique="*dropout*", shape="rising", epochs=10)
