"""Imported last by the server that notebooks are forked from: it does once what each of them would do first.

Libraries look up backends, fonts and formats when they draw the first figure and show the first table, and
keep what they found. What is drawn here is thrown away; only those findings are left to the forks, which
therefore show what they would have shown without it. Formulas are not drawn: Matplotlib keeps their fonts
open, and two forks would read one file in turns.
"""

from __future__ import annotations

import gc
import io
import sys
from contextlib import suppress

from studylib.notebooks.warm import INLINE


def _figure() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.rcsetup import validate_backend

    validate_backend(INLINE)
    figure = Figure(figsize=(3, 2))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    axes.set_title("title")
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")


def _table() -> None:
    import pandas as pd

    table = pd.DataFrame({"x": [0.5, 1.0], "y": ["a", "b"]})
    for shown in (table, table.describe()):
        shown.to_html(notebook=True)
        shown.to_string()


for _library, _rehearse in {"matplotlib.pyplot": _figure, "pandas.io.formats.html": _table}.items():
    if _library in sys.modules:
        with suppress(Exception):  # what fails here fails in the notebook that asks for it, and is told there
            _rehearse()
gc.collect()
gc.freeze()  # whoever looks for garbage among all that was imported copies it
