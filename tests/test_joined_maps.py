"""Layers of images for several replicas: each gives what torch's layer gives to one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib.models.small_cnn import SmallCNN
from studylib.regularizers import make
from studylib.seeds import initialising
from studylib.trainers._joined import Alone, joined
from studylib.trainers._joined_maps import LARGE, SMALL, Convolutions, MaxPoolings
from studylib.trainers._rewiring import rewire
from studylib.trainers.techniques import Techniques

REPLICAS = 3
# rows, channels, outputs, height, width, side of the kernel: few channels, many, a kernel of one pixel, and
# maps that are convolved by torch
SHAPES = (
    (5, 1, 4, 6, 7, 3),
    (4, 3, 2, 9, 8, 5),
    (3, 8, 5, 4, 3, 3),
    (2, 4, 3, 5, 5, 1),
    (2, 8, 3, 40, 32, 3),
)


def drawn(*shape: int) -> Tensor:
    """Return numbers drawn from N(0, 1), in float64."""
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("rows", "channels", "outputs", "height", "width", "side"), SHAPES)
def test_a_convolution_of_several_is_that_of_each(
    rows: int, channels: int, outputs: int, height: int, width: int, side: int
) -> None:
    """Outputs, and the gradients of maps, weights and biases, are those of torch to 1e-10."""
    x = drawn(REPLICAS, rows, channels, height, width).requires_grad_()
    weight = nn.Parameter(drawn(REPLICAS, outputs, channels, side, side))
    bias = nn.Parameter(drawn(REPLICAS, outputs))
    ours = Convolutions(weight, bias)(x)
    each = zip(x, weight, bias, strict=True)
    theirs = torch.stack([F.conv2d(*one, padding=side // 2) for one in each])
    pull = drawn(*theirs.shape)
    gradients = [torch.autograd.grad((one * pull).sum(), (x, weight, bias)) for one in (ours, theirs)]

    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)


def test_large_maps_are_among_those_that_were_tried() -> None:
    """One of the shapes above is convolved by torch, and the others are not."""
    sizes = [rows * channels * height * width * side**2 for rows, channels, _, height, width, side in SHAPES]

    assert [size > SMALL for size in sizes] == [False] * (len(SHAPES) - 1) + [True]


def test_a_pooling_of_several_is_that_of_each() -> None:
    """Borders included, to the last bit."""
    one, h = nn.MaxPool2d(2, ceil_mode=True), drawn(REPLICAS, 2, 3, 5, 7)

    assert torch.equal(MaxPoolings([one] * REPLICAS)(h), torch.stack([one(own) for own in h]))


def networks() -> list[nn.Module]:
    """Return the networks of some seeds, with techniques that draw, and that learn statistics."""
    model, made = SmallCNN(channels=(3, 4), hidden=5), []
    names = {"spatial_dropout": {"rate": 0.3}, "dropout": {"rate": 0.3}, "batch_norm": {}}
    for seed in range(REPLICAS):
        with initialising(seed):
            network = model.build((1, 28, 28), 3).double()
        techniques = Techniques([make(name, **settings) for name, settings in names.items()], seed, "cpu")
        rewire(network, model, techniques, rows=40)
        made.append(network)
    return made


@pytest.mark.parametrize("rows", [5, 30])
def test_networks_for_images_pass_each_batch_as_one_network_does(rows: int) -> None:
    """Small batches together, large ones each by itself: outputs, gradients and statistics of one network."""
    x, ours, theirs = drawn(REPLICAS, rows, 1, 28, 28), networks(), networks()
    whole = joined(ours)
    said = whole(x)
    alone = torch.stack([network(own) for network, own in zip(theirs, x, strict=True)])
    gradients = torch.autograd.grad(said.square().sum(), list(whole.parameters()))
    for place, network in enumerate(theirs):
        expected = torch.autograd.grad(
            alone[place].square().sum(), list(network.parameters()), retain_graph=True
        )
        torch.testing.assert_close([own[place] for own in gradients], list(expected), rtol=0, atol=1e-9)

    assert (rows * 28 * 28 > LARGE) == (rows == 30)
    torch.testing.assert_close(said, alone, rtol=0, atol=1e-10)
    statistics = zip(ours, theirs, strict=True)
    assert all(
        torch.allclose(*pair)
        for nets in statistics
        for pair in zip(*(n.buffers() for n in nets), strict=True)
    )


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(4, 4, 3, padding=1, stride=2),
        nn.Conv2d(4, 4, 3, padding=1, groups=2),
        nn.Conv2d(4, 4, 3, padding=1, bias=False),
        nn.Conv2d(4, 4, (3, 1), padding=(1, 0)),
    ],
)
def test_other_convolutions_are_not_joined(layer: nn.Conv2d) -> None:
    """What changes the size of maps, or has no bias, is named."""
    with pytest.raises(Alone, match="Conv2d"):
        joined([layer, layer])
