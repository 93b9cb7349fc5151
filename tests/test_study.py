"""A study, run: every fit looked up or computed once, and all of it written down."""

from __future__ import annotations

import platform
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from command_line import Smoke, smoke

import studylib
from studylib import compare, computing, places, sources, study
from studylib.contents import Contents
from studylib.errors import ParameterError
from studylib.metrics import KEYS
from studylib.params import StudyParams, layered, study_params
from studylib.store import Result, Store

if TYPE_CHECKING:
    from pathlib import Path

ARMS: dict[str, Any] = {
    "none": {},
    "λ .1": {"l2": {"strength": 0.1}},
    "the same": {"l2": {"strength": 0.1}},
    "wild": {"training": {"optimizer": "sgd", "learning_rate": 1e30}},
}


def small(**changes: Any) -> StudyParams:
    """Return a run of a moment, of whose arms two are the same and one diverges."""
    values = {
        "dataset": {"train": 60},
        "model": {"name": "mlp", "hidden": [8]},
        "training": {"epochs": 2},
        "seeds": 2,
        "arms": ARMS,
    }
    return study_params("vision", **{**values, **changes})


def run(params: StudyParams, store: Store) -> tuple[study.Planned, list[str]]:
    """Compute a run in this process; return its plan, and the keys of what was computed."""
    computed: list[str] = []
    with ThreadPoolExecutor(1) as here:
        [one] = study.planned([params], here, Contents(store.folder.parent))
        todo = study.rounds([one], store)
        count = lambda seen: computed.extend([seen.spec.key] * seen.final)  # noqa: E731  # of one line
        computing.computed(todo.begin(), store, here, count, todo.more)
    return one, computed


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs of all studies."""
    return smoke(tmp_path_factory)


def test_equal_specifications_are_computed_once(tmp_path: Path) -> None:
    """Two arms that are the same share their fits, and both are in the record."""
    one, computed = run(small(), Store(tmp_path))
    record = study.recorded(one, Store(tmp_path), {})

    assert len(computed) == len(set(computed)) == 6
    assert len(record.fits) == 8
    assert [f.metrics for f in record.finished("λ .1")] == [f.metrics for f in record.finished("the same")]


def test_what_is_known_is_not_computed_again(tmp_path: Path) -> None:
    """A second run costs nothing; one with another seed costs that seed."""
    store = Store(tmp_path)
    run(small(), store)
    one, again = run(small(), store)
    _, more = run(small(seeds=3), store)

    assert again == []
    assert len(more) == 3
    assert study.seconds(one, store) > 0


def test_a_record_says_all_that_its_numbers_depend_on(tmp_path: Path) -> None:
    """Parameters with their defaults, data by hash and rows, versions; no name of the machine."""
    one, _ = run(small(), Store(tmp_path))
    record = study.recorded(one, Store(tmp_path), {})

    assert (record.study, record.run, record.arms) == ("vision", "notebook", tuple(ARMS))
    assert record.params["training"]["batch_size"] == small().training.batch_size
    assert record.dataset["sha256"] == one.content.sha256
    assert record.dataset["split"]["train"] == 60
    assert record.dataset["rows"] == sum(record.dataset["split"].values()) == 1797
    assert record.versions["python"] == platform.python_version()
    assert record.versions["torch"] == version("torch")
    assert platform.node() not in repr(record)


def test_fits_that_did_not_end_well_are_in_the_record(tmp_path: Path) -> None:
    """Diverged ones from the store; failed and killed ones, which it does not keep, as they were told."""
    store = Store(tmp_path)
    with ThreadPoolExecutor(1) as here:
        [one] = study.planned([small()], here, Contents(tmp_path))
    first, *rest = one.specs.values()
    unkept = {first.key: Result("killed", "out of memory")}
    with ThreadPoolExecutor(1) as here:
        unkept |= computing.computed(rest[1:], store, here)
    statuses = {
        (fit.arm, fit.seed): (fit.status, fit.reason) for fit in study.recorded(one, store, unkept).fits
    }

    assert statuses["none", 0] == ("killed", "out of memory")
    assert statuses["none", 1] == ("failed", "was not computed")
    assert statuses["λ .1", 0] == ("ok", "")
    assert statuses["wild", 0][0] == "diverged"
    assert "learning_rate" in statuses["wild", 0][1]


def test_auto_is_written_down_as_the_device_that_it_was(tmp_path: Path) -> None:
    """The numbers are that device's: a record can be verified on another machine."""
    with ThreadPoolExecutor(1) as here:
        [one] = study.planned([small(device="auto")], here, Contents(tmp_path))
    record = study.recorded(one, Store(tmp_path), {})

    assert record.params["device"] in {"cpu", "cuda"}
    assert {spec.device for spec in one.specs.values()} == {record.params["device"]}


def test_the_library_and_the_command_line_give_the_same_record(smoke_runs: Smoke, tmp_path: Path) -> None:
    """`studylib.run_study` and what `report` wrote agree in every byte, once conclusions are drawn."""
    file = places.project() / "params" / "vision" / "smoke.yaml"
    params = layered("vision", "smoke", [(str(file), sources.read_yaml(file))])
    record = studylib.run_study(params, Store(smoke_runs.store))
    compare.concluded(record).save(tmp_path / "mine.json")

    assert (tmp_path / "mine.json").read_bytes() == (
        smoke_runs.reports / "vision" / "smoke.json"
    ).read_bytes()


@pytest.mark.parametrize("name", sources.studies())
def test_a_study_may_be_decided_by_what_its_fits_measure_and_by_nothing_else(
    name: str, smoke_runs: Smoke
) -> None:
    """A metric is refused before the training, or it is in the record after it."""
    fit = smoke_runs.record(name).fits[0]
    allowed = set()
    for key in KEYS:
        with suppress(ParameterError):
            allowed.add(study_params(name, metric=key).metric)

    assert allowed == KEYS.keys() & fit.metrics.keys()


def test_nothing_is_computed_that_could_not_be_kept(tmp_path: Path) -> None:
    """A store under a file is refused before the first fit."""
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match="STUDYLIB_STORE"):
        studylib.run_study(small(), Store(tmp_path / "file"))


def test_the_public_names_are_what_they_were_promised_to_be() -> None:
    """`import studylib` is enough to run, to make a regularizer, and to compare."""
    assert studylib.regularizers.make("l1", strength=0.1) == studylib.regularizers.CATALOGUE.make(
        "l1", {"strength": 0.1}
    )
    assert set(studylib.regularizers.EXAMPLES) == set(studylib.regularizers.CATALOGUE)
    assert studylib.compare.changes is compare.changes
    assert issubclass(studylib.ParameterError, studylib.StudyError)
    assert all(getattr(studylib, name) is not None for name in studylib.__all__)
    with pytest.raises(AttributeError, match="no attribute 'run_stduy'"):
        studylib.run_stduy  # noqa: B018  # asking for it is the test
