"""Cells of a table as numbers, texts, levels or times; what is none is told with its row and column."""

from __future__ import annotations

import re
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

    Booleans are 0 and 1; the numbers mean nothing where a cell is none.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute, types

    if types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if types.is_string(cells.type) or types.is_large_string(cells.type):
        cells = compute.utf8_trim_whitespace(cells)
        cells = compute.if_else(compute.is_in(cells, pa.array(MISSING)), None, cells)
        fits = compute.fill_null(compute.match_substring_regex(cells, f"^({NUMBER})$"), fill_value=True)
        wrong = compute.index(fits, value=False).as_py()
        if wrong >= 0:
            return np.empty(0), int(wrong)
    elif not (
        types.is_floating(cells.type)
        or types.is_integer(cells.type)
        or types.is_boolean(cells.type)
        or types.is_decimal(cells.type)
        or types.is_null(cells.type)
    ):
        return np.empty(0), 0
    if types.is_boolean(cells.type):
        cells = cells.cast(pa.int8())
    return np.asarray(cells.cast(pa.float64()).fill_null(np.nan), dtype=np.float64), None


def hint(cell: object) -> str:
    """Return what to do about a number that is written in another way, or nothing."""
    if isinstance(cell, str) and THOUSANDS.fullmatch(cell.strip()):
        return " Write numbers without separators between thousands."
    if isinstance(cell, str) and DECIMAL_COMMA.fullmatch(cell.strip()):
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
    import numpy as np

    found, wrong = times_of(cells)
    if wrong is not None:
        cell = cells[wrong].as_py()
        got = "a missing cell" if cell is None else repr(cell)
        raise where.error(wrong, f"expected a time such as 2024-01-31 or 2024-01-31T09:30:00, got {got}.")
    return np.asarray(found)


def times_of(cells: Any) -> tuple[np.ndarray, int | None]:
    """Return times, and the index of the first cell that is missing or none."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute, types

    if types.is_temporal(cells.type):
        parsed = cells.cast(pa.timestamp("us"))
    elif types.is_string(cells.type):
        parsed = _parsed(compute.utf8_trim_whitespace(cells))
    else:
        numbers, wrong = numbers_of(cells)
        return (numbers * 1e6).astype("datetime64[us]"), wrong
    missing = compute.index(compute.is_null(parsed), value=True).as_py()
    if missing >= 0:
        return np.empty(0, dtype="datetime64[us]"), int(missing)
    return np.asarray(parsed.cast(pa.int64())).astype("datetime64[us]"), None


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
