"""Which run is asked for: by a params file, or by the command line; checked before anything starts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from studylib import places, sources
from studylib.errors import ParameterError, did_you_mean
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


def from_file(study: str, run: str, device: str | None = None) -> Request:
    """Return the run ``params/<study>/<run>.yaml``.

    Raises:
        ParameterError: no such study or file, or something wrong in it.
    """
    sources.notebook(study)
    shown = f"params/{study}/{run}.yaml"
    path = places.project() / shown
    if not path.is_file():
        known = sorted(p.stem for p in path.parent.glob("*.yaml"))
        raise ParameterError(f"{shown}: no such run.{did_you_mean(run, known)} Known: {', '.join(known)}.")
    edits = {"device": device} if device else None
    params = layered(study, run, [(shown, sources.read_yaml(path))], edits)
    words = ["studylib", "run", study, "--params", shown, *(["--set", f"device={device}"] if device else [])]
    return Request(params, shlex.join(words))


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
    edits: dict[str, Any] = {}
    for setting in settings:
        key, value = _setting(setting)
        if value == {}:
            raise ParameterError(
                f"--set {setting}: changes nothing; expected a value, or settings to change."
            )
        _plant(edits, key.split("."), value, f"--set {setting}")
    whole = dict(map(_arm, arms))
    run = name or (file.stem if file else "custom")
    params = layered(study, run, layers, edits, whole)
    words = ["studylib", "run", study, *(["--params", str(file)] if file else [])]
    words += [word for setting in settings for word in ("--set", _shown(setting))]
    words += [word for arm in arms for word in ("--arm", _shown_arm(arm))]
    words += ["--name", run] if name else []
    return Request(params, shlex.join(words))


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
