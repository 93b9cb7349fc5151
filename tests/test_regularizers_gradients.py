"""Anchors, shrinkage, learning rates, constraints and gradient rules, against closed forms and torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from studylib.errors import ParameterError
from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import AnchoredPenalty, GradientRule
from studylib.regularizers.clip_norm import ClipNorm
from studylib.regularizers.clip_value import ClipValue
from studylib.regularizers.coupled_weight_decay import CoupledWeightDecay
from studylib.regularizers.fedprox import FedProx
from studylib.regularizers.gradient_noise import GradientNoise
from studylib.regularizers.l2 import L2
from studylib.regularizers.l2_sp import L2SP
from studylib.regularizers.layerwise_lr_decay import LayerwiseLrDecay
from studylib.regularizers.non_negative import NonNegative
from studylib.regularizers.unit_norm import UnitNorm
from studylib.regularizers.weight_decay import WeightDecay
from studylib.seeds import Noise, Recorded, Replayed
from studylib.trainers.conversions import from_fedprox_mu, to_fedprox_mu

if TYPE_CHECKING:
    from collections.abc import Callable

LAYERS = ("embedding", "hidden1", "hidden2", "output")

every_anchored = pytest.mark.parametrize("penalty", [L2SP(strength=0.3), FedProx(strength=0.3)], ids=repr)
every_rule = pytest.mark.parametrize(
    "rule", [e for e in EXAMPLES.values() if isinstance(e, GradientRule)], ids=lambda e: type(e).__name__
)


def normal(*shape: int, seed: int = 1) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# what draws weights to where they were


def test_every_anchored_penalty_has_an_anchor_from_the_start() -> None:
    """The weights at the beginning of the first epoch are the first anchor."""
    anchored = [e for e in EXAMPLES.values() if isinstance(e, AnchoredPenalty)]

    assert anchored
    assert all(penalty.renews(0) for penalty in anchored)


@every_anchored
def test_an_anchored_penalty_is_lambda_times_the_squared_distance(penalty: L2SP | FedProx) -> None:
    """It is l2 of w − anchor, without a factor ½; 0 at the anchor with slope 0; off without strength."""
    w, anchor = normal(3, 4).requires_grad_(), normal(3, 4, seed=2)
    (slope,) = torch.autograd.grad(penalty.value(w, anchor), w)
    at_rest = penalty.value(w, w.detach())

    torch.testing.assert_close(penalty.value(w, anchor), L2(strength=0.3).value(w - anchor))
    torch.testing.assert_close(slope, 0.6 * (w - anchor).detach())
    assert at_rest == 0
    assert not torch.autograd.grad(at_rest, w)[0].any()
    assert penalty.model_copy(update={"strength": 0.0}).value(w, anchor) == 0


@every_anchored
def test_an_anchored_penalty_works_per_replica(penalty: L2SP | FedProx) -> None:
    """Over stacked weights, anchors and strengths, its value is that of each."""
    w, anchor, factors = normal(3, 4, 2), normal(3, 4, 2, seed=2), torch.tensor([0.0, 1.0, 2.0]).double()
    stacked = torch.func.vmap(lambda f, a, b: penalty.turned(f).value(a, b))(factors, w, anchor)
    each = [penalty.turned(f).value(a, b) for f, a, b in zip(factors, w, anchor, strict=True)]

    torch.testing.assert_close(stacked, torch.stack(each))


def test_l2_sp_keeps_its_anchor_and_fedprox_renews_it_every_round() -> None:
    """The anchor is that of epoch 0 for good, or of every second epoch."""
    assert [L2SP(strength=0.1).renews(epoch) for epoch in range(4)] == [True, False, False, False]
    assert [FedProx(strength=0.1, epochs=2).renews(epoch) for epoch in range(4)] == [True, False, True, False]


def test_where_training_ends_with_an_anchor() -> None:
    """On ½(w − m)², l2_sp ends at (m + 2λ·w⁰)/(1 + 2λ), and fedprox, round after round, at m itself."""
    m = normal(6)
    for penalty, end in ((L2SP(strength=0.4), (m + 0.8) / 1.8), (FedProx(strength=0.4, epochs=10), m)):
        w = torch.ones(6, dtype=torch.float64, requires_grad=True)
        anchor = w.detach()
        for epoch in range(600):
            if penalty.renews(epoch):
                anchor = w.detach()
            (slope,) = torch.autograd.grad((w - m).square().sum() / 2 + penalty.value(w, anchor), w)
            w = (w - 0.3 * slope).detach().requires_grad_()

        torch.testing.assert_close(w.detach(), end)


def test_the_papers_mu_is_twice_our_strength() -> None:
    """½·μ·‖w − wₜ‖² at the converted μ is our value, and the conversion has an inverse."""
    w, anchor, mu = normal(7), normal(7, seed=2), to_fedprox_mu(0.05)

    torch.testing.assert_close(mu / 2 * (w - anchor).norm() ** 2, FedProx(strength=0.05).value(w, anchor))
    assert from_fedprox_mu(mu) == 0.05


# shrinkage and learning rates


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda w, decay: torch.optim.SGD([w], lr=0.05, momentum=0.9, weight_decay=decay),
        lambda w, decay: torch.optim.Adam([w], lr=0.05, weight_decay=decay),
    ],
    ids=["momentum", "adam"],
)
def test_coupled_weight_decay_is_that_of_torch(optimizer: Callable[[Tensor, float], Any]) -> None:
    """λ·w added to each gradient gives the weights of torch's weight_decay, and those of l2 at λ/2."""
    share = CoupledWeightDecay(strength=0.3).share("hidden1")
    theirs, ours, penalised = (torch.nn.Parameter(normal(4, 3)) for _ in range(3))
    steps = [optimizer(theirs, 0.3), optimizer(ours, 0.0), optimizer(penalised, 0.0)]
    for step in range(30):
        (slope,) = torch.autograd.grad(L2(strength=0.15).value(penalised), penalised)
        theirs.grad = theirs.detach().sin() + step
        ours.grad = ours.detach().sin() + step + share * ours.detach()
        penalised.grad = penalised.detach().sin() + step + slope
        for one in steps:
            one.step()

    torch.testing.assert_close(ours, theirs, rtol=1e-15, atol=0)
    torch.testing.assert_close(penalised, theirs)


