"""Do notebook and page carry the numbers of their record?

What they show is laid beside what is made again from the record, line by line. A number that is not there
again is a difference, and so is everything else if the same code made the files. Where the code was another,
words, pictures and missing lines are told, and are no difference: reporting again makes them anew. The commit
on the page says which code it was; a notebook without a page is held to the cells of the study.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple, final

from studylib import compare
from studylib.checks.differences import Difference, changes
from studylib.checks.readings import Line, Reading, assigned, of_notebook, of_page
from studylib.checks.tolerances import studylib_is_other
from studylib.errors import ParameterError
from studylib.params import layered
from studylib.records import Record

MOST = 8  # differences of one file that are named: a page of another run differs in every line


class Files(NamedTuple):
    """Notebook and page of a record, as text; None if there is none."""

    notebook: str | None
    page: str | None


class Found(NamedTuple):
    """What came of a comparison.

    Attributes:
        numbers: how many numbers were found in each file; 0 without the file.
        remarks: what a reader should know, and is no difference.
    """

    differences: list[Difference]
    numbers: Mapping[str, int]
    remarks: list[str]


def files_compared(
    record: Record, beside: Files, again: Files, commit: str, other_versions: Sequence[str]
) -> Found:
    """Compare what stands beside a record with what was made ``again`` from it by the code of ``commit``.

    Raises:
        ParameterError: one of them is no notebook.
    """
    notebook, page = _readings(beside)
    made_notebook, made_page = _readings(again)
    other_code = studylib_is_other(record)
    if page and page.commit != commit:
        other_code += [f"commit {page.commit or 'unknown'}, here {commit}"]
    if notebook and made_notebook and not page and notebook.sources != made_notebook.sources:
        other_code += ["its cells are not those of the study"]
    concluded = compare.concluded(record)
    judge = Judge(other_code, other_versions, frozenset({concluded.headline, concluded.finding()}))
    differences, remarks, numbers = [], [], {}
    for file, one, other in (("notebook", notebook, made_notebook), ("page", page, made_page)):
        numbers[file] = one.numbers if one else 0
        if one and other:
            found = [*_parameters(file, one, record), *shown_differences(one.lines, other.lines)]
            counted, excused = _judged(file, found, judge)
            differences += counted
            remarks += excused
    return Found(differences, numbers, remarks)


def _readings(files: Files) -> tuple[Reading | None, Reading | None]:
    notebook, page = files
    return of_notebook(notebook) if notebook else None, of_page(page) if page else None


@final
@dataclass(frozen=True)
class Judge:
    """What counts as a difference.

    Attributes:
        other_code: how the code that made the files was not that which is here.
        other_versions: the same of the libraries, which may draw pictures otherwise.
        stated: lines that the record dictates word by word, whatever the code: its headline.
    """

    other_code: Sequence[str] = ()
    other_versions: Sequence[str] = ()
    stated: frozenset[str] = frozenset()

    def excuses(self, one: Difference) -> bool:
        """Return whether a difference comes of other code, or of other versions, and touches no number."""
        if one.kind == "number" or one.computed in self.stated:
            return False
        return bool(self.other_code or (one.kind == "picture" and self.other_versions))


def shown_differences(shown: Sequence[Line], again: Sequence[Line]) -> Iterator[Difference]:
    """Yield what is not in both, in the order in which it stands there."""
    left: list[Line] = []
    spare: Counter[str] = Counter()
    missing: list[Line] = []
    for one, other in _side_by_side(shown, again):
        if one and other and (one.words == other.words or one.numbers == other.numbers):
            yield from _line_differences(one, other)
        else:
            left += [one] if one else []
            missing += [other] if other else []
            spare.update(other.numbers if other else [])
    for line in left:
        known = not (Counter(line.numbers) - spare)
        spare -= Counter(line.numbers)
        yield Difference(line.where, line.text, line.text, "nothing", "words" if known else "number")
    for line in missing:
        yield Difference(line.where, line.text, "nothing", line.text, "words")


def _side_by_side(shown: Sequence[Line], again: Sequence[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    """Yield each line with its counterpart: of the same text, else of the same words, else of its place."""
    for same, one, other in _blocks([line.text for line in shown], [line.text for line in again]):
        if same:
            yield from zip(shown[one], again[other], strict=True)
            continue
        before, after = shown[one], again[other]
        for alike, first, second in _blocks([x.words for x in before], [x.words for x in after]):
            these, those = before[first], after[second]
            if alike or len(these) == len(those):
                yield from zip(these, those, strict=True)
            else:
                yield from ((line, None) for line in these)
                yield from ((None, line) for line in those)


def _blocks(first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[bool, slice, slice]]:
    for kind, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        yield kind == "equal", slice(a, b), slice(c, d)


def _line_differences(one: Line, other: Line) -> Iterator[Difference]:
    pairs = [(was, now) for was, now in zip(one.numbers, other.numbers, strict=True) if was != now]
    for was, now in pairs:
        yield Difference(one.where, one.text, was, now)
    if one.words != other.words:
        yield Difference(one.where, one.text, one.text, other.text, "words")
    if one.picture != other.picture:
        yield Difference(one.where, one.text, f"picture {one.picture}", f"picture {other.picture}", "picture")


def _parameters(file: str, reading: Reading, record: Record) -> Iterator[Difference]:
    """Yield how the parameters that a file shows as those of its run are not those of the record.

    Both are completed here: an older record does not name a setting that is new.
    """
    where = f"{file}, parameters"
    if reading.parameters is None:
        yield Difference(where, "parameters of this run", "nothing", "those of the record", "words")
        return
    try:
        given = assigned(reading.parameters, where)
        asked, own = (
            layered(record.study, record.run, [(where, layer)]).to_dict() for layer in (given, record.params)
        )
    except ParameterError as error:
        yield Difference(where, "parameters of this run", str(error), "those of the record")
        return
    if asked["device"] == "auto":
        asked["device"] = own["device"]
    yield from changes(where, _flat(asked), _flat(own))
    shown, recorded = list(asked["arms"]), list(record.arms)
    if shown != recorded and sorted(shown) == sorted(recorded):
        yield Difference(where, "order of arms", ", ".join(shown), ", ".join(recorded))


def _flat(tree: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, one in tree.items():
        inner = isinstance(one, Mapping) and one
        flat |= _flat(one, f"{path}{name}.") if inner else {f"{path}{name}": one}
    return flat


def _judged(file: str, found: Sequence[Difference], judge: Judge) -> tuple[list[Difference], list[str]]:
    """Return the first differences of a file, and a remark on what is excused."""
    counted = [one for one in found if not judge.excuses(one)]
    excused = [one for one in found if judge.excuses(one)]
    more = [Difference(file, f"… and {len(counted) - MOST} more", "", "")] if counted[MOST:] else []
    if not excused:
        return [*counted[:MOST], *more], []
    why = "; ".join([*judge.other_code, *judge.other_versions])
    agree = "its numbers agree" if not counted else "beside the differences in the table"
    remark = (
        f"{file}: made by other code or versions ({why}); {agree}, {len(excused)} lines or pictures changed"
    )
    return [*counted[:MOST], *more], [
        f"{remark}, the first in {excused[0].where!r}. Report again to renew it"
    ]
