"""What the models of sequences compute, against torch's own layers and by hand."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, final

import pytest
import torch
from torch import Tensor, nn

from studylib.errors import ParameterError
from studylib.models import CATALOGUE
from studylib.models._recurrence import Recurrence, adjoined
from studylib.models._slot import Slot
from studylib.models.lstm import LSTM
from studylib.models.series_lstm import SeriesLSTM
from studylib.models.transformer import Transformer
from studylib.seeds import initialising

if TYPE_CHECKING:
    from studylib.models.base import Model

LENGTH = 7
TEXT = torch.tensor([[3, 4, 5, 6, 7, 8, 9], [4, 4, 2, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0]])
WORDS = TEXT != 0


@final
class Once(nn.Module):
    """Multiplies by one, which a slot cannot know."""

    def forward(self, h: Tensor) -> Tensor:
        """Return a copy of ``h``."""
        return h * 1


def text_network(model: Model, dtype: torch.dtype = torch.float64) -> nn.Module:
    """Return the network for ten words in training, its biases moved off their initial values."""
    with initialising(0):
        module = model.build((10, LENGTH), 3).to(dtype)
        for w in module.parameters():
            if w.ndim == 1:
                w.data += torch.randn(w.shape, dtype=dtype) * 0.3
    return module


def recurrence(dtype: torch.dtype = torch.float64, pooling: str = "mean") -> Recurrence:
    """Return an LSTM for text."""
    network = text_network(LSTM.model_validate({"dimension": 4, "hidden": 5, "pooling": pooling}), dtype)
    assert isinstance(network, Recurrence)
    return network


def torchs(network: nn.Module) -> nn.LSTM:
    """Return torch's LSTM with the weights of a network."""
    peer = nn.LSTM(4, 5, batch_first=True).to(next(network.parameters()).dtype)
    pairs = {"weight_ih_l0": "input.weight", "weight_hh_l0": "recurrent.weight"}
    pairs |= {"bias_ih_l0": "input.bias", "bias_hh_l0": "recurrent.bias"}
    peer.load_state_dict({theirs: network.get_parameter(ours) for theirs, ours in pairs.items()})
    return peer


def states_of(network: Recurrence, text: Tensor) -> Tensor:
    """Return the hidden states of a pass in training."""
    network(text)
    assert network.trace is not None
    return network.trace[0]


@pytest.mark.parametrize("loop", ["fused", "stepped"])
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_an_lstm_is_torchs(loop: str, dtype: torch.dtype, within: float) -> None:
    """Hidden states and the gradients of all four tensors are those of nn.LSTM, by either loop over time."""
    network = recurrence(dtype)
    peer = torchs(network)
    if loop == "stepped":
        network.state_slot.append(Once())
    states = states_of(network, TEXT)
    expected, _ = peer(network.get_submodule("embedding")(TEXT).detach())
    for result in (states, expected):
        (result.square() * WORDS.unsqueeze(-1)).sum().backward()

    torch.testing.assert_close(states, expected, rtol=0, atol=within)
    for theirs, ours in (("ih", "input"), ("hh", "recurrent")):
        for kind in ("weight", "bias"):
            wanted = peer.get_parameter(f"{kind}_{theirs}_l0").grad
            found = network.get_parameter(f"{ours}.{kind}").grad
            torch.testing.assert_close(found, wanted, rtol=0, atol=10 * within)


def test_weights_can_lie_side_by_side() -> None:
    """What cuDNN is given has the numbers and the gradients of the weights, in one piece of memory."""
    network = recurrence()
    (of_input, input_bias), (of_state, state_bias) = network.input(), network.recurrent()
    weights = of_input, of_state, input_bias, state_bias
    parts = adjoined(weights)
    gradients = torch.autograd.grad([part.sin().sum() for part in parts], weights)

    for w, part, gradient in zip(weights, parts, gradients, strict=True):
        assert torch.equal(part, w)
        assert torch.equal(gradient, w.cos())
    ends = [part.data_ptr() + 8 * part.numel() for part in parts]
    assert ends[:-1] == [part.data_ptr() for part in parts[1:]]


