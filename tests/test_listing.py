"""What there is, for people and for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from studylib import datasets, listing, metrics, models, regularizers, sources
from studylib.params import study_params

KINDS = ("studies", "regularizers", "datasets", "models", "metrics")
TYPES = {"string", "boolean", "integer", "number", "array", "object", "null"}


def listed(kind: str) -> list[dict[str, Any]]:
    """Return what a program sees of a kind."""
    rows: list[dict[str, Any]] = json.loads(listing.as_json(kind))
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_has_the_promised_fields(kind: str) -> None:
    """Name, kind, one line of summary, and settings with a type and a default unless they are required."""
    assert listed(kind)
    for row in listed(kind):
        assert row.keys() == {"name", "kind", "summary", "settings"}
        assert row["summary"]
        assert "\n" not in row["summary"]
        for setting in row["settings"].values():
            assert set(setting["type"].split(" or ")) <= TYPES
            assert "default" in setting or setting["required"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_for_people_has_a_line_for_each_and_for_each_setting(kind: str) -> None:
    """With the same names as the list for programs, and the letters of the field as they are."""
    rows, text = listed(kind), listing.as_text(kind)

    assert len(text.splitlines()) == len(rows) + sum(len(row["settings"]) for row in rows)
    assert all(f"{row['name']} " in text and row["summary"] in text for row in rows)
    assert "\\u" not in text


def test_the_lists_are_complete() -> None:
    """Everything that an error may name is in a list."""
    names = {kind: {row["name"] for row in listed(kind)} for kind in KINDS}

    assert names["studies"] == set(sources.studies())
    assert names["regularizers"] == set(regularizers.CATALOGUE)
    assert names["datasets"] == set(datasets.CATALOGUE)
    assert names["models"] == set(models.CATALOGUE)
    assert names["metrics"] == set(metrics.KEYS)


def test_a_study_can_be_run_from_what_is_listed_of_it() -> None:
    """Its settings are parameters, and their defaults are those of the notebook."""
    for row in listed("studies"):
        defaults = {name: setting["default"] for name, setting in row["settings"].items()}

        assert study_params(row["name"], **defaults) == study_params(row["name"])


def test_a_regularizer_can_be_made_from_what_is_listed_of_it() -> None:
    """Required settings from the example, the others as their defaults say."""
    for row in listed("regularizers"):
        example = regularizers.EXAMPLES[row["name"]]
        required = {n: getattr(example, n) for n, setting in row["settings"].items() if setting["required"]}
        defaults = {
            n: setting["default"] for n, setting in row["settings"].items() if not setting["required"]
        }

        assert regularizers.make(row["name"], **required) == regularizers.make(
            row["name"], **required, **defaults
        )
        assert row["kind"] == example.kind


def test_a_metric_says_which_direction_is_better() -> None:
    """And for which task it is."""
    rows = {row["name"]: row for row in listed("metrics")}

    assert rows["test_accuracy"]["summary"].endswith("Higher is better.")
    assert rows["test_nll"]["summary"].endswith("Lower is better.")
    assert rows["test_rmse"]["kind"] == "rating, regression"
