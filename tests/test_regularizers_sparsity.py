"""Penalties that set groups to zero, or spare large weights: closed forms, brute force, scikit-learn."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from sklearn.datasets import load_diabetes
from sklearn.linear_model import MultiTaskLasso
from sklearn.preprocessing import scale
from torch import Tensor

from studylib.datasets.base import Examples, Split
from studylib.models.linear import Linear
from studylib.regularizers.base import Penalty
from studylib.regularizers.group_lasso import GroupLasso
from studylib.regularizers.l1 import L1
from studylib.regularizers.mcp import MCP
from studylib.regularizers.scad import SCAD
from studylib.trainers import gradient
from studylib.trainers.base import Training
from studylib.trainers.conversions import from_half_loss_mcp, to_half_loss_mcp

if TYPE_CHECKING:
    from collections.abc import Callable

non_convex = pytest.mark.parametrize(
    "penalty",
    [
        MCP(strength=0.5, gamma=1.5),
        MCP(strength=0.5, gamma=0.3),
        SCAD(strength=0.5),
        SCAD(strength=0.5, a=2.2),
    ],
    ids=repr,
)


def normal(*shape: int, seed: int = 1) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def costs(penalty: Penalty, z: Tensor) -> Tensor:
    """Return the penalty of each number by itself."""
    each: Tensor = torch.func.vmap(penalty.value)(z.reshape(-1, 1)).reshape(z.shape)
    return each


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2, 2), (5,)], ids=str)
def test_the_groups_of_the_group_lasso_are_rows_or_columns(shape: tuple[int, ...]) -> None:
    """Value and prox are those of the groups taken out one by one: √size·norm, and a shorter vector."""
    w = normal(*shape)
    for penalty, axis in (
        (GroupLasso(strength=0.2, groups="outputs"), 0),
        (GroupLasso(strength=0.2, groups="inputs"), 1),
    ):
        groups = w.unbind(axis if w.ndim > 1 else 0)
        price = [0.2 * group.numel() ** 0.5 for group in groups]
        value = sum(p * float(g.norm()) for p, g in zip(price, groups, strict=True))
        short = [g * max(1 - 2.5 * p / float(g.norm()), 0) for p, g in zip(price, groups, strict=True)]

        assert float(penalty.value(w)) == pytest.approx(value)
        torch.testing.assert_close(penalty.prox(w, 2.5), torch.stack(short, dim=axis if w.ndim > 1 else 0))


@pytest.mark.parametrize("orders", [0, 2, 6, 12])
def test_the_prox_of_a_group_with_a_step_for_each_weight_is_optimal(orders: int) -> None:
    """(z − w)/step + λ√|g|·z/‖z‖ is 0, or ‖w/step‖ ≤ λ√|g| where z is 0, in groups of 1 to 50 weights."""
    for size in (1, 2, 7, 50):
        w = normal(500, size, seed=size) * 10 ** normal(500, 1, seed=4)
        share = torch.rand(500, size, generator=torch.Generator().manual_seed(2)).double()
        steps = 10 ** (orders * (share - 0.5)) * normal(500, 1, seed=3).exp()
        price = 0.3 * size**0.5
        z = GroupLasso(strength=0.3, groups="outputs").prox(w, steps)
        norm = z.norm(dim=1, keepdim=True)
        zero = norm[:, 0] == 0
        pull = z - w + steps * price * z / torch.where(norm == 0, 1, norm)

        assert torch.equal(zero, (w / steps).norm(dim=1) <= price)
        assert (pull[~zero].abs() <= 1e-12 * w[~zero].abs().amax(dim=1, keepdim=True)).all()
        assert orders > 2 or 0 < zero.sum() < 500


@pytest.mark.parametrize("orders", [4, 8, 12])
@pytest.mark.parametrize("above", [1e-6, 0.01, 0.5, 2.0])
def test_the_prox_of_a_group_that_is_almost_zero_is_optimal(orders: int, above: float) -> None:
    """Groups with ‖w/step‖ just above λ√|g|, small and large steps alike, are solved like all others."""
    for size in (7, 50, 300):
        share = torch.rand(200, size, generator=torch.Generator().manual_seed(2)).double()
        steps = 10 ** (orders * (share - 0.5))
        part = normal(200, size)
        price = 0.3 * size**0.5
        w = steps * part / part.norm(dim=1, keepdim=True) * price * (1 + above)
        z = GroupLasso(strength=0.3, groups="outputs").prox(w, steps)
        pull = z - w + steps * price * z / z.norm(dim=1, keepdim=True)

        assert (pull.abs() <= 1e-12 * w.abs().amax(dim=1, keepdim=True)).all()


def test_equal_steps_for_all_weights_are_one_step() -> None:
    """The equation and the closed form agree; weights whose own step is 0 stay as they are."""
    penalty, w = GroupLasso(strength=0.2, groups="inputs"), normal(6, 5)
    w[:, 2] = 0
    some = torch.where(torch.arange(6)[:, None] < 3, 0.0, 1.5).double().expand(6, 5)
    moved = penalty.prox(w, some)

    torch.testing.assert_close(
        penalty.prox(w, torch.full_like(w, 1.5)), penalty.prox(w, 1.5), rtol=1e-13, atol=0
    )
    torch.testing.assert_close(moved[:3], w[:3], rtol=1e-14, atol=0)
    assert (moved[3:].abs() < w[3:].abs()).all(dim=0).tolist() == [True, True, False, True, True]


@pytest.mark.parametrize("factor", [1e-30, 1e-6, 1e6, 1e30])
def test_the_prox_of_a_group_is_free_of_scale(factor: float) -> None:
    """In float32, weights and steps 10⁻³⁰ to 10³⁰ times as large give results as many times as large."""
    penalty, w = GroupLasso(strength=0.2, groups="outputs"), normal(6, 5).float()
    steps = normal(6, 5, seed=2).exp().float()

    torch.testing.assert_close(penalty.prox(factor * w, factor * steps) / factor, penalty.prox(w, steps))


@cache
def two_targets() -> tuple[Tensor, Tensor]:
    """Return 442 rows of 10 standardised columns, and two standardised targets."""
    x, y = load_diabetes(return_X_y=True)
    x, y = scale(x), scale(y)
    return torch.from_numpy(x), torch.from_numpy(np.column_stack([y, scale(y + x[:, 0] - 2 * x[:, 8])]))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_group_lasso_ends_at_that_of_scikit_learn(optimizer: str) -> None:
    """With one step, or Adam's step for each weight, weights and zero columns are those of MultiTaskLasso."""
    x, y = two_targets()
    penalty = GroupLasso(strength=0.2, groups="inputs")
    peer = MultiTaskLasso(alpha=0.2 * 2**0.5, tol=1e-12, max_iter=10**6).fit(x.numpy(), y.numpy())
    w, mean, square = (torch.zeros(2, 10, dtype=torch.float64) for _ in range(3))
    for step in range(1, 1001):
        g = (w @ x.T - y.T) @ x / len(x)
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g.square()
        if optimizer == "sgd":
            w = penalty.prox(w - 0.2 * g, 0.2)
        else:
            reach = 0.02 / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
            w = penalty.prox(w - reach * mean / (1 - 0.9**step), reach)

    np.testing.assert_allclose(w.numpy(), peer.coef_, rtol=0, atol=1e-6)
    assert ((w == 0).numpy() == (peer.coef_ == 0)).all()
    assert 0 < (peer.coef_ == 0).sum() < 20


