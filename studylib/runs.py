"""Which run is asked for: by a params file, a suite of them or the command line; checked before it starts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from studylib import downloads, places, sources
from studylib.errors import Complaints, ParameterError, did_you_mean, unknown
from studylib.params import StudyParams, layered
from studylib.secrets import masked


@final
@dataclass(frozen=True)
class Request:
    """A run that is wanted: its checked parameters, and the command that makes it again."""

    params: StudyParams
    command: str

    def path(self, out: Path, suffix: str) -> Path:
        """Return the path of one of the run's files under ``out``."""
        return out / self.params.study / f"{self.params.run}{suffix}"


def suite_of(run: str) -> str:
    """Return the suite of a run: ``benchmark`` of ``benchmark-fashion_mnist``."""
    return run.partition("-")[0]


def known(study: str) -> list[str]:
    """Return the runs of ``study`` that there are files for."""
    return sorted(path.stem for path in (places.project() / "params" / study).glob("*.yaml"))


def of_suite(suite: str, studies: Sequence[str] = (), device: str | None = None) -> list[Request]:
    """Return the runs of a suite: those of the files ``<suite>.yaml`` and ``<suite>-….yaml``.

    Args:
        suite: its name.
        studies: whose; of all that have any if none is named.
        device: where to train, if not as the files say.

    Raises:
        ParameterError: no such suite, a study that has no run of it, or something wrong in a file; all of it.
    """
    told = Complaints()
    found = {study: _members(suite, study) for study in dict.fromkeys(studies or sources.studies())}
    if not any(found.values()) and not studies:
        raise unknown("suite", suite, {suite_of(run) for study in found for run in known(study)}, "--suite")
    for study, runs in found.items():
        if studies and not runs:
            told.hear(from_file, study, suite, device)
    requests = [told.hear(from_file, study, run, device) for study, runs in found.items() for run in runs]
    if told.lines:
        raise told.error()
    return [request for request in requests if request]


def _members(suite: str, study: str) -> list[str]:
    return [run for run in known(study) if suite_of(run) == suite]


def from_file(study: str, run: str, device: str | None = None) -> Request:
    """Return the run ``params/<study>/<run>.yaml``.

    Raises:
        ParameterError: no such study or file, or something wrong in it.
    """
    sources.notebook(study)
    shown = f"params/{study}/{run}.yaml"
    path = places.project() / shown
    if not path.is_file():
        runs = known(study)
        raise ParameterError(f"{shown}: no such run.{did_you_mean(run, runs)} Known: {', '.join(runs)}.")
    edits = {"device": device} if device else None
    params = layered(study, run, [(shown, sources.read_yaml(path))], edits)
    words = ["studylib", "run", study, "--params", shown, *(["--set", f"device={device}"] if device else [])]
    return Request(params, shlex.join(words))


def budgets(requests: Sequence[Request]) -> list[str]:
    """Return a line for each run that says what it costs."""
    told = [one.params for one in requests if one.params.budget]
    return [f"{params.study}/{params.run}: {params.budget}" for params in told]


def fetch(requests: Sequence[Request], tell: Callable[[str], None]) -> None:
    """Fetch what the datasets of the runs are read from, and is not there yet.

    Raises:
        ParameterError: what cannot be fetched, or is not what it should be; all of it.
    """
    told = Complaints()
    for file in dict.fromkeys(file for one in requests for file in one.params.dataset.files):
        if downloads.present(file) is None:
            tell(f"fetching {file.path}, {max(1, round(file.bytes / 1e3)):,} kB, from {file.url}")
        told.hear(downloads.fetched, file)
    if told.lines:
        raise told.error()


def from_command_line(
    study: str, file: Path | None, settings: Sequence[str], arms: Sequence[str], name: str | None
) -> Request:
    """Return the run that ``studylib run`` asks for.

    Args:
        study: name of the notebook.
        file: a params file, or None for the parameters cell alone.
        settings: ``KEY=VALUE`` with a dotted key and a value in YAML.
        arms: ``NAME={regularizer: {setting: value}}`` in YAML, each whole: it replaces the arm of that name.
        name: name of the run; else the stem of the file, else ``custom``.

    Raises:
        ParameterError: anything wrong, with its place.
    """
    layers = [(str(file), sources.read_yaml(file))] if file else []
    edits = _edits(settings)
    whole = dict(map(_arm, arms))
    run = name or (file.stem if file else "custom")
    params = layered(study, run, layers, edits, whole)
    if edits or whole:  # what the file costs is not what this costs
        params = params.model_copy(update={"budget": ""})
    words = ["studylib", "run", study, *(["--params", str(file)] if file else [])]
    words += [word for setting in settings for word in ("--set", _shown(setting))]
    words += [word for arm in arms for word in ("--arm", _shown_arm(arm))]
    words += ["--name", run] if name else []
    return Request(params, shlex.join(words))


def dataset_of(study: str, file: Path | None, settings: Sequence[str]) -> dict[str, Any]:
    """Return the dataset that such a command asks for, as it is asked for: nothing of it is checked.

    Raises:
        ParameterError: no such study or file, or a setting that is none.
    """
    tree = sources.read_cell(sources.notebook(study))
    for own in (*([sources.read_yaml(file)] if file else []), _edits(settings)):
        tree = sources.merged(tree, own, replaced=("arms",))
    dataset = tree.get("dataset")
    return {"name": dataset} if isinstance(dataset, str) else dict(dataset or {})


def _edits(settings: Sequence[str]) -> dict[str, Any]:
    edits: dict[str, Any] = {}
    for setting in settings:
        key, value = _setting(setting)
        if value == {}:
            raise ParameterError(
                f"--set {setting}: changes nothing; expected a value, or settings to change."
            )
        _plant(edits, key.split("."), value, f"--set {setting}")
    return edits


def _setting(text: str) -> tuple[str, Any]:
    return _pair(text, "--set", "KEY=VALUE")


def _arm(text: str) -> tuple[str, Any]:
    return _pair(text, "--arm", "NAME={regularizer: {setting: value}}", "={")


def _shown(setting: str) -> str:
    """Return a setting as the page may say it: as it was typed, unless a secret is in it."""
    key, value = _setting(setting)
    tree: dict[str, Any] = {}
    _plant(tree, key.split("."), value, "")
    return (
        setting if masked(tree) == tree else f"{key}={json.dumps(_at(masked(tree), key), ensure_ascii=False)}"
    )


def _shown_arm(arm: str) -> str:
    name, settings = _arm(arm)
    shown = masked(settings)
    return arm if shown == settings else f"{name}={json.dumps(shown, ensure_ascii=False)}"


def _at(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree[part]
    return tree


def _pair(text: str, option: str, form: str, between: str = "=") -> tuple[str, Any]:
    # the name of an arm may have a "=" of its own, so what follows counts where it is there
    key, equals, value = text.partition(between if between in text else "=")
    if not (key.strip() and equals):
        raise ParameterError(f"{option}: expected {form}, got {text!r}.")
    return key.strip(), sources.parse_yaml(equals[1:] + value, f"{option} {key.strip()}")


def _plant(tree: dict[str, Any], path: list[str], value: Any, where: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ParameterError(f"{where}: {part} has a value already, set by another --set.")
    tree[path[-1]] = value
