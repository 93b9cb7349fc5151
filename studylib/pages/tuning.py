"""How the settings were chosen: what was tried, what was taken, and how far the score that chose flatters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, final

from studylib.compare.tuning import Opened, Tuned, tuned
from studylib.pages import tables

if TYPE_CHECKING:
    from markupsafe import Markup

    from studylib.pages.drawings import Origin
    from studylib.records import Record
    from studylib.statistics import Interval

TITLE = "How the settings were chosen"
METHODS = {
    "grid": "every combination of a grid was tried",
    "random": "settings were drawn at random",
    "tpe": "settings were proposed by TPE, after a first batch at random",
}
SHOWN = 4  # different choices of one setting that are named


@final
@dataclass(frozen=True)
class Section:
    """The section of a page.

    Attributes:
        method: what was tried, and on which rows it was scored.
        table: a row for each setting that an arm left open, and for each arm that left nothing open.
        warnings: settings that were mostly chosen at an end of their range.
        optimism: what the figure ``gaps`` says, as far as that goes.
    """

    method: str
    table: Markup
    warnings: Sequence[str]
    chosen: Markup
    curves: Markup
    optimism: str
    gaps: Markup


def has(record: Record) -> bool:
    """Tell whether any arm was tuned by trials that the record knows."""
    return any(fit.trials for fit in record.fits)


def tuned_of(record: Record, origin: Origin) -> Section | None:
    """Return the section of a record; None if no arm was tuned."""
    found = tuned(record)
    if not found:
        return None
    return Section(
        _method(record, found),
        tables.of_rows(
            ("arm", "setting", "could be", "trials", "chosen (in how many seeds)"), _rows(found), TITLE
        ),
        [line for one in found for opened in one.settings if (line := _warning(one, opened))],
        _figure(record, origin, "chosen"),
        _figure(record, origin, "tuning"),
        _optimism(found),
        _figure(record, origin, "optimism"),
    )


def _figure(record: Record, origin: Origin, name: str) -> Markup:
    drawing = getattr(import_module(f"studylib.figures.{name}"), f"draw_{name}")
    shown = drawing(record)
    data = shown._repr_mimebundle_()  # as a notebook asks for it
    return origin.drawing(data, "image/svg+xml", f"figure-{name}", f"figures.draw_{name}(record)")


def _method(record: Record, found: Sequence[Tuned]) -> str:
    asked: Mapping[str, Any] = record.params.get("tuning") or {}
    method, staged = asked.get("method", "grid"), asked.get("order") == "staged"
    trials = sorted({one.trials for one in found if one.settings})
    many = " or ".join(map(str, trials))
    same = "the same for every arm, as who tries more finds more by luck" if len(trials) == 1 else "not equal"
    stages = ", one setting after the other, the others at their best so far" if staged else ""
    lost = sum(one.lost for one in found)
    ended = f" {lost} trials came to no end, and were passed over." if lost else ""
    return (
        f"In each seed {METHODS.get(method, method)}{stages}: {many} trials per arm, {same}."
        f" {_scored(record, asked)} Test rows chose nothing.{ended}"
    )


def _scored(record: Record, asked: Mapping[str, Any]) -> str:
    folds = asked.get("folds", "none")
    if folds != "none":
        return (
            f"A trial is scored by {folds}-fold cross-validation inside the train rows; what is shown"
            " elsewhere is of one more fit on all of them, whose validation and test rows took no part."
        )
    shared = any(trial.score is not None and not trial.keys for fit in record.fits for trial in fit.trials)
    own = any(trial.keys for fit in record.fits for trial in fit.trials)
    exact = "Models that are solved exactly are scored by cross-validation inside the train rows"
    others = "by the validation rows, without any penalty; of the chosen one, that score is too good"
    if shared and own:
        return f"{exact}, the others {others}."
    return f"{exact}." if shared else f"A trial is scored {others}."


def _rows(found: Sequence[Tuned]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in found:
        if not one.settings:
            rows.append((one.arm, "not tuned", "", "1", ""))
        rows += [
            (one.arm, opened.name, opened.words, str(one.trials), _choices(opened)) for opened in one.settings
        ]
    return rows


def _choices(opened: Opened) -> str:
    """Return what was chosen: the most frequent with their counts, or the spread of what never came twice."""
    shown = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in opened.chosen.values()]
    counts = Counter(shown).most_common()
    if len(counts) > SHOWN and counts[0][1] == 1 and opened.low < opened.high:
        ordered = sorted(opened.chosen.values())
        return f"{ordered[0]:.3g} to {ordered[-1]:.3g}, median {ordered[len(ordered) // 2]:.3g}"
    more = f", {len(counts) - SHOWN} others" if len(counts) > SHOWN else ""
    return ", ".join(f"{value} ({count})" for value, count in counts[:SHOWN]) + more


def _warning(one: Tuned, opened: Opened) -> str:
    low, high = opened.ends
    if 2 * max(low, high) <= len(opened.chosen):
        return ""
    end, count = ("low", low) if low > high else ("high", high)
    beyond = "smaller" if low > high else "larger"
    value = opened.low if low > high else opened.high
    return (
        f"{one.arm}: {opened.name} was chosen at the {end} end, {value:g}, in {count} of {len(opened.chosen)}"
        f" seeds. A {beyond} value may do better: widen the range before judging the arm."
    )


def _optimism(found: Sequence[Tuned]) -> str:
    own = [(one.arm, one.optimism) for one in found if one.settings and one.optimism]
    if not own:
        return "No tuned arm has a finished fit with both scores, so nothing can be said of it."
    sure = [(arm, gap) for arm, gap in own if gap.low > 0]
    under = [(arm, gap) for arm, gap in own if gap.high < 0]
    open_ = [arm for arm, gap in own if gap.low <= 0 <= gap.high]
    said = [f"looked better than on test rows, beyond doubt, in {_told(sure)}"] * bool(sure)
    said += [f"looked worse than on test rows in {_told(under)}"] * bool(under)
    said += [f"did not differ beyond doubt from that on test rows in {_listed(open_)}"] * bool(open_)
    reference = [one for one in found if not one.settings and one.optimism]
    beside = (
        " Part of that is not due to tuning, as validation and test rows differ by chance, or in what they"
        " ask: the arms that were not tuned show how much."
        if reference
        else " Not all of that need be due to tuning: validation and test rows differ by chance as well."
    )
    if any(one.crossed for one in found):
        beside += " Cross-validation learns from fewer rows than the fit that is tested, and so looks worse."
    cautious = " The intervals are each at 95 %, and about further seeds on these data."
    return f"The score of what was chosen {'; it '.join(said)}.{beside}{cautious}"


def _told(some: Sequence[tuple[str, Interval]]) -> str:
    return _listed([f"{arm} (by {abs(gap.mean):.2g})" for arm, gap in some])


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), *words[-1:]]) if len(words) > 1 else "".join(words)