@non_convex
def test_a_concave_penalty_is_the_integral_of_its_slope(penalty: MCP | SCAD) -> None:
    """The value of a weight is the numerical integral of the paper's derivative up to its size."""
    strength = penalty.strength

    def slope(t: float) -> float:
        if isinstance(penalty, MCP):
            return max(strength - t / penalty.gamma, 0)
        return strength if t <= strength else max(penalty.a * strength - t, 0) / (penalty.a - 1)

    for size in (0.1, 0.4, 0.7, 1.2, 3.0):
        parts = np.linspace(0, size, 101)
        area = sum(quad(slope, low, high)[0] for low, high in pairwise(parts.tolist()))

        assert float(penalty.value(torch.tensor([-size]).double())) == pytest.approx(area, abs=1e-6)


@non_convex
def test_the_relief_is_what_a_concave_penalty_takes_off_the_lasso(penalty: MCP | SCAD) -> None:
    """Value and relief add up to λ·Σ|w|; the relief is differentiable at zero and at the knees."""
    w = torch.tensor([-3.0, -0.4, 0.2, 0.9, 1.6, 0.0, 0.5, 0.75, 0.15, 1.85, 1.1]).double()
    slope = torch.func.vmap(torch.func.grad(penalty.relief))
    nearby = slope(w[:, None] + 1e-9), slope(w[:, None] - 1e-9)

    torch.testing.assert_close(penalty.value(w) + penalty.relief(w), penalty.strength * w.abs().sum())
    torch.testing.assert_close(nearby[0], nearby[1], rtol=0, atol=1e-7)
    assert torch.autograd.gradcheck(penalty.relief, w[:5].clone().requires_grad_())


