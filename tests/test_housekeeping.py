"""Housekeeping: what a record needs is never touched, and all else that may go is named, counted and gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from command_line import studylib

from studylib import housekeeping, inventory, locks, pool, reports, runs, study
from studylib.editions import Editions, edition_of
from studylib.errors import ParameterError, StudyError
from studylib.ledger import Ledger, row
from studylib.params import study_params
from studylib.plan import FitSpec
from studylib.records import Fit, Record
from studylib.store import Result, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studylib.executors import Attempt

ROOT = Path(__file__).parents[1]
SPEC = FitSpec(
    dataset={"name": "digits", "path": "日本.csv"},
    model={"name": "mlp"},
    regularizers={"l1": {"strength": 0.1}},
    training={},
    seed=0,
    device="cpu",
    content="0" * 64,
    code="1" * 64,
    versions={},
)
RESULT = Result("ok", metrics={"test_accuracy": 0.5}, curves={"train_loss": [1.0, 0.5]}, seconds=1.5)
SPECS = [replace(SPEC, seed=seed) for seed in range(6)]
USE = """
import sys
from pathlib import Path
from studylib import locks
with locks.shared(Path(sys.argv[1])):
    print("used", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store of six fits, that of a working folder without records."""
    desk = tmp_path / "desk"
    desk.mkdir()
    monkeypatch.chdir(desk)
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    store = Store()
    for spec in SPECS:
        store.put(spec, RESULT)
    return store


def record(path: Path, specs: Iterable[FitSpec]) -> Path:
    """Write a record that shows ``specs``; return its path."""
    fits = tuple(Fit("none", spec.seed, key=spec.key) for spec in specs)
    Record("vision", path.stem, {"arms": {"none": {}}}, {}, fits, {}).save(path)
    return path


def edition(path: Path, *others: Path, fits: Iterable[FitSpec] = ()) -> Path:
    """Make known that a report wrote ``path``; return where that is kept."""
    Editions().put(path, edition_of({}, [path, *others], fits=[spec.key for spec in fits]))
    return Editions().path(path.absolute())


def known(store: Store) -> list[FitSpec]:
    """Return the fits that the store has, whole."""
    return [spec for spec in SPECS if store.get(spec) == RESULT]


def tree(folder: Path) -> dict[Path, bytes]:
    """Return every file of a folder, but for the locks of who uses it."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != locks.USERS)
    return {path: path.read_bytes() for path in files}


def prune() -> list[housekeeping.Waste]:
    """Remove what may go; return it."""
    return list(housekeeping.prune())


@contextmanager
def used(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process use the store, until it is told to end."""
    command = [sys.executable, "-c", USE, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "used\n"
        yield process
        process.communicate()


def test_a_store_that_is_not_there_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To look after it is no error, and makes no folder."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    holdings = housekeeping.survey()

    assert (holdings.fits, holdings.damaged, holdings.waste) == ((), {}, ())
    assert list(inventory.as_lines(holdings)) == [f"{tmp_path / 'store'}: 0 fits", "attempts: none"]
    assert list(inventory.sizes(holdings))[-1] == "prune would free 0.000 MB"
    assert prune() == []
    assert list(tmp_path.iterdir()) == []


def test_what_no_record_needs_goes(store: Store) -> None:
    """A record in reports/ keeps its fits, the others are removed with their folders."""
    record(Path("reports/vision/default.json"), SPECS[:2])
    removed = prune()

    assert known(store) == SPECS[:2]
    assert len(removed) == len(SPECS) - 2
    assert len(tree(store.folder)) == 4
    assert [path for path in store.folder.rglob("*") if path.is_dir() and not list(path.iterdir())] == []
    assert prune() == []


@pytest.mark.parametrize(
    "place",
    ["mine.json", "vision/nobody-knows.json", "a/b/c/d/e.json", "vision/.ipynb_checkpoints/x.JSON"],
)
def test_a_record_is_found_at_any_depth_under_any_name(place: str, store: Store) -> None:
    """Also one that was moved, copied or renamed by hand."""
    record(Path("reports") / place, SPECS[:3])
    prune()

    assert known(store) == SPECS[:3]


def test_a_record_that_was_edited_needs_its_fits_as_before(store: Store) -> None:
    """Whatever its numbers and its parameters say now."""
    path = record(Path("reports/vision/default.json"), SPECS[:3])
    data = json.loads(path.read_bytes()) | {"params": {}, "study": "tabular", "headline": "better!"}
    data["fits"][0] |= {"metrics": {"test_accuracy": 1.0}, "status": "failed"}
    path.write_text(json.dumps(data), encoding="utf-8")
    edition(path)
    prune()

    assert known(store) == SPECS[:3]


def test_fits_that_were_edited_out_of_a_record_are_those_of_its_edition(store: Store) -> None:
    """What a report has made is made again from them."""
    path = record(Path("reports/vision/default.json"), [])
    edition(path, fits=SPECS[:3])
    prune()

    assert known(store) == SPECS[:3]


def test_every_folder_that_was_reported_to_counts(store: Store, tmp_path: Path) -> None:
    """Also where prune is called elsewhere, and for records there that no edition names."""
    edition(record(tmp_path / "out" / "vision" / "default.json", SPECS[:1]))
    record(tmp_path / "out" / "vision" / "by hand" / "mine.json", SPECS[1:2])
    index = tmp_path / "pages" / "index.html"
    record(index.parent / "text" / "default.json", SPECS[2:3])
    index.touch()
    edition(index)
    prune()

    assert known(store) == SPECS[:3]


def test_links_to_reports_are_followed(store: Store, tmp_path: Path) -> None:
    """Whoever keeps some of the reports on another disk has records there; a link in circles ends."""
    record(tmp_path / "disk" / "default.json", SPECS[:1])
    Path("reports").mkdir()
    Path("reports/vision").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "again").symlink_to(Path("reports").absolute())
    prune()

    assert known(store) == SPECS[:1]


def cut(body: bytes) -> bytes:
    """Return half of a file."""
    return body[: len(body) // 2]


@pytest.mark.parametrize(
    "change",
    [
        cut,
        lambda _: b"",
        lambda _: b"\xff",
        lambda _: b"[" * 100_000,
        lambda body: body.replace(b'"format": 1', b'"format": 2'),
        lambda body: body.replace(b'"format": 1,', b""),
        lambda body: body.replace(b'"seed": 0', b'"sede": 0'),
        lambda body: body.replace(b'"key": "', b'"key": ["').replace(b'"\n  },', b'"]\n  },'),
        lambda body: body.replace(b'"fits": [', b'"fits": 3, "x": ['),
    ],
    ids=["cut", "empty", "bytes", "deep", "later", "unformatted", "misspelt", "keys", "fits"],
)
def test_a_record_that_cannot_be_read_stops_it(change: Any, store: Store) -> None:
    """It might need anything: nothing is removed, and it is named."""
    path = record(Path("reports/vision/default.json"), SPECS[:2])
    path.write_bytes(change(path.read_bytes()))
    before = tree(store.folder.parent)

    with pytest.raises(StudyError, match=r"vision/default\.json: .* so nothing was removed\. Mend it"):
        prune()
    with pytest.raises(StudyError, match=r"vision/default\.json: .* so nothing was removed\. Mend it"):
        housekeeping.prunable()
    assert tree(store.folder.parent) == before
    assert list(inventory.sizes(housekeeping.survey()))[-1] == "prune would free 0.000 MB"


@pytest.mark.parametrize("body", ["[]", "3", '{"name": "x", "version": 1}', '{"format": "geojson"}'])
def test_other_files_in_json_stop_nothing(body: str, store: Store) -> None:
    """A folder of reports may hold settings of an editor."""
    Path("reports").mkdir()
    Path("reports/settings.json").write_text(body, encoding="utf-8")

    assert len(prune()) == len(SPECS)
    assert known(store) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_of_reports_that_is_closed_stops_it(store: Store) -> None:
    """There may be records in it."""
    path = record(Path("reports/vision/default.json"), SPECS[:2])
    path.parent.chmod(0)
    try:
        with pytest.raises(StudyError, match=r"reports/vision: it cannot be read: Permission denied"):
            prune()
    finally:
        path.parent.chmod(0o700)
    assert known(store) == SPECS


@pytest.mark.parametrize("change", [cut, lambda body: body.replace(b"/out/", b"/oat/"), lambda _: b"{}"])
def test_an_edition_that_cannot_be_read_stops_it(change: Any, store: Store, tmp_path: Path) -> None:
    """It may be all that leads to a record."""
    kept = edition(record(tmp_path / "out" / "vision" / "default.json", SPECS[:1]))
    kept.write_bytes(change(kept.read_bytes()))

    with pytest.raises(StudyError, match=rf"{kept.name}: it cannot be read, and may lead to records"):
        prune()
    assert known(store) == SPECS


def test_an_edition_goes_with_its_record(store: Store, tmp_path: Path) -> None:
    """And with it the fits that nothing else needs."""
    path = record(tmp_path / "out" / "vision" / "default.json", SPECS[:1])
    kept = edition(path, fits=SPECS[:1])
    path.unlink()
    prune()

    assert not kept.exists()
    assert known(store) == []


def test_an_edition_stays_as_long_as_it_alone_leads_to_records(store: Store, tmp_path: Path) -> None:
    """Though its own file is gone: the next prune, too, has to know where reports were put."""
    index = tmp_path / "out" / "index.html"
    record(tmp_path / "out" / "vision" / "default.json", SPECS[:1])
    kept = edition(index)
    prune()
    prune()

    assert kept.exists()
    assert known(store) == SPECS[:1]

    index.touch()
    gone = edition(tmp_path / "out" / "vision" / "smoke.json")
    prune()

    assert (kept.exists(), gone.exists()) == (True, False)
    assert known(store) == SPECS[:1]


def halves(store: Store, spec: FitSpec) -> tuple[Path, Path]:
    """Return the two files of a fit."""
    return store.path(spec.key), store.path(spec.key).with_suffix(".npz")


def damage(store: Store) -> dict[Path, str]:
    """Damage four of the fits, each in another way; return the entry of each, and what is wrong with it."""
    entries = [halves(store, spec) for spec in SPECS]
    entries[0][0].write_bytes(cut(entries[0][0].read_bytes()))
    entries[1][1].write_bytes(b"")
    entries[2][0].unlink()
    entries[3][1].unlink()
    said = ("cannot be read", "checksum does not fit", "nothing else of it", "curves are missing")
    return {entry[0]: words for entry, words in zip(entries, said, strict=False)}


def test_what_is_damaged_is_named_and_goes(store: Store) -> None:
    """Bytes that changed, and halves of a fit, in which nobody believes any more."""
    record(Path("reports/vision/default.json"), SPECS[4:])
    wrong = damage(store)
    found = housekeeping.survey().damaged
    removed = prune()

    assert found.keys() == wrong.keys()
    assert [path for path, words in wrong.items() if words not in found[path]] == []
    assert {one.kind for one in removed} == {"damaged"}
    assert known(store) == SPECS[4:]
    assert len(tree(store.folder)) == 4


def test_what_a_record_needs_is_left_alone_even_damaged(store: Store) -> None:
    """Somebody may mend it, or read in it; it is told of as long as it is there."""
    record(Path("reports/vision/default.json"), SPECS)
    wrong = damage(store)
    before = tree(store.folder)

    assert prune() == []
    assert tree(store.folder) == before
    assert housekeeping.survey().damaged.keys() == wrong.keys()


def test_what_the_dead_left_half_written_goes(store: Store) -> None:
    """A temporary of a living process stays; one of an earlier process of the same number does not."""
    record(Path("reports/vision/default.json"), SPECS)
    folder = store.path(SPEC.key).parent
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    left, alive, other = (
        folder / f".{name}.json.{pid}.tmp"
        for name, pid in (("a", dead.pid), ("b", os.getpid()), ("c", os.getppid()))
    )
    for path in (left, alive, other):
        path.write_bytes(b"{")
    os.utime(other, (0, 0))
    (folder / ".somebody.tmp").touch()

    assert [(one.kind, one.files) for one in prune()] == [("temporary", (left,)), ("temporary", (other,))]
    assert not left.exists()
    assert alive.exists()
    assert (folder / ".somebody.tmp").exists()


def test_the_latest_build_of_each_dataset_stays(store: Store) -> None:
    """It is the one that the code builds now; files of another kind are nobody's business."""
    record(Path("reports/vision/default.json"), SPECS)
    datasets = store.folder.parent / "datasets"
    datasets.mkdir()
    names = [f"{name}-{age}{'a' * 15}.npz" for name in ("imports", "imports-of-mine") for age in (2, 0, 1)]
    for age, name in enumerate([*names, "own.npz", "readme.txt"]):
        (datasets / name).write_bytes(b"x" * 10)
        os.utime(datasets / name, (age, age))

    assert [one.files[0].name for one in prune()] == [*names[:2], *names[3:5]]
    assert {path.name for path in datasets.iterdir()} == {names[2], names[5], "own.npz", "readme.txt"}


def test_what_is_said_is_what_is_done(store: Store) -> None:
    """First what would go, then what is gone: the same, to the byte."""
    record(Path("reports/vision/default.json"), SPECS[:1])
    before = tree(store.folder.parent)
    said = housekeeping.prunable()
    assert tree(store.folder.parent) == before
    done = prune()
    after = tree(store.folder.parent)

    assert tuple(done) == said
    assert sum(one.bytes for one in done) == sum(map(len, before.values())) - sum(map(len, after.values()))
    assert before.keys() - after.keys() == {path for one in done for path in one.files}


@pytest.mark.parametrize("seed", range(10))
def test_any_store_keeps_what_any_records_need_and_nothing_else(
    seed: int, store: Store, tmp_path: Path
) -> None:
    """Records drawn at random, in folders drawn at random; some fits damaged."""
    random = Random(seed)
    needed = set()
    for number in range(random.randrange(4)):
        shown = random.sample(SPECS, random.randrange(4))
        needed |= {spec.seed for spec in shown}
        out = random.choice([Path("reports"), tmp_path / "out", tmp_path / "else where"])
        path = record(out / random.choice("abc") / f"{number}.json", shown)
        edition(path)
    broken = set(random.sample(range(6), random.randrange(3)))
    for spec in SPECS:
        if spec.seed in broken:
            random.choice(halves(store, spec)).write_bytes(b"?")
    left = {path: body for spec in SPECS if spec.seed in needed for path, body in files(store, spec).items()}
    prune()

    assert tree(store.folder) == left
    assert [spec.seed for spec in known(store)] == sorted(needed - broken)


def files(store: Store, spec: FitSpec) -> dict[Path, bytes]:
    """Return the files of a fit with what is in them."""
    return {path: path.read_bytes() for path in halves(store, spec)}


def test_who_stops_in_the_middle_leaves_a_store_in_order(store: Store) -> None:
    """What is gone is gone whole, and the next time goes on."""
    removing = housekeeping.prune()
    next(removing)
    next(removing)
    removing.close()

    assert len(known(store)) == len(SPECS) - 2
    assert housekeeping.survey().damaged == {}
    assert len(prune()) == len(SPECS) - 2


def test_a_store_in_use_is_left_alone(store: Store) -> None:
    """Who uses it has looked up fits that no record needs yet; as soon as it ends, or dies, prune goes on."""
    folder = store.folder.parent
    with used(folder) as user:
        with pytest.raises(StudyError, match=rf"{folder}: it is being used by process {user.pid} on "):
            prune()
        assert known(store) == SPECS
        record(Path("reports/vision/default.json"), SPECS[:2])
    with used(folder) as user, used(folder) as other:
        user.kill()
        user.wait()
        with pytest.raises(StudyError, match=rf"process {other.pid} on "):
            prune()
    prune()

    assert known(store) == SPECS[:2]
    assert list((folder / locks.USERS).glob(".*-*")) == []


def test_who_comes_while_it_is_swept_waits(store: Store) -> None:
    """And finds then what is left, and nothing that goes away under its hands."""
    removing = housekeeping.prune()
    next(removing)
    command = [sys.executable, "-c", USE, str(store.folder.parent)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT) as user:
        with pytest.raises(subprocess.TimeoutExpired):
            user.wait(1)
        assert len(list(removing)) == len(SPECS) - 1
        assert user.wait() == 0


def test_a_run_holds_the_store_until_its_record_is_made(store: Store) -> None:
    """No fit that it found or computed is removed before."""
    refused = []

    def sweep(_attempt: Attempt) -> None:
        with pytest.raises(StudyError, match="it is being used by process"):
            prune()
        refused.append(known(store))

    params = study_params(
        "vision",
        dataset={"train": 60},
        model={"name": "mlp", "hidden": [4]},
        training={"epochs": 1},
        seeds=2,
        arms={"none": {}},
    )
    made = study.run_study(params, store, sweep)

    assert refused == [SPECS] * len(refused) != []
    assert [fit.status for fit in made.fits] == ["ok", "ok"]


def test_a_report_holds_the_store_too(store: Store, tmp_path: Path) -> None:
    """From before it looks for the fits that are there."""

    def sweep(_line: str) -> None:
        with pytest.raises(StudyError, match="it is being used by process"):
            prune()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reports.make(
            [runs.from_file("tabular", "smoke")], tmp_path / "out", lambda: pool.local(1), pool.local, sweep
        )
    assert known(store) == SPECS
    assert len(prune()) >= len(SPECS)


def test_what_the_ledger_was_left_with_open_is_closed(store: Store) -> None:
    """And told of before that as interrupted, with what else ended badly the last time, and what runs."""
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    ledger = Ledger(store.folder.parent)
    ledger.append(
        [
            row(SPECS[0], "failed", reason="MemoryError"),
            row(SPECS[0], "ok"),
            row(SPECS[1], "failed", reason="ValueError: no"),
            row(SPECS[2], "running", process=dead.pid),
            row(SPECS[3], "queued"),
            row(SPECS[4], "diverged", reason="the loss was nan"),
        ]
    )
    with ledger.path.open("ab") as file:
        file.write(b"gar\nbage")
    told = inventory.attempts(store.folder.parent)

    assert told.states == {"failed": 2, "ok": 1, "diverged": 1, "interrupted": 1, "queued": 1}
    assert [(one.fit, one.state) for one in told.badly] == [
        (SPECS[1].label, "failed"),
        (SPECS[2].label, "interrupted"),
    ]
    assert [one.fit for one in told.running] == [SPECS[3].label]
    assert told.unreadable == (7, 8)

    prune()
    assert [one.state for one in ledger.rows()][-1] == "interrupted"
    assert inventory.attempts(store.folder.parent).states == told.states


def test_the_list_says_what_each_fit_is(store: Store) -> None:
    """Key, status, words, seconds, size, who needs it; the same for machines."""
    store.put(SPECS[1], Result("diverged", "the loss was nan"))
    record(Path("reports/vision/default.json"), SPECS[:1])
    first, *lines = inventory.as_lines(housekeeping.survey())
    fits = {fit["key"]: fit for fit in json.loads(inventory.as_json(housekeeping.survey()))["fits"]}
    [needed] = [line.split() for line in lines if "a record needs it" in line]
    [diverged] = [line for line in lines if "  diverged  " in line]

    assert first == f"{store.folder.parent}: 6 fits"
    assert needed[:7] == [SPECS[0].key[:12], "ok", "digits,", "mlp,", "l1,", "seed", "0"]
    assert needed[7:9] == ["1.50", "s"]
    assert diverged.endswith("no record needs it: the loss was nan")
    assert fits[SPECS[0].key] == {
        "key": SPECS[0].key,
        "status": "ok",
        "fit": SPECS[0].label,
        "reason": "",
        "seconds": 1.5,
        "bytes": sum(map(len, files(store, SPECS[0]).values())),
        "needed": True,
    }


def test_a_fit_that_another_version_specified_is_listed_too(store: Store) -> None:
    """Its result is whole; only the words for it are missing."""
    path = store.path(SPEC.key)
    entry = json.loads(path.read_bytes())
    del entry["sha256"], entry["spec"]["code"]
    from studylib import store as module

    path.write_text(json.dumps(entry | {"sha256": module._checksum(entry)}), encoding="utf-8")  # noqa: SLF001

    assert "specified by another version" in {fit.fit for fit in housekeeping.survey().fits}


def test_sizes_add_up(store: Store) -> None:
    """Each kind of thing, how much records need of it, how much would go."""
    record(Path("reports/vision/default.json"), SPECS[:1])
    edition(Path("reports/vision/default.json"))
    Ledger().append([row(SPEC, "ok")])
    head, *lines = inventory.sizes(housekeeping.survey())
    kinds = {line.split()[0]: int(line.split()[1]) for line in lines[:5]}
    held = sum(map(len, tree(store.folder.parent).values()))

    assert head == f"{store.folder.parent}: {held / 1e6:.3f} MB"
    assert kinds == {"fits": 6, "datasets": 0, "contents": 0, "editions": 1, "ledger": 1}
    assert lines[5].startswith("records need 1 fit, ")
    assert lines[6] == f"prune would free {sum(one.bytes for one in prune()) / 1e6:.3f} MB"


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    (tmp_path / "store").touch()
    for look in (housekeeping.survey, housekeeping.prunable, lambda folder: list(housekeeping.prune(folder))):
        with pytest.raises(ParameterError, match=r"store: expected a folder.* STUDYLIB_STORE"):
            look(tmp_path / "store")


def test_the_commands_say_all_that(store: Store) -> None:
    """List and size, what would go, what is gone, and how many bytes; 1 and a name where it refuses."""
    folder = store.folder.parent
    path = record(Path("reports/vision/default.json"), SPECS[:1])

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return studylib("store", *words, cwd=Path.cwd(), store=folder)

    assert command("list").stdout.startswith(f"{folder}: 6 fits\n")
    assert len(json.loads(command("list", "--json").stdout)["waste"]) == 5
    assert "records need 1 fit" in command("size").stdout
    would = command("prune", "--dry-run")
    assert known(store) == SPECS
    body = path.read_bytes()
    path.write_bytes(b"")
    refused = command("prune")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("studylib: ")
    assert "reports/vision/default.json: " in refused.stderr
    path.write_bytes(body)
    done = command("prune")

    assert known(store) == SPECS[:1]
    assert would.stdout.replace("would remove ", "removed ").replace("would free ", "freed ") == done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["removed"] * 5 + ["freed"]
    assert command("prune").stdout == "freed 0 bytes\n"
