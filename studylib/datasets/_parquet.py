"""Parquet files, read block by block: each column keeps the type that the file says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studylib.datasets._spelling import refuse_names
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from studylib.datasets._loading import Tell

ROWS = 50_000  # at once


def names(path: Path, shown: str) -> list[str]:
    """Return the names of the columns.

    Raises:
        ParameterError: the file is damaged, or two columns have one name.
    """
    found = [str(name) for name in _opened(path, shown).schema_arrow.names]
    refuse_names(found, shown)
    return found


def blocks(path: Path, shown: str, columns: Sequence[str], tell: Tell) -> Iterator[pa.RecordBatch]:
    """Give the ``columns``, some rows at a time.

    Raises:
        ParameterError: the file is damaged, or a column holds lists or the like.
    """
    import pyarrow as pa
    from pyarrow import types

    file = _opened(path, shown)
    for name in columns:
        if types.is_nested(file.schema_arrow.field(name).type):
            kind = file.schema_arrow.field(name).type
            raise ParameterError(f"{shown}, column {name!r}: expected one value in each row, got {kind}.")
    size, done = path.stat().st_size, 0
    try:
        for block in file.iter_batches(ROWS, columns=list(columns)):
            done += len(block)
            tell(size * done // max(1, file.metadata.num_rows))
            yield block.select(list(columns))
    except (pa.ArrowException, OSError) as error:
        raise ParameterError(f"{shown}: the file is damaged: {error}.") from None


def _opened(path: Path, shown: str) -> pq.ParquetFile:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ParameterError(f"{shown}: expected a parquet file, but {error}.") from None
