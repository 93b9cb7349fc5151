"""Laws of every perturbation of a batch, and the definitions of those that work on numbers and targets."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from studylib.regularizers import CATALOGUE, EXAMPLES
from studylib.regularizers.base import Perturbation
from studylib.regularizers.input_noise import InputNoise
from studylib.regularizers.label_smoothing import LabelSmoothing
from studylib.regularizers.mixup import Mixup
from studylib.seeds import Noise, Recorded, Replayed

CLASSES = 3
SENTENCES = torch.tensor(
    [
        [5, 6, 7, 8, 9, 2, 3, 4],
        [4, 1, 9, 5, 0, 0, 0, 0],
        [8, 8, 0, 0, 0, 0, 0, 0],
        [7, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
)
CASES = [
    (name, inputs)
    for name, example in EXAMPLES.items()
    if isinstance(example, Perturbation)
    for inputs in sorted(example.inputs)
]
every_case = pytest.mark.parametrize(("name", "inputs"), CASES)


def perturbation(name: str) -> Perturbation:
    """Return the example of that name."""
    example = EXAMPLES[name]
    assert isinstance(example, Perturbation)
    return example


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


def batch(example: Perturbation, inputs: str, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Return five rows of those inputs, with the targets that the perturbation asks for."""
    shapes = {"images": (3, 6, 9), "tables": (4,), "series": (7, 2)}
    x = SENTENCES.clone() if inputs == "text" else normal(5, *shapes[inputs], dtype=dtype)
    classes = torch.tensor([0, 1, 2, 1, 0])
    return x, functional.one_hot(classes, CLASSES).to(dtype) if example.softens else classes


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


@every_case
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_batch_keeps_its_form(name: str, inputs: str, dtype: torch.dtype) -> None:
    """Shapes and types stay, target probabilities sum to 1, and the batch itself is not written to."""
    example = perturbation(name)
    x, target = batch(example, inputs, dtype)
    before = x.clone(), target.clone()
    after = example.perturb(x, target, noise())

    assert torch.equal(x, before[0])
    assert torch.equal(target, before[1])
    assert [(a.shape, a.dtype) for a in after] == [(b.shape, b.dtype) for b in before]
    assert after[0].isfinite().all()
    if example.softens:
        assert (after[1] >= 0).all()
        torch.testing.assert_close(after[1].sum(dim=1), torch.ones(5, dtype=dtype))
    else:
        assert torch.equal(after[1], target)


@every_case
def test_all_randomness_comes_from_the_noise(name: str, inputs: str) -> None:
    """The same noise gives the same batch, whatever the global generators do."""
    example = perturbation(name)
    x, target = batch(example, inputs)
    once = example.perturb(x, target, noise())
    torch.manual_seed(5)
    again = example.perturb(x, target, noise())

    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


@every_case
def test_a_batch_of_one_works(name: str, inputs: str) -> None:
    """A single row is disturbed like any other."""
    example = perturbation(name)
    x, target = (part[:1] for part in batch(example, inputs))
    after = example.perturb(x, target, noise())

    assert [part.shape for part in after] == [x.shape, target.shape]


@every_case
def test_strength_0_switches_a_perturbation_off(name: str, inputs: str) -> None:
    """With every setting that may be 0 at 0, the batch comes back bit for bit."""
    example = perturbation(name)
    zeros = {key: 0 for key, setting in CATALOGUE[name].settings().items() if setting.get("minimum") == 0}
    x, target = batch(example, inputs)
    if zeros:
        off = type(example).model_validate(example.model_dump() | zeros).perturb(x, target, noise())

        assert torch.equal(off[0], x)
        assert torch.equal(off[1], target)


def replicas(example: Perturbation, inputs: str) -> tuple[Tensor, Tensor, list[Recorded]]:
    """Return the batches of three fits, stacked, and the noise of each."""
    x, target = batch(example, inputs, torch.float64)
    xs, targets = (torch.stack([part.roll(shift, 0) for shift in range(3)]) for part in (x, target))
    return xs, targets, [Recorded(noise(seed)) for seed in range(3)]


@every_case
def test_replicas_side_by_side_are_what_each_is_alone(name: str, inputs: str) -> None:
    """Under vmap, with replayed noise and strengths of their own, batches are disturbed one by one."""
    example = perturbation(name)
    xs, targets, records = replicas(example, inputs)
    factors = torch.tensor([0.0, 0.5, 1.0]).double()

    def turned(factor: Tensor | float) -> Perturbation:
        return example.turned(factor) if example.dial() else example

    def disturb(x: Tensor, target: Tensor, factor: Tensor, drawn: list[Tensor]) -> tuple[Tensor, Tensor]:
        return turned(factor).perturb(x, target, Replayed(drawn))

    alone = [
        turned(float(factor)).perturb(x, target, record)
        for x, target, factor, record in zip(xs, targets, factors, records, strict=True)
    ]
    drawn = [torch.stack(draws) for draws in zip(*(record.drawn for record in records), strict=True)]
    together = torch.func.vmap(disturb)(xs, targets, factors, drawn)

    for part, parts in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(part, torch.stack(parts))


