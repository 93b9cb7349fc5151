"""The command line, whole: what it writes, what it says, and the number that it ends with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SMOKE_RUN, Smoke, environment, made_once, smoke, studylib

from studylib import sources
from studylib.records import Record

# Runs a command line, and tells afterwards which libraries that take seconds to load it has loaded.
PROBE = """
import sys
from studylib import cli
HEAVY = {"torch", "scipy", "sklearn", "pandas", "matplotlib", "papermill", "nbconvert", "jupyter_client"}
try:
    cli.main()
finally:
    print(*sorted(HEAVY & sys.modules.keys()))
"""
RUN = ("run", "vision")
WRONG: tuple[tuple[tuple[str, ...], str], ...] = (
    (("run", "visoin"), "unknown study 'visoin'. Did you mean 'vision'?"),
    (("report", "tabluar"), "unknown study 'tabluar'. Did you mean 'tabular'?"),
    (("report", "--run", "smok"), "params/forecasting/smok.yaml: no such run. Did you mean 'smoke'?"),
    (("report", "--timeout", "0"), "--timeout: expected a number above 0, got 0."),
    (("report", "--memory", "-1"), "--memory: expected a number above 0, got -1."),
    (("report", "--memory", "1", "--cluster", "tcp://x:1"), "--memory: workers of a cluster have their own"),
    (("report", "--suite", "smoek"), "--suite: unknown suite 'smoek'. Did you mean 'smoke'? Known: "),
    (
        ("report", "vision", "--suite", "smoek"),
        "params/vision/smoek.yaml: no such run. Did you mean 'smoke'?",
    ),
    (("report", "--suite", "quick", "--run", "smoke"), "--run smoke --suite quick: expected one of them."),
    ((*RUN, "--set", "sede=3"), "the command line: unknown parameter 'sede'. Did you mean 'seeds'?"),
    ((*RUN, "--set", "lr=fast"), "unknown parameter 'lr'. Did you mean 'training.learning_rate'?"),
    ((*RUN, "--set", "training.lr=1"), "training: unknown setting 'lr'. Did you mean 'learning_rate'?"),
    ((*RUN, "--set", 'training.learning_rate="fast"'), "learning_rate: expected a valid number, got 'fast'."),
    ((*RUN, "--set", "seeds=0"), "the command line: seeds: expected greater than or equal to 2, got 0."),
    ((*RUN, "--set", "seeds=2.5"), "the command line: seeds: expected a valid integer, got 2.5."),
    ((*RUN, "--set", "metric=test_acuracy"), "unknown metric 'test_acuracy'. Did you mean 'test_accuracy'?"),
    (
        (*RUN, "--set", "metric=test_rmse"),
        "metric: test_rmse is for rating and regression, but the dataset is for",
    ),
    ((*RUN, "--set", "model=small_cn"), "model: unknown model 'small_cn'. Did you mean 'small_cnn'?"),
    ((*RUN, "--set", "dataset.name=digit"), "dataset: unknown dataset 'digit'. Did you mean 'digits'?"),
    ((*RUN, "--set", "dataset=breast_cancer"), "arms.none: the model small_cnn does not take tables"),
    ((*RUN, "--set", "seeds"), "--set: expected KEY=VALUE, got 'seeds'."),
    ((*RUN, "--set", "arms.a={l1: ["), "--set arms.a: line 1, column 7: not valid YAML: "),
    ((*RUN, "--set", "training.momentum=.9"), "training.momentum: expected 0 with the optimizer 'adamw'"),
    ((*RUN, "--arm", "a={dropout: {rate: 1.5}}"), "arms.a.dropout.rate: expected less than 1, got 1.5."),
    (
        (*RUN, "--arm", "a={dropot: {rate: .5}}"),
        "arms.a: unknown regularizer 'dropot'. Did you mean 'dropout'?",
    ),
    (
        (*RUN, "--arm", "a={dropout: {rte: .5}}"),
        "arms.a.dropout: unknown setting 'rte'. Did you mean 'rate'?",
    ),
    (
        ("run", "tabular", "--arm", "a={training: {optimizer: adamw}, spatial_dropout: {rate: .5}}"),
        "arms.a.spatial_dropout: needs word vectors or feature maps, and the model linear has none.",
    ),
    ((*RUN, "--params", "typo.yaml"), "typo.yaml: unknown parameter 'sede'. Did you mean 'seeds'?"),
    ((*RUN, "--params", "range.yaml"), "range.yaml: seeds: expected greater than or equal to 2, got 0."),
    ((*RUN, "--params", "unclosed.yaml"), "unclosed.yaml: line 2, column 1: not valid YAML: "),
    (
        (*RUN, "--params", "twice.yaml"),
        'twice.yaml: line 2, column 1: not valid YAML: found duplicate key "seeds"',
    ),
    ((*RUN, "--params", "list.yaml"), "list.yaml: expected a mapping of parameters, got [1, 2]."),
    ((*RUN, "--params", "typpo.yaml"), "typpo.yaml: there is no such file. Did you mean 'typo.yaml'?"),
    ((*RUN, "--params", "."), ".: expected a file in YAML: Is a directory."),
    ((*RUN, "--name", "../mine"), "name of the run: expected letters, digits, "),
    (("compare", "a.json"), "compare: expected two records or more, got a.json alone."),
    (
        ("compare", "a", "b", "c", "--out", "d.html"),
        "--out: expected two records for the one page d.html, got 3.",
    ),
    (("compare", "a.json", "b.json"), "a.json: cannot be read: No such file or directory."),
    (("compare", "list.yaml", "list.yaml"), "list.yaml: expected a record"),
    (("verify",), "reports: no record to verify. Make some with: make report"),
    (("verify", "list.yaml"), "list.yaml: expected a record"),
)
USAGE = (
    (),
    ("rnu",),
    ("run",),
    ("run", "vision", "--sett", "seeds=3"),
    ("report", "--workers", "0"),
    ("report", "--workers", "many"),
    ("report", "--device", "gpu"),
    ("list", "regularisers"),
    ("compare",),
    ("verify", "--sample", "0"),
)
FILES = {
    "typo.yaml": "sede: 3\n",
    "range.yaml": "seeds: 0\n",
    "unclosed.yaml": "arms: {a: [1\n",
    "twice.yaml": "seeds: 3\nseeds: 4\n",
    "list.yaml": "[1, 2]\n",
}


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs of all studies."""
    return smoke(tmp_path_factory)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder with params files, most of them wrong."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def probed(words: tuple[str, ...], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line and print which heavy libraries it has loaded."""
    command = [sys.executable, "-c", PROBE, *words]
    env = environment(cwd / "store")
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong_input_ends_with_2_before_anything_starts(
    words: tuple[str, ...], said: str, desk: Path
) -> None:
    """One message that says what is wrong; nothing written, and no library loaded that takes seconds."""
    done = probed(words, desk)

    assert done.returncode == 2
    assert done.stderr.startswith("studylib: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout.split() == []
    assert {path.name for path in desk.iterdir()} == FILES.keys()


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_wrong_usage_ends_with_2(words: tuple[str, ...], desk: Path) -> None:
    """With the usage of the command, and nothing written."""
    done = studylib(*words, cwd=desk, store=desk / "store")

    assert done.returncode == 2
    assert "Usage: " in done.stdout + done.stderr
    assert {path.name for path in desk.iterdir()} == FILES.keys()


def test_lists_and_help_load_nothing_heavy(tmp_path: Path) -> None:
    """What there is can be asked for in a moment."""
    for words in (("list", "regularizers", "--json"), ("list", "studies"), ("--help",), ("report", "--help")):
        done = probed(words, tmp_path)

        assert done.returncode == 0
        assert done.stdout.splitlines()[-1] == ""
        assert len(done.stdout.splitlines()) > 5


def test_a_report_of_every_study_ends_well(smoke_runs: Smoke) -> None:
    """Exit 0, a headline for each study, and the path of each page, the index last."""
    lines = smoke_runs.told.splitlines()
    pages = sorted(str(path) for path in smoke_runs.reports.glob("*/smoke.html"))

    assert smoke_runs.code == 0, smoke_runs.complained
    assert lines[-1] == str(smoke_runs.reports / "index.html")
    assert lines[-1 - len(pages) : -1] == pages
    for study in ("recommender", "tabular", "text", "vision"):
        assert any(line.startswith(f"{study}/smoke: ") for line in lines)
        assert f"  {smoke_runs.record(study).headline}" in lines


def test_the_store_says_how_long_the_fits_of_a_record_took(smoke_runs: Smoke) -> None:
    """A line for each arm: its fits, their seconds, and the part of these up to the lowest loss."""
    path = smoke_runs.reports / "vision" / "smoke.json"
    done = studylib("store", "times", path, cwd=smoke_runs.folder, store=smoke_runs.store)
    record = smoke_runs.record("vision")
    told = [line.rsplit(maxsplit=3) for line in done.stdout.splitlines()[2:]]

    assert done.returncode == 0, done.stderr
    assert [arm.strip() for arm, *_ in told] == list(record.arms)
    assert all(int(fits) == record.params["seeds"] for _, fits, _, _ in told)
    assert all(0 < float(lowest) <= float(whole) for *_, whole, lowest in told)


def test_progress_is_told_in_few_lines_of_a_log(smoke_runs: Smoke) -> None:
    """Up to the last fit; about ten lines, however many fits there are."""
    told = [line.split(" fits")[0] for line in smoke_runs.complained.splitlines() if " fits, " in line]
    fits = {fit.key for study in sources.studies() for fit in smoke_runs.record(study).fits}
    ended, asked = map(int, told[-1].split(" of "))

    assert ended == asked
    assert asked >= len(fits)  # an arm that is tuned has trials that are fits, too
    assert 1 <= len(told) <= 11


def test_a_run_that_is_known_is_made_again_without_a_fit_and_byte_for_byte(
    smoke_runs: Smoke, tmp_path: Path
) -> None:
    """Same inputs, same record, same notebook; nothing is computed for it."""
    done = studylib(
        "report", "tabular", "--run", "smoke", "--out", "again", cwd=tmp_path, store=smoke_runs.store
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for suffix in (".json", ".ipynb"):
        again = tmp_path / "again" / "tabular" / f"smoke{suffix}"
        assert again.read_bytes() == (smoke_runs.reports / "tabular" / f"smoke{suffix}").read_bytes()


def mine(folder: Path) -> None:
    """Make the run of the README: parameters and an arm of one's own."""
    words = ("--set", "seeds=3", "--set", "training.epochs=5", "--arm", "strong mixup={mixup: {alpha: 1.0}}")
    done = studylib("run", "vision", *words, "--name", "mine", cwd=folder, store=folder / "store")
    (folder / "told").write_text(f"{done.returncode}\n{done.stdout}{done.stderr}", encoding="utf-8")


def test_a_run_with_own_parameters_writes_its_three_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Record, notebook and page under reports/vision/mine, with what was asked for in all of them."""
    folder = made_once(tmp_path_factory, "mine", mine)
    record = Record.load(folder / "reports" / "vision" / "mine.json")
    made = {path.name for path in (folder / "reports" / "vision").glob("[!.]*")}

    assert (folder / "told").read_text(encoding="utf-8").startswith("0\n")
    assert made == {"mine.json", "mine.ipynb", "mine.html"}
    assert (record.params["seeds"], record.params["training"]["epochs"]) == (3, 5)
    assert record.arms[-1] == "strong mixup"
    assert len(record.fits) == 3 * len(record.arms)
    assert all(len(fit.curves["train_loss"]) == 5 for fit in record.fits)
    assert "strong mixup" in (folder / "reports" / "vision" / "mine.html").read_text(encoding="utf-8")


def diverged(folder: Path) -> None:
    """Make a run of which one arm leaves the finite numbers."""
    wild = "wild={training: {learning_rate: 1e30, optimizer: sgd}}"
    words = (*SMOKE_RUN, "--arm", wild, "--name", "wild", "--out", "out")
    done = studylib("run", "vision", *words, cwd=folder, store=folder.parent / "smoke" / "store")
    told = {"code": done.returncode, "out": done.stdout, "err": done.stderr}
    (folder / "told").write_text(json.dumps(told), encoding="utf-8")


def test_a_fit_that_diverges_is_recorded_shown_and_named(
    smoke_runs: Smoke, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The report is made all the same, the page says what was lost, and exit 1 names arm and seed."""
    folder = made_once(tmp_path_factory, "diverged", diverged)
    told = json.loads((folder / "told").read_text(encoding="utf-8"))
    record = Record.load(folder / "out" / "vision" / "wild.json")
    page = (folder / "out" / "vision" / "wild.html").read_text(encoding="utf-8")

    assert smoke_runs.code == 0
    assert told["code"] == 1
    assert [(fit.arm, fit.seed, fit.status) for fit in record.unfinished()] == [
        ("wild", 0, "diverged"),
        ("wild", 1, "diverged"),
    ]
    for fit in record.unfinished():
        assert "learning_rate" in fit.reason
        assert f"vision/wild: wild, seed {fit.seed}, diverged: {fit.reason}" in told["err"]
    assert "2 of 10 fits did not finish" in record.headline
    assert record.headline in told["out"]
    assert "learning_rate (now 1e+30)" in page
    assert str(folder / "out" / "index.html") in told["out"] or "out/index.html" in told["out"]


def test_two_runs_are_compared_in_print_and_on_a_page(
    smoke_runs: Smoke, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """What was asked differently, which arms there are only once, and how each common arm moved."""
    other = made_once(tmp_path_factory, "diverged", diverged) / "out" / "vision" / "wild.json"
    smoke_record = smoke_runs.reports / "vision" / "smoke.json"
    done = studylib(
        "compare", smoke_record, other, "--out", "page.html", cwd=tmp_path, store=smoke_runs.store
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "vision/smoke → vision/wild, on test_accuracy"
    assert "only in vision/wild: wild" in done.stdout
    assert "none: " in done.stdout
    assert done.stdout.splitlines()[-1] == "page.html"
    assert "vision/wild" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_comparison_goes_beside_the_index_unless_told_otherwise(smoke_runs: Smoke, tmp_path: Path) -> None:
    """Or beside the record, if that is not among reports; each other run is held against the first."""
    for folder, page in ((tmp_path / "r" / "vision", tmp_path / "r"), (tmp_path / "x", tmp_path / "x")):
        folder.mkdir(parents=True)
        copy = folder / "smoke.json"
        copy.write_bytes((smoke_runs.reports / "vision" / "smoke.json").read_bytes())
        done = studylib("compare", copy, copy, copy, cwd=tmp_path, store=smoke_runs.store)

        assert done.returncode == 0, done.stderr
        assert (page / "compare-vision-smoke-vision-smoke.html").exists()
        assert done.stdout.count("none: ") == 2
        assert "all 2 common fits equal to the last bit" in done.stdout


@pytest.mark.parametrize("place", ["out", "study", "store", "compare"])
def test_a_place_that_cannot_be_written_is_refused_before_any_fit(
    place: str, smoke_runs: Smoke, tmp_path: Path
) -> None:
    """The folder of reports, that of a study in it, the store, the page of a comparison: exit 2."""
    (tmp_path / "file").touch()
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "vision").touch()
    record = smoke_runs.reports / "vision" / "smoke.json"
    store = tmp_path / "file" / "store" if place == "store" else tmp_path / "store"
    words: tuple[str | Path, ...] = {
        "out": ("run", "vision", *SMOKE_RUN, "--out", "file/out"),
        "study": ("run", "vision", *SMOKE_RUN, "--out", "reports"),
        "store": ("run", "vision", *SMOKE_RUN, "--out", "fine"),
        "compare": ("compare", record, record, "--out", "file/page.html"),
    }[place]
    done = studylib(*words, cwd=tmp_path, store=store)

    assert done.returncode == 2
    assert "expected a folder to write to" in done.stderr
    assert "fits" not in done.stderr.replace("store/fits", "")
    assert not (tmp_path / "store" / "fits").is_dir() or not list((tmp_path / "store" / "fits").iterdir())


def test_ctrl_c_ends_with_130_and_keeps_what_is_finished(tmp_path: Path) -> None:
    """The whole process group is interrupted, as a terminal does: no worker is left, finished fits are."""
    words = ("run", "vision", *SMOKE_RUN, "--set", "training.epochs=40", "--set", "seeds=500")
    running = subprocess.Popen(
        [sys.executable, "-m", "studylib", *words, "--workers", "2"],
        cwd=tmp_path,
        env=environment(tmp_path / "store"),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    fits = tmp_path / "store" / "fits"
    while running.poll() is None and not list(fits.glob("*/*.json")):
        pass
    os.killpg(running.pid, signal.SIGINT)
    _, complained = running.communicate(timeout=60)

    assert running.returncode == 130
    assert complained.splitlines()[-1] == "studylib: interrupted; what is finished is kept."
    assert "Traceback" not in complained
    assert list(fits.glob("*/*.json"))
    assert not (tmp_path / "reports" / "vision" / "smoke.json").exists()
    assert living(running.pid) == []


def living(session: int) -> list[str]:
    """Return the processes of a session that are still at work."""
    ps = ["ps", "-A", "-o", "sess=,stat=,args="]
    listed = subprocess.run(ps, capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=2) for line in listed.splitlines())
    return [row[2] for row in rows if row[0] == str(session) and not row[1].startswith("Z")]


def test_the_module_and_the_script_are_one_program(tmp_path: Path) -> None:
    """`studylib` and `python -m studylib`."""
    script = Path(sys.executable).with_name("studylib")
    if not script.exists():
        pytest.skip("the package is not installed")
    env = environment(tmp_path)
    by_script, by_module = (
        subprocess.run([*command, "list", "studies"], env=env, capture_output=True, text=True, check=True)
        for command in ([str(script)], [sys.executable, "-m", "studylib"])
    )

    assert by_script.stdout == by_module.stdout
