"""Definitions of what drops or divides the weights of a layer: masks, weight and spectral normalisation."""

from __future__ import annotations

from copy import deepcopy
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from studylib.errors import StudyError
from studylib.regularizers._normalised import largest_gain, norm_bound
from studylib.regularizers.dropconnect import DropConnect
from studylib.regularizers.spectral_norm import SpectralNorm
from studylib.regularizers.weight_norm import WeightNorm
from studylib.seeds import Noise, Recorded, initialising

RATE = 0.3
LAYERS: dict[str, Any] = {
    "linear": (lambda: nn.Linear(5, 4), (5,)),
    "over positions": (lambda: nn.Linear(5, 4), (3, 5)),
    "convolution": (lambda: nn.Conv2d(4, 6, (3, 2), stride=2, dilation=2, padding=1, groups=2), (4, 7, 5)),
    "over words": (lambda: nn.Conv1d(4, 6, 3), (4, 5)),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def made(build: Any) -> Any:
    """Return a layer with weights that are the same in every test."""
    with initialising(1):
        return build().double()


def normal(*shape: int, seed: int = 1) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def dense(kernel: Tensor, sizes: tuple[int, ...], *, circular: bool, **how: Any) -> Tensor:
    """Return the matrix of a convolution, column by column: what it makes of each single input."""
    inputs = (kernel.shape[1] * how.get("groups", 1), *sizes)
    units = torch.eye(prod(inputs), dtype=kernel.dtype).reshape(-1, *inputs)
    if circular:
        units = functional.pad(
            units, [side for size in kernel.shape[:1:-1] for side in (size - 1, 0)], "circular"
        )
    convolve: Any = functional.conv1d if len(sizes) == 1 else functional.conv2d
    return convolve(units, kernel, **how).flatten(1).T  # type: ignore[no-any-return]  # chosen above


@every_layer
def test_dropconnect_gives_each_example_a_mask_of_its_own(name: str) -> None:
    """Every example is what the plain layer makes of it with its own draw of the weights; the bias stays."""
    build, axes = LAYERS[name]
    layer, x, noise = made(build), normal(5, *axes), Recorded(Noise(1, "noise"))
    outputs = DropConnect(rate=RATE).rewired(deepcopy(layer), noise, 1)(x)
    (draws,) = noise.drawn
    weight = layer.weight.detach().clone()

    assert draws.shape == (5, *weight.shape)
    for row, draw, output in zip(x, draws, outputs, strict=True):
        with torch.no_grad():
            layer.weight.copy_(weight * (draw >= RATE) / (1 - RATE))
        torch.testing.assert_close(output, layer(row[None])[0])


@every_layer
def test_dropconnect_can_share_one_mask(name: str) -> None:
    """With a mask per batch, every example is what one thinned layer makes of it."""
    build, axes = LAYERS[name]
    layer, x, noise = made(build), normal(5, *axes), Recorded(Noise(1, "noise"))
    outputs = DropConnect(rate=RATE, masks="batch").rewired(deepcopy(layer), noise, 1)(x)
    with torch.no_grad():
        layer.weight.mul_((noise.drawn[0] >= RATE) / (1 - RATE))

    torch.testing.assert_close(outputs, layer(x))


@every_layer
@pytest.mark.parametrize("inference", ["training", "mean", "moments"])
def test_dropconnect_has_the_moments_of_wan(name: str, inference: Any) -> None:
    """Masks in training and sampling, and Gaussians, have mean Wv + b and variance p/(1 − p)·(W∗W)(v∗v)."""
    build, axes = LAYERS[name]
    layer, x, rows = made(build), normal(1, *axes), 6000
    technique = DropConnect(rate=RATE, inference="mean" if inference == "training" else inference)
    module: Any = technique.rewired(deepcopy(layer), Noise(1, "noise"), 1)
    mean = module.eval()(x)[0]
    module.train(inference == "training").sampling = True
    with torch.no_grad():
        drawn = module(x.expand(rows, *axes))
        squared = deepcopy(layer)
        squared.weight.square_()
        squared.bias.zero_()
        variance = RATE / (1 - RATE) * squared(x.square())[0]
    error = (drawn.var(dim=0) / rows).sqrt()
    squares = (drawn - mean).square()

    torch.testing.assert_close(mean, layer(x)[0])
    assert (variance > 0).all()
    assert ((drawn.mean(dim=0) - mean).abs() < 5 * error).all()
    assert ((squares.mean(dim=0) - variance).abs() < 5 * squares.std(dim=0) / rows**0.5).all()


@every_layer
def test_weight_norm_is_torchs(name: str) -> None:
    """It begins as the plain layer bit for bit, and stays with torch's through steps of training."""
    build, axes = LAYERS[name]
    layer, x = made(build), normal(6, *axes)
    ours: Any = WeightNorm().rewired(deepcopy(layer), Noise(1, "noise"), 1)
    theirs = parametrizations.weight_norm(deepcopy(layer))

    assert torch.equal(ours(x), layer(x))
    assert torch.equal(ours.weight, layer.weight)
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.1) for module in (ours, theirs)]
    for _ in range(5):
        for module, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            module(x).sin().sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.scale, theirs.parametrizations.weight.original0)
    torch.testing.assert_close(ours.original, theirs.parametrizations.weight.original1)
    norms = ours.weight.flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, ours.scale.flatten().abs())