@cache
def uncorrelated() -> tuple[Split, Tensor]:
    """Return 64 rows with XᵀX/n the identity, and Xᵀy/n from about 0 to about 2."""
    draws = np.random.default_rng(1)
    x = np.linalg.qr(scale(draws.normal(size=(64, 8))))[0] * 8
    y = x @ np.array([0, 0.05, 0.15, 0.3, 0.5, 0.8, 1.2, 2]) + 0.3 * draws.normal(size=64)
    y -= y.mean()
    few = Examples(x[:5], y[:5])
    return Split(Examples(x, y), few, few, (8,), 1), torch.from_numpy(x.T @ y / 64)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd", "learning_rate": 0.2, "epochs": 200},
        {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "epochs": 500},
        {"optimizer": "adamw", "learning_rate": 0.05, "epochs": 500},
    ],
    ids=["sgd", "momentum", "adamw"],
)
@pytest.mark.parametrize("penalty", [MCP(strength=0.5, gamma=1.5), SCAD(strength=0.3)], ids=repr)
def test_training_ends_at_the_thresholdings(penalty: MCP | SCAD, settings: dict[str, Any]) -> None:
    """With uncorrelated columns it is the prox at step ½ of Xᵀy/n, and exactly its zeros are zero."""
    split, c = uncorrelated()
    expected = penalty.prox(c, 0.5)
    training = Training(batch_size=64, precision="float64", **settings)
    result = gradient.train(split, Linear(), [penalty], training, seed=0)
    w = result.module.get_parameter("output.weight").detach()[0]

    torch.testing.assert_close(w, expected, rtol=0, atol=1e-6)
    assert torch.equal(w == 0, expected == 0)
    assert 0 < (expected == 0).sum() < 4


def farthest(c: Tensor, soften: Callable[[Tensor], Tensor], relief: Callable[[Tensor], Tensor]) -> float:
    """Return how far from c softened at step ½ the last 100 of 500 steps with momentum go."""
    w = velocity = torch.zeros_like(c)
    away = []
    for _ in range(500):
        velocity = 0.9 * velocity + 2 * (w - c) - relief(w)
        w = soften(w - 0.05 * velocity)
        away.append(float((w - MCP(strength=0.5, gamma=1.5).prox(c, 0.5)).abs().max()))
    return max(away[-100:])


def test_behind_momentum_the_prox_of_a_whole_concave_penalty_never_settles() -> None:
    """It takes longer steps than the gradient does; softened by its ℓ₁ part alone, weights come to rest."""
    penalty, (_, c) = MCP(strength=0.5, gamma=1.5), uncorrelated()

    assert farthest(c, lambda w: penalty.prox(w, 0.5), torch.zeros_like) > 0.4
    assert farthest(c, lambda w: penalty.soften(w, 0.5), torch.func.grad(penalty.relief)) < 1e-6


@pytest.mark.parametrize(
    ("penalty", "convex"),
    [
        (MCP(strength=0.5, gamma=0.51), True),
        (MCP(strength=0.5, gamma=0.49), False),
        (SCAD(strength=0.5, a=2.01), True),
    ],
    ids=repr,
)
def test_when_the_objective_of_one_column_is_convex(penalty: Penalty, *, convex: bool) -> None:
    """Second differences of (w − c)² + penalty are never negative if γ > ½ or a > 1.5, and are if γ < ½."""
    w = torch.linspace(0.001, 2, 4001, dtype=torch.float64)
    bends = ((w - 0.7).square() + costs(penalty, w)).diff().diff()

    assert bool((bends > -1e-12).all()) == convex


@non_convex
def test_the_prox_of_a_concave_penalty_is_the_global_minimum(penalty: MCP | SCAD) -> None:
    """For 41 steps on both sides of where the problem stops being convex, no z of a fine grid costs less."""
    w = torch.linspace(-4, 4, 201, dtype=torch.float64)[:, None]
    knee = penalty.gamma if isinstance(penalty, MCP) else penalty.a - 1
    steps = torch.cat([torch.logspace(-2, 3, 38), torch.tensor([0.999 * knee, knee, knee + 2.001])]).double()
    grid = torch.linspace(-4, 4, 1601, dtype=torch.float64)
    z = penalty.prox(w.expand(201, 41), steps.expand(201, 41))
    ours = (z - w).square() / (2 * steps) + costs(penalty, z)
    least = torch.full_like(ours, math.inf)
    for at, price in zip(grid, costs(penalty, grid), strict=True):
        least = torch.minimum(least, (at - w).square() / (2 * steps) + price)

    assert (ours <= least + 1e-12).all()