def test_the_fused_loop_gives_the_numbers_of_the_stepped_one() -> None:
    """In float32, at lengths and widths of real use, scores and gradients differ by rounding alone."""
    with initialising(1):
        fused = LSTM(dimension=16, hidden=32).build((100, 40), 4)
    stepped = deepcopy(fused)
    stepped.get_submodule("state_slot").append(Once())  # type: ignore[operator]  # a Slot
    text = torch.randint(1, 100, (16, 40), generator=torch.Generator().manual_seed(0))
    text = text.where(torch.arange(40) < torch.arange(5, 37, 2)[:, None], 0)
    scores = [network(text) for network in (fused, stepped)]
    for score in scores:
        score.square().sum().backward()

    torch.testing.assert_close(*scores, rtol=0, atol=1e-6)
    for one, other in zip(fused.parameters(), stepped.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_an_lstm_reads_each_text_as_if_it_were_alone(pooling: str) -> None:
    """Scores are those of torch's LSTM on the words alone: their mean state, or the last, or the bias."""
    network = recurrence(pooling=pooling).eval()
    peer, expected = torchs(network), []
    for text in TEXT:
        states, _ = peer(network.get_submodule("embedding")(text[text != 0]))
        expected.append(network.output(states.mean(0) if pooling == "mean" else states[-1]))

    torch.testing.assert_close(network(TEXT), torch.stack(expected), rtol=0, atol=1e-12)
    assert torch.equal(network(TEXT[:1] * 0)[0], network.output.bias)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_series_is_read_to_its_end(pooling: str) -> None:
    """Values of 0 count like all others: states are torch's, and the last one is that of the last step."""
    model = SeriesLSTM.model_validate({"hidden": 5, "pooling": pooling})
    with initialising(0):
        network = model.build((6, 4), 2).double().eval()
    series = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0)).double()
    series[:, 4:] = 0
    states, _ = torchs(network)(series)
    pooled = states.mean(1) if pooling == "mean" else states[:, -1]

    torch.testing.assert_close(network(series), network.get_submodule("output")(pooled), rtol=0, atol=1e-12)


def test_the_state_slot_is_asked_once_and_used_at_every_step() -> None:
    """What it makes of ones multiplies the state at each step: zero columns in the recurrent weight."""
    network = recurrence()
    factors = torch.tensor([[1.0, 0, 2, 0, 1]]).double()

    @final
    class Chosen(nn.Module):
        calls = 0

        def forward(self, h: Tensor) -> Tensor:
            Chosen.calls += 1
            assert (h == 1).all()
            return h * factors

    peer = torchs(network)
    with torch.no_grad():
        peer.get_parameter("weight_hh_l0").mul_(factors)
    network.state_slot.append(Chosen())

    torch.testing.assert_close(
        states_of(network, TEXT), peer(network.get_submodule("embedding")(TEXT))[0], rtol=0, atol=1e-12
    )
    assert Chosen.calls == 1


def test_a_trace_is_kept_of_training_alone() -> None:
    """It has states, states after dropout and words of the last batch; a copy of the network has none."""
    network = recurrence()
    assert network.trace is None
    network.states_slot.append(nn.Dropout(0.5))
    states = states_of(network, TEXT)
    assert network.trace is not None
    _, dropped, words = network.trace

    assert torch.equal(words, WORDS)
    assert torch.equal(dropped[dropped != 0], 2 * states[dropped != 0])
    assert (dropped == 0).any()
    assert states.requires_grad
    assert deepcopy(network).trace is None
    network.eval()(TEXT)
    assert network.trace is None
    assert all(model.traced == ("lstm" in name) for name, model in CATALOGUE.items())


