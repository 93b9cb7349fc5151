"""What each regularizer of sequence models does to them: definitions, and that padding changes nothing."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F

from studylib.models._recurrence import Recurrence
from studylib.models._slot import Slot
from studylib.models.lstm import LSTM
from studylib.models.transformer import Transformer
from studylib.regularizers._modules import Noisy
from studylib.regularizers.ar import AR
from studylib.regularizers.attention_dropout import AttentionDropout
from studylib.regularizers.base import LayerRewiring, Rewiring, Site
from studylib.regularizers.embedding_dropout import EmbeddingDropout
from studylib.regularizers.locked_dropout import LockedDropout
from studylib.regularizers.stochastic_depth import StochasticDepth
from studylib.regularizers.tar import TAR
from studylib.regularizers.weight_drop import WeightDrop
from studylib.seeds import Draws, Noise, Recorded, Replayed, initialising

if TYPE_CHECKING:
    from studylib.models.base import Model

LENGTH = 7  # no other axis is as long, so that draws which have it can be told
TEXT = torch.tensor([[3, 4, 5, 3, 3, 8, 9], [4, 4, 2, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0]])
LSTM_5 = LSTM(dimension=4, hidden=5)
TRANSFORMER = Transformer(dimension=6, heads=3, hidden=8)
PAIRS: list[tuple[Model, Rewiring | LayerRewiring]] = [
    (LSTM_5, LockedDropout(rate=0.5)),
    (LSTM_5, EmbeddingDropout(rate=0.5)),
    (LSTM_5, EmbeddingDropout(rate=0.5, per="batch")),
    (LSTM_5, WeightDrop(rate=0.5)),
    (TRANSFORMER, LockedDropout(rate=0.5)),
    (TRANSFORMER, EmbeddingDropout(rate=0.5)),
    (TRANSFORMER, AttentionDropout(rate=0.5)),
    (TRANSFORMER, StochasticDepth(rate=0.5)),
]
every_pair = pytest.mark.parametrize(("model", "technique"), PAIRS, ids=lambda part: part.name)


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


def built(model: Model) -> nn.Module:
    """Return the network for ten words, in float64 and in training, its biases moved off their initial 0."""
    with initialising(0):
        module = model.build((10, LENGTH), 3).double()
        for w in module.parameters():
            if w.ndim == 1:
                w.data += 0.3 * torch.randn(w.shape, dtype=w.dtype)
    return module


def rewired(model: Model, technique: Rewiring | LayerRewiring, draws: Draws) -> nn.Module:
    """Return the network with the technique in every layer and slot that it is for."""
    module = built(model)
    if isinstance(technique, LayerRewiring):
        for layer, kind in model.layers().items():
            if kind in technique.fits and technique.covers(layer):
                module.add_module(layer, technique.rewired(module.get_submodule(layer), draws, rows=9))
        return module
    for slot in [part for part in module.modules() if isinstance(part, Slot)]:
        if slot.place in technique.places and technique.covers(slot.layer):
            slot.append(technique.module(Site(slot.layer, slot.place, slot.width, slot.depth), draws))
    return module


def trace(module: nn.Module, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what a recurrent network keeps of a pass in training."""
    module(text)
    assert isinstance(module, Recurrence)
    assert module.trace is not None
    return module.trace


def torchs(module: nn.Module) -> nn.LSTM:
    """Return torch's LSTM with the weights of a recurrent network."""
    peer = nn.LSTM(4, 5, batch_first=True).double()
    pairs = {"weight_ih_l0": "input.weight", "weight_hh_l0": "recurrent.weight"}
    pairs |= {"bias_ih_l0": "input.bias", "bias_hh_l0": "recurrent.bias"}
    peer.load_state_dict({theirs: module.get_parameter(ours) for theirs, ours in pairs.items()})
    return peer


def lengthened(draw: Tensor, columns: int) -> Tensor:
    """Return a draw with ``columns`` more, of another kind, along each axis that is as long as the text."""
    for axis, size in enumerate(draw.shape):
        if size == LENGTH:
            more = draw.narrow(axis, 0, 1).expand(*draw.shape[:axis], columns, *draw.shape[axis + 1 :])
            draw = torch.cat([draw, 1 - more], dim=axis)
    return draw


# every technique


