"""Words of a text in any script: by spaces where there are some, else sign by sign.

Source: Unicode Standard Annex #29, https://www.unicode.org/reports/tr29, of which this is a small part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise

# scripts that put no space between words: Thai and Lao, Burmese, Khmer, kana, Han
SOLID = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
SOLID += "\U00020000-\U000323af"
UNSEEN = dict.fromkeys(
    map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff")
)  # soft hyphens, joiners, marks of order
LETTERS = 64  # of a word that is looked for, on average, so that a text of a gigabyte takes no longer
_PLAIN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def words(text: str, most: int) -> tuple[str, ...]:
    """Return the first ``most`` words in lower case, without punctuation, compatible signs made one (NFKC).

    A sign of Chinese, Japanese, Thai, Lao, Burmese or Khmer is a word of its own, with its vowels and tones.
    """
    cut = unicodedata.normalize("NFKC", text[: LETTERS * most].translate(UNSEEN)).lower()
    return tuple(islice(_found(cut), most))


def _found(text: str) -> Iterator[str]:
    pattern = _PLAIN if text.isascii() or not _special().search(text) else _any()
    return (match.group().replace("’", "'") for match in pattern.finditer(text))


@cache
def _special() -> re.Pattern[str]:
    return re.compile(f"[{SOLID}{_marks()}]")


@cache
def _any() -> re.Pattern[str]:
    letter = rf"(?:(?![{SOLID}])[^\W_][{_marks()}]*)"
    return re.compile(rf"[{SOLID}][{_marks()}]*|{letter}+(?:['’]{letter}+)?")


@cache
def _marks() -> str:
    """Return the ranges of vowel signs, tones and accents, which Python counts among no word."""
    points = [point for point in range(0x300, 0x1F000) if unicodedata.category(chr(point))[0] == "M"]
    starts = [points[0], *(second for first, second in pairwise(points) if second != first + 1)]
    ends = [*(first for first, second in pairwise(points) if second != first + 1), points[-1]]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))
