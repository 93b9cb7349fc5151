"""How every picture looks: one width, one type size, colours that the colour-blind can tell apart.

A page shows a picture between 360 and 560 pixels wide, so all is drawn for the middle of that. Text stays
text in the file, and is set in the reader's own typeface.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import StringIO
from typing import TYPE_CHECKING, Any, ParamSpec

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from studylib.figures.picture import Picture, Table
from studylib.figures.slim import slim
from studylib.figures.words import short, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

P = ParamSpec("P")

RASTER = 144  # dots to the inch, where many points are drawn as an image
WIDTH = 4.8  # inches, at 72 points and 96 screen pixels each
INK, MUTED, FAINT, GRID = "#1c2430", "#5a6472", "#9aa3af", "#e2e6eb"
ACCENT, SECOND, GREEN = "#0b62a8", "#b4520a", "#00795c"
# Wong (2011), https://doi.org/10.1038/nmeth.1618, darkened to a contrast of at least 4.5 on white
SERIES = (ACCENT, SECOND, GREEN, "#8f4a7c", "#7a6400", "#2b7fa3", "#a03c1e", "#4b4b4b")
RC = {
    "axes.axisbelow": True,
    "axes.edgecolor": FAINT,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.facecolor": "white",
    "font.family": ["DejaVu Sans"],  # wider than what the reader's system has: nothing will overlap there
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "path.simplify_threshold": 0.4,  # pixels at 72 to the inch
    "svg.fonttype": "none",
    "svg.hashsalt": "studylib",
    "text.color": INK,
    "text.parse_math": False,  # names come from users: a dollar sign is a dollar sign
    "xtick.bottom": False,
    "xtick.color": MUTED,
    "xtick.labelsize": 9.5,
    "ytick.left": False,
    "ytick.color": MUTED,
    "ytick.labelsize": 9.5,
}


def styled(draw: Callable[P, Picture]) -> Callable[P, Picture]:
    """Draw in the house style, whatever the reader's own settings are, and leave those as they were."""

    @wraps(draw)
    def within(*args: P.args, **kwargs: P.kwargs) -> Picture:
        with style.context(["default", RC]):
            return draw(*args, **kwargs)

    return within


def sheet(height: float, title: str = "", note: str = "") -> Figure:
    """Return an empty figure of the house width: the finding above, how to read it below."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)  # measures text without a window
    if title:
        figure.suptitle(wrapped(title, 50), x=0.012, ha="left", fontsize=11, fontweight="bold")
    if note:
        figure.supxlabel(wrapped(note, 62), x=0.012, ha="left", fontsize=9.5, color=MUTED)
    return figure


def panels(figure: Figure, names: list[str], columns: int = 2) -> list[Axes]:
    """Return one panel per name, with its title, sharing both axes."""
    rows = -(-len(names) // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes: list[Axes] = list(grid.flat)
    for empty in axes[len(names) :]:
        empty.remove()
    for panel, name in zip(axes, names, strict=False):
        panel.set_title(short(name, 28))
    # the lowest panel of a column that is one row short keeps its numbers
    for panel in axes[max(0, len(names) - columns) : len(names)]:
        panel.xaxis.set_tick_params(labelbottom=True)
    return axes[: len(names)]


def plain_numbers(axis: Axis) -> None:
    """Write 0.01 on a logarithmic axis: powers would need the formulas that names must not become."""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def label_edges(axes: list[Axes], x: str, y: str, columns: int = 2) -> None:
    """Name the axes that the panels share: x below the lowest panels, y beside the leftmost ones."""
    for place, panel in enumerate(axes):
        if place % columns == 0:
            panel.set_ylabel(y)
        if place >= len(axes) - columns:
            panel.set_xlabel(x)


def say(axes: Axes, message: str) -> None:
    """Write in the middle of a panel why nothing is drawn there."""
    axes.text(0.5, 0.5, wrapped(message, 24), transform=axes.transAxes, ha="center", va="center", color=MUTED)


def saying(message: str) -> Picture:
    """Return a picture of nothing but words: why there is nothing to draw."""
    figure = sheet(1.1)
    figure.text(0.5, 0.5, wrapped(message, 54), ha="center", va="center", color=MUTED)
    return picture(figure, message)


def picture(figure: Figure, alt: str, data: Table | None = None) -> Picture:
    """Return the figure as a picture: no date and no program name, so the same bytes each time."""
    buffer = StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing, dpi=RASTER)
    svg = buffer.getvalue()
    return Picture(slim(svg[svg.index("<svg") :]), " ".join(alt.split()), data)
