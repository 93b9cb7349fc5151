"""The ranking trainer: its negatives, its gradient, and what is measured of its scores."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from made_up import Visits
from torch import Tensor

from studylib import regularizers
from studylib.datasets.base import Examples, Split
from studylib.errors import Divergence, ParameterError
from studylib.models.linear import Linear
from studylib.models.matrix_factorization import MatrixFactorization
from studylib.regularizers import make
from studylib.regularizers.base import Regularizer
from studylib.seeds import Noise, initialising
from studylib.trainers import recommendations
from studylib.trainers._ranked import Factorized, Negatives
from studylib.trainers.base import Training
from studylib.trainers.factorization import train
from studylib.trainers.recommendations import CUTOFF, FIFTHS, among_best, ranked, recall_by_fifth

MODEL = MatrixFactorization(factors=6)
SPLIT = Visits().split(2)


def trained(*techniques: Regularizer, seed: int = 2, **settings: object) -> Factorized:
    """Return a short training in float64."""
    chosen = {"epochs": 4, "batch_size": 32, "learning_rate": 0.02, "precision": "float64", **settings}
    return train(SPLIT, MODEL, techniques, Training.model_validate(chosen), seed)


def factors(result: Factorized) -> list[Tensor]:
    """Return the factors of rows and items, and the biases."""
    return [w.detach() for w in result.network.parameters()]


def same(a: Factorized, b: Factorized) -> bool:
    """Tell whether all numbers are equal bit for bit."""
    losses = (a.train_loss, a.validation_loss) == (b.train_loss, b.validation_loss)
    return losses and all(torch.equal(*pair) for pair in zip(factors(a), factors(b), strict=True))


@pytest.mark.parametrize("count", [1, 3])
def test_negatives_are_never_train_interactions(count: int) -> None:
    """Beside each pair stand items that its row has no train interaction with, each equally often."""
    sampler = Negatives(torch.from_numpy(SPLIT.train.x), SPLIT.inputs, count)
    noise, times = Noise(0, "negatives"), np.zeros(SPLIT.inputs)
    for part in (SPLIT.train.x, SPLIT.validation.x) * 60:
        triples = sampler.beside(torch.from_numpy(part), noise).numpy()

        assert triples.shape == (len(part), 2 + count)
        assert (triples[:, :2] == part).all()
        for column in range(2, 2 + count):
            np.add.at(times, (triples[:, 0], triples[:, column]), 1)
    allowed = np.ones(SPLIT.inputs, dtype=bool)
    allowed[SPLIT.train.x[:, 0], SPLIT.train.x[:, 1]] = False
    expected = 60 * 5 * count / 36  # 4 train and 1 validation visit of each guest, 36 rooms left

    assert (times[~allowed] == 0).all()
    assert times[allowed].mean() == pytest.approx(expected)
    assert times[allowed].var() == pytest.approx(expected, rel=0.2)  # as independent draws have


def test_a_row_that_knows_every_item_is_refused() -> None:
    """Where no negative is left to draw, the training says so instead of drawing for ever."""
    pairs = torch.tensor([[0, 0], [0, 1], [0, 2], [1, 0]])

    with pytest.raises(
        ParameterError, match="1 of 2 rows have a train interaction with every one of the 3 items"
    ):
        Negatives(pairs, (2, 3), 1)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_a_step_goes_down_the_gradient_written_by_hand(count: int, strength: float) -> None:
    """Mean of −log σ(x_ui − x_uj), plus λ·mean(‖p_u‖² + ‖q_i‖² + Σ‖q_j‖²), differentiated on paper."""
    rate, model = 0.5, MatrixFactorization(factors=3, scale=0.7)
    with initialising(1):
        network = model.build(SPLIT.inputs, 1).double()
    pairs = torch.from_numpy(SPLIT.train.x)
    shuffled = pairs[Noise(1, "order").permutation(len(pairs), like=pairs)]
    triples = Negatives(pairs, SPLIT.inputs, count).beside(shuffled, Noise(1, "negatives")).numpy()
    names = dict(network.named_parameters())
    p, q, b = (names[n].detach().numpy().copy() for n in ("rows.weight", "items.weight", "bias"))
    dp, dq, db = np.zeros_like(p), np.zeros_like(q), np.zeros_like(b)
    for u, i, *negatives in triples:
        for j in negatives:
            slope = -1 / (1 + np.exp(p[u] @ (q[i] - q[j]) + b[i] - b[j])) / (len(triples) * count)
            dp[u] += slope * (q[i] - q[j])
            dq[i] += slope * p[u]
            dq[j] -= slope * p[u]
            db[i] += slope
            db[j] -= slope
        dp[u] += strength * 2 * p[u] / len(triples)
        for item in (i, *negatives):
            dq[item] += strength * 2 * q[item] / len(triples)
    training = Training(
        epochs=1,
        batch_size=len(pairs),
        optimizer="sgd",
        learning_rate=rate,
        negatives=count,
        precision="float64",
    )
    result = train(SPLIT, model, [make("embedding_l2", strength=strength)], training, seed=1)
    after = dict(result.network.named_parameters())

    for name, w, slope in (("rows.weight", p, dp), ("items.weight", q, dq), ("bias", b, db)):
        np.testing.assert_allclose(after[name].detach(), w - rate * slope, rtol=0, atol=1e-14)


def test_embedding_l2_shrinks_the_factors() -> None:
    """The stronger the penalty, the shorter the factors of rows and of items."""
    norms = [
        trained(make("embedding_l2", strength=strength), epochs=20).norms()
        for strength in (0.0, 0.01, 0.1, 1.0)
    ]

    for weak, strong in pairwise(norms):
        assert strong["row_norm"] < weak["row_norm"]
        assert strong["item_norm"] < weak["item_norm"]
    assert norms[-1]["row_norm"] < 0.1 * norms[0]["row_norm"]


def test_the_same_arguments_give_the_same_bits() -> None:
    """Global seeds change nothing, another seed does, and so does another number of negatives."""
    techniques = [make("embedding_l2", strength=0.02), make("dropout", rate=0.2), make("l1", strength=0.001)]
    first = trained(*techniques)
    torch.manual_seed(5)

    assert same(trained(*techniques), first)
    assert not same(trained(*techniques, seed=3), first)
    assert not same(trained(*techniques, negatives=2), first)


@pytest.mark.parametrize("name", ["embedding_l2", "l2", "l1", "elastic_net", "weight_decay", "dropout"])
def test_arms_of_one_seed_share_everything_but_the_technique(name: str) -> None:
    """At strength 0 a technique leaves factors, batch order and negatives as they are without it."""
    setting = "rate" if name == "dropout" else "strength"
    technique = regularizers.EXAMPLES[name]

    assert same(trained(technique.model_copy(update={setting: 0.0})), trained())
    assert not same(trained(technique), trained())


def test_early_stopping_keeps_the_best_epoch() -> None:
    """The factors are those of a training of just that length."""
    stopped = trained(make("early_stopping", patience=3), learning_rate=0.3, epochs=100)
    best = int(np.argmin(stopped.validation_loss)) + 1

    assert stopped.best_epoch == best < len(stopped.validation_loss) == best + 3
    shorter = trained(learning_rate=0.3, epochs=best)
    assert all(torch.equal(*pair) for pair in zip(factors(stopped), factors(shorter), strict=True))


def test_scores_are_inner_products_without_dropout() -> None:
    """The table of scores is P·Qᵀ + b of the trained factors, and the norms are theirs."""
    result = trained(make("dropout", rate=0.5))
    named = {name: w.detach().numpy() for name, w in result.network.named_parameters()}
    p, q = named["rows.weight"], named["items.weight"]

    np.testing.assert_allclose(result.scores()[:], p @ q.T + named["bias"], rtol=0, atol=1e-13)
    assert result.norms()["row_norm"] == pytest.approx(np.sqrt((p**2).sum(1)).mean())
    assert result.norms()["item_norm"] == pytest.approx(np.sqrt((q**2).sum(1)).mean())


def test_losses_have_no_penalty() -> None:
    """With a penalty of any size, the loss of factors near zero is that of a coin: log 2."""
    result = trained(make("l2", strength=1e4), optimizer="sgd", learning_rate=2e-5, epochs=30)

    assert result.norms()["row_norm"] < 1e-3
    assert result.train_loss[-1] == pytest.approx(np.log(2), abs=1e-3)
    assert result.validation_loss[-1] == pytest.approx(np.log(2), abs=1e-3)


def test_the_trainer_learns_who_likes_what() -> None:
    """Held-out rooms are ranked well above chance, and the losses fall."""
    result = trained(epochs=60)
    metrics, curves = ranked(result.scores(), SPLIT)
    chance, _ = ranked(np.random.default_rng(0).random(SPLIT.inputs), SPLIT)

    assert result.train_loss[-1] < 0.7 * result.train_loss[0]
    assert metrics["test_ndcg_at_20"] > 1.2 * chance["test_ndcg_at_20"]
    assert metrics["train_ndcg_at_20"] > 1.5 * chance["train_ndcg_at_20"]
    assert len(curves["recall_by_popularity"]) == len(curves["recall_by_user_activity"]) == FIFTHS


def test_items_already_used_are_not_ranked() -> None:
    """Scores of train items change no validation or test metric, those of validation items no test metric."""
    scores = np.random.default_rng(1).random(SPLIT.inputs)
    before, curves = ranked(scores, SPLIT)
    for part, kept in ((SPLIT.train, ("validation_", "test_")), (SPLIT.validation, ("test_",))):
        changed = scores.copy()
        changed[part.x[:, 0], part.x[:, 1]] = 10.0
        after, curves_after = ranked(changed, SPLIT)

        assert curves_after == curves
        assert all(after[name] == before[name] for name in before if name.startswith(kept))
        assert after != before
    assert (scores <= 1).all()  # measured on a copy


@pytest.mark.parametrize("levels", [None, 3, 1], ids=["distinct", "tied", "all tied"])
@pytest.mark.parametrize("items", [40, 25, 12])
def test_recall_by_popularity_is_what_one_counts(levels: int | None, items: int) -> None:
    """Per fifth of the items by train count: test interactions among the row's first 20, as a share."""
    rng = np.random.default_rng(items)
    pairs = rng.permutation(np.argwhere(np.ones((15, items))))
    ones = np.ones(100)
    parts = [
        Examples(pairs[start : start + 100], ones[: len(pairs[start : start + 100])]) for start in (0, 100)
    ]
    split = Split(parts[0], parts[0], parts[1], (15, items), 1)
    scores = rng.random((15, items)) if levels is None else rng.integers(0, levels, (15, items)).astype(float)
    scores[split.train.x[:, 0], split.train.x[:, 1]] = -np.inf
    counts = [int((split.train.x[:, 1] == item).sum()) for item in range(items)]
    rarest = sorted(range(items), key=lambda item: (counts[item], item))
    hits: list[list[bool]] = [[] for _ in range(FIFTHS)]
    for row, item in split.test.x.tolist():
        order = sorted(range(items), key=lambda other: (-scores[row, other], other))
        hits[rarest.index(item) * FIFTHS // items].append(order.index(item) < CUTOFF)
    expected = [sum(some) / max(1, len(some)) for some in hits]

    rows, tested = split.test.x.T
    found = recall_by_fifth(among_best(scores)[rows, tested], split, side=1)

    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("size", [1, 7, 30])
def test_looking_at_some_rows_at_a_time_changes_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics and curves are those of all rows at once, up to the rounding of a sum."""
    scores = np.random.default_rng(3).random(SPLIT.inputs)
    whole = ranked(scores, SPLIT)
    monkeypatch.setattr(recommendations, "BLOCK", size * SPLIT.inputs[1])
    measured, curves = ranked(scores, SPLIT)

    assert curves == whole[1]
    assert measured == pytest.approx(whole[0], rel=1e-14)


def test_what_is_no_factorization_is_refused() -> None:
    """A network of another kind has no scores of rows with items."""
    with pytest.raises(ParameterError, match="matrix_factorization, not by the model linear"):
        train(SPLIT, Linear(), [], Training(), seed=0)


def test_a_divergence_says_what_to_lower() -> None:
    """An absurd learning rate ends with the setting to lower."""
    with pytest.raises(Divergence, match=r"Lower training\.learning_rate \(now 1e\+200\)"):
        trained(optimizer="sgd", learning_rate=1e200)
