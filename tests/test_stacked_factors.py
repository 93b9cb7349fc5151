"""Factorizations that are trained as one: each as if alone, however many there are and whoever they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from made_up import MadeUp, Stars, Visits
from test_stacked import arm, fits, named, same, split

from studylib import plan, regularizers
from studylib.errors import Divergence, ParameterError
from studylib.models.matrix_factorization import MatrixFactorization
from studylib.params import study_params
from studylib.regularizers import make
from studylib.regularizers.base import InteractionPenalty, Rows
from studylib.seeds import Noise
from studylib.stacking import Waiting, stack_of
from studylib.trainers import factorization, fitting, ratings
from studylib.trainers._factor_batches import Interactions, bags, batches
from studylib.trainers._factor_network import products
from studylib.trainers._ranked import Negatives
from studylib.trainers.base import Training
from studylib.trainers.fitting import Case
from studylib.trainers.stacked import Member
from studylib.trainers.stacked_factors import BY_TASK, train_rankings
from studylib.trainers.stacks import why_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studylib.regularizers.base import Regularizer

MODEL = MatrixFactorization(factors=6)  # of 30 rows and 40 items: no table fills its memory
DATASETS: tuple[MadeUp, ...] = (Visits(), Stars())
TRAINING = Training(epochs=3, batch_size=64, learning_rate=0.02)
SINGLE = {"ranking": factorization.train, "rating": ratings.train}
POSSIBLE = [
    (name, dataset)
    for dataset in DATASETS
    for name in regularizers.EXAMPLES
    if fits(arm(name), dataset, MODEL)
]
STACKED = [case for case in POSSIBLE if not why_alone(MODEL, arm(case[0]), "cpu")]


def members(
    dataset: MadeUp, technique: tuple[Regularizer, ...], training: Training = TRAINING, count: int = 5
) -> list[Member]:
    """Return fits of the first seeds."""
    return [Member(split(dataset, seed), technique, training, seed) for seed in range(count)]


def trained(dataset: MadeUp, some: Sequence[Member], model: MatrixFactorization = MODEL) -> list[Any]:
    """Return what came of fits that were trained as one."""
    return BY_TASK[dataset.task](some, model, "cpu")


def numbers(found: Any) -> list[torch.Tensor]:
    """Return weights and losses."""
    losses = torch.tensor([*found.train_loss, *found.validation_loss])
    return [*found.network.state_dict().values(), losses]


@pytest.mark.parametrize(("name", "dataset"), STACKED, ids=named)
def test_a_fit_gives_the_same_bits_alone_and_among_others(name: str, dataset: MadeUp) -> None:
    """The second of five, of three, and the only one: weights and losses are equal."""
    every = members(dataset, arm(name))
    expected = numbers(trained(dataset, every[1:2])[0])

    assert same(numbers(trained(dataset, every)[1]), expected)
    assert same(numbers(trained(dataset, every[:3])[1]), expected)


@pytest.mark.parametrize("negatives", [1, 3])
@pytest.mark.parametrize(("name", "dataset"), STACKED, ids=named)
def test_a_stack_trains_as_the_loop_over_one_network_does(name: str, dataset: MadeUp, negatives: int) -> None:
    """With the same streams, losses and weights agree with those of the trainer of one network, to 1e-6."""
    training = TRAINING.model_copy(update={"precision": "float64", "negatives": negatives})
    found = trained(dataset, members(dataset, arm(name), training, 2))[1]
    one: Any = SINGLE[dataset.task](split(dataset, 1), MODEL, arm(name), training, 1)

    assert found.validation_loss == pytest.approx(one.validation_loss, rel=1e-6)
    assert found.train_loss == pytest.approx(one.train_loss, rel=1e-6)
    assert (found.best_epoch, found.steps_per_epoch) == (one.best_epoch, one.steps_per_epoch)
    for own, others in zip(found.network.parameters(), one.network.parameters(), strict=True):
        np.testing.assert_allclose(own.detach(), others.detach(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.task)
@pytest.mark.parametrize("factors", [0, 1, 32])
def test_tables_of_any_width_are_joined(dataset: MadeUp, factors: int) -> None:
    """Biases alone, one factor, and as many as lie side by side without a gap, give what one network does."""
    model = MatrixFactorization(factors=factors)
    training = TRAINING.model_copy(update={"precision": "float64", "optimizer": "sgd", "momentum": 0.9})
    technique = (make("embedding_l2", strength=0.1),)
    found = trained(dataset, members(dataset, technique, training, 3), model)[1]
    one: Any = SINGLE[dataset.task](split(dataset, 1), model, technique, training, 1)

    assert found.validation_loss == pytest.approx(one.validation_loss, rel=1e-9)


@pytest.mark.parametrize(("name", "dataset"), POSSIBLE, ids=named)
def test_a_technique_says_whether_its_factorizations_can_be_joined(name: str, dataset: MadeUp) -> None:
    """Where it gives no reason to be alone, its fits are trained together; a reason reads as a sentence."""
    why = why_alone(MODEL, arm(name), "cpu")

    assert why.startswith(f"{name}: it ") or (name, dataset) in STACKED


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.task)
def test_strengths_and_learning_rates_of_one_stack_may_differ(dataset: MadeUp) -> None:
    """Each of four gives the bits that it gives alone, in the order in which they were asked for."""
    mixed = [
        Member(
            split(dataset, seed),
            (make("dropout", rate=rate), make("embedding_l2", strength=strength)),
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
    for member, found in zip(mixed, trained(dataset, mixed), strict=True):
        assert same(numbers(found), numbers(trained(dataset, [member])[0]))


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.task)
def test_one_that_diverges_touches_no_neighbour(dataset: MadeUp) -> None:
    """A learning rate that blows one fit up leaves the other the bits that it has alone."""
    tame = TRAINING.model_copy(update={"optimizer": "sgd"})
    wild = tame.model_copy(update={"learning_rate": 1e30})
    two = [replace(one, training=own) for one, own in zip(members(dataset, ()), (wild, tame), strict=False)]
    blown, fine = trained(dataset, two)

    assert isinstance(blown, Divergence)
    assert "learning_rate" in str(blown)
    assert same(numbers(fine), numbers(trained(dataset, two[1:])[0]))


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.task)
def test_who_is_stopped_keeps_the_best_weights_while_others_go_on(dataset: MadeUp) -> None:
    """With a patience of two epochs fits end at different times, and each as it ends alone."""
    training = TRAINING.model_copy(update={"epochs": 40, "learning_rate": 0.05})
    every = members(dataset, (make("early_stopping", patience=2), make("l2", strength=0.001)), training, 6)
    together = trained(dataset, every)

    assert len({len(one.validation_loss) for one in together}) > 1
    for member, found in zip(every, together, strict=True):
        assert same(numbers(found), numbers(trained(dataset, [member])[0]))


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.task)
def test_several_fits_are_what_each_is_by_itself(dataset: MadeUp) -> None:
    """Outcomes of a stack, metrics, curves and score, are those of single fits."""
    settings = [{"embedding_l2": {"strength": strength}} for strength in (0.01, 0.1)]
    cases = [Case(own, TRAINING, seed, {}) for seed in (0, 1) for own in settings]
    together = fitting.fits(dataset, MODEL, cases, "cpu")

    assert together == [
        fitting.fit(dataset, MODEL, case.settings, TRAINING, case.seed, "cpu") for case in cases
    ]


@pytest.mark.parametrize(("feedback", "metric"), [("implicit", "test_ndcg_at_20"), ("explicit", "test_rmse")])
def test_fits_of_a_study_share_stacks_seed_by_seed(feedback: str, metric: str) -> None:
    """Rankings and ratings by steps are stacked, exact ones are not; one seed is handed out together."""
    params = study_params(
        "recommender",
        dataset={"name": "movielens_small", "feedback": feedback},
        metric=metric,
        arms={f"λ {strength}": {"embedding_l2": {"strength": strength}} for strength in (0.1, 1)},
        seeds=4,
    )
    specs = [*plan.plan(params, "0" * 64, "cpu").values()]
    exact = replace(specs[0], training={**specs[0].training, "optimizer": "exact"})

    assert [stack_of(exact), len({stack_of(spec) for spec in specs})] == ["", 1]
    assert [turn.spec.seed for turn in Waiting(specs).take(1)] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_row_that_knows_every_item_is_refused() -> None:
    """As by the trainer of one network: no negative is left to draw."""
    full = split(Visits(), 0)
    pairs = np.argwhere(np.ones(full.inputs))
    train = replace(full.train, x=pairs, y=np.ones(len(pairs)))

    with pytest.raises(ParameterError, match="rows have a train interaction with every one"):
        train_rankings([Member(replace(full, train=train), (), TRAINING, 0)] * 2, MODEL)


def test_negatives_are_those_of_a_search_among_all_pairs() -> None:
    """Marks by the last bits spare searches, and change no draw: what clashes is drawn again."""
    pairs = torch.from_numpy(split(Visits(), 3).train.x)
    known = torch.zeros(Visits.shape, dtype=torch.bool)
    known[pairs[:, 0], pairs[:, 1]] = True
    found = Negatives(pairs, Visits.shape, 4).beside(pairs, Noise(3, "negatives"))
    noise, rows = Noise(3, "negatives"), pairs[:, :1].expand(-1, 4)
    drawn = noise.integers(0, Visits.shape[1], *rows.shape, like=pairs)
    while known[rows, drawn].any():
        again = noise.integers(0, Visits.shape[1], *rows.shape, like=pairs)
        drawn = torch.where(known[rows, drawn], again, drawn)

    assert torch.equal(found, torch.cat([pairs, drawn], 1))


def test_products_are_those_of_the_rows_that_are_named() -> None:
    """left[i]·right[j], for tables of one column too."""
    generator = torch.Generator().manual_seed(0)
    for width in (1, 6, 32):
        left, right = (torch.randn(9, width, dtype=torch.float64, generator=generator) for _ in range(2))
        i, j = torch.randint(9, (2, 50), generator=generator)

        assert torch.allclose(products(left, right, i, j), (left[i] * right[j]).sum(1), rtol=0, atol=1e-12)


def test_bags_add_up_row_by_row() -> None:
    """What is told of the entries of a row, weighted or not, is summed there, in every replica and step."""
    generator = torch.Generator().manual_seed(0)
    rows, named = torch.randint(7, (2, 2, 2, 11), generator=generator)  # of two steps and two fits
    told = torch.randn(33, 4, dtype=torch.float64, generator=generator)
    table = torch.randn(3 * 9, 4, dtype=torch.float64, generator=generator)
    chosen, first = torch.tensor([1, 0, 1]), torch.arange(3)[:, None]
    for step, one in enumerate(bags(rows, named, chosen, (8, 9))):
        own, others = ((numbers[step][chosen]) for numbers in (rows, named))
        places, vectors = (own + 8 * first).flatten(), table[(others + 9 * first).flatten()]
        sums, weighted = (torch.zeros(24, 4, dtype=torch.float64) for _ in range(2))

        assert torch.allclose(one.sums(told), sums.index_add(0, places, told))
        expected = weighted.index_add(0, places, told[:, :1] * vectors)
        assert torch.allclose(one.weighted(table, told[:, 0].contiguous()), expected)
        assert torch.equal(one.counts.flatten(), places.bincount(minlength=24))


def test_what_is_told_of_two_entries_of_one_row_is_summed_once() -> None:
    """Entries of three interactions with two items each: of each the row's gradient is told once."""
    rows = torch.tensor([[[4, 4, 1, 1, 4, 4]]])
    [one] = bags(rows, rows, torch.tensor([0]), (5, 5))
    told = torch.tensor([[1.0], [10.0], [100.0]])

    assert one.sums(told, 2).flatten().tolist() == [0.0, 10.0, 0.0, 0.0, 101.0]


