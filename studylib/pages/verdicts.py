"""The words for what follows from an interval, their signs, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from studylib.metrics import metric_of
from studylib.records import Contrast, Record, Verdict

# the markers of draw_differences, so that a page and its picture speak one language
SIGNS: Mapping[Verdict, str] = {"better": "▲", "worse": "▼", "equivalent": "□", "undecided": "○"}
MEANINGS: Mapping[Verdict, str] = {
    "better": "The mean difference is at least the smallest effect, in the good direction, and chance alone"
    " is an unlikely cause (p below 5 %, corrected for the number of arms).",
    "worse": "The same, in the bad direction.",
    "equivalent": "The whole interval lies within the smallest effect that matters.",
    "undecided": "These seeds do not tell.",
}
CHIP = Markup('<span class="chip {}"><span aria-hidden="true">{}</span> {}</span>')


def chip(word: str, count: int | None = None) -> Markup:
    """Return a verdict as a coloured word with its sign, after ``count`` if given; another word as it is."""
    sign = {**SIGNS}.get(word)  # type: ignore[call-overload]  # any word may be asked for
    if sign is None:
        return Markup.escape(word)
    return CHIP.format(word, sign, word if count is None else f"{count} {word}")


def counts(contrasts: Iterable[Contrast]) -> dict[Verdict, int]:
    """Return how many arms have each verdict, in a fixed order, without those that none has."""
    given = [contrast.verdict for contrast in contrasts]
    return {verdict: given.count(verdict) for verdict in SIGNS if verdict in given}


def deciding(record: Record) -> list[Contrast]:
    """Return the contrasts on the metric that decides the study, best first."""
    key = str(record.params["metric"])
    sign = -1 if metric_of(key).higher_is_better else 1
    found = [contrast for contrast in record.contrasts if contrast.metric == key]
    return sorted(found, key=lambda contrast: sign * contrast.difference)
