"""Cells of a table as numbers, texts, levels or times; what is none is told with its row and column."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from studylib.errors import ParameterError

# what pandas and R write where there is nothing, and the question mark of the UCI's files
MISSING = (
    *("", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "-nan", "-NaN", "NULL", "null", "None", "<NA>"),
    *("#NA", "#N/A N/A", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "?"),
)
TRUE, FALSE = ("true", "yes"), ("false", "no")
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?[iI][nN][fF]([iI][nN][iI][tT][yY])?"
ZONED = r"(Z|[+-]\d\d(:?\d\d)?)$"
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d{1,3}([.' ]\d{3})+(,\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


class Where(Protocol):
    """Says where a cell is."""

    def error(self, index: int, what: str) -> ParameterError:
        """Return the error that is about the cell ``index``."""


def finite(cells: pa.ChunkedArray, where: Where) -> np.ndarray:
    """Return finite numbers, float64.

    Raises:
        ParameterError: the first cell that is missing, infinite or no number.
    """
    import numpy as np

    numbers, wrong = numbers_of(cells)
    if wrong is not None:
        raise where.error(
            wrong, f"expected a number, got {cells[wrong].as_py()!r}.{hint(cells[wrong].as_py())}"
        )
    odd = np.flatnonzero(~np.isfinite(numbers))
    if len(odd):
        found = cells[int(odd[0])].as_py()
        got = "a missing cell" if np.isnan(numbers[odd[0]]) else repr(found)
        raise where.error(int(odd[0]), f"expected a finite number, got {got}. Mend the row, or drop it.")
    return numbers


def numbers_of(cells: Any) -> tuple[np.ndarray, int | None]:
    """Return numbers, NaN where missing, and the index of the first cell that is no number, None if none.

    Booleans of parquet are texts, true and false, as in a CSV.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import types

    if _is_text(cells):
        numbers, wrong = _spelt(cells)
        if wrong is not None:
            return np.empty(0), wrong
    elif any(
        kind(cells.type) for kind in (types.is_floating, types.is_integer, types.is_decimal, types.is_null)
    ):
        numbers = cells.cast(pa.float64(), safe=False)
    else:
        return np.empty(0), 0
    return np.asarray(numbers.fill_null(np.nan), dtype=np.float64), None


def _is_text(cells: Any) -> bool:
    from pyarrow import types

    return _is_any(cells, types.is_string, types.is_large_string, types.is_dictionary)


def _is_any(cells: Any, *kinds: Callable[[Any], bool]) -> bool:
    return any(kind(cells.type) for kind in kinds)


def _spelt(cells: Any) -> tuple[Any, int | None]:
    """Return texts as numbers, or the index of the first that is none."""
    import pyarrow as pa
    from pyarrow import compute

    try:
        return cells.cast(pa.float64()), None  # as most are: what follows takes ten times as long
    except pa.ArrowException:
        found = trimmed(cells)
    fits = compute.fill_null(compute.match_substring_regex(found, f"^({NUMBER})$"), fill_value=True)
    wrong = compute.index(fits, value=False).as_py()
    return (found.cast(pa.float64()), None) if wrong < 0 else (found, int(wrong))


def trimmed(cells: Any) -> Any:
    """Return cells as texts without space around them, null where missing."""
    import pyarrow as pa
    from pyarrow import compute

    found = compute.utf8_trim_whitespace(cells.cast(pa.string()))
    return compute.if_else(compute.is_in(found, pa.array(MISSING)), pa.scalar(None, pa.string()), found)


def is_number(text: str) -> bool:
    """Tell whether a text is a number as a CSV has them."""
    return re.fullmatch(NUMBER, text) is not None


def hint(cell: object) -> str:
    """Return what to do about a number that is written in another way, or nothing."""
    if not isinstance(cell, str) or is_number(cell.strip()):
        return ""
    if THOUSANDS.fullmatch(cell.strip()):
        return " Write numbers without separators between thousands."
    if DECIMAL_COMMA.fullmatch(cell.strip()):
        return " Write numbers with a decimal point."
    return ""


def texts(cells: pa.ChunkedArray, where: Where) -> list[str]:
    """Return texts as they are written.

    Raises:
        ParameterError: the first cell that is missing or blank.
    """
    return [str(text) for text in _present(cells, where).to_pylist()]


