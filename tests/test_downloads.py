"""Files of known content: found, fetched, resumed, and refused; with a real server and real failures."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest
from file_server import BODY, PATH, Manners, file, serving

from studylib import downloads
from studylib.downloads import File, cache_folder, fetched, present
from studylib.errors import ParameterError
from studylib.fetching import PIECE
from studylib.places import store_folder

ROOT = Path(__file__).parents[1]
FETCH = (
    "import resource, sys\nfrom studylib.downloads import File, fetched\n"
    "from studylib.errors import StudyError\n"
    "if len(sys.argv) > 5: resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]),) * 2)\n"
    "try: print(fetched(File(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))))\n"
    "except StudyError as error: sys.exit(str(error))\n"
)


@pytest.fixture(autouse=True)
def nothing_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with an empty store, no folder of datasets, and no proxy on the way to this machine."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("STUDYLIB_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the file in a folder of datasets, where it is not yet."""
    path = tmp_path / "data" / PATH
    path.parent.mkdir(parents=True)
    monkeypatch.setenv("STUDYLIB_DATA", str(tmp_path / "data"))
    return path


def elsewhere(wanted: File, *limit: int) -> subprocess.Popen[str]:
    """Fetch in a process of its own, which may be held to files of at most ``limit`` bytes."""
    words = [wanted.path, wanted.url, wanted.sha256, str(wanted.bytes), *map(str, limit)]
    program = [sys.executable, "-c", FETCH, *words]
    return subprocess.Popen(program, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def left() -> list[str]:
    """Return the names of what lies where the file was to come, but for locks."""
    return sorted(path.name for path in (cache_folder() / "small").glob("*") if path.suffix != ".lock")


def refusal(wanted: File) -> str:
    """Return why the file cannot be had."""
    with pytest.raises(ParameterError) as refused:
        fetched(wanted)
    return str(refused.value)


def test_what_is_there_is_not_asked_for(data: Path) -> None:
    """A file in the folder of datasets is used where it lies, and nothing is written beside it."""
    data.write_bytes(BODY)

    assert fetched(file()) == present(file()) == data
    assert list(data.parent.iterdir()) == [data]


def test_what_is_fetched_is_asked_for_once() -> None:
    """It comes whole, under its own name alone, and the second look needs nobody."""
    manners = Manners()
    with serving(manners) as url:
        assert present(file(url)) is None
        path = fetched(file(url))
        assert fetched(file(url)) == present(file(url)) == path

    assert path.read_bytes() == BODY
    assert manners.asked == [""]
    assert left() == ["file.bin"]


def test_what_broke_off_goes_on_where_it_was() -> None:
    """After each of two cut connections the rest is asked for; at most a piece comes twice."""
    manners = Manners(cut=[100_000, 50_000])
    with serving(manners) as url:
        assert fetched(file(url)).read_bytes() == BODY

    starts = [int(asked[6:-1] or 0) for asked in manners.asked]
    assert starts[0] == 0
    assert 100_000 - PIECE < starts[1] <= 100_000
    assert starts[1] + 50_000 - PIECE < starts[2] <= starts[1] + 50_000
    assert manners.sent <= len(BODY) + 2 * PIECE


def test_what_was_killed_goes_on_where_it_was() -> None:
    """A process killed in the middle leaves no file of the name, and the next one fetches the rest."""
    manners = Manners(pause=0.05)
    with serving(manners) as url:
        with elsewhere(file(url)) as child:
            parts: list[Path] = []
            end = monotonic() + 60
            while not (parts and parts[0].stat().st_size) and monotonic() < end:
                sleep(0.01)
                parts = list((cache_folder() / "small").glob(".file.bin.*.part"))
            child.kill()
        assert present(file(url)) is None
        manners.pause = 0.0
        assert fetched(file(url)).read_bytes() == BODY

    assert [bool(asked) for asked in manners.asked] == [False, True]
    assert left() == ["file.bin"]


@pytest.mark.parametrize("kept", [BODY[:70_000], b"x" * 70_000, BODY, BODY + b"more"])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_is_believed_only_if_the_whole_is_right(kept: bytes, ranges: bool) -> None:  # noqa: FBT001
    """Right or wrong, whole, short or too long, and whatever the server can: the file comes out right."""
    part = cache_folder() / "small" / f".file.bin.{file().sha256[:8]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(kept)
    with serving(Manners(ranges=ranges)) as url:
        assert fetched(file(url)).read_bytes() == BODY
    assert left() == ["file.bin"]


@pytest.mark.parametrize(
    ("manners", "said"),
    [
        (
            Manners(body=BODY[::-1]),
            "gives something else: expected 307200 bytes with sha256 .* damaged, or another",
        ),
        (Manners(body=BODY[:9]), "expected 307200 bytes with sha256 .*, got 9 bytes .*: it is cut short"),
        (Manners(body=BODY * 40), r"expected 307200 bytes .*, got \d+ bytes .* damaged, or another edition"),
        (Manners(status=[404] * 9), "the server answered HTTP 404"),
        (Manners(status=[503] * 9), "the server answered HTTP 503"),
        (Manners(cut=[1000] * 9), "the network did not bring it: "),
    ],
)
def test_what_comes_wrong_is_not_kept(manners: Manners, said: str) -> None:
    """Other bytes, too few, too many or none: one message with the reason, and no file of the name."""
    with serving(manners) as url:
        told = refusal(file(url))

    assert re.search(said, told)
    assert url in told
    assert "set STUDYLIB_DATA to a folder that holds it as small/file.bin" in told
    assert present(file(url)) is None
    assert manners.sent < 4 * len(BODY)


def test_a_server_that_is_busy_is_asked_again() -> None:
    """503 and 429 pass; 404 does not, and is asked for once."""
    manners, gone = Manners(status=[503, 429]), Manners(status=[404])
    with serving(manners) as url, serving(gone) as nowhere:
        assert fetched(file(url)).read_bytes() == BODY
        cache_folder().joinpath(PATH).unlink()
        refusal(file(nowhere))

    assert (manners.asked, gone.asked) == ([""] * 3, [""])


def test_without_a_network_it_is_said_in_plain_words() -> None:
    """The message has the reason of the system, not the names of a library's classes."""
    said = refusal(file())

    assert "the network did not bring it: Connection refused. Fetch it where the network" in said
    assert not re.search(r"Pool|Error|object at", said)


def test_a_full_disk_is_said_before_and_during() -> None:
    """A file larger than the disk is not begun; one that stops fitting leaves nothing that takes room."""
    assert "there is no space for its 1000000000.0 MB (No space left on device; " in refusal(
        file(size=10**15)
    )
    with serving(Manners()) as url, elsewhere(file(url), 200_000) as child:
        _, said = child.communicate()

    assert "there is no space for its 0.3 MB (File too large; " in said
    assert "set STUDYLIB_STORE to a folder on another disk" in said
    assert left() == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store may be somebody else's; where to name another is said."""
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "taken" / "store"))

    assert "expected a folder to write to: Not a directory. Set STUDYLIB_STORE" in refusal(file())


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b" ", BODY[:-1] + b"x", b""])
def test_a_wrong_file_of_the_users_is_refused_and_left_alone(data: Path, body: bytes) -> None:
    """Cut short, longer, or changed: the message names it with both hashes, and nobody overwrites it."""
    data.write_bytes(body)
    with serving(Manners()) as url:
        said = refusal(file(url))
        assert f"Replace it by {url}, or unset STUDYLIB_DATA." in said

    assert said.startswith(
        f"{data}: expected {len(BODY)} bytes with sha256 {file().sha256}, got {len(body)} "
    )
    assert data.read_bytes() == body


