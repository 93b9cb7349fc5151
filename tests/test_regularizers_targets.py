"""Laws of corruptions and of costs of outputs, and the definitions of what disturbs targets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torch.nn import functional

from studylib.models._networks import BagOfWordsNetwork
from studylib.regularizers import CATALOGUE, EXAMPLES
from studylib.regularizers._mixing import Mixing
from studylib.regularizers.base import Corruption, OutputPenalty, Regularizer, Site
from studylib.regularizers.confidence_penalty import ConfidencePenalty
from studylib.regularizers.embedding_mixup import EmbeddingMixup
from studylib.regularizers.label_noise import LabelNoise
from studylib.regularizers.label_smoothing import LabelSmoothing
from studylib.seeds import Noise, Recorded, Replayed

if TYPE_CHECKING:
    from _pytest.mark.structures import MarkDecorator

R = TypeVar("R", bound=Regularizer)
CLASSES = 3
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


def of(kind: type[R]) -> list[R]:
    """Return the examples of one kind in the folder."""
    return [example for example in EXAMPLES.values() if isinstance(example, kind)]


def every(kind: type[R]) -> MarkDecorator:
    """Return the mark that runs a test for each example of one kind."""
    return pytest.mark.parametrize("example", of(kind), ids=lambda example: str(example.name))


def without_strength(example: R) -> R:
    """Return it with every setting that may be 0 at 0."""
    settings = CATALOGUE[example.name].settings()
    zeros = {key: 0 for key, setting in settings.items() if setting.get("minimum") == 0}
    return type(example).model_validate(example.model_dump() | zeros)


def replayed(records: list[Recorded]) -> list[Tensor]:
    """Return the draws of several fits, stacked along a new first axis."""
    return [torch.stack(draws) for draws in zip(*(record.drawn for record in records), strict=True)]


# corruptions


@every(Corruption)
@pytest.mark.parametrize("classes", [2, 5])
def test_a_corruption_gives_class_numbers(example: Corruption, classes: int) -> None:
    """They are numbers of classes, of the same shape and type, decided by the noise; also for one row."""
    y = torch.arange(300) % classes
    before = y.clone()
    after = example.corrupt(y, classes, noise())

    assert (after.shape, after.dtype) == (y.shape, y.dtype)
    assert set(after.tolist()) == set(range(classes))
    assert torch.equal(y, before)
    assert torch.equal(example.corrupt(y, classes, noise()), after)
    assert 0 <= example.corrupt(y[:1], classes, noise()).item() < classes


@every(Corruption)
def test_a_corruption_is_off_at_0(example: Corruption) -> None:
    """With every setting that may be 0 at 0, all labels stay."""
    y = torch.arange(300) % 5

    assert torch.equal(without_strength(example).corrupt(y, 5, noise()), y)


def at(example: Corruption, factor: Tensor | float) -> Corruption:
    """Return it with ``factor`` times its rate, which no schedule turns: labels are corrupted once."""
    return example.model_copy(update={"rate": factor * example.rate})  # type: ignore[attr-defined]  # each has one


@every(Corruption)
def test_a_corruption_of_replicas_is_one_of_each(example: Corruption) -> None:
    """Under vmap, with replayed noise and strengths of their own, replicas are treated one by one."""
    records, factors = [Recorded(noise(seed)) for seed in range(3)], torch.tensor([0.0, 0.5, 1.0]).double()
    y = torch.stack([(torch.arange(60) + shift) % 5 for shift in range(3)])
    alone = [
        at(example, float(factor)).corrupt(one, 5, record)
        for one, record, factor in zip(y, records, factors, strict=True)
    ]

    def corrupt(one: Tensor, drawn: list[Tensor], factor: Tensor) -> Tensor:
        return at(example, factor).corrupt(one, 5, Replayed(drawn))

    assert torch.equal(torch.func.vmap(corrupt)(y, replayed(records), factors), torch.stack(alone))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_label_noise_spoils_exactly_its_share(rate: float, rows: int) -> None:
    """The number of labels that differ is the rate times the rows, rounded."""
    y = torch.arange(rows) % CLASSES
    wrong = LabelNoise(rate=rate).corrupt(y, CLASSES, noise()) != y

    assert abs(int(wrong.sum()) - rate * rows) <= 0.5


def test_label_noise_spares_no_other_class_and_no_row() -> None:
    """Wrong labels are uniform over the other classes, and every row is spoiled in its share of the draws."""
    y, stream = torch.arange(40) % 4, noise()
    drawn = torch.stack([LabelNoise(rate=0.25).corrupt(y, 4, stream) for _ in range(600)])
    wrong = drawn != y

    assert wrong.double().mean(dim=0).tolist() == pytest.approx([0.25] * 40, abs=5 * 0.0177)
    for label in range(4):
        counts = torch.bincount(drawn[wrong & (y == label)], minlength=4)
        others = [int(count) for other, count in enumerate(counts) if other != label]
        assert counts[label] == 0
        assert stats.chisquare(others).pvalue > 1e-6


def test_more_label_noise_spoils_the_same_labels_and_more() -> None:
    """With equal noise the wrong labels at a small rate stand unchanged among those at a larger one."""
    y = torch.arange(500) % 5
    few, many = (LabelNoise(rate=rate).corrupt(y, 5, noise()) for rate in (0.2, 0.6))

    assert torch.equal(few.where(few != y, many), many)


# costs of outputs


@every(OutputPenalty)
@DTYPES
def test_a_cost_of_outputs_is_a_mean_of_costs(example: OutputPenalty, dtype: torch.dtype) -> None:
    """It is a scalar of the outputs' type, at least 0, the mean over the rows, and 0 without strength."""
    outputs = 3 * normal(8, CLASSES, dtype=dtype)
    value = example.value(outputs)

    assert (value.shape, value.dtype) == ((), dtype)
    assert value > 0
    torch.testing.assert_close(torch.stack([example.value(row[None]) for row in outputs]).mean(), value)
    assert without_strength(example).value(outputs) == 0


