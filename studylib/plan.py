"""Which fits a run needs: pure data, each with a key made of everything that decides its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, final

from studylib import datasets, fingerprints
from studylib.errors import StudyError
from studylib.secrets import masked
from studylib.trainers import fitting

if TYPE_CHECKING:
    from studylib.arms import Arm
    from studylib.params import StudyParams
    from studylib.trainers.tuning import Tuning

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
        fold: of the train rows, that is held out in place of the validation rows; see ``folding.folded``.
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
    fold: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The sha256 of all of it: equal keys, equal numbers."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain data, secrets masked: they open doors and decide no numbers."""
        return {one.name: masked(getattr(self, one.name)) for one in fields(self)}

    @property
    def label(self) -> str:
        """What it is, for people: data, model, regularizers, seed, and the fold that is held out."""
        regularized = " + ".join(self.regularizers) or "none"
        fold = f", fold {self.fold['held'] + 1} of {self.fold['of']}" if self.fold else ""
        return f"{self.dataset['name']}, {self.model['name']}, {regularized}, seed {self.seed}{fold}"


def plan(params: StudyParams, content: str, device: str) -> dict[tuple[str, int], FitSpec]:
    """Return the specification of each (arm, seed) that takes one fit, on a dataset of that ``content`` hash.

    The others are searched: see ``searches.searches``.
    """
    specs: dict[tuple[str, int], FitSpec] = {}
    for arm in params.arms:
        if not is_searched(arm, params.tuning):
            first = specified(params, _whole(arm, params.tuning), content, device)
            specs |= {(arm.name, seed): replace(first, seed=seed) for seed in range(params.seeds)}
    return specs


def is_searched(arm: Arm, tuning: Tuning) -> bool:
    """Tell whether an arm takes a fit for each of its trials, and not one in all."""
    alone = arm.shared and (tuning.method, tuning.order) == ("grid", "joint")
    return bool(arm.space) and not alone


def specified(params: StudyParams, arm: Arm, content: str, device: str) -> FitSpec:
    """Return the specification of the first seed of an arm.

    Raises:
        StudyError: the code that decides its numbers was edited since this process began.
    """
    first = FitSpec(
        dataset=params.dataset.named_settings(),
        model=arm.model.named_settings(),
        regularizers=arm.regularizers,
        training=arm.training.model_dump(mode="json"),
        seed=0,
        device=device,
        content=content,
        code="",
        versions=versions(),
    )
    refuse_edited(first)
    return replace(first, code=code_of(first))


def _whole(arm: Arm, tuning: Tuning) -> Arm:
    """Return an arm whose candidates one fit tries: its ranges with their points, and the folds asked for."""
    if not arm.space:
        return arm
    ranges = {name: own.model_dump() for name, own in arm.space.items() if not isinstance(own, tuple)}
    folds = {} if tuning.folds == "none" else {"training.folds": tuning.folds}
    return arm.at({**ranges, **folds})


@cache
def versions() -> dict[str, str]:
    """Return the versions of the packages that decide numbers."""
    return {package: version(package) for package in DECIDING_PACKAGES}


def code_of(spec: FitSpec) -> str:
    """Return the sha256 of the code that decides the numbers of ``spec``, as it is on the disk.

    A new regularizer changes no fit that does not use it, and another trainer none that it does not train.
    """
    return fingerprints.of_code(*_roots(spec))


def modules_of(spec: FitSpec) -> list[str]:
    """Return that code as modules: the fit's parts, its trainer, and all that these import."""
    return fingerprints.followed(*_roots(spec))


def refuse_edited(spec: FitSpec) -> None:
    """Refuse to go on with code that was edited since this process began: nobody knows which a worker has.

    Raises:
        StudyError: which modules were edited; what was kept before is by the code that it names.
    """
    changed = fingerprints.edited(_followed(*_roots(spec)))
    if changed:
        raise StudyError(
            f"{', '.join(changed)}: edited since this process began, so that fits may be by either code."
            " What was finished before is kept; start again (in a notebook, restart the kernel)."
        )


_followed = cache(fingerprints.followed)


def _roots(spec: FitSpec) -> tuple[frozenset[str], frozenset[str]]:
    """Return the modules that a fit starts from, and the trainers that it does not call."""
    parts = [("datasets", spec.dataset["name"]), ("models", spec.model["name"]), ("trainers", "fitting")]
    parts += [("regularizers", name) for name in spec.regularizers]
    settings = dict(spec.dataset)
    task = datasets.CATALOGUE.make(settings.pop("name"), settings).task
    own = fitting.trainer(task, spec.training["optimizer"])
    called = fitting.FAMILIES.get(own, {own})
    others = frozenset(f"studylib.trainers.{name}" for name in fitting.TRAINERS if name not in called)
    return frozenset(f"studylib.{folder}.{name}" for folder, name in parts), others
