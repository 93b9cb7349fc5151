"""Stacks on a GPU, where there is one: recorded or not they give the same, and what a CPU gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from test_cuda import draws
from test_stacked import POSSIBLE, arm, members, named, numbers, same

from studylib.trainers import _recorded, stacked
from studylib.trainers.base import Training
from studylib.trainers.stacks import why_alone

if TYPE_CHECKING:
    from made_up import MadeUp

    from studylib.models.base import Model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")

TRAINING = Training(epochs=4, batch_size=16, learning_rate=0.01, precision="float64")
STACKED = [case for case in POSSIBLE if not why_alone(case[2], arm(case[0]), "cuda")]


def trained(name: str, dataset: MadeUp, model: Model, count: int, device: str) -> list[torch.Tensor]:
    """Return all that the second of some fits of a stack gives."""
    fits = members(dataset, arm(name), TRAINING, count)
    return [one.cpu() for one in numbers(stacked.train(fits, model, device)[1], dataset, 1)]


@pytest.mark.parametrize(("name", "dataset", "model"), STACKED, ids=named)
def test_a_recorded_step_is_the_step_itself(
    name: str, dataset: MadeUp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded, again, and with no step recorded: the same bits."""
    recorded, again = (trained(name, dataset, model, 3, "cuda") for _ in range(2))
    monkeypatch.setattr(_recorded, "BEFORE", 1_000_000)

    assert same(recorded, again)
    assert same(recorded, trained(name, dataset, model, 3, "cuda"))


@pytest.mark.parametrize(("name", "dataset", "model"), STACKED, ids=named)
def test_a_fit_on_a_gpu_does_not_depend_on_the_others(name: str, dataset: MadeUp, model: Model) -> None:
    """Among three and among five, weights, losses and predictions agree to 1e-6 in float64."""
    three, five = (trained(name, dataset, model, count, "cuda") for count in (3, 5))
    torch.testing.assert_close(five, three, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "dataset", "model"), [case for case in STACKED if not draws(arm(case[0])[0])], ids=named
)
def test_a_stack_on_a_gpu_gives_the_numbers_of_the_cpu(name: str, dataset: MadeUp, model: Model) -> None:
    """Where nothing is drawn but orders, weights, losses and predictions agree to 1e-5 in float64."""
    there, here = (trained(name, dataset, model, 2, device) for device in ("cuda", "cpu"))
    torch.testing.assert_close(there, here, rtol=1e-5, atol=1e-5)