@every_pair
def test_padding_changes_nothing_in_training(model: Model, technique: Rewiring | LayerRewiring) -> None:
    """With the same draws for the words, scores and gradients are the same however far texts are padded."""
    recorded = Recorded(noise())
    short = rewired(model, technique, recorded)
    scores = short(TEXT)
    long = rewired(model, technique, Replayed([lengthened(draw, 4) for draw in recorded.drawn]))
    padded = long(F.pad(TEXT, (0, 4)))
    for result in (scores, padded):
        result.sin().sum().backward()

    assert recorded.drawn
    torch.testing.assert_close(padded, scores, rtol=0, atol=1e-12)
    for one, other in zip(short.parameters(), long.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-11)


@every_pair
def test_it_is_at_work_in_training_alone(model: Model, technique: Rewiring | LayerRewiring) -> None:
    """Training draws, evaluation is the plain network, whose parameters have the same names."""
    plain, module = built(model), rewired(model, technique, noise())

    assert not torch.allclose(module(TEXT), plain(TEXT))
    assert not torch.equal(module(TEXT), module(TEXT))
    torch.testing.assert_close(module.eval()(TEXT), plain.eval()(TEXT), rtol=0, atol=1e-12)
    assert module.state_dict().keys() == plain.state_dict().keys()
    assert all(torch.equal(module.state_dict()[name], w) for name, w in plain.state_dict().items())


@every_pair
def test_sampling_keeps_it_on_in_evaluation(model: Model, technique: Rewiring | LayerRewiring) -> None:
    """With ``sampling`` evaluation gives what training gives, draw by draw."""
    trained, sampled = (rewired(model, technique, noise()) for _ in range(2))
    for part in sampled.eval().modules():
        if isinstance(part, Noisy):
            part.sampling = True

    assert torch.equal(sampled(TEXT), trained(TEXT))
    assert torch.equal(sampled(TEXT), trained(TEXT))


@every_pair
def test_rate_0_and_a_turned_rate(model: Model, technique: Rewiring | LayerRewiring) -> None:
    """Rate 0 gives the network without it; a rate turned by a tensor gives that of the product."""
    off = rewired(model, technique.model_copy(update={"rate": 0.0}), noise())
    half = rewired(model, technique.model_copy(update={"rate": 0.25}), noise())
    turned = rewired(model, technique.turned(torch.tensor(0.5, dtype=torch.float64)), noise())

    torch.testing.assert_close(off(TEXT), built(model)(TEXT), rtol=0, atol=1e-13)
    assert torch.equal(turned(TEXT), half(TEXT))


@every_pair
def test_a_copy_goes_on_like_the_original(model: Model, technique: Rewiring | LayerRewiring) -> None:
    """After a step of training a deep copy draws what the original draws, and a saved state loads."""
    module = rewired(model, technique, noise())
    module(TEXT).sum().backward()
    copy, restored = deepcopy(module), rewired(model, technique, noise(2))
    restored.load_state_dict(module.state_dict())

    assert torch.equal(copy(TEXT), module(TEXT))
    assert torch.equal(restored.eval()(TEXT), module.eval()(TEXT))


# dropout locked over time


def test_locked_dropout_has_one_mask_for_all_steps() -> None:
    """Along a sequence a unit is dropped or kept as a whole; sequences and units differ."""
    technique = LockedDropout(rate=0.2)
    for place in ("embedding", "sequence"):
        dropped = technique.drop(torch.ones(4000, LENGTH, 5), noise(), Site("a", place, 5))
        units = dropped.amax(1)

        assert torch.equal(dropped.amin(1), units)
        assert set(units.flatten().tolist()) == {0.0, 1.25}
        assert (units == 0).double().mean() == pytest.approx(0.2, abs=0.015)
        assert torch.corrcoef(units.T).fill_diagonal_(0).abs().max() < 0.08


def test_locked_dropout_takes_the_same_units_of_the_state_at_every_step() -> None:
    """A text's states are those of torch's LSTM without the columns of the units that its mask drops."""
    recorded = Recorded(noise())
    module = rewired(LSTM_5, LockedDropout(rate=0.5, layers="recurrent"), recorded)
    states, dropped, _ = trace(module, TEXT)
    (mask,) = recorded.drawn
    vectors = module.get_submodule("embedding")(TEXT)

    assert dropped is states
    assert mask.shape == (3, 5)
    assert len({tuple(row) for row in (mask >= 0.5).tolist()}) == 3
    for row in range(3):
        peer = torchs(module)
        with torch.no_grad():
            peer.get_parameter("weight_hh_l0").mul_(2 * (mask[row] >= 0.5))
        expected, _ = peer(vectors[row : row + 1])
        torch.testing.assert_close(states[row], expected[0], rtol=0, atol=1e-12)


