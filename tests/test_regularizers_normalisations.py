"""Definitions of the normalisations beside batch normalisation: ghost batches, and layer normalisation."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from studylib.errors import StudyError
from studylib.regularizers.base import Rewiring, Site
from studylib.regularizers.batch_norm import BatchNorm
from studylib.regularizers.ghost_batch_norm import GhostBatchNorm
from studylib.regularizers.layer_norm import LayerNorm
from studylib.seeds import Noise

WIDTH = 5
every_shape = pytest.mark.parametrize("positions", [(), (2, 3)], ids=["units", "maps"])


def fresh(technique: Rewiring) -> Any:
    """Return the technique's module, in training."""
    return technique.module(Site("hidden", "normalisation", WIDTH), Noise(1, "noise")).double()


def activations(rows: int, positions: tuple[int, ...], seed: int = 1) -> Tensor:
    """Return normal numbers that are the same in every test."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((rows, WIDTH, *positions), dtype=torch.float64, generator=generator)


@every_shape
@pytest.mark.parametrize("size", [8, 100])
def test_one_ghost_is_batch_norm(positions: tuple[int, ...], size: int) -> None:
    """Where a group holds the whole batch, outputs and running statistics are those of batch_norm."""
    ghost, batch, h = fresh(GhostBatchNorm(size=size)), fresh(BatchNorm()), activations(8, positions)

    for _ in range(3):
        assert torch.equal(ghost(h), batch(h))
    assert torch.equal(ghost.eval()(h), batch.eval()(h))


@every_shape
@pytest.mark.parametrize("rows", [8, 11, 9])
def test_ghosts_are_batches_one_after_the_other(positions: tuple[int, ...], rows: int) -> None:
    """Torch's layer, fed the groups in order, has their outputs and statistics; a lone unit joins a group."""
    h, ghost = activations(rows, positions), fresh(GhostBatchNorm(size=4, momentum=0.3))
    torchs = (nn.BatchNorm2d if positions else nn.BatchNorm1d)(WIDTH, momentum=0.3).double()
    sizes = {8: [4, 4], 11: [4, 4, 3], 9: [4, 4, 1] if positions else [4, 5]}[rows]
    expected = torch.cat([torchs(group) for group in h.split(sizes)])

    torch.testing.assert_close(ghost(h), expected)
    for key, value in ghost.state_dict().items():
        torch.testing.assert_close(value, torchs.state_dict()[key])
    torch.testing.assert_close(ghost.eval()(h), torchs.eval()(h))


def test_the_running_statistics_are_those_of_hoffer() -> None:
    """After groups with means μᵢ the running mean is (1 − η)^g·μ + Σ η·(1 − η)^(g − 1 − i)·μᵢ."""
    h, ghost, eta = activations(12, ()), fresh(GhostBatchNorm(size=4, momentum=0.3)), 0.3
    ghost.running_mean.fill_(2.0)
    ghost(h)
    means = h.reshape(3, 4, WIDTH).mean(dim=1)
    expected = (1 - eta) ** 3 * 2 + sum(eta * (1 - eta) ** (2 - i) * means[i] for i in range(3))

    torch.testing.assert_close(ghost.running_mean, expected)


def test_ghosts_that_begin_anew_count_evenly() -> None:
    """After averaged weights the running mean of equal groups is the mean of all rows."""
    h, ghost = activations(12, ()), fresh(GhostBatchNorm(size=4))
    ghost(h + 1)
    ghost.begin_anew()
    ghost(h)

    torch.testing.assert_close(ghost.running_mean, h.mean(dim=0))


@pytest.mark.parametrize("shape", [(1, WIDTH), (1, WIDTH, 1, 1)], ids=str)
def test_a_lone_row_is_no_ghost(shape: tuple[int, ...]) -> None:
    """One value per channel is normalised by the running statistics; without any, it is an error."""
    lone, ghost = torch.ones(shape).double(), fresh(GhostBatchNorm())
    with pytest.raises(StudyError, match=r"^ghost_batch_norm: .*batch_size of at least 2"):
        ghost(lone)
    ghost(torch.randn(6, *shape[1:], generator=torch.Generator().manual_seed(1)).double())
    before = deepcopy(ghost.state_dict())

    assert torch.equal(ghost(lone), deepcopy(ghost).eval()(lone))
    assert all(torch.equal(ghost.state_dict()[key], value) for key, value in before.items())


@every_shape
def test_layer_norm_is_torchs(positions: tuple[int, ...]) -> None:
    """Outputs and gradients are those of LayerNorm for units, and of GroupNorm with one group for maps."""
    ours, h = fresh(LayerNorm()), activations(6, positions)
    torchs: nn.Module = (nn.GroupNorm(1, WIDTH) if positions else nn.LayerNorm(WIDTH)).double()
    torchs.load_state_dict(ours.state_dict())
    ours.load_state_dict({"weight": torch.linspace(0.5, 2, WIDTH), "bias": torch.linspace(-1, 1, WIDTH)})
    torchs.load_state_dict(ours.state_dict())
    for module in (ours, torchs):
        module(h).sin().sum().backward()

    torch.testing.assert_close(ours(h), torchs(h))
    for mine, theirs in zip(ours.parameters(), torchs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)
    torch.testing.assert_close(ours(h)[:1], ours(h[:1]))
    assert torch.equal(ours(h), ours.eval()(h))


@every_shape
@pytest.mark.parametrize("technique", [BatchNorm(), GhostBatchNorm(size=4), LayerNorm()], ids=repr)
def test_replicas_under_vmap_are_normalised_as_if_alone(
    technique: Rewiring, positions: tuple[int, ...]
) -> None:
    """Stacked states under vmap give the outputs and running statistics of each module by itself."""
    modules = [fresh(technique) for _ in range(3)]
    h = torch.stack([activations(10, positions, seed) for seed in range(3)])
    parameters, buffers = stack_module_state(modules)
    base = deepcopy(modules[0])

    def one(own: Any, state: Any, own_h: Tensor) -> Any:
        return functional_call(base, (own, state), (own_h,))

    together = vmap(one)(parameters, buffers, h)
    alone = [module(own) for module, own in zip(modules, h, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))
    for key, state in buffers.items():
        torch.testing.assert_close(state, torch.stack([module.get_buffer(key) for module in modules]))
