"""Fits that are trained as one network: each as if alone, however many there are and whoever they are."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
import torch
from made_up import MadeUp, Measures, Pictures, Prices, Sentences

from studylib import regularizers
from studylib.datasets.base import Split
from studylib.errors import Divergence, ParameterError
from studylib.models.bag_of_words import BagOfWords
from studylib.models.base import Model
from studylib.models.linear import Linear
from studylib.models.mlp import MLP
from studylib.models.small_cnn import SmallCNN
from studylib.regularizers import make
from studylib.regularizers.base import Regularizer, StrengthSchedule
from studylib.seeds import Noise
from studylib.trainers import gradient, stacked
from studylib.trainers._joined import Alone, joined
from studylib.trainers._stack_objective import cross_entropies
from studylib.trainers._together import Together
from studylib.trainers.base import Training
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.gradient import Trained
from studylib.trainers.stacked import Member
from studylib.trainers.stacks import why_alone

CASES: tuple[tuple[MadeUp, Model], ...] = (
    (Pictures(), MLP(hidden=(6, 5))),
    (Sentences(), BagOfWords(dimension=5)),
    (Pictures(), SmallCNN(channels=(4, 5), hidden=6)),
)
DEVICE = "cuda"  # all of them are stacked there, and that they can be is a matter of their structure
TRAINING = Training(epochs=3, batch_size=16, learning_rate=0.01)


def arm(name: str) -> tuple[Regularizer, ...]:
    """Return the example of a technique, with what it cannot do without."""
    example = regularizers.EXAMPLES[name]
    if isinstance(example, StrengthSchedule):
        return (example.model_copy(update={"technique": "l2"}), make("l2", strength=0.01))
    return (example, make("dropout", rate=0.3)) if name == "mc_dropout" else (example,)


def fits(technique: tuple[Regularizer, ...], dataset: MadeUp, model: Model) -> bool:
    """Tell whether the technique has a meaning for the model, and needs no files."""
    try:
        refuse_misfits(dataset, model, technique, TRAINING, "here")
    except ParameterError:
        return False
    return True


def possible() -> list[tuple[str, MadeUp, Model]]:
    """Return every technique with each network that it fits."""
    return [
        (name, dataset, model)
        for dataset, model in CASES
        for name in regularizers.EXAMPLES
        if fits(arm(name), dataset, model)
    ]


POSSIBLE = possible()
STACKED = [case for case in POSSIBLE if not why_alone(case[2], arm(case[0]), DEVICE)]


def named(case: object) -> str:
    """Return what a case is called."""
    return case if isinstance(case, str) else str(getattr(case, "name", case))


@cache
def split(dataset: MadeUp, seed: int) -> Split:
    """Return the split of a seed, made once."""
    return dataset.split(seed)


def members(
    dataset: MadeUp, technique: tuple[Regularizer, ...], training: Training, count: int
) -> list[Member]:
    """Return fits of the first seeds."""
    return [Member(split(dataset, seed), technique, training, seed) for seed in range(count)]


def numbers(found: Trained | Divergence, dataset: MadeUp, seed: int) -> list[torch.Tensor]:
    """Return all that a training gives: weights, losses, predictions."""
    assert isinstance(found, Trained)
    losses = torch.tensor([*found.train_loss, *found.validation_loss])
    predicted = torch.from_numpy(found.predict(split(dataset, seed).test.x))
    return [*found.module.state_dict().values(), losses, predicted]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    """Tell whether two trainings gave the same bits."""
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("name", "dataset", "model"), STACKED, ids=named)
def test_a_fit_gives_the_same_bits_alone_and_among_others(name: str, dataset: MadeUp, model: Model) -> None:
    """The second of five, of three, and the only one: weights, losses and predictions are equal."""
    every = members(dataset, arm(name), TRAINING, 5)
    five, three = stacked.train(every, model), stacked.train(every[:3], model)
    [alone] = stacked.train(every[1:2], model)

    expected = numbers(alone, dataset, 1)
    assert same(numbers(five[1], dataset, 1), expected)
    assert same(numbers(three[1], dataset, 1), expected)


@pytest.mark.parametrize(("name", "dataset", "model"), STACKED, ids=named)
def test_a_stack_trains_as_the_loop_over_one_network_does(name: str, dataset: MadeUp, model: Model) -> None:
    """With the same streams, losses agree with those of the trainer that knows one network, to 1e-6."""
    training = TRAINING.model_copy(update={"precision": "float64"})
    both = stacked.train(members(dataset, arm(name), training, 2), model)
    one = gradient.train(split(dataset, 1), model, arm(name), training, 1)
    found = both[1]

    assert isinstance(found, Trained)
    assert found.validation_loss == pytest.approx(one.validation_loss, rel=1e-6)
    assert found.best_epoch == one.best_epoch
    rows = split(dataset, 1).test.x
    assert found.predict(rows) == pytest.approx(one.predict(rows), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("name", "dataset", "model"), POSSIBLE, ids=named)
def test_a_technique_says_whether_its_networks_can_be_joined(
    name: str, dataset: MadeUp, model: Model
) -> None:
    """Where it gives no reason to be alone, its networks are joined; a reason reads as a sentence."""
    why = why_alone(model, arm(name), DEVICE)
    if why:
        assert why.startswith(f"{name}: it ")
    else:
        stacked.train(members(dataset, arm(name), TRAINING.model_copy(update={"epochs": 1}), 2), model)


def test_what_has_no_counterpart_is_not_joined() -> None:
    """A layer of an unknown kind is named."""
    with pytest.raises(Alone, match="Bilinear"):
        joined([torch.nn.Bilinear(2, 2, 2)] * 2)


def test_strengths_and_learning_rates_of_one_stack_may_differ() -> None:
    """Each of four gives the bits that it gives alone."""
    dataset, model = CASES[0]
    mixed = [
        Member(
            split(dataset, seed),
            (make("dropout", rate=rate), make("l2", strength=strength)),
            TRAINING.model_copy(update={"learning_rate": learning_rate}),
            seed,
        )
        for seed, rate, strength, learning_rate in (
            (0, 0.0, 0.1, 0.01),
            (0, 0.5, 0.0, 0.001),
            (1, 0.5, 0.01, 0.01),
            (2, 0.1, 1.0, 0.1),
        )
    ]
    together = stacked.train(mixed, model)

    for member, found in zip(mixed, together, strict=True):
        [alone] = stacked.train([member], model)
        assert same(numbers(found, dataset, member.seed), numbers(alone, dataset, member.seed))


def test_one_that_diverges_touches_no_neighbour() -> None:
    """A learning rate that blows one fit up leaves the other the bits that it has alone."""
    dataset, model = Prices(), Linear()
    wild = TRAINING.model_copy(update={"optimizer": "sgd", "learning_rate": 1e30})
    tame = TRAINING.model_copy(update={"optimizer": "sgd"})
    two = [Member(split(dataset, seed), (), one, seed) for seed, one in enumerate((wild, tame))]
    blown, fine = stacked.train(two, model)
    [alone] = stacked.train(two[1:], model)

    assert isinstance(blown, Divergence)
    assert "learning_rate" in str(blown)
    assert same(numbers(fine, dataset, 1), numbers(alone, dataset, 1))


def test_who_is_stopped_keeps_the_best_weights_while_others_go_on() -> None:
    """With a patience of two epochs fits end at different times, and each as it ends alone."""
    dataset, model = Measures(), MLP(hidden=(16,))
    training = TRAINING.model_copy(update={"epochs": 40, "learning_rate": 0.05})
    technique = (make("early_stopping", patience=2), make("batch_norm"))
    every = members(dataset, technique, training, 6)
    together = stacked.train(every, model)
    lengths = {len(one.validation_loss) for one in together if isinstance(one, Trained)}

    assert len(lengths) > 1
    for seed, found in enumerate(together):
        [alone] = stacked.train(every[seed : seed + 1], model)
        assert same(numbers(found, dataset, seed), numbers(alone, dataset, seed))


def test_who_is_stopped_is_turned_no_more_and_the_last_goes_on_in_a_stack_of_two() -> None:
    """A schedule raises a rate that predictions sample: those of fits that ended stay what they are alone."""
    dataset, model = CASES[0]
    training = TRAINING.model_copy(update={"epochs": 40, "learning_rate": 0.02})
    technique = (
        make("dropout", rate=0.3),
        make("mc_dropout", samples=5),
        make("early_stopping", patience=1),
        make("strength_schedule", technique="dropout", shape="rising", start=0.2, end=1.5, epochs=40),
    )
    every = members(dataset, technique, training, 6)
    together = stacked.train(every, model)
    lengths = sorted(len(one.validation_loss) for one in together if isinstance(one, Trained))

    assert lengths[-1] > lengths[-2]
    for seed, found in enumerate(together):
        [alone] = stacked.train(every[seed : seed + 1], model)
        assert same(numbers(found, dataset, seed), numbers(alone, dataset, seed))


def test_a_score_without_bounds_costs_as_much_as_torch_says() -> None:
    """A class that is ruled out by a score of −∞ has no part in the loss of another one."""
    scores = torch.tensor([[[1.0, -torch.inf, 0.0], [0.5, 2.0, -3.0]]])
    target = torch.tensor([[0, 2]])
    expected = torch.nn.functional.cross_entropy(scores[0], target[0])

    torch.testing.assert_close(cross_entropies(scores, target)[0], expected)


def test_strengths_are_not_rounded_where_activations_are() -> None:
    """In bfloat16, where .999 is 1, a rate of .999 keeps a thousandth of the units."""
    dropout = [make("dropout", rate=rate) for rate in (0.5, 0.999)]
    live = [partial(lambda one: one, one) for one in dropout]
    together = Together(live, [Noise(0, "first"), Noise(0, "second")])
    ones = torch.ones(2, 20_000, dtype=torch.bfloat16)
    dropped = together(lambda one, draws, own: one.drop(own, draws, None), ones)

    assert dropped.isfinite().all()
    assert 0 < int((dropped[1] > 0).sum()) < 60


def test_results_come_in_the_order_in_which_they_were_asked_for() -> None:
    """Members are sorted by learning rate inside, and nobody sees it."""
    dataset, model = CASES[0]
    rates = (0.1, 0.001, 0.01)
    every = [
        replace(one, training=TRAINING.model_copy(update={"learning_rate": rate}))
        for one, rate in zip(members(dataset, (), TRAINING, 3), rates, strict=True)
    ]
    found = stacked.train(every, model)
    first = [one.train_loss[0] for one in found if isinstance(one, Trained)]
    alone = [
        one.train_loss[0]
        for member in every
        for one in stacked.train([member], model)
        if isinstance(one, Trained)
    ]

    assert np.array_equal(first, alone)
