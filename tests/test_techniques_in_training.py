"""Techniques where they touch training: the trainer does step by step what torch does by hand."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from made_up import Grades, MadeUp, Measures, Pictures, Prices, Sentences
from torch import Tensor, nn
from torch.nn import functional as F

from studylib import models
from studylib.models.mlp import MLP
from studylib.regularizers import make
from studylib.seeds import Noise, initialising
from studylib.trainers._rewiring import rewire
from studylib.trainers._rewiring import weights as acting
from studylib.trainers._steps import Update
from studylib.trainers.base import Training
from studylib.trainers.gradient import Trained, train
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studylib.regularizers.base import Regularizer

SMALL = MLP(hidden=(6, 5))
STEPS = 24
NORMED = models.CATALOGUE.make("mlp", {"hidden": [6]})


def trained(dataset: MadeUp, arm: list[Regularizer], model: Any = SMALL, **training: Any) -> Trained:
    """Train on a dataset for a few epochs in float64."""
    settings = {"epochs": 3, "batch_size": 16, "learning_rate": 0.02, "precision": "float64", **training}
    return train(dataset.split(1), model, arm, Training(**settings), seed=1)


def weights(result: Trained) -> list[Tensor]:
    """Return the parameters."""
    return list(result.module.parameters())


def batches() -> Iterator[tuple[Tensor, Tensor]]:
    """Give the same batches of eight rows again and again."""
    split = Measures().split(0)
    x, y = torch.from_numpy(split.train.x), torch.from_numpy(split.train.y)
    for step in range(STEPS):
        rows = slice(step % 5 * 8, step % 5 * 8 + 8)
        yield x[rows], y[rows]


def both(
    arm: list[Regularizer], training: Training, peer_step: Callable[[nn.Module, Tensor, int], None]
) -> tuple[nn.Module, nn.Module]:
    """Return two networks from the same weights: one after our steps, one after those of ``peer_step``."""
    with initialising(0):
        ours = SMALL.build((5,), 2).double()
    peer = deepcopy(ours)
    update = Update(Techniques(arm, 0, "cpu"), ours, SMALL, training, STEPS)
    for step, (x, y) in enumerate(batches()):
        update(F.cross_entropy(ours(x), y))
        peer_step(peer, F.cross_entropy(peer(x), y), step)
    return ours, peer


def assert_same(ours: nn.Module, peer: nn.Module) -> None:
    """Compare all parameters to 1e-12."""
    for w, expected in zip(ours.parameters(), peer.parameters(), strict=True):
        torch.testing.assert_close(w, expected, rtol=0, atol=1e-12)


def stepping(
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    before: Callable[[nn.Module], object] = lambda _: None,
    scheduled: Callable[[torch.optim.Optimizer], Any] | None = None,
) -> Callable[[nn.Module, Tensor, int], None]:
    """Return a step by torch's own optimizer, made when it first sees the network."""
    known: dict[str, Any] = {}

    def step(peer: nn.Module, loss: Tensor, number: int) -> None:
        if number == 0:
            known["optimizer"] = make_optimizer(peer)
            known["schedule"] = scheduled(known["optimizer"]) if scheduled else None
        known["optimizer"].zero_grad()
        loss.backward()
        before(peer)
        known["optimizer"].step()
        if known["schedule"]:
            known["schedule"].step()

    return step


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_coupled_weight_decay_is_that_of_torch(optimizer: str) -> None:
    """λ·w in the gradient is what SGD and Adam of torch call weight decay; biases are left out of it."""
    cls: Any = {"sgd": torch.optim.SGD, "adamw": torch.optim.Adam}[optimizer]

    def groups(peer: nn.Module) -> torch.optim.Optimizer:
        by = {rank: [w for w in peer.parameters() if w.ndim == rank] for rank in (1, 2)}
        decays = [{"params": by[2], "weight_decay": 0.3}, {"params": by[1], "weight_decay": 0.0}]
        made: torch.optim.Optimizer = cls(decays, lr=0.05, foreach=False)
        return made

    training = Training(optimizer=optimizer, learning_rate=0.05, precision="float64")  # type: ignore[arg-type]  # one of two

    assert_same(*both([make("coupled_weight_decay", strength=0.3)], training, stepping(groups)))


