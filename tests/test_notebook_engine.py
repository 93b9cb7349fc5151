"""The engine: what a kernel would show, at the price of a fork; told truthfully; and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
import psutil
import pytest
from command_line import ROOT
from jupyter_client.kernelspec import NoSuchKernel
from notebook_corpus import NOTEBOOKS
from papermill.exceptions import PapermillExecutionError

from studylib import processes
from studylib.errors import StudyError
from studylib.notebooks import WARM, engine, execute, kernel
from studylib.notebooks.imports import imported, needs_a_client
from studylib.notebooks.texts import Text, as_seen

if TYPE_CHECKING:
    from collections.abc import Iterator

Shown = list[tuple[str, int | None, str]]
STARTED = """
import json, multiprocessing, os, subprocess, sys, time
pids = [os.getpid(), os.getppid(), subprocess.Popen(["sleep", "300"]).pid]
pids += [subprocess.Popen(["sleep", "300"], start_new_session=True).pid]
for way in ("fork", "forkserver"):
    child = multiprocessing.get_context(way).Process(target=time.sleep, args=(300,))
    child.start()
    pids.append(child.pid)
with open("pids.part", "w") as file:
    json.dump(pids, file)
os.rename("pids.part", "pids")
print("started", flush=True)
print("half a line", end="")
"""


def notebook(*cells: str, **metadata: Any) -> nbformat.NotebookNode:
    """Return a notebook of code cells."""
    spec = {"name": "python3", "display_name": "Python 3", "language": "python", **metadata}
    code = [nbformat.v4.new_code_cell(source, id=f"cell-{k}") for k, source in enumerate(cells)]
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": spec})
    return made


def written(folder: Path, *cells: str) -> Path:
    """Write a notebook of code cells."""
    path = folder / "study.ipynb"
    nbformat.write(notebook(*cells), path)
    return path


def shown(cells: list[str], **settings: Any) -> Shown:
    """Run a notebook with papermill; return status, number and outputs of each cell, without addresses."""
    kept: list[nbformat.NotebookNode] = []

    def keep(notebook: nbformat.NotebookNode) -> None:
        kept.append(notebook)

    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
    try:
        papermill.execute_notebook(
            notebook(*cells),
            None,
            progress_bar=False,
            request_save_on_cell_execute=False,
            record_timing=False,
            coalesce_streams=True,
            on_notebook_start=keep,
            **settings,
        )
    except PapermillExecutionError:
        pass
    finally:
        logging.getLogger("papermill").setLevel(logging.NOTSET)
    ran = [cell for cell in kept[0].cells if "papermill" in cell.metadata]
    return [(c.metadata.papermill.status, c.execution_count, plain(c.outputs)) for c in ran]


def plain(outputs: list[nbformat.NotebookNode]) -> str:
    """Return outputs as text, without what differs between two kernels too."""
    text = json.dumps(outputs, sort_keys=True, ensure_ascii=False, indent=1)
    return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", re.sub(r"[\w/]*/ipykernel_\w+/", "CELLS/", text))


def by_a_kernel(name: str) -> Shown:
    """Run one notebook of the corpus as papermill does without us."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # a kernel that sees it leaves what programs print
    with kernel.running(kernel.ENVIRONMENT) as km:
        return shown(NOTEBOOKS[name], km=km)


@pytest.fixture(scope="module", autouse=True)
def kernels() -> Iterator[dict[str, Any]]:
    """Start the runs of the corpus by kernels, two at a time, while the other tests run."""
    with ProcessPoolExecutor(2, mp_context=processes.context(WARM), initializer=processes.begin) as pool:
        yield {name: pool.submit(by_a_kernel, name) for name in NOTEBOOKS}
        pool.shutdown(cancel_futures=True)  # a test alone does not wait for what it does not need


