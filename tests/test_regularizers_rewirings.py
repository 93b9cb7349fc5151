"""Laws of every rewiring: what its module does in training, and that it is gone in evaluation."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from studylib.errors import StudyError
from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import Dropping, Rewiring, Site
from studylib.regularizers.batch_norm import BatchNorm
from studylib.regularizers.dropout import Dropout
from studylib.regularizers.spatial_dropout import SpatialDropout
from studylib.seeds import Noise

WIDTH = 5
SHAPES: dict[str, tuple[int, ...]] = {
    "input": (WIDTH,),
    "units": (WIDTH,),
    "factors": (WIDTH,),
    "normalisation": (WIDTH,),
    "maps": (WIDTH, 2, 3),
    "embedding": (4, WIDTH),
    "sequence": (4, WIDTH),
    "state": (WIDTH,),
    "attention": (WIDTH, 4, 4),
    "branch": (4, WIDTH),
}
CASES = [
    (rewiring, place)
    for rewiring in EXAMPLES.values()
    if isinstance(rewiring, Rewiring)
    for place in sorted(rewiring.places)
]
every_place = pytest.mark.parametrize(("rewiring", "place"), CASES, ids=str)
# these draw noise and are the identity in evaluation; others learn from the batch, or mix it
every_dropping = pytest.mark.parametrize(
    ("rewiring", "place"), [case for case in CASES if isinstance(case[0], Dropping)], ids=str
)


def activations(place: str, rows: int = 8, seed: int = 1) -> Tensor:
    """Return positive activations for a slot of that place."""
    shape = (rows, *SHAPES[place])
    return 0.5 + torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def fresh(rewiring: Rewiring, place: str) -> nn.Module:
    """Return the rewiring's module for a place, with its noise at the beginning."""
    return rewiring.module(Site("hidden1", place, WIDTH), Noise(1, "noise")).double()


@every_place
def test_training_follows_the_noise_and_evaluation_does_not(rewiring: Rewiring, place: str) -> None:
    """Equal noise gives equal training outputs, of the input's shape and type; evaluation repeats itself."""
    h, module, twin = activations(place), fresh(rewiring, place), fresh(rewiring, place)
    before = h.clone()
    trained = module(h)

    assert torch.equal(trained, twin(h))
    assert (trained.shape, trained.dtype) == (h.shape, h.dtype)
    assert torch.equal(h, before)
    module.eval()
    assert torch.equal(module(h), module(h))


@every_place
def test_a_module_can_be_copied_and_saved(rewiring: Rewiring, place: str) -> None:
    """A deep copy goes on exactly like the original, and its state loads into a new module."""
    h, module = activations(place), fresh(rewiring, place)
    module(h)
    copy = deepcopy(module)

    assert torch.equal(copy(h), module(h))
    restored = fresh(rewiring, place)
    restored.load_state_dict(module.state_dict())
    assert torch.equal(restored.eval()(h), module.eval()(h))


@every_dropping
def test_training_outputs_average_to_the_evaluation_output(rewiring: Rewiring, place: str) -> None:
    """Over 20 000 examples the mean in training is the evaluation output, within five standard errors."""
    module = fresh(rewiring, place)
    h = activations(place, rows=1).expand(20_000, *SHAPES[place])
    trained = module(h)
    error = trained.std(dim=0) / len(h) ** 0.5

    assert (error > 0).all()
    assert ((trained.mean(dim=0) - module.eval()(h)[0]).abs() < 5 * error).all()


@every_dropping
def test_evaluation_is_free_of_the_regularizer(rewiring: Rewiring, place: str) -> None:
    """Evaluation is the identity bit for bit, and the module has nothing to save or to learn."""
    h, module = activations(place), fresh(rewiring, place).eval()

    assert torch.equal(module(h), h)
    assert not module.state_dict()
    assert not list(module.parameters())


@every_dropping
def test_rate_0_switches_dropping_off(rewiring: Rewiring, place: str) -> None:
    """Without a rate, training is the identity bit for bit."""
    h = activations(place)

    assert torch.equal(fresh(rewiring.turned(0.0), place)(h), h)


@every_place
def test_gradients_reach_the_layer_below(rewiring: Rewiring, place: str) -> None:
    """The input's gradient is finite, and not all of it is 0."""
    h = activations(place).requires_grad_()
    fresh(rewiring, place)(h).square().sum().backward()

    assert h.grad is not None
    assert h.grad.isfinite().all()
    assert h.grad.any()


