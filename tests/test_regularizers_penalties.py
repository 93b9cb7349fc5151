"""Laws of every penalty: its value is a cost, its prox the minimiser that it claims to be."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch
from torch import Tensor

from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import ConcavePenalty, Penalty
from studylib.regularizers.elastic_net import ElasticNet
from studylib.regularizers.l1 import L1
from studylib.regularizers.l2 import L2

every_penalty = pytest.mark.parametrize(
    "penalty", [e for e in EXAMPLES.values() if isinstance(e, Penalty)], ids=lambda e: type(e).__name__
)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
W = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
STEPS = torch.logspace(-1, 3, 12, dtype=torch.float64).reshape(3, 4)


def objective(penalty: Penalty, z: Tensor, w: Tensor, step: Tensor | float) -> Tensor:
    """Return what the prox minimises over z."""
    return ((z - w).square() / (2 * step)).sum() + penalty.value(z)


def cheapest(penalty: Penalty, place: int, step: Tensor | float) -> float:
    """Search a fine grid for the best number at one place, the others being where prox puts them."""
    grid = torch.linspace(-3, 3, 6001, dtype=torch.float64)
    candidates = penalty.prox(W, step).flatten().repeat(len(grid), 1)
    candidates[:, place] = grid
    costs = torch.func.vmap(lambda z: objective(penalty, z.reshape(3, 4), W, step))(candidates)
    return float(grid[costs.argmin()])


@every_penalty
@pytest.mark.parametrize("step", [0.5, 60.0, 1e4, STEPS], ids=["0.5", "60", "10000", "elementwise"])
def test_prox_is_the_minimiser_it_claims_to_be(penalty: Penalty, step: Tensor | float) -> None:
    """Brute force over a fine grid finds nothing cheaper than the prox, for one step or one per weight."""
    found = penalty.prox(W, step).flatten().tolist()

    assert found == pytest.approx([cheapest(penalty, place, step) for place in range(12)], abs=1e-3)


SUMMED = sorted(
    (e for e in EXAMPLES.values() if isinstance(e, Penalty) and not isinstance(e, ConcavePenalty)),
    key=lambda one: one.turn,
)


@pytest.mark.parametrize("step", [0.5, STEPS / 50], ids=["one", "elementwise"])
@pytest.mark.parametrize(
    "both", [p for p in combinations(SUMMED, 2) if not (p[0].smooth or p[1].smooth or p[0].turn)], ids=str
)
def test_proxes_in_turn_are_the_prox_of_the_sum(both: tuple[Penalty, Penalty], step: Tensor | float) -> None:
    """No point that 4 000 random moves of all sizes reach is cheaper for both penalties together."""
    first, second = (one.turned(30.0) for one in both)
    found = second.prox(first.prox(W, step), step)
    moves = torch.randn(4000, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    moves *= torch.logspace(-6, 0, 4000, dtype=torch.float64)[:, None, None]
    moves[::2] *= found != 0  # as many that keep the zeros
    costs = [objective(first, z, W, step) + second.value(z) for z in (found, *(found + moves))]

    assert (found == 0).any()
    assert (found != 0).any()
    assert min(costs[1:]) >= costs[0] - 1e-12


@every_penalty
def test_prox_of_no_step_is_the_weight_itself(penalty: Penalty) -> None:
    """A step of 0, as a number or per weight, moves nothing at all."""
    assert torch.equal(penalty.prox(W, 0.0), W)
    assert torch.equal(penalty.prox(W, torch.zeros_like(W)), W)


@every_penalty
def test_prox_sets_exact_zeros_where_the_penalty_has_a_kink(penalty: Penalty) -> None:
    """``smooth`` tells whether small weights stay or become exactly 0; signs never change."""
    shrunk = penalty.prox(W, 60.0)

    assert bool((shrunk == 0).any()) != penalty.smooth
    assert (shrunk * W >= 0).all()
    assert (shrunk.abs() <= W.abs()).all()


@every_penalty
def test_a_penalty_is_a_cost(penalty: Penalty) -> None:
    """The value is a finite non-negative scalar, and 0 at 0 with a finite gradient there."""
    zeros = torch.zeros(3, 4, requires_grad=True)
    at_zero = penalty.value(zeros)
    (gradient,) = torch.autograd.grad(at_zero, zeros)

    assert penalty.value(W).shape == ()
    assert penalty.value(W) > 0
    assert at_zero == 0
    assert gradient.isfinite().all()


@every_penalty
def test_the_gradient_is_that_of_finite_differences(penalty: Penalty) -> None:
    """Away from kinks autograd and finite differences agree to double precision's tolerance."""
    assert (W.abs() > 1e-3).all()
    assert torch.autograd.gradcheck(penalty.value, W.clone().requires_grad_())


@every_penalty
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_penalty_keeps_the_type_of_the_weights(penalty: Penalty, dtype: torch.dtype) -> None:
    """Value and prox come in the weights' own precision, with its accuracy."""
    w, steps = W.to(dtype), STEPS.to(dtype)
    value, shrunk = penalty.value(w), penalty.prox(w, 60.0)
    tolerance = 8 * torch.finfo(dtype).eps

    assert value.dtype == shrunk.dtype == penalty.prox(w, steps).dtype == dtype
    assert value.item() == pytest.approx(penalty.value(w.double()).item(), rel=tolerance)
    torch.testing.assert_close(shrunk.double(), penalty.prox(w.double(), 60.0), rtol=0, atol=tolerance)


@every_penalty
def test_strength_0_switches_a_penalty_off(penalty: Penalty) -> None:
    """No strength: no cost, and a prox that moves nothing."""
    off = penalty.model_copy(update={"strength": 0.0})

    assert off.value(W) == 0
    assert torch.equal(off.prox(W, 60.0), W)


@every_penalty
def test_a_diverged_weight_stays_visible(penalty: Penalty) -> None:
    """NaN passes through value and prox; it does not become an innocent 0."""
    w = torch.tensor([1.0, math.nan])

    assert penalty.value(w).isnan()
    assert penalty.prox(w, 60.0).isnan().tolist() == [False, True]


@every_penalty
def test_a_penalty_works_per_replica(penalty: Penalty) -> None:
    """Over stacked weights, value and prox are those of each."""
    stack = torch.stack([W, -2 * W, W.flip(0)])

    costs = torch.func.vmap(penalty.value)(stack)
    torch.testing.assert_close(costs, torch.stack([penalty.value(w) for w in stack]))
    shrunk = torch.func.vmap(lambda w: penalty.prox(w, 60.0))(stack)
    torch.testing.assert_close(shrunk, torch.stack([penalty.prox(w, 60.0) for w in stack]))


@pytest.mark.parametrize(
    ("penalty", "cost"),
    [(L1(strength=0.5), 1.5), (L2(strength=0.5), 2.5), (ElasticNet(strength=0.5, mix=0.25), 2.25)],
    ids=repr,
)
def test_penalties_have_no_hidden_factor(penalty: Penalty, cost: float) -> None:
    """For weights 1 and −2: λ·3, λ·5, and λ·(mix·3 + (1 − mix)·5)."""
    assert penalty.value(torch.tensor([1.0, -2.0])) == cost


def test_the_ends_of_the_elastic_net_are_l1_and_l2() -> None:
    """Mix 1 is the lasso and mix 0 is ridge, in value and prox."""
    for mix, end in ((1.0, L1(strength=0.3)), (0.0, L2(strength=0.3))):
        net = ElasticNet(strength=0.3, mix=mix)

        assert net.value(W) == end.value(W)
        assert torch.equal(net.prox(W, STEPS), end.prox(W, STEPS))
