"""Laws of every model in the folder, and what each computes, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib import datasets
from studylib.errors import ParameterError
from studylib.models import CATALOGUE
from studylib.models._networks import FactorizationNetwork
from studylib.models._slot import Slot
from studylib.models.bag_of_words import BagOfWords
from studylib.models.linear import Linear
from studylib.models.matrix_factorization import MatrixFactorization
from studylib.models.mlp import MLP
from studylib.models.small_cnn import SmallCNN
from studylib.models.text_cnn import TextCNN
from studylib.seeds import initialising
from studylib.trainers.compatibility import PLACES

if TYPE_CHECKING:
    from studylib.models.base import Model

SHAPES = {
    "images": (2, 5, 7),  # odd sides, so that pooling meets a border
    "tables": (6,),
    "text": (50, 8),
    "series": (8, 2),
    "interactions": (9, 11),
}
WORDWISE = ("embedding", "factors", "sequence", "branch")  # places where the channels come last
CASES = [(name, inputs) for name in CATALOGUE for inputs in sorted(CATALOGUE[name].inputs)]
every_model = pytest.mark.parametrize(("name", "inputs"), CASES)
every_text_model = pytest.mark.parametrize("name", [name for name, inputs in CASES if inputs == "text"])


def built(model: Model, inputs: str, outputs: int = 3, seed: int = 0) -> nn.Module:
    """Return the module in float64, in evaluation."""
    with initialising(seed):
        return model.build(SHAPES[inputs], outputs).double().eval()


def batch(inputs: str, rows: int) -> tuple[Tensor, ...]:
    """Return what a module of that kind is called with, for ``rows`` examples."""
    shape, draws = SHAPES[inputs], torch.Generator().manual_seed(rows)
    if inputs == "interactions":
        users = torch.randint(0, shape[0], (rows,), generator=draws)
        return users, torch.randint(0, shape[1], (rows, 4), generator=draws)
    if inputs == "text":
        words = torch.randint(1, shape[0], (rows, shape[1]), generator=draws)
        ends = torch.randint(1, shape[1] + 1, (rows, 1), generator=draws)
        return (words.where(torch.arange(shape[1]) < ends, 0),)
    return (torch.randn(rows, *shape, generator=draws, dtype=torch.float64),)


def weights(module: nn.Module) -> list[Tensor]:
    """Return every parameter."""
    return [w.detach() for w in module.parameters()]


@every_model
def test_the_declared_layers_hold_all_weights(name: str, inputs: str) -> None:
    """Every layer has a ``weight``, and whatever no layer holds is a bias of one axis."""
    model = CATALOGUE.example(name)
    module = built(model, inputs)
    declared = {f"{layer}.weight" for layer in model.layers()}
    found = dict(module.named_parameters())

    assert declared <= set(found)
    assert len(declared) == len(model.layers())
    assert declared == {parameter for parameter, w in found.items() if w.ndim > 1}


@every_model
def test_the_declared_slots_are_those_of_the_module(name: str, inputs: str) -> None:
    """Layer and place of each slot are known without building, in the order of the module."""
    model = CATALOGUE.example(name)
    slots = [part for part in built(model, inputs).modules() if isinstance(part, Slot)]

    assert tuple((slot.layer, slot.place) for slot in slots) == model.slots()
    assert {slot.place for slot in slots} <= set(PLACES)
    assert len(set(model.slots())) == len(slots)


@final
class Witness(nn.Module):
    """Writes down the shapes that pass through it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Size] = []

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h`` as it is."""
        self.seen.append(h.shape)
        return h


@every_model
def test_every_slot_is_passed_once_with_its_width(name: str, inputs: str) -> None:
    """What fills a slot sees each batch once; channels or heads follow the batch, or come last for words."""
    module = built(CATALOGUE.example(name), inputs)
    slots = [part for part in module.modules() if isinstance(part, Slot)]
    witnesses = [Witness() for _ in slots]
    for slot, witness in zip(slots, witnesses, strict=True):
        slot.append(witness)
    module(*batch(inputs, 7))

    for slot, witness in zip(slots, witnesses, strict=True):
        (shape,) = witness.seen
        assert shape[0] == 7
        assert shape[-1 if slot.place in WORDWISE else 1] == slot.width
        assert (len(shape) == 4) == (slot.place in ("maps", "attention") or "conv" in slot.layer)


@every_model
def test_outputs_have_their_shape_and_rows_do_not_mix(name: str, inputs: str) -> None:
    """Batches of 1 and 7 give (n, outputs), and what a row gives does not depend on its neighbours."""
    module = built(CATALOGUE.example(name), inputs)
    seven = batch(inputs, 7)
    outputs = module(*seven)

    assert outputs.shape == (7, 4 if inputs == "interactions" else 3)
    assert outputs.isfinite().all()
    for row in range(7):
        alone = module(*(part[row : row + 1] for part in seven))
        assert alone.shape == (1, outputs.shape[1])
        torch.testing.assert_close(alone[0], outputs[row], rtol=0, atol=1e-12)


@every_model
def test_equal_seeds_give_equal_weights(name: str, inputs: str) -> None:
    """Initial weights follow from the seed alone; torch's global state neither matters nor moves."""
    model = CATALOGUE.example(name)
    torch.manual_seed(1)
    first = weights(built(model, inputs, seed=3))
    torch.manual_seed(2)
    expected = torch.rand(3)
    torch.manual_seed(2)
    second, other = weights(built(model, inputs, seed=3)), weights(built(model, inputs, seed=4))

    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@every_model