def alive(pid: int) -> bool:
    """Return whether a process is there and not only waits to be counted."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def statuses(path: Path) -> list[str]:
    """Return what an executed notebook says of each cell."""
    return [cell.metadata.papermill.status for cell in nbformat.read(path, 4).cells]


DEATHS = {
    "import os; os._exit(7)": "the kernel died: exit code 7",
    "import os; os.kill(os.getpid(), 9)": "the kernel died: SIGKILL, most often for want of memory",
    "import ctypes; ctypes.string_at(0)": "the kernel died: SIGSEGV",
    "import os; os.write(2, b'out of luck'); os.abort()": "the kernel died: SIGABRT.\n  out of luck",
    "while True: time.sleep(1)": "the limit of 0.5 s for one cell was reached",
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_death_is_told_and_nothing_outlives_it(
    death: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell is named, what it printed is kept; what cells started is gone, in other sessions too."""
    monkeypatch.chdir(tmp_path)
    source = written(tmp_path, STARTED, f"print('so far')\n{death}", "print('never')")

    with pytest.raises(StudyError, match=f"in cell 'cell-1' {re.escape(DEATHS[death])}"):
        execute(source, tmp_path / "run.ipynb", {}, cell_timeout=0.5)

    pids = json.loads((tmp_path / "pids").read_text())
    partial = tmp_path / "run.failed.ipynb"
    texts = [cell.outputs[0].text for cell in nbformat.read(partial, 4).cells[:2]]
    assert [pid for pid in pids if alive(pid)] == []
    assert statuses(partial) == ["completed", "failed", "pending"]
    assert texts == ["started\nhalf a line", "so far\n"]
    assert not (tmp_path / "run.ipynb").exists()


PROGRAM = """
from pathlib import Path
from studylib.errors import StudyError
from studylib.notebooks import execute
try:
    execute(Path("study.ipynb"), Path("run.ipynb"), {})
except StudyError as error:
    print(error)
    execute(Path("after.ipynb"), Path("after-run.ipynb"), {})
"""  # without a guard for its main part, as people write them


def driven(folder: Path, victim: str, end: signal.Signals) -> tuple[str, list[int]]:
    """End one of the processes of a run that would go on for minutes; return what its program prints."""
    written(folder, "1 + 1").rename(folder / "after.ipynb")
    written(folder, STARTED, "open('begun', 'w').close()\ntime.sleep(300)")
    (folder / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as driver:
        while not (folder / "begun").exists():  # the first cell has told all that it has to tell
            assert driver.poll() is None
            time.sleep(0.02)
        pids: list[int] = json.loads((folder / "pids").read_text())
        server = psutil.Process(pids[1]).ppid()
        os.kill({"driver": driver.pid, "keeper": pids[1], "server": server}[victim], end)
        return driver.communicate(timeout=20)[0], pids


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_the_end_of_the_driver_is_the_end_of_all(end: signal.Signals, tmp_path: Path) -> None:
    """However it ends, what its cells started is gone a moment later."""
    _, pids = driven(tmp_path, "driver", end)

    for _ in range(100):  # the second that the last of them has
        if not any(map(alive, pids)):
            break
        time.sleep(0.01)
    assert [pid for pid in pids if alive(pid)] == []


@pytest.mark.parametrize("victim", ["keeper", "server"])
def test_the_death_of_a_helper_is_the_death_of_the_run(victim: str, tmp_path: Path) -> None:
    """Killing what stands between driver and cells leaves no process either, and the next run goes on."""
    said, pids = driven(tmp_path, victim, signal.SIGKILL)

    assert "in cell 'cell-1' the kernel died: SIGKILL" in said
    assert [pid for pid in pids if alive(pid)] == []
    assert (tmp_path / "after-run.ipynb").exists()


def test_runs_do_not_see_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, modules, folder, environment and random draws of a run are its own, as in a fresh process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEN", "first")
    cells = [
        "import os, random, sys\nimport numpy as np\nimport this_run\n",
        "print('left' in globals(), 'left' in dir(sys), os.getcwd())",
        "print(os.environ['SEEN'], os.environ['EXTRA'])",
        "print(random.random(), np.random.rand())",
        "left = sys.left = os.environ['SEEN'] = 'here'\nos.chdir('/')",
    ]
    (tmp_path / "this_run.py").write_text("")
    outputs = []
    for name in ("first", "second"):
        monkeypatch.setenv("SEEN", name)
        execute(written(tmp_path, *cells), tmp_path / "run.ipynb", {}, environment={"EXTRA": name * 2})
        outputs.append([c.outputs[0].text for c in nbformat.read(tmp_path / "run.ipynb", 4).cells[1:4]])

    assert outputs[0][:2] == [f"False False {tmp_path}\n", "first firstfirst\n"]
    assert outputs[1][:2] == [f"False False {tmp_path}\n", "second secondsecond\n"]
    assert set(outputs[0][2].split()).isdisjoint(outputs[1][2].split())


def test_runs_in_threads_do_not_meet(tmp_path: Path) -> None:
    """One process may drive several runs at once: each notebook has its own parameter and its own outputs."""
    source = written(tmp_path, "k = None", "import os, time\ntime.sleep(0.01)\nprint(k, os.getcwd())")
    nb = nbformat.read(source, 4)
    nb.cells[0].metadata.tags = ["parameters"]
    nbformat.write(nb, source)

    def run(k: int) -> str:
        execute(source, tmp_path / f"{k}.ipynb", {"k": k})
        return str(nbformat.read(tmp_path / f"{k}.ipynb", 4).cells[-1].outputs[0].text)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(run, range(8))) == [f"{k} {Path.cwd()}\n" for k in range(8)]


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    """Sets of texts, warnings and figures too, which a kernel shows with its process or its hashes."""
    cells = ["print({*'abcdef'})", "import warnings; warnings.warn('x')", NOTEBOOKS["figures"][0]]
    source = written(tmp_path, *cells)
    for name in ("first", "second"):
        execute(source, tmp_path / f"{name}.ipynb", {})

    assert (tmp_path / "first.ipynb").read_bytes() == (tmp_path / "second.ipynb").read_bytes()


