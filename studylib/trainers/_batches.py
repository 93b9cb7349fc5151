"""What happens to train rows before the model sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch.nn import functional as F

from studylib.errors import StudyError
from studylib.regularizers._wordnet import synonyms
from studylib.regularizers.base import Attack, Corruption, LexicalPerturbation, Paraphrasing, Perturbation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from studylib.datasets.base import Split
    from studylib.regularizers.base import Regularizer
    from studylib.seeds import Noise
    from studylib.trainers.techniques import Techniques

    Loss = Callable[[Tensor, Tensor], Tensor]

GATHERED = 1 << 24  # bytes of inputs at once


def targets(y: Tensor, split: Split, techniques: Techniques, dtype: torch.dtype) -> Tensor:
    """Return what the rows are trained towards: the targets, corrupted, as probabilities if need be."""
    for corruption in techniques.of(Corruption):
        y = corruption.corrupt(y, split.outputs, techniques.noise(corruption))
    return F.one_hot(y, split.outputs).to(dtype) if techniques.softens and split.classified else y


def batches(x: Tensor, target: Tensor, rows: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Give the ``rows`` in batches of ``size``: inputs, targets, and which rows they are."""
    # one gather for many batches, then views: cheaper than a gather for each; yet not a copy of everything
    many = max(1, GATHERED // (size * max(1, x[:1].nbytes)))
    for some in rows.split(many * size):
        yield from zip(x[some].split(size), target[some].split(size), some.split(size), strict=True)


@final
class Disturbance:
    """All that disturbs a batch: other words, then inputs, then what mixes examples or softens targets.

    So that what bends the inputs sees whole examples. An attack comes last, against what the model would see.
    """

    def __init__(self, techniques: Techniques, module: nn.Module, split: Split, loss: Loss) -> None:
        self._techniques = techniques
        self._module = module
        self._loss = loss
        self._unit = split.unit
        of, device = techniques.of, techniques.device
        ordered = sorted(of(Perturbation), key=lambda one: one.softens)
        steps = (*of(Paraphrasing), *of(LexicalPerturbation), *ordered, *of(Attack))
        self._steps = [(one, techniques.noise(one)) for one in steps]
        self._tables = {one.name: table(one, split, device) for one in steps}

    def __call__(self, x: Tensor, target: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the batch, which is made of the train rows of those numbers, as the model is to see it."""
        for technique, noise in self._steps:
            live = self._techniques.live(technique)
            if isinstance(live, Perturbation):
                x, target = live.perturb(x, target, noise)
            elif isinstance(live, Paraphrasing):
                x = live.perturb(x, noise, self._tables[live.name][rows])
            elif isinstance(live, LexicalPerturbation):
                x = live.perturb(x, noise, self._tables[live.name])
            elif isinstance(live, Attack):
                x = self._attacked(live, x, target, noise)
        return x, target

    def _attacked(self, attack: Attack, x: Tensor, target: Tensor, noise: Noise) -> Tensor:
        if self._unit is None:
            raise StudyError(
                f"{attack.name}: the inputs of this dataset have no scale of their own in which its size"
                " could be meant."
            )
        was_training = self._module.training
        self._module.eval()  # neither noise nor running statistics are the attacker's
        unit = torch.as_tensor(self._unit, dtype=x.dtype, device=x.device)
        attacked = attack.perturb(x, noise, lambda at: self._gradient(at, target), unit)
        self._module.train(was_training)
        return attacked.detach()

    def _gradient(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the gradient of each row's loss: a sum over rows, for the rows do not meet in evaluation."""
        x = x.detach().requires_grad_()
        total = self._loss(self._module(x), target) * len(x)
        return torch.autograd.grad(total, x)[0]


def table(technique: Regularizer, split: Split, device: str) -> Tensor:
    """Return what ``technique`` has to know of all train rows, or of all words; nothing for most."""
    if isinstance(technique, Paraphrasing):
        return torch.as_tensor(technique.paraphrases(split.train.x, split.vocabulary), device=device)
    if isinstance(technique, LexicalPerturbation):
        table = synonyms(split.vocabulary)
        if not table.any():
            raise StudyError(f"{technique.name}: none of the {len(split.vocabulary)} words has a synonym.")
        return torch.as_tensor(table, device=device)
    return torch.empty(0)
