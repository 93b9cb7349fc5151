"""What the penalties of an arm ask of the exact solver: two strengths, and a factor for the solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.errors import ParameterError
from studylib.regularizers.elastic_net import ElasticNet
from studylib.regularizers.l1 import L1
from studylib.regularizers.l2 import L2
from studylib.trainers.conversions import Strengths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studylib.regularizers.base import Regularizer
    from studylib.trainers._problems import Loss


def strengths_of(penalties: Iterable[Regularizer]) -> Strengths:
    """Return the sums of λ₁ and of λ₂ over ``l1``, ``l2`` and ``elastic_net`` penalties.

    Raises:
        ParameterError: one of them is something else.
    """
    l1 = l2 = 0.0
    for penalty in penalties:
        match penalty:
            case L1():
                l1 += penalty.strength
            case L2():
                l2 += penalty.strength
            case ElasticNet():
                l1 += penalty.strength * penalty.mix
                l2 += penalty.strength * (1 - penalty.mix)
            case _:
                raise ParameterError(
                    f"training.optimizer 'exact' takes l1, l2 and elastic_net, not {penalty.name}. "
                    "Use training.optimizer 'adamw'."
                )
    return Strengths(l1, l2)


def stretch_of(penalties: Iterable[Regularizer], loss: Loss) -> float:
    """Return what the minimiser is multiplied by: 1 + λ₂ of the rescaled elastic nets among the penalties.

    Raises:
        ParameterError: a rescaled elastic net beside the logistic loss, for which it is not defined.
    """
    nets = [penalty for penalty in penalties if isinstance(penalty, ElasticNet)]
    if loss != "squared" and any(net.form == "rescaled" for net in nets):
        raise ParameterError("elastic_net.form 'rescaled' is defined for regressions only. Use 'naive'.")
    return 1.0 + sum(net.stretch() - 1.0 for net in nets)
