"""Parameters: layers that change each other, strict checks, and complaints that name their source."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from studylib import sources
from studylib.errors import ParameterError
from studylib.params import StudyParams, layered, study_params

FILE = "params/vision/mine.yaml"
STUDIES = sources.studies()
SMOKE: dict[str, Any] = {"seeds": 2, "arms": {"none": {}, "mixup": {"mixup": {"alpha": 0.4}}}}


def vision(file: dict[str, Any] | None = None, **edits: Any) -> StudyParams:
    """Return the parameters of the vision study with a file and with edits of the command line."""
    return layered("vision", "mine", [(FILE, file)] if file else [], edits)


def complaint(file: dict[str, Any] | None = None, **edits: Any) -> str:
    """Return what is said of a file and of edits."""
    with pytest.raises(ParameterError) as caught:
        vision(file, **edits)
    return str(caught.value)


@pytest.mark.parametrize("study", STUDIES)
def test_the_parameters_cell_alone_is_a_run(study: str) -> None:
    """A notebook says everything that a run needs; its first arm is the baseline."""
    params = layered(study, "notebook", [])
    cell = sources.read_cell(sources.notebook(study))

    assert [arm.name for arm in params.arms] == list(cell["arms"])
    assert params.baseline.name == next(iter(cell["arms"]))
    assert (params.seeds, params.metric) == (cell["seeds"], cell["metric"])


@pytest.mark.parametrize("study", STUDIES)
def test_a_notebook_finds_the_parameters_of_its_own_variables(study: str) -> None:
    """Untouched variables ask for the same run as a command line without settings."""
    cell = sources.read_cell(sources.notebook(study))

    assert study_params(study, **cell) == layered(study, "notebook", [])


@pytest.mark.parametrize("study", STUDIES)
def test_what_a_record_says_of_its_parameters_asks_for_the_same_run(study: str) -> None:
    """With every default written out, the parameters are a fixed point."""
    params = layered(study, "notebook", [])
    again = layered(study, "notebook", [("a record", params.to_dict())])

    assert again.to_dict() == params.to_dict()
    assert (again.dataset, again.model, again.training, again.arms) == (
        params.dataset,
        params.model,
        params.training,
        params.arms,
    )


def test_a_file_changes_the_cell_and_the_command_line_changes_the_file() -> None:
    """Each layer says only what differs, and the later one holds."""
    cell, file = vision(), vision({"seeds": 4, "training": {"epochs": 7}})
    both = vision({"seeds": 4, "training": {"epochs": 7}}, training={"epochs": 9})

    assert (file.seeds, file.training.epochs) == (4, 7)
    assert (both.seeds, both.training.epochs) == (4, 9)
    assert cell.training.batch_size == file.training.batch_size == both.training.batch_size
    assert file.training.model_copy(update={"epochs": cell.training.epochs}) == cell.training


def test_arms_of_a_file_replace_those_of_the_cell() -> None:
    """A file that names arms names all of them, in its order."""
    assert [arm.name for arm in vision(SMOKE).arms] == ["none", "mixup"]


def test_arms_of_the_command_line_are_added_or_changed() -> None:
    """The arms that there are stay, and stay in their order: the baseline is still the first."""
    arms = {"mixup": {"mixup": {"alpha": 1.0}}, "mine": {"dropout": {"rate": 0.5}}}
    names = {arm.name: arm for arm in vision(SMOKE, arms=arms).arms}

    assert list(names) == ["none", "mixup", "mine"]
    assert names["mixup"].regularizers == {"mixup": {"alpha": 1.0}}


def test_another_dataset_replaces_the_settings_of_the_first() -> None:
    """And the same dataset with another setting keeps the rest."""
    kept = vision({"dataset": {"train": 60}}).dataset
    other = layered("tabular", "mine", [(FILE, {"dataset": {"name": "breast_cancer"}, "metric": "test_nll"})])

    assert (kept.name, kept.named_settings()["train"]) == ("digits", 60)
    assert kept.named_settings()["validation"] == vision().dataset.named_settings()["validation"]
    assert "features" not in other.dataset.named_settings()


def test_a_bare_name_stands_for_a_part_with_its_defaults() -> None:
    """``model: mlp`` is ``model: {name: mlp}``."""
    arms: dict[str, Any] = {"none": {}}

    assert (
        vision({"model": "mlp", "arms": arms}).model == vision({"model": {"name": "mlp"}, "arms": arms}).model
    )


def test_an_arm_may_have_a_model_and_a_training_of_its_own() -> None:
    """What it does not say is as in the study."""
    own = {"model": "mlp", "training": {"epochs": 3}, "dropout": {"rate": 0.5}}
    arm = vision({"arms": {"none": {}, "other": own}}).arms[1]

    assert (arm.model.name, arm.training.epochs) == ("mlp", 3)
    assert arm.training.batch_size == vision().training.batch_size
    assert arm.regularizers == {"dropout": {"rate": 0.5}}


def test_the_order_of_regularizers_in_an_arm_means_nothing() -> None:
    """Mappings have no order, so one that is written otherwise is the same arm, with the same numbers."""
    one: dict[str, Any] = {"mixup": {"alpha": 1.0}, "cutout": {"size": 3}}
    other = dict(reversed(one.items()))
    first, second = (vision({"arms": {"a": arm}}).arms[0] for arm in (one, other))

    assert list(first.regularizers) == list(second.regularizers) == ["cutout", "mixup"]


def test_parameters_do_not_change_after_they_were_checked() -> None:
    """They are frozen, and so are their parts."""
    params = vision(SMOKE)
    for target, name in ((params, "seeds"), (params.arms[0], "name"), (params.training, "epochs")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(target, name, getattr(target, name))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sede": 3}, "unknown parameter 'sede'. Did you mean 'seeds'? Known: arms, budget, dataset, "),
        ({"lr": "fast"}, "unknown parameter 'lr'. Did you mean 'training.learning_rate'?"),
        ({"epochs": 3}, "unknown parameter 'epochs'. Did you mean 'training.epochs'?"),
        ({"xyz": 3}, "unknown parameter 'xyz'. Known: arms, budget, dataset, "),
        ({"seeds": 0}, "seeds: expected greater than or equal to 2, got 0."),
        ({"seeds": 1}, "seeds: expected greater than or equal to 2, got 1."),
        ({"seeds": "3"}, "seeds: expected a valid integer, got '3'."),
        ({"seeds": 2.5}, "seeds: expected a valid integer, got 2.5."),
        ({"seeds": True}, "seeds: expected a valid integer, got True."),
        ({"seeds": [3]}, "seeds: expected a valid integer, got [3]."),
        ({"seeds": None}, "seeds: expected a valid integer, got None."),
        ({"smallest_effect": 0}, "smallest_effect: expected greater than 0, got 0."),
        ({"smallest_effect": float("inf")}, "smallest_effect: expected a finite number, got inf."),
        ({"device": "gpu"}, "device: expected 'auto', 'cpu' or 'cuda', got 'gpu'."),
        (
            {"training": {"lr": "fast"}},
            "training: unknown setting 'lr'. Did you mean 'learning_rate'? Known: ",
        ),
        (
            {"training": {"learning_rate": "fast"}},
            "training.learning_rate: expected a valid number, got 'fast'.",
        ),
        ({"training": {"learning_rate": -1}}, "training.learning_rate: expected greater than 0, got -1."),
        ({"training": {"optimizer": "adam"}}, "got 'adam'. Did you mean 'adamw'?"),
        ({"training": 3}, "training: expected settings such as {name: value}, got 3."),
        ({"model": "small_cn"}, "model: unknown model 'small_cn'. Did you mean 'small_cnn'? Known: "),
        ({"model": {"chanels": [8]}}, "model: unknown setting 'chanels'. Did you mean 'channels'? Known: "),
        ({"model": {"name": None}}, "model.name: expected the name of a model, got None."),
        ({"dataset": {"name": "digit"}}, "dataset: unknown dataset 'digit'. Did you mean 'digits'? Known: "),
        ({"dataset": {"train": 5}}, "dataset.train: expected greater than or equal to 20, got 5."),
        (
            {"dataset": "diabetes"},
            "arms.none: the model small_cnn does not take tables, which diabetes holds.",
        ),
        ({"metric": "test_acuracy"}, "unknown metric 'test_acuracy'. Did you mean 'test_accuracy'? Known: "),
        (
            {"metric": "test_rmse"},
            "metric: test_rmse is for rating and regression, but the dataset is for classification.",
        ),
        ({"arms": None}, "arms: expected at least a baseline, got none."),
        ({"arms": [1]}, "arms: expected settings such as {name: value}, got [1]."),
        ({"arms": {0.1: {}}}, "arms: expected text as a name, got 0.1. Put it in quotes."),
        ({"arms": {"a": "dropout"}}, "arms.a: expected settings such as {name: value}, got 'dropout'."),
        (
            {"arms": {"a": {"dropout": 0.5}}},
            "arms.a.dropout: expected settings such as {name: value}, got 0.5.",
        ),
        (
            {"arms": {"a": {"dropot": {}}}},
            "arms.a: unknown regularizer 'dropot'. Did you mean 'dropout'? Known: ",
        ),
        ({"arms": {"a": {"dropout": {}}}}, "arms.a.dropout.rate: missing; it has no default."),
        ({"arms": {"a": {"dropout": {"rate": 1.5}}}}, "arms.a.dropout.rate: expected less than 1, got 1.5."),
        ({"arms": {"a": {"dropout": {"p": 0.5}}}}, "arms.a.dropout: unknown setting 'p'."),
        (
            {"arms": {"a": {"l1": {"strength": [0.1, -1]}}}},
            "arms.a.l1.strength: expected greater than or equal to 0",
        ),
        ({"arms": {"a": {"l1": {"strength": []}}}}, "arms.a.l1.strength: expected at least one value"),
        (
            {"arms": {"a": {"l1": {"strength": {"low": 2, "high": 1}}}}},
            "arms.a.l1.strength: expected low < high",
        ),
        (
            {"arms": {"a": {"word_dropout": {"rate": 0.1}}}},
            "arms.a.word_dropout: disturbs text; digits holds images.",
        ),
        (
            {"arms": {"a": {"model": "mlpp"}}},
            "arms.a.model: unknown model 'mlpp'. Did you mean 'mlp'? Known: ",
        ),
        ({"arms": {"a": {"training": {"epoch": 1}}}}, "arms.a.training: unknown setting 'epoch'."),
        (
            {"model": "linear", "arms": {"a": {"spatial_dropout": {"rate": 0.5}}}},
            "the model linear has none.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_place_expected_found_and_nearest(
    wrong: dict[str, Any], said: str
) -> None:
    """In a file and on the command line alike, after the name of the one that says it."""
    for source, message in ((FILE, complaint(wrong)), ("the command line", complaint(**wrong))):
        assert message.startswith(f"{source}: ")
        assert said in message


def test_the_source_of_a_mistake_is_the_layer_that_made_it() -> None:
    """A file that is wrong is not excused by a command line that is right about something else."""
    assert complaint({"seeds": 0}, metric="test_nll").startswith(f"{FILE}: seeds")
    assert complaint({"metric": "test_nll"}, seeds=0).startswith("the command line: seeds")
    assert complaint({"seeds": 0, "metric": "nll"}, metric="test_nll").splitlines() == [
        f"{FILE}: seeds: expected greater than or equal to 2, got 0."
    ]


def test_a_mistake_that_a_later_layer_mends_is_none() -> None:
    """What counts is what is asked for in the end."""
    assert vision({"seeds": 0}, seeds=3).seeds == 3


def test_a_misfit_between_layers_is_that_of_the_later_one() -> None:
    """The cell's arms fit the cell's model; the file that changes the model alone is to be mended."""
    assert complaint({"model": "linear"}).startswith(f"{FILE}: arms.")
    assert complaint({"seeds": 3}, model="linear").startswith("the command line: arms.")


def test_a_file_without_a_baseline_is_refused() -> None:
    """Arms of a file are all arms, and none of them is too few."""
    assert complaint({"arms": {}}) == f"{FILE}: arms: expected at least a baseline, got none."


def test_several_mistakes_each_name_their_source() -> None:
    """One message, a line for each, and each line says which layer to mend."""
    said = complaint({"training": {"epochs": 0}}, training={"batch_size": 0}).splitlines()

    assert said == [
        f"{FILE}: training.epochs: expected greater than or equal to 1, got 0.",
        "the command line: training.batch_size: expected greater than or equal to 1, got 0.",
    ]


@pytest.mark.parametrize("run", ["", "a/b", "../a", ".hidden", "-x", "a\nb", "a:b"])
def test_a_name_that_would_be_no_file_is_refused(run: str) -> None:
    """The name of a run becomes that of three files."""
    with pytest.raises(ParameterError, match=r"^name of the run: expected letters, digits, .* --name\.$"):
        layered("vision", run, [])


@pytest.mark.parametrize("run", ["default", "λ 0.1", "2026-01-31", "a_b.c-d", "大"])
def test_a_name_in_any_script_is_taken(run: str) -> None:
    """Letters are letters."""
    assert layered("vision", run, []).run == run


def test_papermill_s_text_for_a_number_is_understood_and_other_text_is_not() -> None:
    """YAML 1.1 makes text of 1e-3; "fast" stays wrong."""
    assert study_params("vision", training={"learning_rate": "1e-3"}).training.learning_rate == 1e-3
    with pytest.raises(
        ParameterError, match=r"^the notebook's parameters: training.learning_rate: .* got 'fast'"
    ):
        study_params("vision", training={"learning_rate": "fast"})


def test_fixed_strengths_are_found_by_regularizer() -> None:
    """For the figure of strengths: arms with one strength above 0, and no others."""
    arms = {
        "none": {},
        "a": {"l2": {"strength": 0.1}},
        "off": {"l2": {"strength": 0}},
        "open": {"l2": {"strength": [0.1, 1]}},
        "other": {"l1": {"strength": 3}},
    }

    assert vision({"arms": arms}).strengths("l2") == {"a": 0.1}


def test_facts_of_the_data_are_said_one_a_line() -> None:
    """Name, source, licence, what it is not good for, and the hash of what was read."""
    facts = vision(SMOKE).about_data().splitlines()

    assert all(fact.startswith("- **") for fact in facts)
    assert {"- **name**: digits", "- **shape**: 1 × 8 × 8"} <= set(facts)


def test_neighbouring_runs_differ_in_what_they_say_only() -> None:
    """Equal words give equal parameters, other words others."""
    variants = [vision(SMOKE), vision(SMOKE, seeds=3), vision(SMOKE, training={"epochs": 1}), vision()]

    assert vision(SMOKE) == vision(dict(reversed(SMOKE.items())))
    assert all(a != b for a, b in pairwise(variants))


def test_data_of_ones_own_are_split_before_anything_is_planned(tmp_path: Path) -> None:
    """A class that only the latest rows have, which are the test, is refused with the parameters."""
    rows = [f"{k * k % 23},2026-01-{1 + k // 2:02},{'new' if k > 55 else 'ab'[k % 2]}" for k in range(60)]
    path = tmp_path / "kinds.csv"
    path.write_text("\n".join(["size,day,kind", *rows]), encoding="utf-8")
    asked = {"dataset": {"name": "csv", "path": str(path), "target": "kind", "time": "day"}}

    with pytest.raises(ParameterError, match=r"kinds\.csv.*'new'"):
        layered("tabular", "own", [("here", asked)])