def test_at_a_step_of_1_the_proxes_are_the_thresholdings_of_the_papers() -> None:
    """Fan and Li's equation 2.8 for SCAD, and firm thresholding for MCP."""
    w, strength, a, gamma = torch.linspace(-4, 4, 801, dtype=torch.float64), 0.5, 3.7, 3.0
    size, soft = w.abs(), w.sign() * (w.abs() - strength).clamp(min=0)
    middle = ((a - 1) * w - w.sign() * a * strength) / (a - 2)
    scad = torch.where(size <= 2 * strength, soft, torch.where(size <= a * strength, middle, w))
    mcp = torch.where(size <= gamma * strength, soft / (1 - 1 / gamma), w)

    torch.testing.assert_close(SCAD(strength=strength, a=a).prox(w, 1.0), scad)
    torch.testing.assert_close(MCP(strength=strength, gamma=gamma).prox(w, 1.0), mcp)


def test_concave_penalties_have_the_lasso_and_the_count_as_their_ends() -> None:
    """With γ or a very large, value and prox are those of l1; with γ tiny, MCP counts what is not zero."""
    w, lasso = normal(4, 5), L1(strength=0.5)
    for penalty in (MCP(strength=0.5, gamma=1e12), SCAD(strength=0.5, a=1e12)):
        torch.testing.assert_close(penalty.value(w), lasso.value(w))
        torch.testing.assert_close(penalty.prox(w, 0.7), lasso.prox(w, 0.7))
    count = MCP(strength=(2 / 1e-9) ** 0.5, gamma=1e-9)

    assert float(count.value(w)) == pytest.approx(20)
    assert torch.equal(count.prox(w, 0.5), torch.where(w.abs() > 1, w, 0))


def test_mcp_beside_a_halved_loss_is_half_of_ours() -> None:
    """Twice the penalty at the converted settings is ours, and the conversion has an inverse."""
    strength, gamma = to_half_loss_mcp(0.5, 1.5)
    theirs, ours = MCP(strength=strength, gamma=gamma), MCP(strength=0.5, gamma=1.5)

    torch.testing.assert_close(2 * theirs.value(normal(20)), ours.value(normal(20)))
    assert (strength, gamma) == (0.25, 3.0)
    assert from_half_loss_mcp(strength, gamma) == (0.5, 1.5)


@pytest.mark.parametrize(
    "penalty",
    [GroupLasso(strength=0.3, groups="inputs"), MCP(strength=0.3, gamma=1.5), SCAD(strength=0.3)],
    ids=lambda one: type(one).__name__,
)
def test_strengths_and_steps_may_differ_between_replicas(penalty: Penalty) -> None:
    """Over stacked weights, strengths and steps, value and prox are those of each; 0 is the identity."""
    w, steps = normal(3, 4, 5), normal(3, 4, 5, seed=2).exp()
    factors = torch.tensor([0.0, 1.0, 2.0]).double()
    costs = torch.func.vmap(lambda f, a: penalty.turned(f).value(a))(factors, w)
    moved = torch.func.vmap(lambda f, a, step: penalty.turned(f).prox(a, step))(factors, w, steps)
    each = [penalty.turned(factor).prox(a, step) for factor, a, step in zip(factors, w, steps, strict=True)]

    torch.testing.assert_close(
        costs, torch.stack([penalty.turned(f).value(a) for f, a in zip(factors, w, strict=True)])
    )
    torch.testing.assert_close(moved, torch.stack(each))
    assert torch.equal(moved[0], w[0])


@pytest.mark.parametrize("size", [1e-30, 1e25], ids=str)
def test_groups_of_any_size_are_held_by_their_norm(size: float) -> None:
    """Strength 0 leaves tiny and huge float32 weights bit for bit, and half is half."""
    w = size * torch.ones(4, 3)
    half = GroupLasso(strength=size / 2, groups="outputs").prox(w, 1.0)

    assert torch.equal(GroupLasso(strength=0.0, groups="outputs").prox(w, 1.0), w)
    torch.testing.assert_close(half / size, torch.full((4, 3), 0.5))