def test_locked_dropout_covers_inputs_state_and_outputs_of_an_lstm() -> None:
    """By default there are three masks, (n, 1, width) around (n, width); outputs are states times theirs."""
    recorded = Recorded(noise())
    states, dropped, _ = trace(rewired(LSTM_5, LockedDropout(rate=0.5), recorded), TEXT)
    inputs, state, outputs = recorded.drawn

    assert (inputs.shape, state.shape, outputs.shape) == ((3, 1, 4), (3, 5), (3, 1, 5))
    torch.testing.assert_close(dropped, states * 2 * (outputs >= 0.5), rtol=0, atol=1e-15)


# dropout of word types


@pytest.mark.parametrize("per", ["sequence", "batch"])
def test_embedding_dropout_drops_a_word_everywhere(per: Any) -> None:
    """All occurrences of a word share its fate, in a text or in all; at the rate, and word by word."""
    technique = EmbeddingDropout(rate=0.2, per=per)
    text = torch.tensor([[5, 2, 5, 9, 2, 5], [9, 9, 5, 2, 1, 1]]).repeat(3000, 1)
    kept = technique.kept(text, torch.ones(10, 4), noise()).squeeze(-1)

    assert set(kept.flatten().tolist()) <= {0.0, 1.25}
    for row in range(20):
        words = {word: set(kept[row][text[row] == word].tolist()) for word in set(text[row].tolist())}
        assert all(len(fates) == 1 for fates in words.values())
    if per == "batch":
        assert torch.equal(kept, kept[:2].repeat(3000, 1))
        many = technique.kept(torch.arange(5000)[None], torch.ones(5000, 4), noise())
        assert (many == 0).double().mean() == pytest.approx(0.2, abs=0.03)
    else:
        first, second, third = kept[::2, 0], kept[::2, 1], kept[::2, 3]
        assert (kept == 0).double().mean(0).tolist() == pytest.approx([0.2] * 6, abs=0.03)
        fates = torch.stack([first, second, third, kept[1::2, 2]])
        assert torch.corrcoef(fates).fill_diagonal_(0).abs().max() < 0.1


def test_a_dropped_word_learns_nothing() -> None:
    """The gradient of the table is 0 in the rows of dropped words, and scaled up in those of kept ones."""
    module = rewired(LSTM_5, EmbeddingDropout(rate=0.5, per="batch"), Recorded(noise()))
    layer = module.get_submodule("embedding")
    layer(TEXT).sum().backward()
    gradient = layer.get_parameter("weight").grad
    assert gradient is not None
    counts = torch.bincount(TEXT.flatten(), minlength=10)

    assert set((gradient[counts > 0, 0] / counts[counts > 0]).tolist()) == {0.0, 2.0}
    assert not gradient[counts == 0].any()


def test_embedding_dropout_leaves_positions_alone() -> None:
    """By default only the layer of the words is replaced."""
    module = rewired(TRANSFORMER, EmbeddingDropout(rate=0.5), noise())

    assert isinstance(module.get_submodule("embedding"), Noisy)
    assert isinstance(module.get_submodule("position"), nn.Embedding)
    assert rewired(TRANSFORMER, EmbeddingDropout(rate=0.5, layers="*"), noise())(TEXT).isfinite().all()


# DropConnect on recurrent weights


def test_weight_drop_is_an_lstm_with_fewer_weights() -> None:
    """States are torch's with the masked matrix at all steps, and only kept weights learn."""
    recorded = Recorded(noise())
    module = rewired(LSTM_5, WeightDrop(rate=0.5), recorded)
    states, _, words = trace(module, TEXT)
    (mask,) = recorded.drawn
    peer = torchs(module)
    with torch.no_grad():
        peer.get_parameter("weight_hh_l0").mul_(2 * (mask >= 0.5))
    expected, _ = peer(module.get_submodule("embedding")(TEXT).detach())
    for result in (states, expected):
        (result.square() * words.unsqueeze(-1)).sum().backward()
    gradient, theirs = module.get_parameter("recurrent.weight").grad, peer.get_parameter("weight_hh_l0").grad
    assert gradient is not None
    assert theirs is not None

    assert mask.shape == (20, 5)
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(gradient, theirs * 2 * (mask >= 0.5), rtol=0, atol=1e-12)
    assert isinstance(module.get_submodule("recurrent"), Noisy)
    assert not isinstance(module.get_submodule("input"), Noisy)