KERNELS = {
    "widgets": (["import ipywidgets\nimport os, sys; print(len(sys.argv))"], {}),
    "its own hashes": (["print({*'abcdefghij'}, '-f' in __import__('sys').argv)"], {"PYTHONHASHSEED": "1"}),
    "threads": (["import os; print(os.environ['OMP_NUM_THREADS'])"], {"OMP_NUM_THREADS": "2"}),
}


@pytest.mark.parametrize("name", KERNELS)
def test_what_a_fork_cannot_do_is_done_by_a_kernel(name: str, tmp_path: Path) -> None:
    """Widgets, and variables that are read when Python starts: the run is that of a fresh process."""
    cells, environment = KERNELS[name]
    is_kernel = "from ipykernel.kernelapp import IPKernelApp\nprint(IPKernelApp.initialized())"
    execute(written(tmp_path, *cells, is_kernel), tmp_path / "run.ipynb", {}, environment=environment)
    ran = nbformat.read(tmp_path / "run.ipynb", 4).cells

    assert ran[-1].outputs[0].text == "True\n"
    assert name != "threads" or ran[0].outputs[0].text == "2\n"


def test_what_a_library_sets_for_itself_asks_for_no_kernel(tmp_path: Path) -> None:
    """Whoever has imported scikit-learn or torch's compiler before gets the fork all the same."""
    is_kernel = "from ipykernel.kernelapp import IPKernelApp\nprint(IPKernelApp.initialized())"
    own = {"KMP_DUPLICATE_LIB_OK": "True", "KMP_INIT_AT_FORK": "FALSE", "TORCHINDUCTOR_CACHE_DIR": "cache"}
    execute(written(tmp_path, is_kernel), tmp_path / "run.ipynb", {}, environment=own)

    assert nbformat.read(tmp_path / "run.ipynb", 4).cells[0].outputs[0].text == "False\n"


def test_a_death_is_told_of_a_kernel_too(tmp_path: Path) -> None:
    """The truth does not depend on who runs the cells."""
    source = written(tmp_path, "import ipywidgets", "import os; os._exit(7)", "1")

    with pytest.raises(StudyError, match=r"in cell 'cell-1' the kernel died: exit code 7"):
        execute(source, tmp_path / "run.ipynb", {})

    assert statuses(tmp_path / "run.failed.ipynb") == ["completed", "failed", "pending"]


