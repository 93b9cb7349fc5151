"""The gradient trainer's loop: what it computes, what it shares, what it keeps, what it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_up import DATASETS, MadeUp, Measures, Pictures, Prices
from torch import Tensor, nn
from torch.nn import functional as F

from studylib import models, regularizers
from studylib.datasets.base import Examples, Split
from studylib.errors import Divergence, ParameterError
from studylib.models.linear import Linear
from studylib.models.mlp import MLP
from studylib.regularizers import make
from studylib.regularizers.base import LexicalPerturbation, Perturbation, Regularizer
from studylib.regularizers.mixup import Mixup
from studylib.regularizers.rotate import Rotate
from studylib.regularizers.shift import Shift
from studylib.seeds import Noise, derive, initialising
from studylib.trainers._batches import Disturbance
from studylib.trainers._clock import History
from studylib.trainers._evaluation import EVALUATION_ROWS
from studylib.trainers._rewiring import rewire
from studylib.trainers._steps import Update
from studylib.trainers.base import Training
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.gradient import Trained, train
from studylib.trainers.techniques import Techniques

# what switches a technique off when it is 0
STRENGTHS = ("strength", "rate", "std", "size", "degrees", "pixels", "share", "probability", "epsilon")
SMALL = MLP(hidden=(6, 5))


def digest(*names: str, seed: int = 3) -> str:
    """Return the sha256 of all that a short training on pictures gives, bit for bit."""
    techniques = [regularizers.EXAMPLES[name] for name in names]
    result = train(Pictures().split(seed), SMALL, techniques, Training(epochs=3, batch_size=16), seed)
    losses = np.array([*result.train_loss, *result.validation_loss])
    return sha256(b"".join(w.numpy().tobytes() for w in weights(result)) + losses.tobytes()).hexdigest()


EVERYTHING = (
    "l1",
    "l2",
    "weight_decay",
    "max_norm",
    "dropout",
    "batch_norm",
    "shift",
    "mixup",
    "early_stopping",
)


def weights(result: Trained) -> list[Tensor]:
    """Return every weight and bias."""
    return [w.detach() for w in result.module.parameters()]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    """Tell whether all are equal bit for bit."""
    return all(torch.equal(*pair) for pair in zip(a, b, strict=True))


def by_hand(split: Split, training: Training, seed: int) -> nn.Module:
    """Train an MLP of 6 and 5 units by a loop that knows nothing of ours but the streams of the seed."""
    with initialising(seed):
        net = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(split.train.x[0].size, 6), nn.ReLU()),
            *(nn.Linear(6, 5), nn.ReLU()),
            nn.Linear(5, split.outputs),
        ).double()
    x, y = torch.from_numpy(split.train.x).double(), torch.from_numpy(split.train.y)
    optimizer: torch.optim.Optimizer
    if training.optimizer == "adamw":
        optimizer = torch.optim.AdamW(net.parameters(), lr=training.learning_rate, weight_decay=0, fused=True)
    else:
        rate, momentum = training.learning_rate, training.momentum
        optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum, fused=True)
    order = Noise(seed, "order")
    for _ in range(training.epochs):
        rows = order.permutation(len(x), like=x)
        # a slice of the shuffled rows, for where a batch lies in memory may change its last bits
        shuffled, goals = x[rows], y[rows]
        for start in range(0, len(x), training.batch_size):
            some = slice(start, start + training.batch_size)
            optimizer.zero_grad()
            outputs, goal = net(shuffled[some]), goals[some]
            loss = F.mse_loss(outputs[:, 0], goal) if split.outputs == 1 else F.cross_entropy(outputs, goal)
            loss.backward()
            optimizer.step()
    return net


@pytest.mark.parametrize("batch_size", [1, 7, 40, 1000])
@pytest.mark.parametrize("dataset", [Pictures(), Measures(), Prices()], ids=lambda d: type(d).__name__)
def test_the_trainer_is_a_plain_loop(dataset: MadeUp, batch_size: int) -> None:
    """A loop by hand ends at the same bits: with one row a step, a short last batch, or all rows at once."""
    split = dataset.split(5)
    for optimizer, momentum in (("adamw", 0.0), ("sgd", 0.0), ("sgd", 0.9)):
        chosen: dict[str, Any] = {"optimizer": optimizer, "momentum": momentum, "batch_size": batch_size}
        training = Training(epochs=2, learning_rate=0.01, precision="float64", **chosen)
        ours, plain = train(split, SMALL, [], training, seed=5), by_hand(split, training, seed=5)

        assert same(weights(ours), [w.detach() for w in plain.parameters()])
        assert ours.best_epoch == len(ours.train_loss) == len(ours.validation_loss) == 2


def test_the_same_arguments_give_the_same_bits() -> None:
    """Neither an earlier training nor torch's and NumPy's global seeds change a bit; another seed does."""
    first = digest(*EVERYTHING)
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 - the global generator is what must not matter
    torch.rand(5)

    assert digest(*EVERYTHING) == first
    assert digest(*EVERYTHING, seed=4) != first


def test_another_process_gives_the_same_bits() -> None:
    """A fresh interpreter, with nothing imported before, trains to the same weights and losses."""
    program = f"import test_gradient; print(test_gradient.digest(*{EVERYTHING}))"
    folder = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(folder)!r}); {program}"],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == digest(*EVERYTHING)


MODELS = {
    "images": ["small_cnn", "mlp"],
    "tables": ["mlp"],
    "text": ["text_cnn", "lstm", "transformer"],
    "series": ["nlinear", "series_lstm"],
    "interactions": [],
}
SETTINGS: dict[str, dict[str, Any]] = {
    "small_cnn": {"channels": [3], "hidden": 4},
    "mlp": {"hidden": [6, 5]},
    "text_cnn": {"dimension": 4, "filters": 3},
    "lstm": {"dimension": 4, "hidden": 3},
    "transformer": {"dimension": 4, "heads": 2, "blocks": 1, "hidden": 4},
    "nlinear": {},
    "series_lstm": {"hidden": 3, "level": "last"},
}
# their strength is that of a price on what they learn; there is no strength at which they are not there
LEARNED = {"concrete_dropout", "bayesian_linear", "sparse_variational_dropout"}
# what is computed in another order: probabilities in place of classes, a product in place of a layer
ROUNDED = {"label_smoothing", "dropconnect", "embedding_dropout", "attention_dropout", "locked_dropout"}


def off(example: Regularizer) -> Regularizer | None:
    """Return the technique at strength 0, None if it has no strength that may be 0."""
    settings = type(example).settings()
    zeros = {
        name: type(getattr(example, name))(0)
        for name in STRENGTHS
        if name in settings and settings[name].get("minimum") == 0
    }
    return example.model_copy(update=zeros) if zeros and example.name not in LEARNED else None


def switched_off() -> Iterator[tuple[MadeUp, str, Regularizer]]:
    """Yield each technique that a strength of 0 switches off, with datasets and models that it fits."""
    techniques = [one for one in map(off, regularizers.EXAMPLES.values()) if one]
    for dataset in DATASETS:
        for name, technique in product(MODELS[dataset.inputs], techniques):
            model = models.CATALOGUE.make(name, SETTINGS[name])
            try:
                refuse_misfits(dataset, model, [technique], Training(), technique.name)
            except ParameterError:
                continue
            yield dataset, name, technique


OFF = list(switched_off())


@pytest.mark.parametrize(
    ("dataset", "name", "technique"), OFF, ids=[f"{d.inputs}-{name}-{t.name}" for d, name, t in OFF]
)
def test_arms_of_one_seed_share_everything_but_the_technique(
    dataset: MadeUp, name: str, technique: Regularizer
) -> None:
    """At strength 0 a technique leaves initial weights, batch order and every step as they are without it."""
    split, model = dataset.split(1), models.CATALOGUE.make(name, SETTINGS[name])
    training = Training(epochs=2, batch_size=16, learning_rate=0.01, precision="float64")
    plain, changed = (train(split, model, arm, training, seed=1) for arm in ([], [technique]))

    found, expected = (dict(sorted(one.module.named_parameters())) for one in (changed, plain))
    if technique.name in ROUNDED:
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    else:
        assert found.keys() == expected.keys()
        assert same(list(found.values()), list(expected.values()))


def test_every_technique_with_a_strength_is_held_to_that() -> None:
    """No technique that has a strength escapes the law above, but for those held to it elsewhere."""
    named = {name for name, example in regularizers.EXAMPLES.items() if off(example)}
    elsewhere = {"embedding_l2", "back_translation"}  # test_factorization.py, test_regularizers_words.py
    held = {technique.name for _, _, technique in OFF}
    read = {name for name in named if isinstance(regularizers.EXAMPLES[name], LexicalPerturbation)}

    assert named - held - read == elsewhere


def test_techniques_draw_from_streams_of_their_own() -> None:
    """A second technique changes no draw of the first, and neither repeats the draws of the batch order."""
    split, training = Pictures().split(1), Training(epochs=2, batch_size=16)
    dropout, off = make("dropout", rate=0.4), make("input_noise", std=0.0)
    alone, together = (train(split, SMALL, arm, training, seed=1) for arm in ([dropout], [off, dropout]))
    purposes = ("init", "order", "split", *(f"noise/{name}" for name in regularizers.CATALOGUE))
    streams = {derive(seed, purpose) for seed in range(50) for purpose in purposes}

    assert same(weights(alone), weights(together))
    assert len(streams) == 50 * len(purposes)
    assert all(0 <= stream < 2**63 for stream in streams)


def test_perturbations_follow_the_arm_and_soften_last() -> None:
    """Inputs are bent in the order of the arm, each by its own stream, before examples are mixed."""
    x = torch.from_numpy(Pictures().split(0).train.x)
    target = F.one_hot(torch.arange(len(x)) % 3, 3).float()
    shift, rotate, mixup = Shift(pixels=2), Rotate(degrees=40.0), Mixup(alpha=1.0)
    expected = x, target
    order: tuple[Perturbation, ...] = (rotate, shift, mixup)
    for technique in order:
        expected = technique.perturb(*expected, Noise(4, f"noise/{technique.name}"))
    split = Pictures().split(0)
    disturb = Disturbance(Techniques([mixup, rotate, shift], 4, "cpu"), nn.Identity(), split, F.cross_entropy)
    disturbed = disturb(x, target, torch.arange(len(x)))

    assert all(torch.equal(*pair) for pair in zip(disturbed, expected, strict=True))


def test_weight_decay_is_that_of_adamw() -> None:
    """Step by step on the same batches, weights that decay and biases that do not are torch's to 1e-12."""
    split = Measures().split(0)
    training = Training(learning_rate=0.02, precision="float64")
    with initialising(0):
        ours = SMALL.build(split.inputs, 2).double()
    peer = deepcopy(ours)
    groups = [
        {"params": [w for w in peer.parameters() if w.ndim == 2], "weight_decay": 0.7},
        {"params": [w for w in peer.parameters() if w.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.02, foreach=False)
    update = Update(Techniques([make("weight_decay", strength=0.7)], 0, "cpu"), ours, SMALL, training, 60)
    x, y = torch.from_numpy(split.train.x), torch.from_numpy(split.train.y)
    for step in range(60):
        rows = slice(step % 5 * 8, step % 5 * 8 + 8)
        update(F.cross_entropy(ours(x[rows]), y[rows]))
        optimizer.zero_grad()
        F.cross_entropy(peer(x[rows]), y[rows]).backward()
        optimizer.step()

        for w, expected in zip(ours.parameters(), peer.parameters(), strict=True):
            torch.testing.assert_close(w, expected, rtol=0, atol=1e-12)


def overfitting(epochs: int, *techniques: Regularizer) -> Trained:
    """Train far too long on pictures whose labels are chance."""
    split = Pictures().split(0)
    labels = np.random.default_rng(0).permutation(split.train.y)
    split = Split(Examples(split.train.x, labels), split.validation, split.test, split.inputs, split.outputs)
    return train(split, SMALL, techniques, Training(epochs=epochs, batch_size=8, learning_rate=0.01), seed=0)


def test_early_stopping_keeps_the_best_epoch() -> None:
    """The weights are those of a training of just that length, and no epoch follows after the patience."""
    stopped = overfitting(200, make("early_stopping", patience=4))
    best = int(np.argmin(stopped.validation_loss)) + 1
    on = overfitting(best + 4)

    assert stopped.best_epoch == best
    assert 1 < best < best + 4 == len(stopped.validation_loss)
    assert same(weights(stopped), weights(overfitting(best)))
    assert not same(weights(stopped), weights(on))
    assert (stopped.train_loss, stopped.validation_loss) == (on.train_loss, on.validation_loss)
    assert on.best_epoch == best + 4  # nobody looks at validation rows without a schedule


def test_losses_are_those_without_penalty() -> None:
    """Every entry of the curves is the plain mean loss over all rows, however large the penalty is."""
    split = Prices().split(0)
    for epochs in (1, 2, 5):
        training = Training(epochs=epochs, batch_size=16, learning_rate=0.01, precision="float64")
        result = train(split, SMALL, [make("l2", strength=1e6)], training, seed=0)
        parts = ((result.train_loss, split.train), (result.validation_loss, split.validation))

        for curve, part in parts:
            errors = (part.y - result.predict(part.x)[:, 0]) ** 2
            assert curve[-1] == pytest.approx(errors.mean(), rel=1e-12)
        assert max(result.train_loss) < 20  # the penalty is above 1e5


def test_losses_are_those_of_whole_inputs_and_hard_targets() -> None:
    """Dropout, mixup and smoothing disturb the training, and never what is measured of it."""
    split = Pictures().split(0)
    disturbed = [make("dropout", rate=0.5), make("mixup", alpha=1.0), make("label_smoothing", strength=0.3)]
    training = Training(epochs=3, batch_size=16, learning_rate=0.01, precision="float64")
    result = train(split, SMALL, disturbed, training, seed=0)
    layers = [result.module.get_submodule(layer) for layer in SMALL.layers()]
    for curve, part in ((result.train_loss, split.train), (result.validation_loss, split.validation)):
        h = torch.from_numpy(part.x).double().flatten(1)
        for layer in layers[:-1]:
            h = layer(h).relu()
        outputs = layers[-1](h)

        np.testing.assert_allclose(result.predict(part.x), outputs.detach(), rtol=0, atol=1e-12)
        loss = float(F.cross_entropy(outputs, torch.from_numpy(part.y)).detach())
        assert curve[-1] == pytest.approx(loss, rel=1e-12)


def test_max_norm_holds_after_training() -> None:
    """No unit of a covered layer has incoming weights above the limit, and some reach it."""
    split, limit = Pictures().split(0), 0.4
    training = Training(epochs=3, batch_size=8, learning_rate=0.02, precision="float64")
    limited = train(split, SMALL, [make("max_norm", limit=limit, layers="hidden*")], training, seed=0)
    for layer in ("hidden1", "hidden2"):
        norms = limited.module.get_parameter(f"{layer}.weight").norm(dim=1)

        assert (norms <= limit * (1 + 1e-12)).all()
        assert (norms > limit * (1 - 1e-12)).any()
    assert limited.module.get_parameter("output.weight").norm(dim=1).max() > limit


@pytest.mark.parametrize("name", ["l1", "l2", "elastic_net", "weight_decay"])
def test_a_pattern_keeps_a_technique_to_its_layers(name: str) -> None:
    """Weights that a strong technique covers all but vanish, and those of the other layers do not."""
    settings = {"mix": 0.5} if name == "elastic_net" else {}
    strong = make(name, strength=3.0, layers="hidden2", **settings)
    training = Training(epochs=30, batch_size=8, optimizer="sgd", learning_rate=0.05)
    result = train(Pictures().split(0), SMALL, [strong], training, seed=0)
    norm = {layer: result.module.get_parameter(f"{layer}.weight").norm().item() for layer in SMALL.layers()}

    assert norm["hidden2"] < 0.05
    assert norm["hidden1"] > 0.5 < norm["output"]
    if name in ("l1", "elastic_net"):
        assert norm["hidden2"] == 0.0


def test_mixup_of_a_regression_mixes_numbers() -> None:
    """Targets of a regression are no classes, and a training with mixup still finds the line."""
    training = Training(epochs=300, batch_size=40, optimizer="sgd", learning_rate=0.1, precision="float64")
    result = train(Prices().split(0), Linear(), [make("mixup", alpha=0.4)], training, seed=0)

    assert result.train_loss[-1] < 0.5
    assert result.train_loss[0] > 2


def test_predictions_do_not_depend_on_how_many_rows_there_are() -> None:
    """Rows beyond the size of one evaluation are predicted like the first, in float64."""
    split = Prices().split(0)
    result = train(split, Linear(), [], Training(epochs=1), seed=0)
    many = np.tile(split.test.x, (EVALUATION_ROWS["cpu"] // len(split.test) + 2, 1))
    predicted = result.predict(many)

    assert len(many) > EVALUATION_ROWS["cpu"]
    assert predicted.shape == (len(many), 1)
    assert predicted.dtype == np.float64
    np.testing.assert_allclose(predicted[-30:], result.predict(split.test.x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dataset", [Pictures(), Prices()], ids=lambda d: type(d).__name__)
def test_a_divergence_says_what_to_lower(dataset: MadeUp) -> None:
    """An absurd learning rate ends with the epoch, the loss and the setting to lower."""
    training = Training(epochs=50, optimizer="sgd", learning_rate=1e12)

    with pytest.raises(
        Divergence, match=r"(inf|nan) after epoch \d+\. Lower training\.learning_rate \(now 1e\+12\)"
    ):
        train(dataset.split(0), SMALL, [], training, seed=0)


@pytest.mark.parametrize("broken", [[float("inf")], [float("nan")], [float("inf"), float("-inf")]])
def test_a_weight_that_is_not_finite_is_a_divergence(broken: list[float]) -> None:
    """It is found even where the losses do not show it, among weights and running statistics alike."""
    techniques = Techniques([make("batch_norm")], 0, "cpu")
    module = SMALL.build((5,), 2)
    rewire(module, SMALL, techniques, rows=40)
    history = History(techniques, module)
    history.add(1.0, 1.0)
    history.refuse_divergence(Training())
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            kept = tensor.clone()
            tensor.view(-1)[: len(broken)] = torch.tensor(broken[: tensor.numel()])
            with pytest.raises(Divergence):
                history.refuse_divergence(Training())
            tensor.copy_(kept)
    history.refuse_divergence(Training())


def test_a_learning_rate_too_high_for_a_decay_is_refused_at_once() -> None:
    """A decay that would flip the signs of weights is a wrong parameter, said before the first step."""
    training = Training(optimizer="sgd", learning_rate=0.5)

    with pytest.raises(ParameterError, match=r"learning_rate × strength of at most 1, got 0\.5 × 3"):
        train(Prices().split(0), Linear(), [make("weight_decay", strength=3.0)], training, seed=0)