@every_layer
def test_spectral_norm_is_torchs(name: str) -> None:
    """From the same singular vectors, outputs and weights stay with torch's through steps of training."""
    build, axes = LAYERS[name]
    layer, x = made(build), normal(6, *axes)
    ours: Any = SpectralNorm().rewired(deepcopy(layer), Noise(1, "noise"), 1)
    theirs: Any = parametrizations.spectral_norm(deepcopy(layer))
    state = theirs.parametrizations.weight[0]
    state.load_state_dict({"_u": ours.left, "_v": ours.right})
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.1) for module in (ours, theirs)]
    for _ in range(5):
        outputs = [module(x) for module in (ours, theirs)]
        torch.testing.assert_close(outputs[0], outputs[1])
        for out, optimizer in zip(outputs, optimizers, strict=True):
            optimizer.zero_grad()
            out.sin().sum().backward()
            optimizer.step()

    torch.testing.assert_close(ours.original, theirs.parametrizations.weight.original)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_spectral_norm_iterates_once_per_training_pass() -> None:
    """Reading the weight and evaluation leave the state alone; passes in training bring σ(W/σ) to 1."""
    module: Any = SpectralNorm().rewired(made(lambda: nn.Linear(9, 7)), Noise(1, "noise"), 1)
    x, before = normal(2, 9), module.weight.detach()
    state = deepcopy(module.state_dict())
    module.eval()(x)

    assert torch.equal(module.weight, before)
    assert all(torch.equal(module.state_dict()[key], value) for key, value in state.items())
    module.train()(x)
    after = module.weight.detach()
    assert not torch.equal(after, before)
    assert torch.equal(module.weight, after)
    for _ in range(300):
        module(x)
    torch.testing.assert_close(torch.linalg.matrix_norm(module.weight, 2).item(), 1.0)


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_spectral_norm_follows_a_weight_of_any_size_also_through_zero(size: float) -> None:
    """In single precision σ(W/σ) is 1 for tiny and huge weights, and again after all of them were zero."""
    module: Any = SpectralNorm().rewired(made(lambda: nn.Linear(9, 7)).float(), Noise(1, "noise"), 1)
    x = normal(2, 9).float()
    weight = module.original.detach().clone()
    for factor in (size, 0.0, size):
        with torch.no_grad():
            module.original.copy_(factor * weight)
        for _ in range(100):
            module(x)

    assert torch.linalg.matrix_norm(module.weight, 2).item() == pytest.approx(1, rel=1e-5)


def test_spectral_norm_of_two_passes_has_one_gradient() -> None:
    """A loss over two passes has the gradient of torch's: the second iteration spares the first."""
    layer, x = made(lambda: nn.Linear(9, 7)), normal(2, 2, 9)
    ours: Any = SpectralNorm().rewired(deepcopy(layer), Noise(1, "noise"), 1)
    theirs: Any = parametrizations.spectral_norm(deepcopy(layer))
    theirs.parametrizations.weight[0].load_state_dict({"_u": ours.left, "_v": ours.right})
    for module in (ours, theirs):
        (module(x[0]) * module(x[1])).sum().backward()

    torch.testing.assert_close(ours.original.grad, theirs.parametrizations.weight.original.grad)


