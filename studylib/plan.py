"""Which fits a run needs: pure data, each with a key made of everything that decides its numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, final

from studylib import fingerprints
from studylib.trainers import fitting

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset
    from studylib.models.base import Model
    from studylib.params import StudyParams
    from studylib.trainers.base import Training

DECIDING_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")


@final
@dataclass(frozen=True)
class FitSpec:
    """One arm with one seed, as pure data: what a worker needs, and nothing else.

    Attributes:
        dataset, model: ``{"name": …}`` with every setting.
        regularizers: ``{name: {setting: value}}``.
        training: every setting of ``studylib.trainers.base.Training``.
        device: "cpu" or "cuda", whose numbers differ in the last digits.
        content: sha256 of the dataset's whole content.
        code: sha256 of the code that decides its numbers, see ``code_of``.
        versions: of the packages that decide numbers.
    """

    dataset: Mapping[str, Any]
    model: Mapping[str, Any]
    regularizers: Mapping[str, Mapping[str, Any]]
    training: Mapping[str, Any]
    seed: int
    device: str
    content: str
    code: str
    versions: Mapping[str, str]

    @cached_property
    def key(self) -> str:
        """The sha256 of all of it: equal keys, equal numbers."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain data."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def label(self) -> str:
        """What it is, for people: data, model, regularizers, seed."""
        regularized = " + ".join(self.regularizers) or "none"
        return f"{self.dataset['name']}, {self.model['name']}, {regularized}, seed {self.seed}"


def plan(params: StudyParams, content: str, device: str) -> dict[tuple[str, int], FitSpec]:
    """Return the specification of each (arm, seed) of a run, on a dataset of that ``content`` hash."""
    return {
        (arm.name, seed): FitSpec(
            dataset=params.dataset.named_settings(),
            model=arm.model.named_settings(),
            regularizers=arm.regularizers,
            training=arm.training.model_dump(mode="json"),
            seed=seed,
            device=device,
            content=content,
            code=code_of(params.dataset, arm.model, arm.regularizers, arm.training),
            versions=versions(),
        )
        for arm in params.arms
        for seed in range(params.seeds)
    }


@cache
def versions() -> dict[str, str]:
    """Return the versions of the packages that decide numbers."""
    return {package: version(package) for package in DECIDING_PACKAGES}


def code_of(dataset: Dataset, model: Model, regularizers: Iterable[str], training: Training) -> str:
    """Return the sha256 of the code that decides a fit's numbers.

    A new regularizer changes no fit that does not use it, and another trainer none that it does not train.
    """
    return _code(*_roots(dataset, model, regularizers, training))


def modules_of(dataset: Dataset, model: Model, regularizers: Iterable[str], training: Training) -> list[str]:
    """Return that code as modules: the fit's parts, its trainer, and all that these import."""
    return fingerprints.followed(*_roots(dataset, model, regularizers, training))


def _roots(
    dataset: Dataset, model: Model, regularizers: Iterable[str], training: Training
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the modules that a fit starts from, and the trainers that it does not call."""
    parts = [("datasets", dataset.name), ("models", model.name), ("trainers", "fitting")]
    parts += [("regularizers", name) for name in regularizers]
    own = fitting.trainer(dataset, training)
    others = frozenset(f"studylib.trainers.{name}" for name in fitting.TRAINERS if name != own)
    return frozenset(f"studylib.{folder}.{name}" for folder, name in parts), others


_code = cache(fingerprints.of_code)