def test_weight_drop_drops_every_weight_by_itself() -> None:
    """Weights are 0 or scaled up by 1/(1 − rate), in the share of the rate, without regard to each other."""
    dropped = WeightDrop(rate=0.2).drop(torch.ones(5000, 6), noise())

    assert set(dropped.flatten().tolist()) == {0.0, 1.25}
    assert (dropped == 0).double().mean() == pytest.approx(0.2, abs=0.012)
    assert torch.corrcoef(dropped.T).fill_diagonal_(0).abs().max() < 0.08


# attention and branches


def test_attention_dropout_leaves_rows_that_sum_to_1_on_average() -> None:
    """Each weight is 0 or scaled up, by a draw of its own; over many draws the rows are what they were."""
    weights = torch.randn(1, 2, 3, 4, generator=torch.Generator().manual_seed(0)).double().softmax(-1)
    many = weights.expand(20_000, 2, 3, 4)
    dropped = AttentionDropout(rate=0.5).drop(many, noise(), Site("attend1", "attention", 2))
    shares = dropped / many
    error = dropped.std(0) / len(dropped) ** 0.5

    assert set(shares.flatten().tolist()) == {0.0, 2.0}
    assert ((dropped.mean(0) - weights[0]).abs() < 5 * error).all()
    assert dropped.sum(-1).mean().item() == pytest.approx(1, abs=0.01)
    assert dropped.sum(-1).std() > 0.1
    assert torch.corrcoef(shares.flatten(1).T).fill_diagonal_(0).abs().max() < 0.04


def test_stochastic_depth_falls_linearly() -> None:
    """Branch l of L survives with probability 1 − rate·l/L, whole, for each example by itself."""
    module = rewired(Transformer(dimension=4, heads=2, blocks=2), StochasticDepth(rate=0.6), noise())
    slots = [part for part in module.modules() if isinstance(part, Slot) and part.place == "branch"]
    for number, slot in enumerate(slots, start=1):
        survival = 1 - 0.6 * number / 4
        branches = slot(torch.ones(20_000, 3, 4))
        whole = branches[:, 0, 0]

        assert torch.equal(branches, whole[:, None, None].expand(20_000, 3, 4))
        assert (whole > 0).double().mean() == pytest.approx(survival, abs=5 * 0.5 / 20_000**0.5)
        assert whole.max() == pytest.approx(1 / survival)
    assert len(slots) == 4


def test_a_dropped_branch_leaves_the_text_as_it_came() -> None:
    """A text that loses all its branches scores by the mean of what was embedded, normalised."""
    module = rewired(TRANSFORMER, StochasticDepth(rate=0.5), Replayed([torch.zeros(3, 1, 1)] * 4))
    words = (TEXT != 0).unsqueeze(-1)
    h = module.get_submodule("embedding")(TEXT) + module.get_parameter("position.weight")
    mean = (module.get_submodule("norm")(h) * words).sum(1) / words.sum(1)

    torch.testing.assert_close(module(TEXT), module.get_submodule("output")(mean), rtol=0, atol=1e-12)


# penalties on hidden states

STATES = torch.tensor([[[1.0, 2], [3, 4], [5, 7]], [[2, 2], [1, 0], [9, 9]], [[3, 1], [8, 8], [8, 8]]])
DROPPED = STATES * torch.tensor([[2.0, 0], [0, 2], [2, 2]])[:, None, :]
THERE = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]]).bool()


def test_ar_is_the_mean_square_of_what_dropout_leaves() -> None:
    """By hand: dropped states of six words, two units each; padding counts neither above nor below."""
    squares = (4 + 36 + 100) + (16 + 0) + (36 + 4)

    assert AR(strength=0.5).value(STATES, DROPPED, THERE).item() == pytest.approx(0.5 * squares / 12)


def test_tar_is_the_mean_square_of_steps_between_words() -> None:
    """By hand: undropped states over three pairs of neighbouring words; no step goes into padding."""
    squares = (4 + 4 + 4 + 9) + (1 + 4)

    assert TAR(strength=0.5).value(STATES, DROPPED, THERE).item() == pytest.approx(0.5 * squares / 6)


