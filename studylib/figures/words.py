"""What stands beside the marks: names, units and lists, short enough to be read on a phone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, final

from studylib.compare import spoken
from studylib.metrics import KEYS, OF_TARGET

if TYPE_CHECKING:
    from studylib.records import Record


@final
@dataclass(frozen=True)
class Quantity:
    """A metric as an axis needs it.

    Attributes:
        name: in words; ``unit``: of a difference, empty where there is none.
        scale: what the numbers of a record are multiplied by.
        higher_is_better: None where neither direction is.
    """

    name: str
    unit: str = ""
    scale: float = 1.0
    higher_is_better: bool | None = None

    @property
    def label(self) -> str:
        """The name with its unit; a share is read in percent, its differences in points."""
        unit = "%" if self.unit == "points" else self.unit
        return f"{self.name} ({unit})" if unit else self.name


def quantity(record: Record, key: str) -> Quantity:
    """Return what ``key`` measures in ``record``; a key that is no metric speaks for itself."""
    if key not in KEYS:
        return Quantity(key.replace("_", " "))
    metric = KEYS[key]
    unit = str(record.dataset.get("unit", "")) if metric.unit == OF_TARGET else metric.unit
    return Quantity(spoken(key), unit, metric.scale, metric.higher_is_better)


def short(name: object, width: int = 24) -> str:
    """Return a name in one line of at most ``width`` signs, without those that XML cannot hold."""
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in str(name)).split())
    return text if len(text) <= width else f"{text[: width - 1]}…"


def wrapped(text: str, width: int) -> str:
    """Return ``text`` in lines of at most ``width`` signs."""
    return "\n".join(wrap(text, width))


def percent(share: float, decimals: int = 1) -> str:
    """Return a share, 0 to 1, in percent: ``87.4 %``."""
    return f"{share * 100:.{decimals}f}\N{NO-BREAK SPACE}%"


def counted(words: Iterable[str]) -> str:
    """Return how often each word stands there, in the order of first appearance: ``2 better, 1 worse``."""
    words = list(words)
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
