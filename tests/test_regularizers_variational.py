"""Definitions of layers with a learned distribution: prices by their integrals, optima by closed forms."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from studylib.regularizers._variational import log_uniform_divergence
from studylib.regularizers.bayesian_linear import BayesianLinear
from studylib.regularizers.concrete_dropout import ConcreteDropout
from studylib.regularizers.sparse_variational_dropout import SparseVariationalDropout
from studylib.seeds import Noise, Recorded, initialising


def made(build: Any) -> Any:
    """Return a layer with weights that are the same in every test."""
    with initialising(1):
        return build().double()


def normal(*shape: int, seed: int = 1) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def descended(module: Any, x: Tensor, y: Tensor, steps: int, rate: float) -> None:
    """Minimise the squared error and the price with Adam, and with a rate that falls to 0."""
    moving = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(moving, lr=rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        optimizer.zero_grad()
        ((module(x) - y).square().mean() + module.cost()).backward()
        optimizer.step()


# concrete dropout


@pytest.mark.parametrize(
    ("build", "axes", "drawn"),
    [
        (lambda: nn.Linear(5, 4), (5,), (6, 5)),
        (lambda: nn.Linear(5, 4), (3, 5), (6, 3, 5)),
        (lambda: nn.Conv2d(4, 6, 3, groups=2), (4, 5, 3), (6, 4, 1, 1)),
        (lambda: nn.Conv1d(4, 6, 3), (4, 5), (6, 4, 1)),
    ],
    ids=["linear", "over positions", "convolution", "over words"],
)
def test_concrete_dropout_draws_for_every_input(build: Any, axes: Any, drawn: Any) -> None:
    """Each unit and each channel is dropped by a number of its own, by the formula of the relaxed mask."""
    layer, x, noise = made(build), normal(6, *axes), Recorded(Noise(1, "noise"))
    outputs = ConcreteDropout(initial_rate=0.3, temperature=0.5).rewired(layer, noise, 1)(x)
    (u,) = noise.drawn
    z = 1 - torch.sigmoid((log(0.3) - log(0.7) + u.log() - (1 - u).log()) / 0.5)

    assert u.shape == drawn
    torch.testing.assert_close(outputs, layer(x * z / 0.7))


def test_concrete_masks_are_nearly_those_of_dropout() -> None:
    """At the paper's temperature inputs are mostly dropped or scaled, on average by a little less than 1."""
    layer: Any = nn.Linear(1, 1, bias=False).double()
    nn.init.ones_(layer.weight)
    module: Any = ConcreteDropout(initial_rate=0.1).rewired(layer, Noise(1, "noise"), 1)
    masks = module(torch.ones(200_000, 1).double()).detach()

    assert ((masks < 0.01 / 0.9) | (masks > 0.99 / 0.9)).double().mean() > 0.9
    assert (masks < 0.5 / 0.9).double().mean() == pytest.approx(0.1, abs=0.004)
    assert 0.99 < masks.mean() < 1.01


@pytest.mark.parametrize("build", [lambda: nn.Linear(5, 4), lambda: nn.Conv2d(4, 6, 3, groups=2)])
def test_concrete_dropout_pays_for_weights_and_for_certainty(build: Any) -> None:
    """The price is (l²(1 − p)/2·‖M‖² − K·entropy(p))/N of the paper, at M = W/(1 − p) and K inputs."""
    layer, p, length, rows = made(build), 0.3, 2.0, 50
    technique = ConcreteDropout(initial_rate=p, length_scale=length)
    module: Any = technique.rewired(layer, Noise(1, "noise"), rows)
    m = layer.weight / (1 - p)
    entropy = torch.distributions.Bernoulli(torch.tensor(p).double()).entropy()
    inputs = layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels

    expected = (length**2 * (1 - p) / 2 * m.square().sum() - inputs * entropy) / rows
    torch.testing.assert_close(module.cost(), expected)


