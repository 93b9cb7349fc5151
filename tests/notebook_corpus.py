"""Small notebooks, each a list of cells, that touch all that a kernel does when nobody sits before it."""

from __future__ import annotations

LOOP = """
for k in range(30_000):
    print(k)
"""
BAR = """
import sys
for k in range(3_000):
    print(f"\\r{k:>5} of 3000", end="")
print("\\rdone, with a longer line")
print("left\\r\\nkept", file=sys.stderr)
"""
HANDLES = """
from IPython.display import display
first, second = display("one", display_id=True), display("two", display_id="mine")
"""
WAITING = """
from IPython.display import clear_output
print("gone")
clear_output(wait=True)
print("stays")
display("also")
"""
REPRS = """
class Many:
    def _repr_html_(self): return "<b>many</b>"
    def _repr_markdown_(self): return "**many**"
    def _repr_latex_(self): return "$x$"
    def _repr_svg_(self): return "<svg/>"
    def _repr_json_(self): return {"a": (1, 2)}
class Bundle:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "plain", "application/json": {"n": [1.5, None]}}, {"text/plain": {"k": 1}}
display(Many(), Bundle())
Many()
"""
IMAGES = """
from IPython.display import HTML, JSON, SVG, Code, Image, Javascript, Latex, Math
display(HTML("<i>x</i>"), JSON({"a": [1]}), Javascript("1"), Latex("$a$"), Math("a"), SVG("<svg></svg>"))
display(Image(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(8)), metadata={"own": 1})
Code("a = 1")
"""
BACKGROUND = """
import threading
from IPython.display import display
thread = threading.Thread(target=lambda: (print("from a thread"), display("shown by a thread")))
thread.start(); thread.join()
"""
TASKS = """
import asyncio
seen = []
async def tick():
    for k in range(3):
        seen.append(k); await asyncio.sleep(0)
task = asyncio.create_task(tick())
"""
FORKED = """
import multiprocessing
def work(k):
    print("worker", flush=True)
    return k * k
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.map(work, range(1)))
"""
CHAIN = """
def inner(x):
    return 1 / x
def outer(x):
    try:
        inner(x)
    except ZeroDivisionError as error:
        raise ValueError("outer failed") from error
outer(0)
"""
STATE = """
import os, sys, multiprocessing, threading
print(__name__, sys.modules["__main__"].__dict__ is globals(), os.getcwd() == os.path.realpath("."))
print(sys.argv[1], sys.stdin.read(), sys.flags.interactive, "" in sys.path)
print(multiprocessing.parent_process(), multiprocessing.current_process().name)
print(threading.current_thread().name)
shell = get_ipython()
print(shell.__class__.__name__, "IPKernelApp" in shell.config, sys.stdout.isatty(), sys.stdout.encoding)
print({k: os.environ.get(k) for k in ("MPLBACKEND", "TERM", "PAGER", "OMP_NUM_THREADS", "PYTHONHASHSEED")})
print({text for text in "abcdefgh"})
"""
FIGURES = """
import matplotlib.pyplot as plt
plt.plot([1, 3, 2]); plt.title("λ"); plt.show()
print("between")
plt.figure(figsize=(2, 1)); plt.bar([1, 2], [3, 4])
plt.figure(figsize=(1, 2), facecolor="none"); plt.scatter([1], [2]);
"""
FIGURE_AS_VALUE = """
from matplotlib.figure import Figure
figure = Figure(figsize=(2, 2)); figure.subplots().plot([0, 1]); figure
"""
PANDAS = """
import numpy as np, pandas as pd
table = pd.DataFrame({"a": np.arange(100) / 7, "b": list("xy") * 50}, index=pd.RangeIndex(100, name="row"))
table
"""

WIDE = """
wide = pd.DataFrame([range(30)]).add_prefix("a long name ")
display(wide, wide.iloc[:, :12]); print(wide); pd.get_option("display.max_columns")
"""
NOTEBOOKS: dict[str, list[str]] = {
    "values": ["1 + 1", "None", "_ + 1", "a = 3; a", "a;", "'text'", "Out[1], In[1]", "[*range(2000)]"],
    "streams": [
        *("print('out')", "import sys; print('err', file=sys.stderr); print('out')", "print(1, end='')"),
        "print('first'); display(1); print('second'); display(2); 3",
    ],
    "texts": ["print('λ → ∞ 🎲')", "'é' * 3", "print('tab\\t\\x07bell')", "", "  ", "# a comment", "len?"],
    "a long loop": [LOOP],
    "a progress bar": [BAR],
    "display ids": [
        HANDLES,
        "first.update('new'); second.update('2')",
        "display('third', display_id='mine')",
    ],
    "clearing": [
        WAITING,
        "print(1); display(1)\nclear_output()\nprint(2)",
        "print(3); clear_output(wait=True)",
    ],
    "representations": [REPRS, IMAGES, "from IPython.display import Markdown\nMarkdown('# a')"],
    "threads": [BACKGROUND],
    "await": [
        "import asyncio\nawait asyncio.sleep(0, 'slept')",
        "async def f(): return 5\nawait f()",
        "await 1",
    ],
    "tasks": [TASKS, "await task\nseen", "asyncio.run(tick())"],
    "shell": [
        "!echo 1; echo 2 >&2",
        "lines = !printf 'a\\nb'\nlines",
        "!exit 3",
        "_exit_code",
        "!echo {1 + 1}",
    ],
    # a kernel hears of what a program prints by a thread of its own, which may be later than the result
    "programs": [
        "import os, time\nended = os.system('echo raw')\ntime.sleep(0.5)\nended",
        "import subprocess\nran = subprocess.run(['echo', 'sub']).args\ntime.sleep(0.5)\nran",
    ],
    "forks": [FORKED],
    "magics": [
        *("%%capture said\nprint('hidden')", "said.stdout", "%env HOME_OF=here", "%who", "%%html\n<p>x</p>"),
        *("%precision 2", "3.14159", "%%bash\necho from bash; echo err >&2", "%no_such_magic"),
    ],
    "an error": ["x = 1", "x / 0", "print('never')"],
    "a chain of errors": [CHAIN],
    "a syntax error": ["def f(:\n  pass"],
    "leaving": ["print('before')\nimport sys; sys.exit(3)", "print('never')"],
    "leaving well": ["raise SystemExit", "print('never')"],
    "input": ["name = input('who? ')"],
    "a failing representation": ["class Bad:\n    def __repr__(self): raise ValueError('no repr')", "Bad()"],
    "warnings": ["import warnings\nwarnings.warn('careful')", "import logging; logging.warning('logged')"],
    "state": [STATE],
    "figures": [FIGURES, FIGURE_AS_VALUE, "plt.rcParams['figure.dpi'], plt.get_backend()"],
    "tables": [
        *(PANDAS, "table.describe()", "table.style.set_uuid('u')", "np.array(1.0) / 0", "table.plot();"),
        WIDE,
    ],
}