def test_coupled_and_decoupled_decay_part_under_adam() -> None:
    """In plain SGD they are one; Adam's first step is as long with coupled decay as without any."""
    w, g, rate = normal(5), normal(5, seed=2), 0.1
    factor = WeightDecay(strength=0.3).factor("output", rate)
    share = CoupledWeightDecay(strength=0.3).share("output")
    coupled = torch.nn.Parameter(w.clone())
    adam = torch.optim.Adam([coupled], lr=rate, eps=1e-12)
    coupled.grad = g + share * w
    adam.step()

    torch.testing.assert_close(factor * w - rate * g, w - rate * (g + share * w))
    torch.testing.assert_close(coupled.detach(), w - rate * (g + share * w).sign())


def test_layers_may_have_strengths_of_their_own() -> None:
    """The first pattern of by_layer that matches counts, else strength; a schedule turns all of them."""
    own = {"hidden1": 0.0, "hidden*": 0.5}
    coupled = CoupledWeightDecay(strength=0.2, by_layer=own)
    apart = WeightDecay(strength=0.2, by_layer=own)

    assert [coupled.share(layer) for layer in LAYERS] == [0.2, 0, 0.5, 0.2]
    assert [coupled.turned(0.5).share(layer) for layer in LAYERS] == [0.1, 0, 0.25, 0.1]
    assert [apart.factor(layer, 0.1) for layer in LAYERS] == pytest.approx([0.98, 1, 0.95, 0.98])
    assert [apart.turned(0.5).factor(layer, 0.1) for layer in LAYERS] == pytest.approx([0.99, 1, 0.975, 0.99])


def test_a_layers_own_strength_is_held_to_the_limit_too() -> None:
    """A product above 1 is refused for the layer that has it, and for no other."""
    decay = WeightDecay(strength=0.2, by_layer={"output": 30.0})

    assert decay.factor("hidden1", 0.1) == pytest.approx(0.98)
    with pytest.raises(ParameterError, match="flip the sign"):
        decay.factor("output", 0.1)


def test_layers_learn_more_slowly_the_lower_they_are() -> None:
    """The top learns at the full rate, each below at the decay times that above; 1 changes nothing."""
    shares = [LayerwiseLrDecay(decay=1 / 2.6).share(layer, LAYERS) for layer in LAYERS]

    assert shares == pytest.approx([2.6**-3, 2.6**-2, 1 / 2.6, 1])
    assert {LayerwiseLrDecay(decay=1.0).share(layer, LAYERS) for layer in LAYERS} == {1.0}


# constraints


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 2, 2)], ids=str)
def test_unit_norm_is_torchs_normalize_of_rows(shape: tuple[int, ...]) -> None:
    """Rows get norm 1 in their direction, also where squares overflow or vanish; zero rows stay zero."""
    w = normal(*shape)
    expected = functional.normalize(w.flatten(1), dim=1).reshape(shape)
    w[1] *= 1e-200
    w[2] *= 1e200
    torch.testing.assert_close(UnitNorm().project(w), expected)
    w[3] = 0
    projected = UnitNorm().project(w)

    assert not projected[3].any()
    torch.testing.assert_close(projected[4:], expected[4:])


def test_non_negative_is_the_positive_part() -> None:
    """What is negative becomes zero, what is positive stays bit for bit."""
    assert torch.equal(NonNegative().project(normal(6, 4)), functional.relu(normal(6, 4)))


# gradients