def test_concrete_dropout_learns_the_best_rate() -> None:
    """The learned rate is that which minimises expected loss plus price by quadrature; more data lower it."""
    k, length = 8, 1.0
    layer: Any = nn.Linear(k, 1).double()
    layer.weight.data.copy_(torch.linspace(0.1, 0.4, k))
    layer.requires_grad_(requires_grad=False)
    x = (torch.eye(k, dtype=torch.float64) * k**0.5).repeat(250, 1)
    squares = float(layer.weight.square().sum())
    u = (np.arange(100_000) + 0.5) / 100_000

    def objective(logit: float, rows: int) -> float:
        p = 1 / (1 + np.exp(-logit))
        mask = (1 - 1 / (1 + np.exp(-(logit + np.log(u / (1 - u))) / 0.1))) / (1 - p)
        divergence = length**2 / 2 * squares / (1 - p) + k * (p * log(p) + (1 - p) * log(1 - p))
        return float(squares * ((mask - 1) ** 2).mean() + 0.5 / rows * divergence)

    learned = []
    for rows in (10, 30):
        technique = ConcreteDropout(strength=0.5, length_scale=length)
        module: Any = technique.rewired(layer, Noise(1, "noise"), rows)
        descended(module, x, layer(x), steps=300, rate=0.1)
        best = minimize_scalar(
            lambda logit, rows=rows: objective(logit, rows), bounds=(-8, 2), method="bounded"
        )
        learned.append(float(module.rate.detach()))
        assert module.logit.item() == pytest.approx(best.x, abs=0.05)
    assert learned[1] < 0.3 * learned[0]


# sparse variational dropout