def levels(cells: pa.ChunkedArray, where: Where) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the different values in a stable order, and the number of each row's.

    Raises:
        ParameterError: the first cell that is missing or blank.
    """
    import numpy as np
    from pyarrow import compute

    coded = compute.utf8_trim_whitespace(_present(cells, where)).dictionary_encode().unify_dictionaries()
    found = coded.chunk(0).dictionary.to_pylist()
    order = ordered(found)
    rank = np.empty(len(found), dtype=np.int64)
    rank[order] = np.arange(len(found))
    codes = np.concatenate([np.asarray(chunk.indices) for chunk in coded.chunks])
    return tuple(found[at] for at in order), rank[codes]


def ordered(names: list[str]) -> list[int]:
    """Return the order of ``names``: numbers by their size, then texts by the alphabet."""
    number = re.compile(NUMBER)
    keys = [(0, float(name), name) if number.fullmatch(name) else (1, 0.0, name) for name in names]
    return sorted(range(len(names)), key=keys.__getitem__)


def _present(cells: pa.ChunkedArray, where: Where) -> pa.ChunkedArray:
    import pyarrow as pa
    from pyarrow import compute

    written = cells.cast(pa.string())
    blank = compute.fill_null(compute.equal(compute.utf8_trim_whitespace(written), ""), fill_value=True)
    at = compute.index(blank, value=True).as_py()
    if at >= 0:
        raise where.error(at, "expected a value, got a missing cell. Fill it in, or drop the row.")
    return written


def times(cells: pa.ChunkedArray, where: Where) -> np.ndarray:
    """Return ``datetime64[us]``.

    Raises:
        ParameterError: the first cell that is missing or no time.
    """
    found, wrong = times_of(cells)
    if wrong is not None:
        cell = cells[wrong].as_py()
        got = "a missing cell" if cell is None else repr(cell)
        raise where.error(wrong, f"expected a time such as 2024-01-31 or 2024-01-31T09:30:00, got {got}.")
    return found


def times_of(cells: Any, missing: np.datetime64 | None = None) -> tuple[np.ndarray, int | None]:
    """Return times, and the index of the first cell that is none; a missing one is ``missing``, if given."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute, types

    found = trimmed(cells) if _is_text(cells) else cells
    if _is_text(cells):
        parsed = _parsed(found)
    elif _is_any(cells, types.is_date, types.is_timestamp):
        parsed = cells.cast(pa.timestamp("us"))
    else:
        numbers, wrong = numbers_of(cells)
        return (numbers * 1e6).astype("datetime64[us]"), wrong
    wanted = compute.is_valid(found) if missing is not None else pa.scalar(value=True)
    wrong = compute.index(compute.and_(compute.is_null(parsed), wanted), value=True).as_py()
    if wrong >= 0:
        return np.empty(0, dtype="datetime64[us]"), int(wrong)
    since = parsed.cast(pa.timestamp("us")).cast(pa.int64()).fill_null(np.iinfo(np.int64).min)
    return np.asarray(since).astype("datetime64[us]"), None  # the least number is NaT


def _parsed(cells: Any) -> Any:
    """Return times of ISO 8601, of whole seconds since 1970, or null where a text is neither."""
    import pyarrow as pa
    from pyarrow import compute

    plain = compute.match_substring_regex(cells, r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$")
    zoned = compute.match_substring_regex(cells, r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?" + ZONED)
    seconds = compute.match_substring_regex(cells, r"^\d{9,10}(\.0)?$")
    month = compute.match_substring_regex(cells, r"^\d{4}-\d\d$")
    nothing = pa.scalar(None, pa.string())
    try:
        local = compute.if_else(plain, cells, nothing).cast(pa.timestamp("us"))
        world = compute.if_else(zoned, cells, nothing).cast(pa.timestamp("us", "UTC"))
        monthly = compute.if_else(month, compute.binary_join_element_wise(cells, "01", "-"), nothing)
        since = compute.if_else(seconds, cells, nothing).cast(pa.float64()).cast(pa.int64())
    except pa.ArrowInvalid:  # a 13th month, a 25th hour
        return pa.chunked_array([[_one(text) for text in cells.to_pylist()]], pa.timestamp("us"))
    clock = compute.multiply(since, 1_000_000).cast(pa.timestamp("us"))
    zoneless = world.cast(pa.timestamp("us"))
    return compute.coalesce(local, zoneless, monthly.cast(pa.timestamp("us")), clock)


def _one(text: str | None) -> Any:
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
