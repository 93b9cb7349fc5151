"""Suites: which runs belong to one, and what each says that it costs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from studylib import listing, places, runs, sources
from studylib.downloads import present
from studylib.errors import ParameterError
from studylib.params import layered, study_params
from studylib.regularizers._wordnet_files import WORDNET_2025

COSTLY = ("benchmark", "quick")
RUNS = [(study, run) for study in sources.studies() for run in runs.known(study)]


@pytest.mark.parametrize(("study", "run"), [one for one in RUNS if runs.suite_of(one[1]) in COSTLY])
def test_a_costly_run_says_what_it_costs(study: str, run: str) -> None:
    """Whoever starts a suite knows for how long: on two cores, and on a GPU if that was measured."""
    file = places.project() / "params" / study / f"{run}.yaml"
    if not all(map(present, WORDNET_2025)) and {"eda:", "synonym_replacement:"} & set(
        re.findall(r"\w+:", file.read_text(encoding="utf-8"))
    ):
        pytest.skip(
            "its synonyms are not here; set STUDYLIB_DATA, or: studylib data fetch open-english-wordnet"
        )
    budget = runs.from_file(study, run).params.budget

    assert "two cores" in budget
    assert "GPU" in budget


@pytest.mark.parametrize(("study", "run"), [one for one in RUNS if runs.suite_of(one[1]) in COSTLY])
def test_every_benchmark_run_has_a_quick_one(study: str, run: str) -> None:
    """What takes an hour can be tried in minutes, under the same name."""
    _, _, name = run.partition("-")
    other = {"benchmark": "quick", "quick": "benchmark"}[runs.suite_of(run)]

    assert f"{other}-{name}" in runs.known(study)


def test_a_suite_is_what_begins_with_its_name() -> None:
    """The smoke suite is the smoke run of every study; a study that is named gives its own alone."""
    every = {(one.params.study, one.params.run) for one in runs.of_suite("smoke")}

    assert every == {(study, run) for study, run in RUNS if run.partition("-")[0] == "smoke"}
    assert {study for study, _ in every} == set(sources.studies())
    assert [one.params.study for one in runs.of_suite("smoke", ["vision"])] == ["vision"]


def test_an_unknown_suite_is_told_with_the_nearest() -> None:
    """Nothing is run by a name that no file has."""
    with pytest.raises(ParameterError, match=r"unknown suite 'smoek'. Did you mean 'smoke'\? Known: "):
        runs.of_suite("smoek")


def test_the_budget_is_no_parameter_of_the_fits() -> None:
    """A run costs what it costs: the words are kept, and decide neither notebook nor record."""
    cheap = layered("vision", "a", [("a file", {"seeds": 3, "budget": "a minute on two cores"})])
    silent = layered("vision", "a", [("a file", {"seeds": 3})])

    assert cheap.budget == "a minute on two cores"
    assert cheap.tree == silent.tree
    assert cheap.to_dict() == silent.to_dict()


def test_a_budget_is_words() -> None:
    """A number without a unit helps nobody."""
    with pytest.raises(ParameterError, match="a file: budget: expected what the run costs, in words, got 40"):
        layered("vision", "a", [("a file", {"budget": 40})])


def test_runs_are_listed_with_suite_dataset_and_budget() -> None:
    """``studylib list runs --json`` has a row for each params file."""
    rows = {(row["study"], row["run"]): row for row in json.loads(listing.as_json("runs"))}

    assert set(rows) == set(RUNS)
    assert rows["vision", "smoke"]["suite"] == "smoke"
    assert rows["vision", "smoke"]["dataset"] == "digits"
    assert rows["vision", "smoke"]["budget"] == ""


def test_who_chose_the_metric_is_known() -> None:
    """With another dataset and nothing said, the dataset decides; what somebody said stays."""
    own = study_params("tabular", seeds=2)
    table: dict[str, Any] = {
        "dataset": {"name": "breast_cancer"},
        "training": {"optimizer": "adamw"},
        "arms": {"none": {}},
    }
    other, said = study_params("tabular", **table), study_params("tabular", **table, metric="test_nll")

    assert own.by_dataset == said.by_dataset == ()
    assert other.by_dataset == ("metric", "smallest_effect")
    assert other.metric == "test_accuracy"
