"""The page of benchmarks: what was asked of the speed, what was measured, and what nobody measured yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from studylib.pages.images import figure
from studylib.pages.layout import page
from studylib.pages.verdicts import CHIP
from studylib.speeds import number

if TYPE_CHECKING:
    from markupsafe import Markup

    from studylib.pages.sizes import Drawing
    from studylib.speeds import Figure, Outcome, Row, Speeds

# in the colours and with the signs that readers know from the studies
CHIPS: Mapping[Outcome, tuple[str, str]] = {
    "reached": ("equivalent", "✓"),
    "missed": ("worse", "▼"),
    "not measured": ("undecided", "○"),
}


def speeds_page(
    speeds: Speeds, drawing: Drawing, growth: Drawing, *, command: str = "", commit: str = ""
) -> bytes:
    """Return the page of all figures that were asked for.

    Args:
        speeds: the table; nothing is measured here.
        drawing: the picture of the ratios.
        growth: the picture of the cost by the number of fits.
        command: what makes the page again, as typed; nothing is said of it if empty.
        commit: of the code that made it.
    """
    return page(
        "speeds.html.j2",
        title="How fast it is, beside its peers",
        sentence=speeds.sentence(),
        drawing=figure("image/svg+xml", drawing.svg, drawing.alt),
        rows=[_row(row) for row in speeds.rows],
        missed=[_short(row) for row in speeds.rows if row.outcome == "missed"],
        machines=sorted({row.figure.machine for row in speeds.rows if row.figure}),
        growth=figure("image/svg+xml", growth.svg, growth.alt),
        grown=[_growth(one) for one in speeds.grown()],
        commands=list(dict.fromkeys(row.asked.command for row in speeds.rows)),
        command=command,
        commit=commit,
    )


def _row(row: Row) -> dict[str, Any]:
    found = row.figure
    return {
        "work": row.asked.work,
        "against": row.asked.against,
        "chip": _chip(row.outcome),
        "asked": f"{row.asked.sense} {row.asked.bar:g} ×",
        "command": row.asked.command,
        "measured": None if found is None else _measured(found),
    }


def _measured(found: Figure) -> dict[str, Any]:
    rounds = len(found.ratios)
    spread = f"{min(found.ratios):.3g} to {max(found.ratios):.3g}, {rounds} rounds"
    return {
        "ratio": f"{found.ratio:.3g} ×",
        "spread": spread if rounds > 1 else "one round",
        "ours": number(found.ours),
        "theirs": number(found.theirs),
        "unit": found.unit,
        "day": found.day,
        "machine": found.machine,
        "versions": ", ".join(f"{name} {version}" for name, version in found.versions.items()),
        "note": found.note,
    }


def _short(row: Row) -> str:
    ratio = f"{row.figure.ratio:.3g}" if row.figure else "no"
    asked = f"{row.asked.sense} {row.asked.bar:g} ×"
    return f"{row.asked.work}, against {row.asked.against}: {ratio} ×, where {asked} was asked"


def _growth(found: Figure) -> dict[str, Any]:
    return {
        "work": found.work,
        "words": f"{found.work[:1].upper()}{found.work[1:]}",
        "line": found.line().told(),
        "ratio": f"{found.ratio:.3g}",
        "points": [
            {
                "fits": number(point.fits),
                "seconds": number(point.typical),
                "spread": f"{number(min(point.seconds))} to {number(max(point.seconds))}",
                "each": f"{1e3 * point.typical / point.fits:.3g}",
            }
            for point in found.points
        ],
    }


def _chip(outcome: Outcome) -> Markup:
    return CHIP.format(*CHIPS[outcome], outcome)