def encoder(module: nn.Module, model: Transformer) -> list[nn.TransformerEncoderLayer]:
    """Return torch's blocks with the weights of a network."""
    layers = []
    for block in range(1, model.blocks + 1):
        layer = nn.TransformerEncoderLayer(
            model.dimension, model.heads, model.hidden, 0.0, batch_first=True, norm_first=True
        )
        shares = [module.get_parameter(f"{name}{block}.weight") for name in ("query", "key", "value")]
        query, value = (module.get_parameter(f"{name}{block}.bias") for name in ("query", "value"))
        weights = {"self_attn.in_proj_weight": torch.cat(tuple(shares))}
        weights["self_attn.in_proj_bias"] = torch.cat([query, torch.zeros(model.dimension), value])
        for theirs, ours in (
            ("self_attn.out_proj", f"attend{block}"),
            ("linear1", f"expand{block}"),
            ("linear2", f"contract{block}"),
            ("norm1", f"attend{block}_norm"),
            ("norm2", f"contract{block}_norm"),
        ):
            for kind in ("weight", "bias"):
                weights[f"{theirs}.{kind}"] = module.get_parameter(f"{ours}.{kind}")
        layer.double().load_state_dict(weights)
        layers.append(layer)
    return layers


@pytest.mark.parametrize("attention", ["fused", "explicit"])
def test_a_transformer_is_torchs(attention: str) -> None:
    """Scores, and gradients of the word vectors, are those of torch's pre-norm encoder, by either softmax."""
    model = Transformer(dimension=6, heads=3, blocks=2, hidden=8)
    module = text_network(model)
    if attention == "explicit":
        for block in (1, 2):
            module.get_submodule(f"attention{block}_slot").append(Once())  # type: ignore[operator]  # a Slot
    table, position = module.get_parameter("embedding.weight"), module.get_parameter("position.weight")
    scores = module(TEXT)
    (found,) = torch.autograd.grad(scores.sin().sum(), table)
    h = table[TEXT] + position
    for layer in encoder(module, model):
        h = layer(h, src_key_padding_mask=~WORDS)
    h = module.get_submodule("norm")(h) * WORDS.unsqueeze(-1)
    expected = module.get_submodule("output")(h.sum(1) / WORDS.sum(1, keepdim=True))
    (wanted,) = torch.autograd.grad(expected.sin().sum(), table)

    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-11)


def test_attention_weights_are_a_mix_of_words() -> None:
    """What passes the slot is, for each head and word, a row of shares of the words that sums to 1."""
    module, seen = text_network(Transformer(dimension=6, heads=3)), []

    @final
    class Watching(nn.Module):
        def forward(self, h: Tensor) -> Tensor:
            seen.append(h)
            return h

    module.get_submodule("attention1_slot").append(Watching())  # type: ignore[operator]  # a Slot
    module(TEXT)

    assert seen[0].shape == (3, 3, LENGTH, LENGTH)
    torch.testing.assert_close(seen[0].sum(-1), torch.ones(3, 3, LENGTH).double())
    assert torch.equal(seen[0] > 0, WORDS[:, None, None, :].expand(seen[0].shape))


def test_branches_know_how_deep_they_are() -> None:
    """The depth of the residual branches rises evenly, from 1/(2·blocks) to 1."""
    module = text_network(Transformer(blocks=3))
    slots = [part for part in module.modules() if isinstance(part, Slot)]

    assert [slot.depth for slot in slots if slot.place == "branch"] == pytest.approx(
        [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1]
    )
    assert {slot.depth for slot in slots if slot.place != "branch"} == {1.0}


def test_heads_have_to_share_the_dimension() -> None:
    """A dimension that the heads do not divide is refused with its place and what would do."""
    with pytest.raises(ParameterError, match=r"^transformer: expected heads that divide .* 32"):
        CATALOGUE.make("transformer", {"heads": 5})