@pytest.mark.parametrize("place", ["units", "factors"])
def test_dropout_drops_every_unit_by_itself(place: str) -> None:
    """Units are 0 or scaled by 1/(1 − rate), in the share of the rate, and without regard to each other."""
    h = torch.ones(20_000, *SHAPES[place])
    dropped = Dropout(rate=0.2).drop(h, Noise(1, "noise"), Site("hidden1", place, WIDTH))

    assert set(dropped.flatten().tolist()) == {0.0, 1.25}
    assert (dropped == 0).double().mean() == pytest.approx(0.2, abs=0.01)
    assert torch.corrcoef(dropped.T).fill_diagonal_(0).abs().max() < 0.04


@pytest.mark.parametrize(("place", "positions"), [("maps", (2, 3)), ("embedding", (1,))])
def test_spatial_dropout_drops_a_channel_everywhere_at_once(place: str, positions: tuple[int, ...]) -> None:
    """Along the positions a channel is dropped or kept as a whole; channels and examples differ."""
    dropped = SpatialDropout(rate=0.2).drop(
        torch.ones(4000, *SHAPES[place]), Noise(1, "noise"), Site("conv1", place, WIDTH)
    )
    channels = dropped.amax(dim=positions)

    assert torch.equal(dropped.amin(dim=positions), channels)
    assert channels.shape == (4000, WIDTH)
    assert set(channels.flatten().tolist()) == {0.0, 1.25}
    assert (channels == 0).double().mean() == pytest.approx(0.2, abs=0.015)
    assert torch.corrcoef(channels.T).fill_diagonal_(0).abs().max() < 0.08


def test_spatial_dropout_refuses_what_has_no_positions() -> None:
    """Two axes are units, and the error names the regularizer that suits them."""
    with pytest.raises(StudyError, match=r"got shape \(3, 5\).*use dropout"):
        fresh(SpatialDropout(rate=0.2), "maps")(torch.ones(3, 5))


@pytest.mark.parametrize("positions", [(), (2, 3)], ids=["units", "maps"])
@pytest.mark.parametrize("momentum", [0.1, 1.0])
def test_batch_norm_is_torchs(positions: tuple[int, ...], momentum: float) -> None:
    """Outputs, gradients, running statistics and saved names are those of BatchNorm1d and BatchNorm2d."""
    ours = fresh(BatchNorm(momentum=momentum), "normalisation")
    torchs = (nn.BatchNorm2d if positions else nn.BatchNorm1d)(WIDTH, momentum=momentum).double()
    for seed in range(3):
        h = torch.randn(6, WIDTH, *positions, generator=torch.Generator().manual_seed(seed)).double()
        out, expected = ours(h), torchs(h)
        for result in (out, expected):
            result.sin().sum().backward()

        assert torch.equal(out, expected)
    for mine, theirs in zip(ours.parameters(), torchs.parameters(), strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        assert torch.equal(mine.grad, theirs.grad)
    assert ours.state_dict().keys() == torchs.state_dict().keys()
    assert all(torch.equal(ours.state_dict()[key], torchs.state_dict()[key]) for key in ours.state_dict())
    assert torch.equal(ours.eval()(h), torchs.eval()(h))


@pytest.mark.parametrize("shape", [(1, WIDTH), (1, WIDTH, 1, 1)], ids=str)
def test_batch_norm_uses_running_statistics_for_a_lone_row(shape: tuple[int, ...]) -> None:
    """After a larger batch, one value per channel is treated as in evaluation and changes nothing."""
    module = fresh(BatchNorm(), "normalisation")
    module(torch.randn(6, *shape[1:]).double())
    before = deepcopy(module.state_dict())
    trained = module(torch.ones(shape).double())

    assert torch.equal(trained, deepcopy(module).eval()(torch.ones(shape).double()))
    assert all(torch.equal(module.state_dict()[key], value) for key, value in before.items())


def test_batch_norm_refuses_to_train_on_lone_rows_only() -> None:
    """With batches of one from the start there is nothing to normalise by, and the error says what to do."""
    with pytest.raises(StudyError, match="batch_size of at least 2"):
        fresh(BatchNorm(), "normalisation")(torch.ones(1, WIDTH).double())


def test_batch_norm_takes_a_single_map_with_many_pixels() -> None:
    """One image of many pixels has a variance, and is normalised by its own."""
    maps = activations("maps", rows=1)

    torch.testing.assert_close(
        fresh(BatchNorm(), "normalisation")(maps).mean(dim=(0, 2, 3)), torch.zeros(WIDTH).double()
    )
