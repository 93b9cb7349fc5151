"""The page of published numbers: theirs, ours with its interval, the protocol, the verdict, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from studylib import claims
from studylib.claims import Claim, Outcome, Source
from studylib.metrics import metric_of
from studylib.pages import formulas
from studylib.pages.layout import page
from studylib.pages.provenance import attributions
from studylib.pages.verdicts import CHIP
from studylib.records import Record

if TYPE_CHECKING:
    from markupsafe import Markup

# as ``studylib.claims.outcomes`` has it; its letters are explained beside it
RULE = r"|m - v| \le \sqrt{h^2 (1 + n/k) + (1.96\,u)^2} + r"
# each verdict in the colour and with the sign that readers know from the studies
CHIPS: Mapping[claims.Verdict, tuple[str, str]] = {
    "reproduced": ("equivalent", "✓"),
    "better than published": ("better", "▲"),
    "not reproduced": ("worse", "▼"),
    "not comparable": ("undecided", "≠"),
    "not run yet": ("undecided", "○"),
}


def reproductions_page(
    entries: Iterable[tuple[Record, str]], *, command: str = "", commit: str = ""
) -> bytes:
    """Return the page of every published number, by study.

    Args:
        entries: (record, path of its page relative to this one); those that hold no number are passed over.
        command: what makes the page again, as typed; nothing is said of it if empty.
        commit: of the code that made it.
    """
    hrefs = {id(record): href for record, href in entries}
    records = [record for record, _ in entries]
    judged = [
        (source, [claims.outcome(claim, records) for claim in source.claims]) for source in claims.sources()
    ]
    every = [outcome for _, outcomes in judged for outcome in outcomes]
    counts = {word: sum(one.verdict == word for one in every) for word in CHIPS}
    return page(
        "reproductions.html.j2",
        title="Published numbers, beside ours",
        numbers=len(every),
        sources=len(judged),
        unchecked=sum(not one.claim.checked for one in every),
        counts=[_chip(word, count) for word, count in counts.items() if count],
        studies=_by_study(judged, hrefs),
        formula=formulas.block(RULE),
        attributions=attributions(one.record for one in every if one.record),
        command=command,
        commit=commit,
    )


def _by_study(
    judged: Sequence[tuple[Source, Sequence[Outcome]]], hrefs: Mapping[int, str]
) -> list[dict[str, Any]]:
    studies = sorted({one.claim.study for _, outcomes in judged for one in outcomes})
    return [
        {
            "name": study,
            "sources": [
                _source(source, own, hrefs)
                for source, outcomes in judged
                if (own := [one for one in outcomes if one.claim.study == study])
            ],
        }
        for study in studies
    ]


def _source(source: Source, outcomes: Sequence[Outcome], hrefs: Mapping[int, str]) -> dict[str, Any]:
    protocols = list(dict.fromkeys(one.claim.protocol for one in outcomes))
    rows = [_row(one, hrefs, own_protocol=len(protocols) > 1) for one in outcomes]
    reasons = {(row["chip"], row["why"]) for row in rows}
    chip, why = reasons.pop() if len(reasons) == 1 and rows[1:] else ("", "")
    return {
        "name": source.name,
        "title": source.title,
        "link": source.link,
        "anchor": f"{outcomes[0].claim.study}-{quote(source.name.lower().replace(' ', '-'), safe='')}",
        "protocol": protocols[0] if len(protocols) == 1 else "",
        "chip": chip,
        "why": f"{why[:1].upper()}{why[1:]}",
        "rows": rows,
    }


def _row(one: Outcome, hrefs: Mapping[int, str], *, own_protocol: bool) -> dict[str, Any]:
    claim, record = one.claim, one.record
    ours, interval = _ours(one)
    href = hrefs.get(id(record), "") if record else ""
    return {
        "what": claim.what,
        "protocol": claim.protocol if own_protocol else "",
        "printed": claim.printed,
        "alike": _alike(claim),
        "checked": claim.checked,
        "ours": ours,
        "interval": interval,
        "run": record.run if record else "",
        "href": f"./{quote(href)}" if href else "",
        "chip": _chip(one.verdict),
        "why": "; ".join(part for part in (one.why, claim.differs) if part),
    }


def _ours(one: Outcome) -> tuple[str, str]:
    """Return ours, and its interval with the number of seeds, as texts; empty where there is none."""
    if one.ours is None:
        return one.text, "computed at once" if one.text else ""
    seeds = f"{one.seeds} {'seed' if one.seeds == 1 else 'seeds'}"
    mean = _number(one.claim, one.ours.mean, one.ours.high - one.ours.mean)
    if not isfinite(one.ours.high):
        return mean, seeds
    ends = (_number(one.claim, end, one.ours.high - one.ours.mean) for end in (one.ours.low, one.ours.high))
    return mean, f"{' to '.join(ends)}; {seeds}"


def _number(claim: Claim, value: float, reach: float) -> str:
    metric = metric_of(claim.metric)
    if claim.against:
        return f"{'+' if value > 0 else ''}{metric.digits(value, reach)}"
    doubt = min(reach, 4 * claim.rounding) if reach and claim.rounding else reach or 2 * claim.rounding
    return f"{metric.digits(value, doubt)}{' %' if metric.unit == 'points' else ''}"


def _alike(claim: Claim) -> str:
    """Return a published error as the share of right answers that ours is."""
    if "wrong" not in claim.printed:
        return ""
    return f"{metric_of(claim.metric).digits(claim.value, 2 * claim.rounding or 0.005)} % right"


def _chip(word: claims.Verdict, count: int | None = None) -> Markup:
    colour, sign = CHIPS[word]
    return CHIP.format(colour, sign, word if count is None else f"{count} {word}")