def gradients(seed: int = 1, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Return gradients of three weights of different shapes."""
    return [normal(*shape, seed=seed).to(dtype) for shape in ((4, 3), (4,), (2, 3, 2, 2))]


def ruled(rule: GradientRule, given: list[Tensor], step: int = 0) -> list[Tensor]:
    """Return what the rule makes of gradients with the noise of one test."""
    return rule.apply(given, Noise(1, "noise"), step)


def clipped(clip: Callable[..., object], given: list[Tensor], limit: float) -> list[Tensor]:
    """Return the gradients as a function of torch clips them."""
    weights = [torch.nn.Parameter(torch.zeros_like(g)) for g in given]
    for w, g in zip(weights, given, strict=True):
        w.grad = g.clone()
    clip(weights, limit)
    return [w.grad for w in weights if w.grad is not None]


def norm_of(given: list[Tensor]) -> float:
    """Return the norm over all gradients together."""
    return math.sqrt(sum(float(g.square().sum()) for g in given))


@every_rule
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_rule_keeps_the_form_of_the_gradients(rule: GradientRule, dtype: torch.dtype) -> None:
    """Shapes and types stay, nothing given is written to, equal noise gives equal results, and 0 is safe."""
    given = gradients(dtype=dtype)
    before = [g.clone() for g in given]
    after = ruled(rule, given)

    assert [(g.shape, g.dtype) for g in after] == [(g.shape, g.dtype) for g in given]
    assert all(map(torch.equal, given, before))
    assert all(map(torch.equal, after, ruled(rule, given)))
    assert all(g.isfinite().all() for g in ruled(rule, [torch.zeros_like(g) for g in given]))


@every_rule
def test_a_rule_works_per_replica(rule: GradientRule) -> None:
    """Over stacked gradients, draws and steps, the result is that of each fit."""
    fits = [[5 * g for g in gradients(seed)] for seed in range(3)]
    recorded = [Recorded(Noise(seed, "noise")) for seed in range(3)]
    alone = [rule.apply(fits[k], recorded[k], 4 + k) for k in range(3)]
    stacks = [torch.stack(column) for column in zip(*fits, strict=True)]
    draws = [torch.stack(column) for column in zip(*(noise.drawn for noise in recorded), strict=True)]
    together = torch.func.vmap(lambda g, drawn, step: rule.apply(g, Replayed(drawn), step))(
        stacks, draws, torch.arange(4, 7)
    )

    for k, stack in enumerate(together):
        torch.testing.assert_close(stack, torch.stack([one[k] for one in alone]))


@pytest.mark.parametrize("limit", [0.5, 3.0, 100.0])
def test_clip_norm_is_that_of_torch(limit: float) -> None:
    """Gradients are torch's to two millionths; a norm above the limit becomes it, below it nothing moves."""
    given = gradients()
    after = ruled(ClipNorm(limit=limit), given)

    for ours, theirs in zip(after, clipped(torch.nn.utils.clip_grad_norm_, given, limit), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=2e-6, atol=0)
    assert norm_of(after) == pytest.approx(min(norm_of(given), limit), rel=1e-12)
    assert all(map(torch.equal, after, given)) == (norm_of(given) < limit)


def test_clip_norm_overflows_nowhere_and_hides_nothing() -> None:
    """Gradients of 10³⁰ in float32 keep their direction; one infinity or NaN makes all of them NaN."""
    given = gradients(dtype=torch.float32)
    rule = ClipNorm(limit=1.0)
    for ours, expected in zip(ruled(rule, [1e30 * g for g in given]), ruled(rule, given), strict=True):
        torch.testing.assert_close(ours, expected)
    for poison in (math.inf, -math.inf, math.nan):
        given[1][2] = poison
        assert all(g.isnan().all() for g in ruled(rule, given))


def test_clip_value_is_that_of_torch() -> None:
    """Number by number torch's; infinities become the limit, and NaN stays where it is."""
    given = [3 * g for g in gradients()]
    given[1][:3] = torch.tensor([math.inf, -math.inf, math.nan])
    after = ruled(ClipValue(limit=0.5), given)

    for ours, theirs in zip(after, clipped(torch.nn.utils.clip_grad_value_, given, 0.5), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)
    assert after[1][:2].tolist() == [0.5, -0.5]
    assert after[1].isnan().tolist() == [False, False, True, False]


@pytest.mark.parametrize("step", [0, 10, 1000])
def test_gradient_noise_falls_as_the_paper_says(step: int) -> None:
    """Noise is normal around the gradient with variance η/(1 + t)^γ, within five standard errors."""
    given = [normal(50_000)]
    noise = ruled(GradientNoise(std=0.3, decay=0.55), given, step)[0] - given[0]
    variance = 0.09 / (1 + step) ** 0.55

    assert abs(noise.mean()) < 5 * (variance / 50_000) ** 0.5
    assert float(noise.var()) == pytest.approx(variance, rel=5 * (2 / 50_000) ** 0.5)
    assert float((noise.abs() < variance**0.5).double().mean()) == pytest.approx(0.6827, abs=5 * 0.0021)


def test_gradient_noise_without_a_size_is_off() -> None:
    """A std of 0 leaves the gradients alone bit for bit; a decay of 0 keeps the noise at its first size."""
    given, kept = gradients(), GradientNoise(std=0.3, decay=0.0)

    assert all(map(torch.equal, ruled(GradientNoise(std=0.0), given, 3), given))
    assert all(map(torch.equal, ruled(kept, given, 0), ruled(kept, given, 99)))