def test_every_weight_is_of_use(name: str, inputs: str) -> None:
    """The outputs of a large batch depend on every tensor of weights and biases."""
    module = built(CATALOGUE.example(name), inputs)
    module(*batch(inputs, 64)).square().sum().backward()
    gradients = [w.grad for w in module.parameters()]

    assert all(gradient is not None and gradient.any() for gradient in gradients)


def test_there_is_a_model_for_every_dataset() -> None:
    """Images, tables, text, series and interactions, and whatever a dataset holds, have a model."""
    kinds = {inputs for _, inputs in CASES}

    assert kinds == set(SHAPES)
    assert {datasets.CATALOGUE[name].inputs for name in datasets.CATALOGUE} <= kinds


@every_text_model
@pytest.mark.parametrize("columns", [1, 3, 20])
def test_padding_after_a_sentence_changes_nothing(name: str, columns: int) -> None:
    """Sentences score the same however far they are padded, one that fills its row included."""
    module = built(CATALOGUE.example(name), "text")
    (text,) = batch("text", 40)
    longer = F.pad(text, (0, columns))

    assert (text != 0).all(1).any()
    torch.testing.assert_close(module(longer), module(text), rtol=0, atol=1e-12)
    nothing = module(torch.zeros(2, columns, dtype=torch.int64))
    assert nothing.isfinite().all()
    assert torch.equal(nothing, module(torch.zeros(2, 1, dtype=torch.int64)))


def test_a_bag_of_words_knows_no_order() -> None:
    """Words in any order score the same, and the score is the mean word vector's."""
    module = built(BagOfWords(dimension=5), "text")
    (text,) = batch("text", 20)
    scores = module(text)
    shuffled = text.clone()
    for row, sentence in zip(shuffled, text, strict=True):
        words = sentence[sentence != 0]
        row[: len(words)] = words.flip(0)
    vectors, output = module.get_parameter("embedding.weight"), module.get_submodule("output")
    means = torch.stack([vectors[sentence[sentence != 0]].mean(0) for sentence in text])

    torch.testing.assert_close(module(shuffled), scores, rtol=0, atol=1e-13)
    torch.testing.assert_close(output(means), scores, rtol=0, atol=1e-13)


def test_a_text_cnn_takes_the_maximum_over_time() -> None:
    """Each filter gives its largest rectified response over all words where it can begin."""
    model = TextCNN(dimension=4, widths=(2, 3), filters=5)
    module = built(model, "text")
    (text,) = batch("text", 10)
    vectors = module.get_parameter("embedding.weight").detach()
    expected = []
    for sentence in text:
        words = vectors[sentence[sentence != 0]]
        maxima = []
        for width in model.widths:
            filters = module.get_parameter(f"conv{width}.weight").detach()
            bias = module.get_parameter(f"conv{width}.bias").detach()
            padded = torch.cat([words, torch.zeros(width - 1, 4)])
            windows = [padded[start : start + width].T for start in range(len(words))]
            responses = torch.stack([(filters * window).sum((1, 2)) + bias for window in windows])
            maxima.append(responses.clamp(min=0).amax(0))
        expected.append(torch.cat(maxima))
    scores = module.get_submodule("output")(torch.stack(expected))

    torch.testing.assert_close(module(text), scores, rtol=0, atol=1e-12)