@pytest.mark.parametrize("rule", ["clip_norm", "clip_value"])
def test_clipping_is_that_of_torch(rule: str) -> None:
    """All gradients together are clipped before the optimizer sees them."""
    limit = 0.02 if rule == "clip_value" else 0.05
    clip = {
        "clip_norm": lambda peer: nn.utils.clip_grad_norm_(peer.parameters(), limit),
        "clip_value": lambda peer: nn.utils.clip_grad_value_(peer.parameters(), limit),
    }[rule]
    (setting,) = (name for name in type(make_example(rule)).model_fields if name != "layers")
    training = Training(optimizer="sgd", learning_rate=0.5, precision="float64")
    arm = [make(rule, **{setting: limit})]
    step = stepping(lambda peer: torch.optim.SGD(peer.parameters(), lr=0.5), clip)
    ours, peer = both(arm, training, step)
    free, _ = both([], training, step)

    for w, expected in zip(ours.parameters(), peer.parameters(), strict=True):
        torch.testing.assert_close(w, expected, rtol=1e-5, atol=1e-9)  # torch adds 1e-6 to the norm
    assert any(not torch.equal(*pair) for pair in zip(ours.parameters(), free.parameters(), strict=True))


def make_example(name: str) -> Regularizer:
    """Return the example of a technique."""
    from studylib.regularizers import EXAMPLES

    return EXAMPLES[name]


@pytest.mark.parametrize("shape", ["constant", "linear", "cosine"])
def test_a_learning_rate_schedule_is_that_of_torch(shape: str) -> None:
    """The rate of each step is LinearLR's to 0 and CosineAnnealingLR's over all steps."""
    of_torch = {
        "constant": lambda one: torch.optim.lr_scheduler.ConstantLR(one, 1.0),
        "linear": lambda one: torch.optim.lr_scheduler.LinearLR(one, 1.0, 0.0, STEPS),
        "cosine": lambda one: torch.optim.lr_scheduler.CosineAnnealingLR(one, STEPS),
    }
    training = Training(learning_rate=0.05, learning_rate_schedule=shape, precision="float64")  # type: ignore[arg-type]  # one of three
    step = stepping(
        lambda peer: torch.optim.AdamW(peer.parameters(), lr=0.05, weight_decay=0.0, foreach=False),
        scheduled=of_torch[shape],
    )

    assert_same(*both([], training, step))


@pytest.mark.parametrize("technique", ["l1", "weight_decay"])
def test_what_is_scaled_by_the_learning_rate_follows_its_schedule(technique: str) -> None:
    """Prox and decay of a step use the rate of that step: by hand, with SGD and a rate that falls to 0."""
    training = Training(
        optimizer="sgd", learning_rate=0.5, learning_rate_schedule="linear", precision="float64"
    )

    def by_hand(peer: nn.Module, loss: Tensor, step: int) -> None:
        rate = 0.5 * (1 - step / STEPS)
        gradients = torch.autograd.grad(loss, list(peer.parameters()))
        with torch.no_grad():
            for w, gradient in zip(peer.parameters(), gradients, strict=True):
                kept = 1 - rate * 0.1 if technique == "weight_decay" and w.ndim == 2 else 1.0
                w.mul_(kept).sub_(rate * gradient)
                if technique == "l1" and w.ndim == 2:
                    w.copy_(w.sign() * (w.abs() - rate * 0.1).clamp(min=0))

    assert_same(*both([make(technique, strength=0.1)], training, by_hand))