@every(OutputPenalty)
@DTYPES
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4, 1e30])
def test_a_cost_of_outputs_has_a_price_and_a_slope_everywhere(
    example: OutputPenalty, dtype: torch.dtype, size: float
) -> None:
    """Both are finite for scores that are all equal and for scores far apart."""
    outputs = (size * normal(8, CLASSES, dtype=dtype)).requires_grad_()
    value = example.value(outputs)
    (slope,) = torch.autograd.grad(value, outputs)

    assert value.isfinite()
    assert value >= 0
    assert slope.isfinite().all()


@every(OutputPenalty)
def test_a_cost_of_outputs_is_counted_per_replica(example: OutputPenalty) -> None:
    """Under vmap, with strengths of their own, replicas are priced one by one."""
    outputs, factors = normal(3, 8, CLASSES), torch.tensor([0.0, 0.5, 2.0]).double()
    together = torch.func.vmap(lambda one, factor: example.turned(factor).value(one))(outputs, factors)
    alone = [example.turned(float(factor)).value(one) for one, factor in zip(outputs, factors, strict=True)]

    torch.testing.assert_close(together, torch.stack(alone))


def entropy(outputs: Tensor) -> Tensor:
    """Return the mean entropy of the predicted distributions."""
    mean: Tensor = torch.distributions.Categorical(logits=outputs).entropy().mean()
    return mean


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_confidence_penalty_is_the_entropy_that_is_lacking(classes: int) -> None:
    """It is λ·(log K − H) by SciPy's entropy, with the gradient of −λ·H."""
    outputs = (2 * normal(20, classes)).requires_grad_()
    value = ConfidencePenalty(strength=0.3).value(outputs)
    entropies = stats.entropy(outputs.softmax(dim=1).detach().numpy(), axis=1)
    gradients = [torch.autograd.grad(cost, outputs)[0] for cost in (value, -0.3 * entropy(outputs))]

    assert value.item() == pytest.approx(0.3 * (math.log(classes) - entropies.mean()), rel=1e-12)
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-14)


def test_confidence_penalty_knows_its_ends() -> None:
    """In float32 it is 0 for equal scores, log K for certainty, and small where scores nearly agree."""
    cost = ConfidencePenalty(strength=1.0).value
    certain, near = torch.tensor([[1e4, 0, -1e4, 5]]), torch.tensor([[1e-3, -1e-3]])

    assert cost(torch.full((3, 7), 2.5)) == pytest.approx(0, abs=1e-12)
    assert cost(certain) == pytest.approx(math.log(4), rel=1e-6)
    assert cost(near) == pytest.approx(5e-7, rel=1e-2)  # half the variance of the scores
    assert cost(torch.tensor([[0.0, -math.inf]])) == pytest.approx(math.log(2), rel=1e-6)


# label smoothing


def smoothed(hard: Tensor, epsilon: float, spread: str) -> Tensor:
    """Return smoothed targets."""
    technique = LabelSmoothing(strength=epsilon, spread=spread)  # type: ignore[arg-type]
    return technique.perturb(hard, hard, noise())[1]


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_smoothing_among_others_is_more_smoothing_among_all(classes: int) -> None:
    """ε among the other K − 1 leaves 1 − ε to the true class, and is ε·K/(K − 1) among all K."""
    hard, epsilon = torch.eye(classes).double(), 0.2
    others = smoothed(hard, epsilon, "others")
    expected = np.where(np.eye(classes) == 1, 1 - epsilon, epsilon / (classes - 1))

    assert others.numpy() == pytest.approx(expected)
    torch.testing.assert_close(others, smoothed(hard, epsilon * classes / (classes - 1), "all"))


