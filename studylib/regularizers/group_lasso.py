"""Group lasso penalty. Source: Yuan and Lin (2006), https://doi.org/10.1111/j.1467-9868.2005.00532.x

Units of a network as groups: Scardapane et al. (2017), https://arxiv.org/abs/1607.00485. The equation of the
proximal step is that of a trust region: Moré and Sorensen (1983), https://doi.org/10.1137/0904038
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import Penalty, Strength

if TYPE_CHECKING:
    from torch import Tensor

NEWTON_STEPS = 13  # which were enough for float64, steps that differ by 10¹², and groups that are almost zero


@final
class GroupLasso(Penalty):
    r"""λ·Σ √|g|·‖w_g‖₂ over groups g of weights: a group is zero as a whole, or not at all.

    A weight is (outputs, inputs, …). The groups are its columns, all that leaves an input, or its rows, all
    that enters an output unit. ‖·‖₂ is not squared: squared, this would be ``l2``. √|g|, the root of the
    group's size, lets large and small groups enter alike. In a weight of one axis each number is a group.

    With one step for all weights, the proximal step shortens each group by step·λ·√|g|. With a step of its
    own for each weight, as Adam needs, there is no closed form: zᵢ = wᵢ·r/(r + stepᵢ·λ·√|g|), where the norm
    r solves Σ wᵢ²/(r + stepᵢ·λ·√|g|)² = 1, or is 0 if no r does. Newton's method on one over the root of that
    sum, which is concave, climbs to r from below.

    Formula: \lambda \sum_g \sqrt{|g|}\, \lVert w_g \rVert_2

    Use: To choose among inputs of a network whose first layer has many weights for each of them, where l1
    thins out all inputs and drops none; or to find out how many units a layer needs.

    Traps: The norm written as a root of a sum of squares has the gradient NaN at a zero group. A unit whose
    incoming weights are zero still passes on its bias. Strengths tuned without √|g| do not carry over.
    """

    smooth: ClassVar[bool] = False
    counts: ClassVar[bool] = True
    turn: ClassVar[int] = 1  # after a soft threshold; it scales, and so does a ridge

    strength: Strength
    groups: Annotated[
        Literal["inputs", "outputs"],
        Field(
            description="what is kept or dropped as a whole: inputs of a layer (columns), or outputs (rows)"
        ),
    ]

    def value(self, w: Tensor) -> Tensor:
        """Return λ·Σ √|g|·‖w_g‖₂."""
        from torch.linalg import vector_norm

        norms: Tensor = vector_norm(self._blocks(w), dim=self._axes())
        return self._per_norm(w) * norms.sum()

    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return every group shortened, those that are not long enough to zero."""
        blocks, reach = self._blocks(w), step * self._per_norm(w)
        if isinstance(step, int | float) or step.ndim == 0:
            return (blocks * _shortened(blocks, reach, self._axes())).reshape(w.shape)
        reach = self._blocks(reach.expand(w.shape))  # type: ignore[union-attr]  # as many numbers as steps
        first = self._axes()[0]
        groups, own = blocks.transpose(0, 1 - first), reach.transpose(0, 1 - first)
        shares = _solved(groups.flatten(1), own.flatten(1)).reshape(groups.shape)
        return (groups * shares).transpose(0, 1 - first).reshape(w.shape)

    def _blocks(self, w: Tensor) -> Tensor:
        """Return ``w`` as (outputs, inputs, rest)."""
        if w.ndim == 1:
            return w.reshape(1, -1, 1) if self.groups == "inputs" else w.reshape(-1, 1, 1)
        return w.reshape(len(w), w.shape[1], -1)

    def _axes(self) -> tuple[int, int]:
        return (0, 2) if self.groups == "inputs" else (1, 2)

    def _per_norm(self, w: Tensor) -> float:
        shape = self._blocks(w).shape
        return self.strength * sqrt(shape[2] * shape[0 if self.groups == "inputs" else 1])


def _shortened(w: Tensor, reach: Tensor | float, axes: tuple[int, int]) -> Tensor:
    """Return what each group is multiplied by: max(1 − reach/norm, 0)."""
    from torch.linalg import vector_norm

    peak = w.abs().amax(dim=axes, keepdim=True)
    peak = peak + (peak == 0)  # so that no square overflows or vanishes
    norm: Tensor = vector_norm(w / peak, dim=axes, keepdim=True)
    return (norm - reach / peak).clamp(min=0) / (norm + (norm == 0))


def _solved(w: Tensor, reach: Tensor) -> Tensor:
    """Return r/(r + reach), which weights of groups (groups, size) are multiplied by, each for its own reach.

    What it costs is the number of operations, more than their sizes, and most are in the loop.
    """
    import torch
    from torch.linalg import vector_norm

    size, least, one = w.abs(), torch.finfo(w.dtype).tiny, w.new_ones(1)
    peak = size.amax(1, keepdim=True).clamp(min=least)
    # in units of the peak no square overflows or vanishes; no length is 0, which a weight of 0 could have
    size, reach = size / peak, (reach / peak).clamp(min=least)
    zero = vector_norm(size / reach, dim=1, keepdim=True) <= 1
    r = (size - reach).amax(1, keepdim=True).clamp(min=0)  # as if one weight were alone, which is at most r
    for _ in range(NEWTON_STEPS):
        length = r + reach
        part = size / length
        root = vector_norm(part, dim=1, keepdim=True)
        slope = part.mul_(part).div_(length).sum(1, keepdim=True)
        r = torch.addcdiv(r, root * root * (root - one), slope)
    r = r.clamp(min=0).masked_fill(zero, 0)
    return r / (r + reach)


EXAMPLE = GroupLasso(strength=0.01, groups="inputs")