def test_layers_have_learning_rates_of_their_own() -> None:
    """The trainer's steps are those of torch with a parameter group per layer."""
    arm = [make("layerwise_lr_decay", decay=0.5)]
    rates = {"hidden1": 0.25, "hidden2": 0.5, "output": 1.0}

    def groups(peer: nn.Module) -> torch.optim.Optimizer:
        by = [
            {"params": list(peer.get_submodule(layer).parameters()), "lr": 0.05 * share}
            for layer, share in rates.items()
        ]
        return torch.optim.AdamW(by, weight_decay=0.0, foreach=False)

    assert_same(*both(arm, Training(learning_rate=0.05, precision="float64"), stepping(groups)))


def test_strengths_may_differ_by_layer() -> None:
    """The decay of a layer is that of the first pattern that matches it."""
    arm = [make("weight_decay", strength=0.1, by_layer={"hidden1": 0.5, "hidden*": 0.0})]
    strengths = {"hidden1": 0.5, "hidden2": 0.0, "output": 0.1}

    def groups(peer: nn.Module) -> torch.optim.Optimizer:
        decays = []
        for layer, strength in strengths.items():
            part = peer.get_submodule(layer)
            decays += [{"params": [part.weight], "weight_decay": strength}]
            decays += [{"params": [part.bias], "weight_decay": 0.0}]
        return torch.optim.AdamW(decays, lr=0.05, foreach=False)

    assert_same(*both(arm, Training(learning_rate=0.05, precision="float64"), stepping(groups)))


def test_weight_decay_shrinks_the_scales_of_a_normed_weight() -> None:
    """A step that decays g, of w = g·v/‖v‖, shrinks the weight that acts by the very factor."""
    training = Training(optimizer="sgd", learning_rate=0.1, precision="float64")
    techniques = Techniques([make("weight_norm"), make("weight_decay", strength=2.0)], 0, "cpu")
    with initialising(0):
        module = SMALL.build((5,), 2).double()
    rewire(module, SMALL, techniques, 40)
    before = {layer: acting(module, layer).detach().clone() for layer in SMALL.layers()}
    update = Update(techniques, module, SMALL, training, 1)
    update(0.0 * module(torch.zeros(1, 5, dtype=torch.float64)).sum())

    for layer, w in before.items():
        torch.testing.assert_close(acting(module, layer), 0.8 * w, rtol=1e-12, atol=0)


def test_smoothing_and_mixing_and_dropping_each_have_their_place() -> None:
    """Dropout stands after the activation, and batch norm of the next layer sees what it left."""
    arm = [make("batch_norm"), make("dropout", rate=0.5)]
    module = SMALL.build((5,), 2).double()
    rewire(module, SMALL, Techniques(arm, 0, "cpu"), 40)
    kinds = [type(part).__name__ for part in module.modules() if not isinstance(part, nn.Sequential)]
    hidden = ["Linear", "Normalisation", "ReLU", "Stochastic"]

    assert kinds == ["Flatten", *hidden, *hidden, "Linear"]


def test_frozen_layers_stay_to_the_bit_and_learn_later() -> None:
    """In the first epoch only the output moves; each epoch after lets one more layer go."""
    start = trained(Measures(), [make("gradual_unfreezing", epochs=10)], epochs=1)
    with initialising(1):
        initial = SMALL.build((5,), 2).double()
    later = trained(Measures(), [make("gradual_unfreezing", epochs=1)], epochs=3)
    moved = {
        name: not torch.equal(start.module.get_parameter(name), initial.get_parameter(name))
        for name, _ in initial.named_parameters()
    }

    assert {name for name, did in moved.items() if did} == {"output.weight", "output.bias"}
    for name, w in initial.named_parameters():
        assert not torch.equal(later.module.get_parameter(name), w)


