"""Laws of what acts on the weights outside the loss: constraints, decay; and of L2 per interaction."""

from __future__ import annotations

import math

import pytest
import torch

from studylib.errors import ParameterError
from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import Constraint, Decay
from studylib.regularizers.embedding_l2 import EmbeddingL2
from studylib.regularizers.max_norm import MaxNorm
from studylib.regularizers.weight_decay import WeightDecay

every_constraint = pytest.mark.parametrize(
    "constraint", [e for e in EXAMPLES.values() if isinstance(e, Constraint)], ids=repr
)


def weights(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


@every_constraint
@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 2, 2), (6,)], ids=str)
def test_a_projection_done_twice_is_done_once(constraint: Constraint, shape: tuple[int, ...]) -> None:
    """Projecting is idempotent, keeps shape and type, and leaves zeros alone."""
    w = 10 * weights(*shape)
    once = constraint.project(w)

    torch.testing.assert_close(constraint.project(once), once, rtol=1e-12, atol=0)
    assert not constraint.project(torch.zeros(shape)).any()
    assert constraint.project(w.float()).dtype == torch.float32


@every_constraint
def test_a_projection_is_the_nearest_point_of_the_set(constraint: Constraint) -> None:
    """No point of the set that 500 random projections find is nearer than the projection."""
    w = 3 * weights(4, 3)
    distance = (constraint.project(w) - w).norm()
    points = w + torch.linspace(0, 3, 500)[:, None, None] * weights(500, 4, 3)

    assert distance > 0
    assert min((constraint.project(point) - w).norm() for point in points) >= distance - 1e-12


@every_constraint
def test_a_projection_hides_no_diverged_weight_and_works_per_replica(constraint: Constraint) -> None:
    """NaN stays NaN, and projecting stacked weights is projecting each of them."""
    w = 10 * weights(3, 5, 4)

    assert constraint.project(torch.full((2, 2), math.nan)).isnan().all()
    stacked = torch.func.vmap(constraint.project)(w)
    torch.testing.assert_close(stacked, torch.stack([constraint.project(one) for one in w]))


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 2, 2)], ids=str)
def test_max_norm_is_torchs_renorm_of_rows(shape: tuple[int, ...]) -> None:
    """Every unit's norm is at most the limit, as torch.renorm along the first axis makes it."""
    w = weights(*shape) * torch.arange(6).reshape(-1, *[1] * (len(shape) - 1))
    projected = MaxNorm(limit=2.0).project(w)
    inside = w.flatten(1).norm(dim=1) <= 2

    torch.testing.assert_close(projected, torch.renorm(w, 2, 0, 2.0), rtol=1e-6, atol=0)
    assert torch.equal(projected[inside], w[inside])
    assert inside.any()
    assert not inside.all()


def test_weight_decay_is_that_of_adamw() -> None:
    """Multiplying before each step of AdamW without decay gives AdamW's own weights, bit for bit."""
    theirs, ours = (torch.nn.Parameter(weights(4, 3)) for _ in range(2))
    decaying = torch.optim.AdamW([theirs], lr=0.05, weight_decay=0.3)
    plain = torch.optim.AdamW([ours], lr=0.05, weight_decay=0.0)
    for step in range(30):
        theirs.grad, ours.grad = theirs.detach().sin() + step, ours.detach().sin() + step
        with torch.no_grad():
            ours.mul_(WeightDecay(strength=0.3).factor(0.05))
        decaying.step()
        plain.step()

    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    "decay", [e for e in EXAMPLES.values() if isinstance(e, Decay)], ids=lambda e: type(e).__name__
)
def test_a_decay_shrinks_and_never_turns_weights_round(decay: Decay) -> None:
    """The factor is 1 without strength, below 1 with it, and a negative one is refused in words."""
    assert decay.model_copy(update={"strength": 0.0}).factor(0.1) == 1
    assert 0 < decay.factor(0.1) < 1
    with pytest.raises(ParameterError, match="flip the sign"):
        decay.model_copy(update={"strength": 11.0}).factor(0.1)


def test_embedding_l2_over_all_interactions_weights_rows_by_their_counts() -> None:
    """Its mean over N interactions is λ·Σ n_u/N·‖p_u‖², for users and items apart."""
    users, items = weights(4, 3), weights(5, 3)
    pairs = torch.tensor([[0, 1], [0, 2], [0, 4], [2, 1], [3, 3]])
    used = torch.tensor([3.0, 0, 1, 1]).double(), torch.tensor([0.0, 2, 1, 1, 1]).double()
    expected = 0.3 / 5 * (used[0] @ users.square().sum(dim=1) + used[1] @ items.square().sum(dim=1))

    value = EmbeddingL2(strength=0.3).value(users[pairs[:, 0]], items[pairs[:, 1]])

    torch.testing.assert_close(value, expected)


def test_embedding_l2_leaves_rows_outside_the_batch_alone() -> None:
    """Its gradient is 2λ·(times used)/n per row, and 0 for a row that was not used."""
    table = weights(3, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(
        EmbeddingL2(strength=0.5).value(table[torch.tensor([0, 0, 2, 0])]), table
    )

    torch.testing.assert_close(gradient, torch.tensor([[0.75], [0], [0.25]]) * table.detach())
