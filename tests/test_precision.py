"""Training in bfloat16: what it changes, what it leaves as it is, and where it is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
import torch
from made_up import MadeUp, Pictures, Sentences, Tides, Visits

from studylib import study
from studylib.contents import Contents
from studylib.errors import ParameterError
from studylib.models import CATALOGUE as MODELS
from studylib.models.base import Model
from studylib.models.mlp import MLP
from studylib.models.small_cnn import SmallCNN
from studylib.params import study_params
from studylib.regularizers import make
from studylib.seeds import Noise
from studylib.trainers import gradient, stacked
from studylib.trainers.base import Training
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.gradient import Trained
from studylib.trainers.precision import knows_bf16, refuse_unknown
from studylib.trainers.stacked import Member

SHORT = Training(epochs=4, batch_size=16, learning_rate=0.01, precision="bf16")
LONG = SHORT.model_copy(update={"precision": "float32"})
SMALL: tuple[Model, ...] = (MLP(hidden=(16,)), SmallCNN(channels=(4, 5), hidden=6))
OF_KIND: dict[str, MadeUp] = {one.inputs: one for one in (Pictures(), Sentences(), Tides())}
EVERY = [(name, kind) for name, kind in product(MODELS, OF_KIND) if kind in MODELS[name].inputs]
NOISY = (make("dropout", rate=0.3), make("batch_norm"), make("input_noise", std=0.1))
native = pytest.mark.skipif(not knows_bf16("cpu"), reason="this processor does not multiply in bfloat16")


@native
@pytest.mark.parametrize("model", SMALL, ids=lambda model: model.name)
def test_the_loss_is_nearly_that_of_float32(model: Model) -> None:
    """With the same draws losses differ, by less than 2 %; weights, outputs and losses are float32."""
    split = Pictures().split(0)
    short, long = (gradient.train(split, model, NOISY, one, 0) for one in (SHORT, LONG))

    assert short.train_loss != long.train_loss
    assert short.train_loss == pytest.approx(long.train_loss, rel=0.02)
    assert {w.dtype for w in short.module.parameters()} == {torch.float32}


@native
@pytest.mark.parametrize("model", SMALL, ids=lambda model: model.name)
def test_a_stack_rounds_as_the_loop_over_one_network_does(model: Model) -> None:
    """Losses agree to 2 %, and a fit gives the same bits alone and among others."""
    members = [Member(Pictures().split(seed), NOISY, SHORT, seed) for seed in range(3)]
    three, [alone] = stacked.train(members, model), stacked.train(members[1:2], model)
    one = gradient.train(members[1].split, model, NOISY, SHORT, 1)
    found = three[1]

    assert isinstance(found, Trained)
    assert isinstance(alone, Trained)
    assert found.train_loss == pytest.approx(one.train_loss, rel=0.02)
    assert found.train_loss == alone.train_loss
    each = zip(found.module.parameters(), alone.module.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in each)


@native
@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_every_network_learns_in_bfloat16(name: str, kind: str) -> None:
    """After two epochs the losses of all models are finite, and near those of float32."""
    split, model = OF_KIND[kind].split(0), MODELS.example(name)
    short, long = (
        gradient.train(split, model, (), one.model_copy(update={"epochs": 2}), 0) for one in (SHORT, LONG)
    )

    assert short.validation_loss == pytest.approx(long.validation_loss, rel=0.05)


@pytest.mark.parametrize("draw", ["uniform", "normal"])
def test_draws_do_not_depend_on_how_short_numbers_are(draw: str) -> None:
    """For bfloat16 they are those of float32, and so is the mask of a dropout."""
    long = torch.zeros(50)
    short = long.bfloat16()
    drawn = [getattr(Noise(0, "noise"), draw)(50, like=like) for like in (long, short)]
    masks = [Noise(0, "noise").keep(50, rate=0.3, like=like) for like in (long, short)]

    assert torch.equal(*drawn)
    assert torch.equal(*masks)


def test_a_processor_without_bfloat16_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the parameter, what is missing, and what to do; float32 is never refused."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False})
    refuse_unknown("float32", "cpu")

    with pytest.raises(ParameterError, match=r"training\.precision: 'bf16' asks for .* Use 'float32'"):
        gradient.train(Pictures().split(0), SMALL[0], (), SHORT, 0)


def test_a_run_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who will train is asked when the run is planned."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    run = study_params("vision", dataset={"train": 60}, training={"precision": "bf16"})

    with ThreadPoolExecutor(1) as here, pytest.raises(ParameterError, match=r"training\.precision: 'bf16'"):
        study.planned([run], here, Contents(tmp_path))


@pytest.mark.parametrize(
    ("dataset", "model", "optimizer"),
    [(Visits(), "matrix_factorization", "adamw"), (Visits(), "matrix_factorization", "exact")],
)
def test_what_is_no_network_takes_no_bfloat16(dataset: MadeUp, model: str, optimizer: str) -> None:
    """A factorization is refused before anything starts, in one line."""
    training = SHORT.model_copy(update={"optimizer": optimizer})
    with pytest.raises(ParameterError, match=r"bf16.*step by step"):
        refuse_misfits(dataset, MODELS.example(model), (), training, "arms.a")
