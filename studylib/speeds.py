"""How fast this project is beside its peers: what was asked, what was measured, and where it is kept.

``python -m benchmarks`` measures; ``measured.json`` beside it keeps the newest figure of each row, and the
rows that nobody has measured yet. A page is made from that file alone, so that a report measures nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, Literal, final

from studylib import places
from studylib.errors import ParameterError, unknown
from studylib.records import write_whole

FORMAT = 1
Sense = Literal["at least", "at most"]
Outcome = Literal["reached", "missed", "not measured"]
OUTCOMES: tuple[Outcome, ...] = ("reached", "missed", "not measured")


@final
@dataclass(frozen=True)
class Asked:
    """A ratio that is to be reached.

    Attributes:
        work: what is done, such as ``digits MLP, 10 seeds``.
        against: who does the same, or what limits it.
        sense, bar: the ratio is to be at least, or at most, the bar.
        command: what measures it.
    """

    work: str
    against: str
    sense: Sense
    bar: float
    command: str

    @property
    def name(self) -> str:
        """Work and peer, as one text."""
        return f"{self.work} | {self.against}"


@final
@dataclass(frozen=True)
class Point:
    """What so many fits took, in each round.

    Attributes:
        seconds: of all of them together, one number for each round.
    """

    fits: int
    seconds: tuple[float, ...]

    @property
    def typical(self) -> float:
        """The median of the rounds, in seconds."""
        return median(self.seconds)


@final
@dataclass(frozen=True)
class Line:
    """Seconds that grow by as much with every fit: ``start`` and, for each fit, ``slope``."""

    start: float
    slope: float

    def at(self, fits: int) -> float:
        """Return the seconds of so many fits."""
        return self.start + self.slope * fits

    def told(self) -> str:
        """Return the line in words."""
        return f"{max(0.0, self.start):.2g} s at the start and {1e3 * self.slope:.3g} ms for each fit"


@final
@dataclass(frozen=True)
class Figure:
    """What one run of a benchmark found for one row of the table.

    Attributes:
        work, against: the row.
        unit: of ``ours`` and ``theirs``, such as ``model-steps/s`` or ``s``.
        ours, theirs: medians over the rounds.
        ratios: one for each round, both being timed side by side in it. How many times as fast ours is, where
            at least something is asked; how large a part of theirs ours takes, where at most something is.
        machine: the kind of processor and how many cores, or the kind of GPU; never its name.
        versions: of torch, and of the peer.
        day: on which it was measured, such as ``2026-11-26``.
        note: what else is to be said, as sentences.
        points: by the number of fits, where that is what varies.
    """

    work: str
    against: str
    unit: str
    ours: float
    theirs: float
    ratios: tuple[float, ...]
    machine: str
    versions: Mapping[str, str]
    day: str
    note: str = ""
    points: tuple[Point, ...] = ()

    @property
    def name(self) -> str:
        """Work and peer, as one text: the row that it belongs to."""
        return f"{self.work} | {self.against}"

    @property
    def ratio(self) -> float:
        """The median over the rounds."""
        return median(self.ratios)

    def line(self) -> Line:
        """Return the line nearest to the points, all being as exact for their size.

        The least squares of (seconds − start − slope·n)/n: a regression of seconds/n on 1/n.
        """
        shares = [1 / point.fits for point in self.points]
        each = [point.typical / point.fits for point in self.points]
        start, slope = linear_regression(shares, each)
        return Line(start, slope)


@final
@dataclass(frozen=True)
class Row:
    """What was asked, and what was measured, if that was done."""

    asked: Asked
    figure: Figure | None = None

    @property
    def outcome(self) -> Outcome:
        """Whether the median over the rounds reaches the bar."""
        if self.figure is None:
            return "not measured"
        above = self.figure.ratio >= self.asked.bar
        below = self.figure.ratio <= self.asked.bar
        return "reached" if (above if self.asked.sense == "at least" else below) else "missed"


@final
@dataclass(frozen=True)
class Speeds:
    """The table: a row for everything that was asked, in that order."""

    rows: tuple[Row, ...]

    def sentence(self) -> str:
        """Return what was reached, in one sentence."""
        found = [row.outcome for row in self.rows]
        told = [f"{found.count(outcome)} {outcome}" for outcome in OUTCOMES if outcome in found]
        return f"Of {len(found)} figures that were asked for: {', '.join(told)}."

    def grown(self) -> tuple[Figure, ...]:
        """Return the figures that were measured by the number of fits."""
        return tuple(row.figure for row in self.rows if row.figure and len(row.figure.points) > 1)

    def asking(self, asked: Iterable[Asked]) -> Speeds:
        """Return the table of what is asked now, with the figures of the rows that stay."""
        known = {row.asked.name: row.figure for row in self.rows}
        return Speeds(tuple(Row(one, known.get(one.name)) for one in asked))

    def with_figures(self, figures: Iterable[Figure]) -> Speeds:
        """Return the table with newer figures in their rows.

        Raises:
            ParameterError: nobody asked for such a figure.
        """
        newer = {one.name: one for one in figures}
        names = {row.asked.name for row in self.rows}
        for name in newer:
            if name not in names:
                raise unknown("row of the table of speeds", name, names)
        return Speeds(tuple(replace(row, figure=newer.get(row.asked.name, row.figure)) for row in self.rows))

    def save(self, path: Path) -> None:
        """Write the table as JSON, whole or not at all."""
        body = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
        write_whole(path, body.encode() + b"\n")

    @classmethod
    def load(cls, path: Path) -> Speeds:
        """Read a table.

        Raises:
            ParameterError: no such file, or something else.
        """
        try:
            data = json.loads(path.read_bytes())
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']}")  # noqa: TRY301  # told below, with the file
            return cls(tuple(_row(row) for row in data["rows"]))
        except OSError as error:
            raise ParameterError(f"{path}: cannot be read: {error.strerror}.") from None
        except (KeyError, TypeError, ValueError) as error:
            raise ParameterError(
                f"{path}: expected a table of speeds of format {FORMAT}, but found {error!r}."
                " Take the committed file, or delete it and measure again: python -m benchmarks."
            ) from None


def number(value: float) -> str:
    """Return a positive number with three digits, or whole, with its thousands apart."""
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.3g}"


def kept() -> Path:
    """Return where the project keeps its table; an installed package, away from its project, has none."""
    return places.project() / "benchmarks" / "measured.json"


def _row(data: Mapping[str, Any]) -> Row:
    found = data["figure"]
    return Row(Asked(**data["asked"]), None if found is None else _figure(found))


def _figure(data: Mapping[str, Any]) -> Figure:
    points = tuple(Point(one["fits"], tuple(one["seconds"])) for one in data["points"])
    return Figure(**{**data, "ratios": tuple(data["ratios"]), "points": points})