def test_exact_spectral_norm_of_a_linear_layer() -> None:
    """The largest singular value of the weight is 1, and its gradient is that of dividing by it."""
    layer = made(lambda: nn.Linear(9, 7))
    module: Any = SpectralNorm(method="exact").rewired(deepcopy(layer), Noise(1, "noise"), 1)
    expected = layer.weight / torch.linalg.matrix_norm(layer.weight, 2)

    torch.testing.assert_close(module.weight, expected)
    for weight in (module.weight, expected):
        weight.sin().sum().backward()
    torch.testing.assert_close(module.original.grad, layer.weight.grad)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((3, 2, 3), (5,)),
        ((2, 3, 4), (8,)),
        ((2, 3, 3, 3), (4, 5)),
        ((3, 1, 2, 3), (6, 3)),
        ((2, 2, 1, 1), (3, 2)),
    ],
    ids=str,
)
def test_frequencies_give_the_norm_of_a_circular_convolution(shape: Any, sizes: Any) -> None:
    """The largest gain of a frequency is the largest singular value of the convolution's matrix."""
    kernel = normal(*shape)
    matrix = dense(kernel, sizes, circular=True)

    torch.testing.assert_close(largest_gain(kernel, list(sizes)), torch.linalg.matrix_norm(matrix, 2))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("shape", "sizes"),
    [((3, 2, 3), (200,)), ((2, 1, 5), (200,)), ((2, 1, 3, 3), (20, 20)), ((3, 2, 2), (99,))],
    ids=str,
)
def test_the_bound_of_a_convolution_is_tight(shape: Any, sizes: Any, seed: int) -> None:
    """No frequency, and no input of whatever padding or stride, gains more; large ones nearly as much."""
    kernel = normal(*shape, seed=seed)
    bound, axes = norm_bound(kernel), len(sizes)
    finest = largest_gain(kernel, [64 * 9] * axes)
    padded = dense(kernel, sizes, circular=False, padding=1)
    strided = dense(kernel, sizes, circular=False, stride=2, padding=2)
    dilated = dense(kernel, sizes, circular=False, dilation=2, padding=2)
    norms = [torch.linalg.matrix_norm(matrix, 2) for matrix in (padded, strided, dilated)]

    assert finest <= bound <= 1.01**axes * finest
    assert all(norm <= bound for norm in norms)
    assert norms[0] > 0.93 * bound


def test_exact_spectral_norm_of_a_convolution() -> None:
    """With groups and padding its operator norm is at most 1 and near it; that of the power method is not."""
    layer = made(lambda: nn.Conv2d(4, 4, 3, padding=1, groups=2))
    exact: Any = SpectralNorm(method="exact").rewired(deepcopy(layer), Noise(1, "noise"), 1)
    power: Any = SpectralNorm().rewired(deepcopy(layer), Noise(1, "noise"), 1)
    norms = [
        torch.linalg.matrix_norm(dense(one.weight.detach(), (8, 8), circular=False, padding=1, groups=2), 2)
        for one in (exact, power)
    ]

    assert 0.9 < norms[0] <= 1
    assert 1.2 < norms[1] <= 3


@pytest.mark.parametrize(
    "build", [lambda: nn.Linear(4, 3), lambda: nn.Conv2d(2, 3, 3)], ids=["linear", "maps"]
)
@pytest.mark.parametrize("method", ["power", "exact"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_spectral_norm_hides_no_diverged_weight(build: Any, method: Any, bad: float) -> None:
    """A weight that is no finite number makes all of them NaN, in training too, and is no error by itself."""
    module: Any = SpectralNorm(method=method).rewired(made(build), Noise(1, "noise"), 1)
    with torch.no_grad():
        module.original.view(-1)[1] = bad

    assert module(normal(5, *((4,) if module.original.ndim == 2 else (2, 4, 4)))).isnan().all()
    assert module.weight.isnan().all()


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_the_bound_of_a_convolution_holds_at_any_size(size: float) -> None:
    """In single precision, where the squares of its numbers overflow or vanish, a kernel keeps its bound."""
    kernel = normal(3, 2, 3, 3).float()

    torch.testing.assert_close(norm_bound(size * kernel), size * norm_bound(kernel), rtol=1e-5, atol=0)


def test_other_paddings_are_refused() -> None:
    """A convolution that does not pad with zeros is an error that says what was found."""
    with pytest.raises(StudyError, match=r"^weight_norm: .*padding_mode=circular"):
        WeightNorm().rewired(nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), Noise(1, "noise"), 1)