@pytest.mark.parametrize("penalty", [AR(strength=2.0), TAR(strength=2.0)], ids=lambda part: part.name)
def test_penalties_on_states_know_padding_replicas_and_nothing(penalty: AR | TAR) -> None:
    """Padding changes nothing, replicas are treated alone, and zeros or no words at all cost 0, smoothly."""
    longer, wider = (F.pad(part, (0, 0, 0, 2), value=9) for part in (STATES, DROPPED))
    cost = penalty.value(STATES, DROPPED, THERE)
    states, dropped = (torch.stack([part, part * 2]) for part in (STATES, DROPPED))
    there = torch.stack([THERE, THERE.flip(0)])
    nothing = torch.zeros(2, 3, 2, requires_grad=True)
    costs = vmap(penalty.value)(states, dropped, there)
    alone = [penalty.value(states[i], dropped[i], there[i]) for i in range(2)]

    torch.testing.assert_close(penalty.value(longer, wider, F.pad(THERE, (0, 2))), cost)
    torch.testing.assert_close(costs, torch.stack(alone))
    for words in (THERE[:2], torch.zeros(2, 3).bool()):
        free = penalty.value(nothing, nothing, words)
        (gradient,) = torch.autograd.grad(free, nothing)
        assert free == 0
        assert not gradient.any()
    lone = penalty.value(STATES[:, :1], DROPPED[:, :1], THERE[:, :1])
    assert (lone == 0) == isinstance(penalty, TAR)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_penalty_on_states_reaches_the_recurrence(pooling: Any) -> None:
    """The trace of a batch in training carries the gradient to the recurrent weights, padding or none."""
    gradients = []
    for text in (TEXT, F.pad(TEXT, (0, 4))):
        module = built(LSTM(dimension=4, hidden=5, pooling=pooling))
        kept = trace(module, text)
        (AR(strength=1.0).value(*kept) + TAR(strength=1.0).value(*kept)).backward()
        gradients.append(module.get_parameter("recurrent.weight").grad)

    assert gradients[0] is not None
    assert gradients[0].any()
    torch.testing.assert_close(gradients[0], gradients[1], rtol=0, atol=1e-12)


# replicas


def replicated(apply: Any, count: int = 3) -> tuple[list[Tensor], Tensor]:
    """Return results of ``apply(noise, replica)`` one by one, and those of all replicas at once."""
    records = [Recorded(noise(seed)) for seed in range(count)]
    alone = [apply(record, torch.tensor(float(number))) for number, record in enumerate(records)]
    drawn = [torch.stack(draws) for draws in zip(*(record.drawn for record in records), strict=True)]
    together = vmap(lambda number, *draws: apply(Replayed(draws), number))(torch.arange(float(count)), *drawn)
    return alone, together


def test_replicas_are_treated_alone() -> None:
    """Under vmap, with a rate for each replica, every technique does what it does to each alone."""
    ones = torch.ones(3, LENGTH, 5)

    def weight(draws: Draws, number: Tensor) -> Tensor:
        return WeightDrop(rate=0.2).turned(number).drop(ones, draws)

    def words(draws: Draws, number: Tensor) -> Tensor:
        return EmbeddingDropout(rate=0.2).turned(number).kept(TEXT, ones[0, 0, 0] + number, draws)

    def types(draws: Draws, number: Tensor) -> Tensor:
        table = torch.ones(10, 2) + number
        return EmbeddingDropout(rate=0.2, per="batch").turned(number).kept(TEXT, table, draws)

    def locked(draws: Draws, number: Tensor) -> Tensor:
        return LockedDropout(rate=0.2).turned(number).drop(ones, draws, Site("a", "sequence", 5))

    def attention(draws: Draws, number: Tensor) -> Tensor:
        return AttentionDropout(rate=0.2).turned(number).drop(ones, draws, Site("a", "attention", 5))

    def branch(draws: Draws, number: Tensor) -> Tensor:
        return StochasticDepth(rate=0.2).turned(number).drop(ones, draws, Site("a", "branch", 5, 0.5))

    for apply in (weight, words, types, locked, attention, branch):
        alone, together = replicated(apply)
        assert torch.equal(together, torch.stack(alone)), apply
        assert (alone[0] == 1).all(), apply