def test_a_wrong_file_of_the_cache_is_fetched_again() -> None:
    """What was damaged after it was fetched is replaced; without a network that is an error, not a result."""
    path = cache_folder() / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY[:-1] + b"x")
    assert "the network did not bring it" in refusal(file())
    with serving(Manners()) as url:
        assert fetched(file(url)).read_bytes() == BODY


def read_by(wanted: File) -> int:
    """Return how many bytes this process reads to find the file good."""
    io = Path("/proc/self/io")
    before = int(io.read_text(encoding="utf-8").split()[1])
    fetched(wanted)
    return int(io.read_text(encoding="utf-8").split()[1]) - before


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system does not count what is read")
def test_an_unchanged_file_is_read_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is noted by size, times and inode; what was written to since is read again."""
    monkeypatch.setattr(downloads, "SETTLED", -1)  # seconds that this test does not wait
    data.write_bytes(BODY)

    assert read_by(file()) > len(BODY)
    assert read_by(file()) < len(BODY) / 10
    downloads._VERIFIED.clear()  # noqa: SLF001  as in the next process
    assert read_by(file()) < len(BODY) / 10

    times = data.stat()
    data.write_bytes(BODY[:-1] + b"x")
    os.utime(data, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "damaged" in refusal(file())


def test_a_file_that_was_just_written_is_read_again(data: Path) -> None:
    """Two versions may have one time, so what is younger than two seconds is not taken on trust."""
    data.write_bytes(BODY)
    fetched(file())

    assert not list((store_folder() / "downloads" / ".checked").glob("*"))


def test_two_processes_fetch_a_file_once() -> None:
    """The second waits for the first, and finds the file."""
    manners = Manners(pause=0.02)
    with serving(manners) as url:
        children = [elsewhere(file(url)) for _ in range(2)]
        told = [child.communicate() for child in children]

    assert told == [(f"{cache_folder() / PATH}\n", "")] * 2
    assert manners.asked == [""]


def test_on_a_terminal_it_is_shown_how_far_it_is() -> None:
    """One line, rewritten, with the name and the megabytes, which is gone at the end."""
    ours, theirs = pty.openpty()
    wanted = file("")
    with serving(Manners()) as url:
        words = [wanted.path, url, wanted.sha256, str(wanted.bytes)]
        subprocess.run(
            [sys.executable, "-c", FETCH, *words], cwd=ROOT, stderr=theirs, stdout=subprocess.PIPE, check=True
        )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)

    assert "small/file.bin: 0.3 of 0.3 MB" in shown
    assert "\n" not in shown
    assert shown.endswith("\r\x1b[K")


def test_a_folder_of_datasets_that_is_none_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typing error in STUDYLIB_DATA does not fetch everything again."""
    for name, why in (("gone", "is not there"), ("file", "is no folder")):
        (tmp_path / "file").write_text("", encoding="utf-8")
        monkeypatch.setenv("STUDYLIB_DATA", str(tmp_path / name))
        assert re.match(
            f"STUDYLIB_DATA: expected the folder of datasets, got .*{name}', which {why}", refusal(file())
        )