def test_batches_are_the_interactions_in_their_order() -> None:
    """All of them, once, the last ones in a smaller batch; entries of a row stay in their order."""
    count, size, of = 530, 32, [0, 1, 0]
    rows, *others = torch.randint(9, (3, 2, count), generator=torch.Generator().manual_seed(0))
    items = torch.stack(others, -1)
    drawn = [Interactions(rows[fit], items[fit], torch.arange(count)) for fit in range(2)]
    cut = list(batches(drawn, of, size, (9, 9)))

    assert [one.items.shape[1] for one in cut] == [size] * 16 + [count % size]
    assert torch.equal(torch.cat([one.rows for one in cut], 1), rows[of].repeat_interleave(2, 1))
    assert torch.equal(torch.cat([one.items for one in cut], 1), items[of])
    assert torch.equal(torch.cat([one.target for one in cut], 1), torch.arange(count).expand(3, -1))
    for one in cut:
        for numbers, own in ((one.rows, one.by_row), (one.items.flatten(1), one.by_item)):
            assert torch.equal(own.order.view(3, -1)[0], numbers[0].argsort(stable=True))


@pytest.mark.parametrize("definition", ["interaction", "batch", "full"])
def test_a_price_is_what_the_penalty_takes(definition: str) -> None:
    """Σ price/N·‖w‖² over the rows of a table is the value of the penalty, for vectors and for biases."""
    penalty = make("embedding_l2", strength=0.3, biases=0.7, definition=definition)
    assert isinstance(penalty, InteractionPenalty)
    table = torch.randn(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    used = torch.randint(9, (20, 3), generator=torch.Generator().manual_seed(1))
    counts = used.flatten().bincount(minlength=9).double()
    of_vectors, of_biases = (price @ table.square().sum(1) / 20 for price in penalty.prices(counts, 20))
    rows = [Rows(used, table[used])]

    assert of_vectors == pytest.approx(float(penalty.value([table], rows)))
    assert of_biases == pytest.approx(float(penalty.bias_value([table], rows)))
