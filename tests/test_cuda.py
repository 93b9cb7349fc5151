"""Every technique on a GPU, where there is one: the numbers of the CPU, and the same bits twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from made_up import DATASETS, MadeUp

from studylib import models, regularizers
from studylib.agreement import OF
from studylib.checks import tolerances
from studylib.errors import ParameterError
from studylib.regularizers.base import (
    Attack,
    Corruption,
    Dropping,
    GradientRule,
    LayerRewiring,
    LexicalPerturbation,
    Perturbation,
    Regularizer,
    Rewiring,
    Sampling,
    StrengthSchedule,
)
from studylib.trainers import factorization, gradient
from studylib.trainers.base import Outcome, Training
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.fitting import WHOLE as WITHOUT_FOLD
from studylib.trainers.fitting import Case, fits

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [6, 5]},
    "small_cnn": {"channels": [3], "hidden": 4},
    "bag_of_words": {"dimension": 4},
    "lstm": {"dimension": 4, "hidden": 3},
    "transformer": {"dimension": 4, "heads": 2, "blocks": 1, "hidden": 4},
    "matrix_factorization": {"factors": 4},
}
# all rows in one batch: streams of a GPU are other streams, and so is the order of the batches
WHOLE = Training(epochs=5, batch_size=1000, learning_rate=0.02, precision="float64")


def arm(technique: Regularizer) -> list[Regularizer]:
    """Return the technique, with dropout to turn or to sample where it needs some."""
    needs = isinstance(technique, StrengthSchedule | Sampling)
    return [technique, *([regularizers.make("dropout", rate=0.3)] if needs else [])]


def cases() -> Iterator[Any]:
    """Yield every technique with the first dataset and each small model that it fits."""
    for name, technique in regularizers.EXAMPLES.items():
        for model_name, settings in SMALL.items():
            model = models.CATALOGUE.make(model_name, settings)
            for dataset in DATASETS:
                try:
                    refuse_misfits(dataset, model, arm(technique), WHOLE, name)
                except ParameterError:
                    continue
                yield pytest.param(dataset, model, technique, id=f"{model_name}-{name}")
                break


def draws(technique: Regularizer) -> bool:
    """Tell whether a training with it depends on noise, or on which rows stand beside each other."""
    if technique.name in {"spectral_norm", "ghost_batch_norm"}:
        return True
    if isinstance(technique, LayerRewiring):
        return technique.draws
    noisy = Attack | Dropping | Perturbation | LexicalPerturbation | Corruption | Sampling | StrengthSchedule
    if isinstance(technique, Rewiring):
        return isinstance(technique, Dropping | Perturbation)
    return isinstance(technique, noisy) or (isinstance(technique, GradientRule) and "noise" in technique.name)


def trained(dataset: MadeUp, model: Any, technique: Regularizer, device: str) -> dict[str, torch.Tensor]:
    """Return the weights after a training."""
    split = dataset.split(1)
    if dataset.task == "ranking":
        network: Any = factorization.train(split, model, arm(technique), WHOLE, 1, device).network
    else:
        network = gradient.train(split, model, arm(technique), WHOLE, 1, device).module
    return {name: w.detach().cpu() for name, w in network.named_parameters()}


CASES = list(cases()) if torch.cuda.is_available() else []


@pytest.mark.parametrize(("dataset", "model", "technique"), CASES)
def test_a_technique_works_on_a_gpu_and_gives_the_same_twice(
    dataset: MadeUp, model: Any, technique: Regularizer
) -> None:
    """Two trainings on the GPU give the same finite weights, bit for bit."""
    first, again = (trained(dataset, model, technique, "cuda") for _ in range(2))

    assert all(w.isfinite().all() for w in first.values())
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(
    ("dataset", "model", "technique"),
    [case for case in CASES if not draws(case.values[2]) and case.values[0].task != "ranking"],
)
def test_a_gpu_gives_the_numbers_of_the_cpu(dataset: MadeUp, model: Any, technique: Regularizer) -> None:
    """Where no noise is drawn, in float64, weights agree to a millionth of the largest."""
    here, there = (trained(dataset, model, technique, device) for device in ("cpu", "cuda"))
    for name, w in here.items():
        torch.testing.assert_close(there[name], w, rtol=0, atol=1e-6 * max(1.0, float(w.abs().max())))


@pytest.mark.parametrize("name", ["dropout", "l2", "early_stopping"])
def test_a_fit_agrees_with_itself_among_others_as_records_state(name: str) -> None:
    """Alone, among three and among twenty, each as far off as ``agreement`` allows at most."""
    dataset, model = DATASETS[0], models.CATALOGUE.make("mlp", SMALL["mlp"])
    training = WHOLE.model_copy(update={"precision": "float32", "epochs": 20})
    settings = {name: regularizers.EXAMPLES[name].model_dump(mode="json")}
    cases = [Case(settings, training, seed, WITHOUT_FOLD) for seed in range(20)]
    alone, *others = (fits(dataset, model, cases[:count], "cuda")[0] for count in (1, 3, 20))
    bound = tolerances.Bound(*OF["cuda"])

    assert isinstance(alone, Outcome)
    for one in others:
        assert isinstance(one, Outcome)
        assert [*bound.changes("fit", alone.metrics, one.metrics)] == []
        assert [*bound.changes("fit", alone.curves, one.curves)] == []