def test_a_text_cnn_looks_at_words_alone_where_texts_are_short() -> None:
    """Padded to three times its length, a batch has the same scores, and each weight the same gradient."""
    module = built(TextCNN(dimension=4, widths=(2, 3), filters=5), "text")
    (text,) = batch("text", 10)
    found = []
    for some in (text, F.pad(text, (0, 2 * text.shape[1]))):
        scores = module(some)
        weights = [w for w in module.parameters() if w.requires_grad]
        found.append([scores, *torch.autograd.grad(scores.square().sum(), weights)])

    assert (F.pad(text, (0, 2 * text.shape[1])) != 0).double().mean() < 0.5
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=1e-12)


def test_a_factorization_scores_by_inner_products() -> None:
    """score(u, i) = p_u · q_i + b_i, pair by pair and for the whole table."""
    network = built(MatrixFactorization(factors=4, scale=0.5), "interactions")
    assert isinstance(network, FactorizationNetwork)
    with torch.no_grad():
        network.bias.copy_(torch.randn(11, generator=torch.Generator().manual_seed(0)))
    p, q, b = (w.detach().numpy() for w in (network.rows.weight, network.items.weight, network.bias))
    rows, items = batch("interactions", 7)
    by_hand = [[p[u] @ q[i] + b[i] for i in some] for u, some in zip(rows, items.numpy(), strict=True)]

    np.testing.assert_allclose(network(rows, items).detach(), by_hand, rtol=0, atol=1e-14)
    np.testing.assert_allclose(network.all_scores().detach(), p @ q.T + b, rtol=0, atol=1e-14)
    assert 0.4 < p.std() < 0.6


@pytest.mark.parametrize("inputs", ["images", "tables"])
def test_an_mlp_is_its_formula(inputs: str) -> None:
    """hᵢ = relu(Wᵢ·hᵢ₋₁ + bᵢ) and a linear output; without a hidden layer, the linear model is left."""
    (x,) = batch(inputs, 7)
    for model in (MLP(hidden=(4, 3)), Linear()):
        module = built(model, inputs)
        h = x.flatten(1)
        for layer in model.layers():
            w, b = module.get_parameter(f"{layer}.weight"), module.get_parameter(f"{layer}.bias")
            h = h @ w.T + b if layer == "output" else (h @ w.T + b).clamp(min=0)

        torch.testing.assert_close(module(x), h, rtol=0, atol=1e-13)


def test_a_small_cnn_is_its_formula() -> None:
    """Convolution, relu and pooling of each block, a hidden layer, a linear output; gradients too."""
    model = SmallCNN(channels=(3, 4), hidden=5)
    module, (x,) = built(model, "images"), batch("images", 7)
    parts = dict(module.named_parameters())
    h = x
    for layer in ("conv1", "conv2"):
        maps = F.conv2d(h, parts[f"{layer}.weight"], parts[f"{layer}.bias"], padding=1)
        h = F.max_pool2d(maps.relu(), 2, ceil_mode=True)
    h = F.linear(h.flatten(1), parts["hidden.weight"], parts["hidden.bias"]).relu()
    scores = F.linear(h, parts["output.weight"], parts["output.bias"])

    own = list(parts.values())
    ours, theirs = (torch.autograd.grad(one.square().sum(), own) for one in (module(x), scores))
    assert h.shape == (7, 5)
    torch.testing.assert_close(module(x), scores, rtol=0, atol=1e-13)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "settings", "place"),
    [
        ("mlp", {"hidden": []}, "mlp.hidden"),
        ("mlp", {"hidden": [8, 0]}, "mlp.hidden.1"),
        ("text_cnn", {"widths": [3, "four"]}, "text_cnn.widths.1"),
        ("small_cnn", {"channels": [16.5]}, "small_cnn.channels.0"),
        ("matrix_factorization", {"scale": 0.0}, "matrix_factorization.scale"),
        ("linear", {"depth": 2}, "linear"),
    ],
)
def test_what_cannot_be_built_is_refused_with_its_place(
    name: str, settings: dict[str, object], place: str
) -> None:
    """A wrong width or an unknown setting is found when the model is named, not when it is built."""
    with pytest.raises(ParameterError, match=rf"^{place}: "):
        CATALOGUE.make(name, settings)