def test_a_thread_that_ran_a_kernel_leaves_no_event_loop(tmp_path: Path) -> None:
    """What a thread opened to talk with the kernel is closed when the run is over."""

    def opened() -> set[int]:
        loops = (one for one in gc.get_objects() if issubclass(type(one), asyncio.AbstractEventLoop))
        return {id(loop) for loop in loops if not loop.is_closed()}

    before = opened()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(execute, written(tmp_path, "import ipywidgets"), tmp_path / "run.ipynb", {}).result()
        assert opened() <= before


@pytest.fixture
def by_papermill(tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command ``papermill --engine studylib`` and an environment with our entry point."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    info = tmp_path / "site" / "declared-1.dist-info"
    info.mkdir(parents=True)
    lines = [f"{name} = {where}" for name, where in declared["papermill.engine"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[papermill.engine]", *lines]))
    command = [str(Path(sys.executable).with_name("papermill")), "--engine", "studylib", "study.ipynb"]
    return command, {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(ROOT)])}


def test_papermill_finds_the_engine_and_tells_the_truth(
    tmp_path: Path, by_papermill: tuple[list[str], dict[str, str]]
) -> None:
    """``papermill --engine studylib`` works by the declared entry point; a death is an exit status."""
    source = written(tmp_path, "n = 1", "print(n, flush=True)\nimport os\nif n > 1: os._exit(3)", "n")
    nb = nbformat.read(source, 4)
    nb.cells[0].metadata.tags = ["parameters"]
    nbformat.write(nb, source)
    command, environment = by_papermill

    good, bad = (
        subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        for more in (["good.ipynb"], ["bad.ipynb", "-p", "n", "2"])
    )

    assert good.returncode == 0, good.stderr
    assert nbformat.read(tmp_path / "good.ipynb", 4).cells[-1].outputs[0].data == {"text/plain": "1"}
    assert "language_info" in nbformat.read(tmp_path / "good.ipynb", 4).metadata
    assert bad.returncode != 0
    assert "the kernel died: exit code 3" in bad.stderr
    assert statuses(tmp_path / "bad.ipynb") == ["completed", "completed", "failed", "pending"]
    assert nbformat.read(tmp_path / "bad.ipynb", 4).cells[2].outputs[0].text == "2\n"


@pytest.mark.parametrize("first", ["print('so far')", "print('so far')\nimport ipywidgets"])
def test_an_interrupted_run_says_so_where_it_was(
    first: str, tmp_path: Path, by_papermill: tuple[list[str], dict[str, str]]
) -> None:
    """Ctrl-C, in a fork and in a kernel: the file names the cell, and completes none after it."""
    written(tmp_path, first, "open('begun', 'w').close()\nimport time; time.sleep(300)", "print('never')")
    command, environment = by_papermill
    with subprocess.Popen(
        [*command, "run.ipynb"], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
    ) as driver:
        while not (tmp_path / "begun").exists():
            assert driver.poll() is None
            time.sleep(0.02)
        driver.send_signal(signal.SIGINT)
        assert driver.wait(timeout=20) != 0

    ran = nbformat.read(tmp_path / "run.ipynb", 4).cells
    assert statuses(tmp_path / "run.ipynb") == ["completed", "failed", "pending"]
    assert ran[0].outputs[0].text == "so far\n"
    assert ran[1].outputs[-1].evalue == "the run was interrupted."


def test_the_file_is_not_far_behind(tmp_path: Path) -> None:
    """While a cell goes on, the file on disk says which one it is, and what it has printed so far."""
    path = tmp_path / "run.ipynb"
    look = f"""
import json, time
for k in range(1000):
    print(k, flush=True)
    time.sleep(0.05)
    try:
        cells = json.load(open({str(path)!r}))["cells"]
    except ValueError:  # papermill is writing
        continue
    if cells[-1]["outputs"]:
        break
" ".join([cell["metadata"]["papermill"]["status"] for cell in cells] + cells[-1]["outputs"][0]["text"][:1])
"""
    nb = notebook(*["1"] * 5, look)
    papermill.execute_notebook(nb, path, engine_name=engine.NAME, progress_bar=False, autosave_cell_every=0.1)
    shown = nbformat.read(path, 4).cells[-1].outputs[-1].data["text/plain"]

    assert shown == repr("completed " * 5 + "running 0\n")


def test_a_kernel_that_is_not_there_completes_nothing(tmp_path: Path) -> None:
    """Papermill alone would call every cell completed; here the first says what is missing."""
    nb = notebook("1", "2", name="no_such_kernel")
    with pytest.raises(NoSuchKernel):
        papermill.execute_notebook(nb, tmp_path / "run.ipynb", engine_name=engine.NAME, progress_bar=False)

    assert statuses(tmp_path / "run.ipynb") == ["failed", "pending"]
    assert "no_such_kernel" in nbformat.read(tmp_path / "run.ipynb", 4).cells[0].outputs[0].evalue


def test_the_server_has_one_thread_and_no_gpu(tmp_path: Path) -> None:
    """So that its forks are sound: a lock that another thread held would never be released in them."""
    cell = """
import os, sys, psutil, torch
server = psutil.Process(os.getppid()).ppid()
print(len(os.listdir(f"/proc/{server}/task")), len(os.listdir("/proc/self/task")))
print(torch.cuda.is_initialized(), [name for name in sys.modules if name.startswith("matplotlib_inline.")])
"""
    program = """
import sys
from pathlib import Path
from studylib import notebooks, processes
assert not {"papermill", "IPython", "zmq", "torch", "pandas"} & sys.modules.keys()
processes.context(notebooks.WARM).Process().start()
notebooks.execute(Path("study.ipynb"), Path("run.ipynb"), {})
"""
    written(tmp_path, cell)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)

    assert [name for name in WARM if find_spec(name) is None] == []
    assert nbformat.read(tmp_path / "run.ipynb", 4).cells[0].outputs[0].text == "1 1\nFalse []\n"


