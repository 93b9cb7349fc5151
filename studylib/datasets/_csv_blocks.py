"""A CSV, read block by block: its cells as texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studylib.datasets import _cells
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

    from studylib.datasets._loading import Tell

BLOCK = 1 << 22  # bytes at once; a row has to fit


def texts(
    path: Path, shown: str, names: Sequence[str], separator: str, columns: Sequence[str], tell: Tell
) -> Iterator[pa.RecordBatch]:
    """Give the ``columns`` as texts, null where missing, some rows at a time.

    Args:
        path: of the CSV; ``shown``: as it was typed.
        names: of all its columns; ``separator``: between them.
        columns: which are wanted.
        tell: is told how many bytes are read.

    Raises:
        ParameterError: a row has more or fewer cells than there are names.
    """
    import pyarrow as pa
    from pyarrow import csv

    ragged: list[Any] = []

    def hear(row: Any) -> str:
        ragged.append(row)
        return "error"

    # by number: names may be odd, and the first row is known
    numbers = {name: str(number) for number, name in enumerate(names)}
    file = pa.OSFile(str(path))
    try:
        reader = csv.open_csv(
            file,
            read_options=csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK,
                column_names=list(numbers.values()),
                skip_rows_after_names=1,
            ),
            parse_options=csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=hear
            ),
            convert_options=csv.ConvertOptions(
                include_columns=[numbers[name] for name in columns],
                column_types=dict.fromkeys(numbers.values(), pa.string()),
                strings_can_be_null=True,
                null_values=list(_cells.MISSING),
            ),
        )
        for block in reader:
            tell(file.tell())
            yield block.rename_columns(list(columns))
    except pa.ArrowInvalid as error:
        raise _malformed(shown, ragged, str(error)) from None


def _malformed(shown: str, ragged: list[Any], said: str) -> ParameterError:
    if not ragged:
        return ParameterError(f"{shown}: cannot be read as CSV: {said}.")
    row = ragged[0]
    return ParameterError(
        f"{shown}, row {row.number}: expected {row.expected_columns} columns, got"
        f" {row.actual_columns}: {row.text[:60]!r}. Put quotes around what holds a separator, or mend it."
    )