@pytest.mark.parametrize("log_alpha", [-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
def test_sparse_variational_divergence_approximates_its_integral(log_alpha: float) -> None:
    """It is within 0.01 nats of E log|ε| − ½·log α + constant for ε ~ N(1, α), which is 0 for infinite α."""
    std = np.exp(log_alpha / 2)

    def integrand(z: float) -> float:
        return float(np.log(abs(1 + std * z) + 1e-300) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi))

    zero = max(-1 / std, -12.0)
    expected = quad(integrand, -12, zero, limit=200)[0] + quad(integrand, zero, 12, limit=200)[0]
    constant = (np.euler_gamma + log(2)) / 2
    divergence = log_uniform_divergence(torch.tensor(log_alpha, dtype=torch.float64))

    assert divergence.item() == pytest.approx(expected - log_alpha / 2 + constant, abs=0.01)


def test_sparse_variational_dropout_prunes_what_is_noise() -> None:
    """Weights with log(σ²/θ²) above the threshold are exactly 0 in evaluation, and the others are θ."""
    layer = made(lambda: nn.Linear(50, 40))
    theta = layer.weight.detach().clone()
    module: Any = SparseVariationalDropout(initial_std=0.1, threshold=2.0).rewired(
        layer, Noise(1, "noise"), 1
    )
    pruned = (0.1 / theta).square().log() > 2

    assert 0.1 < pruned.double().mean() < 0.9
    assert torch.equal(module.weight == 0, pruned)
    assert torch.equal(module.weight[~pruned], theta[~pruned])
    x = normal(3, 50)
    torch.testing.assert_close(module.eval()(x), x @ (theta * ~pruned).T + module.bias)


def test_sparse_variational_dropout_keeps_what_matters() -> None:
    """Of twenty inputs, the one that the target depends on keeps its weight, and most others are pruned."""
    x = normal(300, 20)
    y = 3 * x[:, :1] + 0.3 * normal(300, 1, seed=2)
    technique = SparseVariationalDropout(strength=2 * 0.3**2)
    module: Any = technique.rewired(made(lambda: nn.Linear(20, 1)), Noise(1, "noise"), len(x))
    descended(module, x, y, steps=600, rate=0.1)
    weight = module.weight.detach()[0]

    assert weight[0].item() == pytest.approx(3, abs=0.05)
    assert (weight[1:] == 0).sum() > 12
    # what is left of the others fits the noise of the target, and is next to nothing
    assert weight[1:].abs().max() < 0.01


# Bayesian layers


@pytest.mark.parametrize(
    ("technique", "build", "axes"),
    [
        (SparseVariationalDropout(initial_std=0.2), lambda: nn.Linear(5, 4), (5,)),
        (
            SparseVariationalDropout(initial_std=0.2),
            lambda: nn.Conv2d(4, 6, 3, stride=2, groups=2),
            (4, 5, 3),
        ),
        (BayesianLinear(initial_std=0.2), lambda: nn.Linear(5, 4), (5,)),
    ],
    ids=["sparse", "sparse convolution", "bayesian"],
)
def test_outputs_have_the_moments_of_random_weights(technique: Any, build: Any, axes: Any) -> None:
    """Over 6000 draws, outputs have the mean and the variance that normal weights give them."""
    layer, x, rows = made(build), normal(1, *axes), 6000
    module = technique.rewired(layer, Noise(1, "noise"), 1)
    w = getattr(module, "mean", layer.weight).detach()
    with torch.no_grad():
        drawn = module(x.expand(rows, *axes))
        mean = module.respond(x, w, module.bias)[0]
        variance = module.respond(x.square(), torch.full_like(w, 0.2**2), None)[0]
    squares = (drawn - mean).square()

    assert ((drawn.mean(dim=0) - mean).abs() < 5 * drawn.std(dim=0) / rows**0.5).all()
    assert ((squares.mean(dim=0) - variance).abs() < 5 * squares.std(dim=0) / rows**0.5).all()


def test_bayesian_divergence_is_torchs() -> None:
    """The price is the divergence of two normal distributions over N, with the gradients of torch's."""
    module: Any = BayesianLinear(prior_std=0.3, initial_std=0.05).rewired(
        made(lambda: nn.Linear(5, 4)), Noise(1, "noise"), 30
    )
    posterior = torch.distributions.Normal(module.weight, module.std)
    prior = torch.distributions.Normal(torch.zeros(()).double(), torch.tensor(0.3).double())
    expected = torch.distributions.kl_divergence(posterior, prior).sum() / 30
    parameters = [module.weight, module.rho]

    torch.testing.assert_close(module.std, torch.full_like(module.weight, 0.05))
    torch.testing.assert_close(module.cost(), expected)
    torch.testing.assert_close(
        torch.autograd.grad(module.cost(), parameters), torch.autograd.grad(expected, parameters)
    )


@pytest.mark.parametrize("build", [40.0, 1e-6], ids=["wide", "narrow"])
def test_bayesian_noise_begins_as_wide_as_asked(build: float) -> None:
    """The softplus that keeps σ positive is inverted for large and small values alike."""
    module: Any = BayesianLinear(initial_std=build).rewired(
        made(lambda: nn.Linear(5, 4)), Noise(1, "noise"), 1
    )

    torch.testing.assert_close(module.std, torch.full_like(module.weight, build))


def test_bayesian_linear_learns_the_posterior() -> None:
    """On orthogonal inputs, μ and σ become those of the posterior of the linear model in closed form."""
    n, k, noise, prior = 32, 4, 0.5, 0.7
    design = torch.linalg.qr(normal(n, k)).Q * n**0.5  # XᵀX = n·I
    y = design @ torch.tensor([[1.0], [-0.5], [0.2], [0.0]]).double() + noise * normal(n, 1, seed=2)
    precision = n / noise**2 + 1 / prior**2
    technique = BayesianLinear(strength=2 * noise**2, prior_std=prior, initial_std=0.2)
    module: Any = technique.rewired(made(lambda: nn.Linear(k, 1, bias=False)), Noise(1, "noise"), n)
    descended(module, design.repeat(60, 1), y.repeat(60, 1), steps=600, rate=0.05)

    torch.testing.assert_close(
        module.weight.T, design.T @ y / noise**2 / precision, atol=0.05 * precision**-0.5, rtol=0
    )
    torch.testing.assert_close(module.std, torch.full_like(module.std, precision**-0.5), rtol=0.03, atol=0)