def test_imports_are_read_through_magics_and_broken_lines() -> None:
    """What a cell imports is found beside what is no Python."""
    cells = [
        "%matplotlib inline\nimport a.b, c as d\n!ls\nfrom e import f",
        "x = (\nimport g",
        "from . import h",
    ]
    cells += ["%%time\nimport i", "def j():\n    %time x\n    import k\nobject?"]

    assert imported(cells) == {"a.b", "c", "e", "e.f", "g", "i", "k"}
    assert needs_a_client({"tqdm.auto"})
    assert not needs_a_client({"tqdm", "numpy"})


def test_text_is_cut_at_marks_wherever_reading_stops() -> None:
    """A mark, or a letter of several bytes, that comes in two pieces is one all the same."""
    mark = b"\0mark"
    for cut in range(1, 16):
        whole = "aλ".encode() + mark + "bβ\0".encode()
        read, write = os.pipe()
        text = Text("stdout", read, mark)
        os.write(write, whole[:cut])
        first = text.read()
        os.write(write, whole[cut:])
        assert first + text.up_to_mark() == "aλ"
        os.close(write)
        assert text.rest() == "bβ\0"
        text.close()


@pytest.mark.parametrize(
    "text", ["a\rb\n", "a\rb\r\n", "a\r\r\nb", "\r", "a\r", "a\rbc\rd\r", "x\n\ra\n", "a\r\nb\rc"]
)
def test_a_carriage_return_leaves_what_nbclient_leaves(text: str) -> None:
    """Line by line, in time that grows with the text."""
    assert as_seen(text) == re.sub(r".*\r(?=[^\n])", "", text)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_engine_shows_what_a_kernel_shows(name: str, kernels: dict[str, Any]) -> None:
    """Cell by cell: status, number, every output with its colours and frames; only addresses differ."""
    ours = shown(NOTEBOOKS[name], engine_name=engine.NAME)

    assert ours == kernels[name].result()
