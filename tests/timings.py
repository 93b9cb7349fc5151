"""A made-up table of speeds: a bar reached, two missed, nothing measured, and costs by the number of fits."""

from __future__ import annotations

from studylib.speeds import Asked, Figure, Point, Row, Sense, Speeds

LINE = Asked("cost of a fit, to 1000", "straight line", "at most", 1.25, "python -m benchmarks growth")


def asked(against: str, bar: float, sense: Sense = "at least", work: str = "a network, 10 seeds") -> Asked:
    """Return what may be asked."""
    return Asked(work, against, sense, bar, "python -m benchmarks stacks")


def measured(one: Asked, *ratios: float, points: tuple[Point, ...] = (), note: str = "") -> Figure:
    """Return a figure of one row, whose rounds had these ratios."""
    return Figure(
        work=one.work,
        against=one.against,
        unit="model-steps/s",
        ours=12_345.678,
        theirs=2_469.1,
        ratios=ratios,
        machine="x86_64 Abacus(R) <3>, 2 cores",
        versions={"torch": "2.13.0", "skorch": "1.4.0"},
        day="2026-11-26",
        note=note,
        points=points,
    )


def growing(bend: float = 1.0) -> tuple[Point, ...]:
    """Return what 10 to 1000 fits took: 0.1 s at the start, 3 ms for each, ``bend`` times that at last."""
    exact = {10: 0.13, 100: 0.4, 1000: 3.1 * bend}
    return tuple(Point(n, (seconds, 0.95 * seconds, 1.1 * seconds)) for n, seconds in exact.items())


def timings() -> Speeds:
    """Return a table with every outcome, and every sense."""
    reached, missed, late = asked("slow & old", 5), asked("the limit", 0.55), asked("before", 0.6, "at most")
    unknown = asked("one by one on the same GPU", 100, work="H200: 400 networks")
    return Speeds(
        (
            Row(reached, measured(reached, 5.4, 4.9, 5.5)),
            Row(missed, measured(missed, 0.27, 0.28, 0.25)),
            Row(late, measured(late, 0.71, note="644 fits, 644 before.")),
            Row(unknown),
            Row(LINE, measured(LINE, 1.02, 0.98, 1.1, points=growing())),
        )
    )