@pytest.mark.parametrize(("spread", "least"), [("all", 0.05), ("others", 0.1)])
def test_smoothing_two_classes_smooths_the_binary_target(spread: str, least: float) -> None:
    """The loss of two columns is the binary cross-entropy of the smoothed y at the difference of scores."""
    scores, y = normal(9, 2), torch.tensor([0, 1, 1, 0, 0, 1, 0, 1, 1])
    soft = smoothed(functional.one_hot(y).double(), 0.1, spread)
    binary = least + (1 - 2 * least) * y.double()
    expected = functional.binary_cross_entropy((scores[:, 1] - scores[:, 0]).sigmoid(), binary)

    torch.testing.assert_close(soft[:, 1], binary)
    torch.testing.assert_close(functional.cross_entropy(scores, soft), expected)


@pytest.mark.parametrize(("classes", "floor"), [(2, 0.199), (3, 0.291), (10, 0.500)])
def test_a_smoothed_loss_has_a_floor(classes: int, floor: float) -> None:
    """No scores bring it below the entropy of the smoothed target, which is far from 0."""
    soft = smoothed(torch.eye(classes).double(), 0.1, "all")

    assert functional.cross_entropy(soft.log(), soft).item() == pytest.approx(floor, abs=5e-4)


def test_smoothing_among_others_keeps_mixed_targets_probabilities() -> None:
    """It is linear: a mixture of targets becomes the mixture of the smoothed targets."""
    hard = torch.eye(4).double()
    mixed = 0.3 * hard + 0.7 * hard[[1, 2, 3, 0]]
    after = smoothed(hard, 0.2, "others")

    torch.testing.assert_close(smoothed(mixed, 0.2, "others"), 0.3 * after + 0.7 * after[[1, 2, 3, 0]])


# mixup of word vectors

MIXUP = EmbeddingMixup(alpha=1.0)
SITE = Site("embedding", "embedding", width=6)


def mixing(seed: int) -> Mixing:
    """Return the module with its noise at the beginning."""
    module = MIXUP.module(SITE, noise(seed))
    assert isinstance(module, Mixing)
    return module


@pytest.mark.parametrize("seed", range(5))
def test_word_vectors_and_targets_stay_in_step(seed: int) -> None:
    """From equal noise both are mixed by one matrix, batch after batch; evaluation draws nothing."""
    module, stream = mixing(seed), noise(seed)
    text = torch.arange(6)[:, None]
    for rows in (6, 6, 3, 6):
        vectors = torch.eye(6)[:rows, None].double()
        target = torch.eye(6)[:rows].double()
        same, soft = MIXUP.perturb(text[:rows], target, stream)
        module.train()
        mixed = module(vectors)
        module.eval()
        module.sampling = True

        assert torch.equal(mixed[:, 0], soft)
        assert torch.equal(same, text[:rows])
        assert torch.equal(module(vectors), vectors)
        assert not torch.equal(soft, target) or rows == 3


def network(module: Mixing) -> BagOfWordsNetwork:
    """Return a bag of words whose word vectors are mixed."""
    torch.manual_seed(1)
    net = BagOfWordsNetwork(20, 6, CLASSES).double()
    net.embedding_slot.append(module)
    return net


def test_sentences_of_equal_length_are_mixed_as_a_whole() -> None:
    """A bag of words then gives each row the scores of the two sentences in the proportion of the targets."""
    text = torch.tensor([[2, 3, 4, 0], [5, 6, 7, 0], [8, 9, 2, 0]])
    net = network(mixing(1)).train()
    _, matrix = MIXUP.perturb(text, torch.eye(3).double(), noise(1))
    mixed, plain = net(text), net.eval()(text)

    torch.testing.assert_close(mixed, matrix @ plain)


def test_a_sentence_keeps_its_length_when_it_is_mixed() -> None:
    """A longer partner is cut, a shorter one goes on with the vector of padding: by loops over words."""
    text = torch.tensor([[2, 3, 4, 5], [6, 0, 0, 0], [7, 8, 0, 0]])
    net = network(mixing(3)).train()
    _, matrix = MIXUP.perturb(text, torch.eye(3).double(), noise(3))
    vectors = net.embedding.weight.detach()
    means = []
    for row, words in enumerate(text):
        length = int((words != 0).sum())
        by_place = [
            sum(matrix[row, other] * vectors[text[other, at]] for other in range(3)) for at in range(length)
        ]
        means.append(sum(by_place) / length)

    assert (matrix.diagonal() < 1).any()
    torch.testing.assert_close(net(text), net.output(torch.stack([torch.as_tensor(mean) for mean in means])))
