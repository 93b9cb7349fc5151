"""What is worth importing once, before processes that run notebooks are forked."""

from __future__ import annotations

from collections.abc import Iterable

# None of these starts a thread, looks for a GPU, or changes how others behave (importing seaborn adds colour
# maps, and pandas.plotting converts dates): a forked process is to be like one that has imported nothing.
# Papermill is not among them, for where PyArrow is installed it starts a thread; and of studylib there is
# only what runs cells, for code that its reader is working on is to be read anew by each notebook.
SHELL = (
    "studylib.notebooks.shell",
    "studylib.notebooks.keeper",
    "studylib.notebooks.child",
    "psutil",
    "comm",
    "sqlite3",
    "stack_data",
    "pygments.formatters.terminal256",
    "pygments.styles.default",
    "IPython.core.application",
    "IPython.core.completerlib",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.display",
)
HEAVY = (
    "numpy.random",
    "numpy.linalg",
    "pandas",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "PIL.PngImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.PpmImagePlugin",
    "scipy.special",
    "scipy.stats",
    "scipy.cluster.hierarchy",
    "pydantic",
    "ruamel.yaml",
    "torch",
)
INLINE = "module://matplotlib_inline.backend_inline"  # what a kernel draws with
REHEARSAL = "studylib.notebooks.rehearsal"
WARM = (*SHELL, *HEAVY, REHEARSAL)


def warmed(names: Iterable[str]) -> tuple[str, ...]:
    """Return what a server is to import that starts for a notebook which imports ``names``."""
    packages = {name.split(".")[0] for name in names}
    every = "studylib" in packages
    heavy = (module for module in HEAVY if every or module.split(".")[0] in packages)
    return (*SHELL, *heavy, REHEARSAL)