@pytest.mark.parametrize("technique", ["swa", "ema"])
def test_averages_are_those_of_torch_and_statistics_are_renewed(technique: str) -> None:
    """Weights are AveragedModel's, and batch norm's statistics those of update_bn over the train rows."""
    arm = [make("batch_norm"), make_example(technique)]
    split = Measures().split(1)
    plain = [make("batch_norm")]
    # the same training, stopped earlier: its weights after each epoch
    seen = [dict(trained(Measures(), plain, epochs=end).module.state_dict()) for end in range(1, 5)]
    ours = trained(Measures(), arm, epochs=4).module
    technique_of: Any = arm[1]
    if technique == "swa":
        shares = [technique_of.share(3 * (epoch + 1), 3, 4) for epoch in range(4)]
        expected = {name: torch.zeros_like(w) for name, w in ours.named_parameters()}
        for share, state in zip(shares, seen, strict=True):
            expected = {name: mean + share * (state[name] - mean) for name, mean in expected.items()}
        for name, w in ours.named_parameters():
            torch.testing.assert_close(w, expected[name], rtol=0, atol=1e-12)
    peer = deepcopy(ours)
    rows = torch.from_numpy(split.train.x)
    hidden = peer.get_submodule("hidden1")(rows)
    statistics = [part for part in ours.modules() if hasattr(part, "running_mean")]

    torch.testing.assert_close(statistics[0].running_mean, hidden.mean(dim=0))
    torch.testing.assert_close(statistics[0].running_var, hidden.var(dim=0))


def test_a_schedule_turns_strengths_on_and_off() -> None:
    """Dropout for no epoch is no dropout; early dropout of all epochs is dropout."""
    dropout = make("dropout", rate=0.4)
    plain, dropped = trained(Measures(), []), trained(Measures(), [dropout])
    never = trained(Measures(), [dropout, make("late_dropout", epochs=3)])
    always = trained(Measures(), [dropout, make("early_dropout", epochs=3, shape="constant")])
    early = trained(Measures(), [dropout, make("early_dropout", epochs=1, shape="constant")])

    assert all(torch.equal(*pair) for pair in zip(weights(plain), weights(never), strict=True))
    assert all(torch.equal(*pair) for pair in zip(weights(dropped), weights(always), strict=True))
    assert early.train_loss[0] == dropped.train_loss[0]
    assert early.train_loss[1:] != dropped.train_loss[1:]


def test_a_schedule_turns_penalties_too() -> None:
    """A penalty at factor 0 in every epoch is no penalty, for those with a prox as for smooth ones."""
    settings = {"technique": "l*", "shape": "falling", "start": 0.0, "end": 0.0}
    known = type(make_example("strength_schedule")).model_fields
    off = make("strength_schedule", **{key: value for key, value in settings.items() if key in known})
    plain = trained(Measures(), [])
    both_off = trained(Measures(), [make("l1", strength=0.1), make("l2", strength=0.1), off])

    assert all(torch.equal(*pair) for pair in zip(weights(plain), weights(both_off), strict=True))


def test_l2_sp_keeps_weights_near_their_start_and_l2_near_zero() -> None:
    """A strong pull to the anchor leaves the initial weights, a strong pull to 0 leaves none."""
    with initialising(1):
        initial = SMALL.build((5,), 2).double()
    settings = {"epochs": 60, "optimizer": "sgd", "learning_rate": 0.01}
    anchored = trained(Measures(), [make("l2_sp", strength=20.0)], **settings)
    shrunk = trained(Measures(), [make("l2", strength=20.0)], **settings)
    for layer in SMALL.layers():
        w = initial.get_parameter(f"{layer}.weight")
        distance = (anchored.module.get_parameter(f"{layer}.weight") - w).norm()

        assert distance < 0.02 * w.norm()
        assert shrunk.module.get_parameter(f"{layer}.weight").norm() < 0.05 * w.norm()


def test_label_noise_corrupts_once_and_for_all() -> None:
    """The targets of one epoch are those of every epoch, and differ from the true ones."""
    from studylib.trainers._batches import targets

    split = Grades().split(1)
    y = torch.from_numpy(split.train.y)
    arm = [make("label_noise", **make_example("label_noise").model_dump())]
    first, again = (targets(y, split, Techniques(arm, 1, "cpu"), torch.float64) for _ in range(2))

    assert torch.equal(first, again)
    assert not torch.equal(first, y)


