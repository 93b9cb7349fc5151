"""Laws of what acts on the weights outside the loss: constraints, decay; and of L2 per interaction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import pytest
import torch

from studylib.errors import ParameterError
from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import Constraint, Decay, Rows
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


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_max_norm_holds_the_norm_of_weights_of_any_size(size: float) -> None:
    """In single precision, where squares overflow or vanish, long units get the limit and stay in line."""
    w = size * weights(6, 4, dtype=torch.float32)
    limit = 1.5 * size if size < 1 else 1.5
    expected = MaxNorm(limit=limit).project(w.double()).float()

    torch.testing.assert_close(MaxNorm(limit=limit).project(w), expected, rtol=1e-5, atol=0)
    assert (expected != w).any()


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


@pytest.mark.parametrize("by_layer", [{}, {"hidden*": 0.5}], ids=str)
def test_a_decay_works_per_replica(by_layer: dict[str, float]) -> None:
    """With a strength for each replica, the factors are those one by one."""
    decay, factors = WeightDecay(strength=0.1, by_layer=by_layer), torch.tensor([0.0, 0.5, 2.0])

    together = torch.func.vmap(lambda one: decay.turned(one).factor("hidden1", 0.1))(factors)
    alone = [decay.turned(one).factor("hidden1", 0.1) for one in factors.tolist()]
    torch.testing.assert_close(together, torch.tensor(alone))


def test_weight_decay_is_that_of_adamw() -> None:
    """Multiplying before each step of AdamW without decay gives AdamW's own weights, bit for bit."""
    theirs, ours = (torch.nn.Parameter(weights(4, 3)) for _ in range(2))
    decaying = torch.optim.AdamW([theirs], lr=0.05, weight_decay=0.3)
    plain = torch.optim.AdamW([ours], lr=0.05, weight_decay=0.0)
    for step in range(30):
        theirs.grad, ours.grad = theirs.detach().sin() + step, ours.detach().sin() + step
        with torch.no_grad():
            ours.mul_(WeightDecay(strength=0.3).factor("hidden1", 0.05))
        decaying.step()
        plain.step()

    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    "decay", [e for e in EXAMPLES.values() if isinstance(e, Decay)], ids=lambda e: type(e).__name__
)
def test_a_decay_shrinks_and_never_turns_weights_round(decay: Decay) -> None:
    """The factor is 1 without strength, below 1 with it, and a negative one is refused in words."""
    assert decay.model_copy(update={"strength": 0.0}).factor("hidden1", 0.1) == 1
    assert 0 < decay.factor("hidden1", 0.1) < 1
    with pytest.raises(ParameterError, match="flip the sign"):
        decay.model_copy(update={"strength": 11.0}).factor("hidden1", 0.1)


def taken(table: torch.Tensor, numbers: torch.Tensor) -> Rows:
    """Return the rows of those numbers as a batch uses them."""
    return Rows(numbers, table[numbers])


def pays(cost: EmbeddingL2, table: torch.Tensor, batches: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return what each row of a table pays per unit of its square, on average over the batches."""
    squares = table.clone().requires_grad_()
    values = torch.stack([cost.value([squares], [taken(squares, batch[:, None])]) for batch in batches])
    (slope,) = torch.autograd.grad(values.mean(), squares)
    prices: torch.Tensor = (slope / (2 * table)).mean(dim=1)
    torch.testing.assert_close(slope, 2 * prices[:, None] * table)
    return prices


USERS = torch.tensor(
    [0, 0, 0, 2, 3, 0]
)  # of six interactions, in the order in which batches of two have them


@pytest.mark.parametrize(
    ("definition", "prices"),
    [
        ("interaction", [4 / 6, 0, 1 / 6, 1 / 6]),  # the share of the row in the interactions
        ("batch", [3 / 6, 0, 1 / 6, 1 / 6]),  # once in each of the three batches of two that have it
        ("full", [1, 1, 1, 1]),
    ],
)
def test_what_each_row_pays_over_a_pass(
    definition: Literal["interaction", "batch", "full"], prices: list[float]
) -> None:
    """On average over the batches of a pass a row pays λ times n_u/N, batches that have it/N, or 1."""
    cost = EmbeddingL2(strength=0.3, definition=definition)
    expected = 0.3 * torch.tensor(prices, dtype=torch.float64)

    torch.testing.assert_close(pays(cost, weights(4, 3), USERS.split(2)), expected)


def test_embedding_l2_is_one_where_no_row_is_used_twice() -> None:
    """By interaction and by batch are the same then, and if all rows are used, full divided by B."""
    table = weights(4, 3)
    tables, used = [table], [taken(table, torch.tensor([[2], [0], [3], [1]]))]
    interaction, batch, full = (
        EmbeddingL2(strength=0.3, definition=definition).value(tables, used)
        for definition in get_args(EmbeddingL2.model_fields["definition"].annotation)
    )

    torch.testing.assert_close(batch, interaction)
    torch.testing.assert_close(batch, full / 4)


def test_embedding_l2_counts_users_items_and_negatives() -> None:
    """By interaction it is λ·mean of the squares of (u, i, j), summed by hand, the tables apart."""
    users, items = weights(4, 3), weights(5, 3)
    by_users, by_items = torch.tensor([[0], [0], [2]]), torch.tensor([[1, 4], [4, 4], [0, 2]])
    used = [taken(users, by_users), taken(items, by_items)]
    rows = [users[0], items[1], items[4], users[0], items[4], items[4], users[2], items[0], items[2]]
    expected = 0.3 / 3 * sum(row.square().sum() for row in rows)

    torch.testing.assert_close(EmbeddingL2(strength=0.3).value([users, items], used), expected)


@pytest.mark.parametrize("definition", ["interaction", "batch", "full"])
def test_embedding_l2_works_per_replica(definition: Literal["interaction", "batch", "full"]) -> None:
    """Over stacked tables and batches, value and slope are those of each."""
    cost = EmbeddingL2(strength=0.3, definition=definition)
    tables, used = weights(3, 4, 2), torch.tensor([[[0], [0]], [[3], [1]], [[2], [2]]])
    slope = torch.func.grad(lambda table, rows: cost.value([table], [taken(table, rows)]))

    stacked = torch.func.vmap(lambda table, rows: cost.value([table], [taken(table, rows)]))(tables, used)
    each = [cost.value([table], [taken(table, rows)]) for table, rows in zip(tables, used, strict=True)]
    torch.testing.assert_close(stacked, torch.stack(each))
    torch.testing.assert_close(
        torch.func.vmap(slope)(tables, used),
        torch.stack([slope(*one) for one in zip(tables, used, strict=True)]),
    )