def test_input_noise_has_mean_0_and_the_given_deviation() -> None:
    """The noise on 40 000 numbers has mean 0, the deviation, and a normal's share within one deviation."""
    x = normal(10_000, 4)
    added = InputNoise(std=0.3).perturb(x, x, noise())[0] - x

    assert added.mean() == pytest.approx(0, abs=0.01)
    assert added.std() == pytest.approx(0.3, abs=0.01)
    assert (added.abs() < 0.3).double().mean() == pytest.approx(0.683, abs=0.015)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.7])
def test_label_smoothing_is_torchs(epsilon: float) -> None:
    """Cross entropy on smoothed targets is torch's own with ``label_smoothing``."""
    logits, classes = normal(6, CLASSES), torch.tensor([0, 1, 2, 2, 1, 0])
    hard = functional.one_hot(classes, CLASSES).float()
    _, soft = LabelSmoothing(strength=epsilon).perturb(logits, hard, noise())
    expected = functional.cross_entropy(logits, classes, label_smoothing=epsilon)

    torch.testing.assert_close(functional.cross_entropy(logits, soft), expected)


def mixed(seed: int, rows: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mixing matrix (rows of the identity, mixed), the classes and the mixed targets."""
    classes = torch.arange(rows) % CLASSES
    hard = functional.one_hot(classes, CLASSES).double()
    matrix, soft = Mixup(alpha=1.0).perturb(torch.eye(rows).double(), hard, noise(seed))
    return matrix, classes, soft


@pytest.mark.parametrize("seed", range(10))
def test_mixup_mixes_pairs_by_one_share(seed: int) -> None:
    """Every row is λ of itself and 1 − λ of one partner, λ one number per batch, partners a permutation."""
    matrix, _, _ = mixed(seed)
    others = matrix.clone().fill_diagonal_(0)
    alone = matrix.diagonal() == 1
    share = matrix.diagonal()[~alone]

    torch.testing.assert_close(matrix.sum(dim=0), torch.ones(6).double())
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones(6).double())
    assert ((others > 0).sum(dim=1) == (~alone).long()).all()
    assert (share == share[0]).all()
    assert 0 < share[0] < 1


@pytest.mark.parametrize("seed", range(5))
def test_mixup_mixes_losses_and_smoothing_composes(seed: int) -> None:
    """Cross entropy mixes like the targets, and smoothing before or after is torch's smoothing of them."""
    matrix, classes, soft = mixed(seed)
    logits = normal(6, CLASSES, dtype=torch.float64)
    pairwise = torch.stack([functional.cross_entropy(logits, c.repeat(6), reduction="none") for c in classes])
    smoothing = LabelSmoothing(strength=0.1)
    _, after = smoothing.perturb(logits, soft, noise())
    _, hard = smoothing.perturb(logits, functional.one_hot(classes, CLASSES).double(), noise())
    _, before = Mixup(alpha=1.0).perturb(torch.eye(6).double(), hard, noise(seed))

    torch.testing.assert_close(functional.cross_entropy(logits, soft), (matrix * pairwise.T).sum() / 6)
    torch.testing.assert_close(before, after)
    expected = functional.cross_entropy(logits, soft, label_smoothing=0.1)
    torch.testing.assert_close(functional.cross_entropy(logits, after), expected)


def test_mixup_mixes_the_targets_of_a_regression() -> None:
    """A one-dimensional target is mixed by the same matrix as the rows."""
    target = normal(6, dtype=torch.float64)
    matrix, mixed_target = Mixup(alpha=1.0).perturb(torch.eye(6).double(), target, noise())

    torch.testing.assert_close(mixed_target, matrix @ target)


def test_mixup_shares_follow_the_beta_distribution() -> None:
    """Shares over 1000 batches have the mean ½ and the variance 1/(8·alpha + 4) of Beta(alpha, alpha)."""
    stream, pair = noise(), torch.tensor([[0.0], [1.0]]).double()
    second = torch.stack([Mixup(alpha=0.2).perturb(pair, pair, stream)[0][1] for _ in range(1000)])
    shares = second[second != 1]

    assert 400 < len(shares) < 600
    assert shares.mean() == pytest.approx(0.5, abs=0.1)
    assert shares.var() == pytest.approx(1 / 5.6, abs=0.02)
