"""Parameters of a run: the notebook's cell, a YAML file and the command line, made one strict whole.

Later layers change earlier ones: the cell says everything, a file what differs, ``--set`` a single value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from studylib import datasets, metrics, places
from studylib.arms import Arm, arms_of, common_of, described, part, strengths
from studylib.components import build
from studylib.datasets.base import Dataset, content_hash
from studylib.errors import Complaints, ParameterError, nearest, unknown
from studylib.models.base import Model
from studylib.records import Record
from studylib.sources import merged, notebook, numbers, read_cell
from studylib.trainers.base import Training
from studylib.trainers.tuning import Tuning

Tree = Mapping[str, Any]
RUN_NAME = r"\w[\w .-]*"  # it becomes the name of a file
DECIDING = ("metric", "smallest_effect")  # which follow the dataset, unless somebody says them


class Plain(BaseModel):
    """The parameters that are single values."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", arbitrary_types_allowed=True)

    seeds: Annotated[int, Field(ge=2, le=10_000, description="how many; two are needed for an interval")]
    metric: str
    smallest_effect: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    device: Literal["auto", "cpu", "cuda"]


@final
class StudyParams(Plain):
    """Everything that a run depends on, checked; equal parameters give equal records."""

    study: str
    run: str
    dataset: Dataset
    model: Model
    training: Training
    arms: tuple[Arm, ...]
    tuning: Tuning
    left_open: Tree  # of model and training, as it was asked for
    budget: str = ""  # what a run costs, in words: it decides no number
    by_dataset: tuple[str, ...] = ()  # which of DECIDING nobody said
    tree: Tree  # as it was asked for, in the form of a params file; without the budget

    @property
    def baseline(self) -> Arm:
        """The arm that the others are held against: the first."""
        return self.arms[0]

    def strengths(self, regularizer: str) -> dict[str, float]:
        """Return by arm the fixed strength of ``regularizer``, above 0, of arms that differ in it alone.

        They have model and training of the run, and the other settings of the first such arm.
        """
        alike = [arm for arm in self.arms if (arm.model, arm.training) == (self.model, self.training)]
        return strengths(alike, regularizer)

    def about_data(self) -> str:
        """Return what a reader should know of the dataset, as a list in Markdown; this reads the dataset."""
        split = self.dataset.split(0)
        parts = {"train": split.train, "validation": split.validation, "test": split.test}
        facts = {
            "name": self.dataset.name,
            **described(self.dataset, self.arms),
            "classes": ", ".join(self.dataset.classes()),
            "target": self.dataset.unit,
            "rows in each seed": ", ".join(f"{len(rows)} {part}" for part, rows in parts.items()),
            "shape": " × ".join(map(str, split.inputs)),
            "sha256": content_hash(self.dataset),
        }
        return "\n".join(f"- **{fact}**: {value}" for fact, value in facts.items() if value)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as a params file would say them, defaults included."""
        return {
            **self.tree,
            "dataset": self.dataset.named_settings(),
            "model": {**self.model.named_settings(), **self.left_open.get("model", {})},
            "training": {**self.training.model_dump(mode="json"), **self.left_open.get("training", {})},
            **({"tuning": self.tuning.model_dump(mode="json")} if "tuning" in self.tree else {}),
        }


def study_params(study: str, run: str = "notebook", **values: Any) -> StudyParams:
    """Return the checked parameters of a notebook's own variables.

    A mapping that says only a part (as a params file does) is completed from the notebook's parameters cell.

    Raises:
        ParameterError: anything unknown, of a wrong type, out of range, or that does not fit together.
    """
    cell = read_cell(notebook(study))
    said = {
        name: own
        for name, own in _tuned(study, values).items()
        if name not in DECIDING or own != cell.get(name)
    }
    return layered(study, run, [("the notebook's parameters", numbers(said))])


def _tuned(study: str, values: Tree) -> Tree:
    """Return ``values`` with the tuning of the record that a notebook is executed to show.

    A cell need not say how is tuned; a run may, and then what the cell asks for is tuned as the run was.
    """
    path = os.environ.get(places.RECORD, "")
    if "tuning" in values or not path:
        return values
    shown = Record.load(Path(path))
    tuning = {key: own for key, own in shown.params.items() if key == "tuning" and shown.study == study}
    return {**values, **tuning}


def layered(
    study: str,
    run: str,
    layers: Sequence[tuple[str, Tree]],
    edits: Tree | None = None,
    arms: Tree | None = None,
) -> StudyParams:
    """Return the checked parameters of ``study``: its parameters cell, changed by ``layers``, then ``edits``.

    Args:
        study: name of the notebook.
        run: name of the run.
        layers: (where it is from, what it says); ``arms`` in a layer replaces all arms.
        edits: single values that the command line changes.
        arms: whole arms that it gives: each replaces the arm of its name, or is added.

    Raises:
        ParameterError: with the layer that is wrong, the place in it, what was expected and what was found.
    """
    path = notebook(study)
    cell = read_cell(path)
    layers, budget = _apart(layers)
    if not re.fullmatch(RUN_NAME, run):
        allowed = "letters, digits, spaces, '.', '-' and '_', with a letter or a digit first"
        raise ParameterError(f"name of the run: expected {allowed}, got {run!r}. Name it with --name.")
    tree: Tree = cell
    stages = [(str(path), tree)]
    for source, layer in layers:
        tree = merged(tree, layer, replaced=("arms",))
        stages.append((source, tree))
    if edits or arms:
        tree = {**tree, "arms": {**(tree.get("arms") or {}), **(arms or {})}}
        stages.append(("the command line", merged(tree, edits or {}, replaced=())))
    said = {key for _, layer in layers for key in layer} | set(edits or {})
    try:
        tree = stages[-1][1]
        by_dataset = _by_dataset(tree, cell, said)
        checked = _checked(study, run, {**tree, **by_dataset})
        return checked.model_copy(update={"budget": budget, "by_dataset": tuple(by_dataset)})
    except ParameterError as error:
        lines = [f"{_source(line, stages)}: {line}" for line in str(error).splitlines()]
        raise ParameterError("\n".join(lines)) from None


def _apart(layers: Sequence[tuple[str, Tree]]) -> tuple[list[tuple[str, Tree]], str]:
    """Return the layers without their budgets, and the last of these."""
    budget = ""
    for source, layer in layers:
        budget = layer.get("budget", budget)
        if not isinstance(budget, str):
            raise ParameterError(f"{source}: budget: expected what the run costs, in words, got {budget!r}.")
    return [(source, {k: v for k, v in own.items() if k != "budget"}) for source, own in layers], budget


def _by_dataset(tree: Tree, cell: Tree, said: set[str]) -> dict[str, Any]:
    """Return what the dataset of ``tree`` is judged by, where it is not the notebook's and nobody said.

    The notebook's metric may be of another task, and its smallest effect is in the unit of its own target.
    """
    if _name(tree.get("dataset")) == _name(cell.get("dataset")) or said.issuperset(DECIDING):
        return {}
    try:
        deciding = part(datasets.CATALOGUE, tree.get("dataset"), "dataset").deciding()
    except ParameterError:
        return {}  # told with everything else that is wrong
    own = {key: value for key, value in deciding._asdict().items() if key not in said}
    if tree["metric"] != deciding.metric and "metric" in said:
        own.pop("smallest_effect", None)
    return own


def _name(part: Any) -> Any:
    return part.get("name") if isinstance(part, Mapping) else part


def _source(complaint: str, stages: list[tuple[str, Tree]]) -> str:
    """Return the first source after which there is this very complaint."""
    for source, tree in stages[:-1]:
        try:
            _checked("", "", tree)
        except ParameterError as error:
            if complaint in str(error).splitlines():
                return source
    return stages[-1][0]


def _checked(study: str, run: str, tree: Tree) -> StudyParams:
    told = Complaints()
    for name in tree:
        told.hear(_refuse_stranger, name)
    dataset = told.hear(_usable, tree.get("dataset"))
    common = told.hear(common_of, tree.get("model"), tree.get("training"))
    tuning = told.hear(build, Tuning, tree.get("tuning") or {}, "tuning")
    plain = told.hear(build, Plain, {key: tree[key] for key in Plain.model_fields if key in tree}, "")
    if dataset and plain:
        told.hear(metrics.refuse_misfit, plain.metric, dataset.task)
        told.hear(dataset.refuse_seeds, plain.seeds)
    arms = (
        told.hear(arms_of, tree.get("arms"), dataset, common, tuning)
        if dataset and common and tuning
        else None
    )
    if told.lines or not (dataset and common and tuning and plain and arms):
        raise told.error()
    parts = {"dataset": dataset, "model": common.model, "training": common.training, "arms": arms}
    parts |= {"tuning": tuning, "left_open": common.asked, "tree": dict(tree)}
    return StudyParams.model_validate({"study": study, "run": run, **parts, **plain.model_dump()})


def _usable(value: Any) -> Dataset:
    dataset = part(datasets.CATALOGUE, value, "dataset")
    dataset.refuse_unusable()
    return dataset


def _refuse_stranger(name: object) -> None:
    known = set(StudyParams.model_fields) - {"study", "run", "tree", "by_dataset", "left_open"}
    if name in known:
        return
    inner = nearest(str(name), Training.model_fields)
    if nearest(str(name), known) or not inner:
        raise unknown("parameter", str(name), known)
    raise ParameterError(f"unknown parameter {name!r}. Did you mean 'training.{inner}'?")