def test_an_attack_is_made_against_the_model_as_it_stands() -> None:
    """A training under attack fits clean rows worse, and attacked ones better, than one without."""
    plain = trained(Measures(), [], epochs=20)
    robust = trained(Measures(), [make_example("adversarial").model_copy(update={"epsilon": 0.4})], epochs=20)
    split = Measures().split(1)
    x, y = torch.from_numpy(split.train.x), torch.from_numpy(split.train.y)

    def attacked(module: nn.Module) -> float:
        rows = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(module.eval()(rows), y), rows)
        return float(F.cross_entropy(module(x + 0.2 * gradient.sign()), y).detach())

    assert attacked(robust.module) < attacked(plain.module)


def test_mc_dropout_averages_over_draws_and_repeats_itself() -> None:
    """Predictions are the same twice, near the mean over many draws, and dropping is off elsewhere."""
    arm = [make("dropout", rate=0.5)]
    sampled = trained(Measures(), [*arm, make("mc_dropout", samples=400)])
    plain = trained(Measures(), arm)
    x = Measures().split(1).test.x
    first = sampled.predict(x)

    assert np.array_equal(first, sampled.predict(x))
    assert all(torch.equal(*pair) for pair in zip(weights(sampled), weights(plain), strict=True))
    assert not np.allclose(first, plain.predict(x))
    assert sampled.validation_loss == plain.validation_loss


def test_a_temperature_changes_confidence_and_no_decision() -> None:
    """The classes are those without it, the validation loss is no higher."""
    plain = trained(Grades(), [], epochs=60)
    calibrated = trained(Grades(), [make("temperature_scaling")], epochs=60)
    split = Grades().split(1)
    before, after = plain.predict(split.test.x), calibrated.predict(split.test.x)
    losses = [
        float(
            F.cross_entropy(
                torch.from_numpy(one.predict(split.validation.x)), torch.from_numpy(split.validation.y)
            )
        )
        for one in (plain, calibrated)
    ]

    assert np.array_equal(before.argmax(1), after.argmax(1))
    assert not np.allclose(before, after)
    assert losses[1] <= losses[0]


def test_mixing_word_vectors_mixes_their_targets_alike() -> None:
    """The module in the slot and the perturbation of the targets draw the same share and partners."""
    arm = [make_example("embedding_mixup")]
    techniques = Techniques(arm, 3, "cpu")
    model = models.CATALOGUE.make("bag_of_words", {"dimension": 4})
    split = Sentences().split(0)
    module = model.build(split.inputs, split.outputs).double().train()
    plain = deepcopy(module)
    rewire(module, model, techniques, len(split.train))
    technique: Any = arm[0]
    x = torch.full((6, 9), 3)
    x[3:] = 4
    hard = F.one_hot(torch.tensor([0, 0, 0, 1, 1, 1]), 2).double()
    _, soft = technique.perturb(x, hard, techniques.noise(technique))
    ends = plain(torch.tensor([[3] * 9, [4] * 9]))

    torch.testing.assert_close(module(x), soft @ ends)


def test_noise_of_a_technique_is_its_own() -> None:
    """Asking twice for the stream of a technique gives the same draws."""
    techniques = Techniques([make("dropout", rate=0.4)], 5, "cpu")
    (dropout,) = techniques.of(type(make("dropout", rate=0.4)))
    like = torch.zeros(1)
    streams = [techniques.noise(dropout), Noise(5, "noise/dropout")]

    assert torch.equal(*(stream.uniform(7, like=like) for stream in streams))


@pytest.mark.parametrize("dataset", [Pictures(), Prices()], ids=lambda one: one.task)
def test_an_arm_of_many_kinds_is_the_same_in_any_order(dataset: MadeUp) -> None:
    """The order in which an arm names its techniques changes no bit."""
    names = ["l2", "weight_decay", "max_norm", "dropout", "input_noise", "clip_norm", "gradient_noise", "ema"]
    arm = [make_example(name) for name in names]
    one, other = (trained(dataset, own) for own in (arm, arm[::-1]))

    assert all(torch.equal(*pair) for pair in zip(weights(one), weights(other), strict=True))
