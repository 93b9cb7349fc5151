"""The columns of a table as one array of numbers on the disk, built once per content and shared by processes.

Texts are the numbers of their levels, times are microseconds since 1970, and what is missing is NaN.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from studylib.datasets import _cells, _csv_blocks, _writer
from studylib.datasets._loading import Tell, loading
from studylib.datasets._own import fingerprint, located
from studylib.datasets._tables import Source
from studylib.datasets._writer import Writer, in_order
from studylib.errors import ParameterError, StudyError
from studylib.places import store_folder
from studylib.records import write_whole

if TYPE_CHECKING:
    import numpy as np

CODE = (__file__, str(_cells.__file__), str(_csv_blocks.__file__), str(_writer.__file__))
Kind = Literal["number", "time", "text"]


@final
@dataclass(frozen=True)
class Columns:
    """Columns of a table.

    Attributes:
        names: of the columns.
        kinds: ``number``, ``time`` or ``text``, by column.
        levels: of a text the different values, numbers first and by their size, then by the alphabet.
        counts: of a text how many rows hold each level.
        cells: shape (rows, columns), float64, NaN where missing; on the disk, and not to be written to.
        first: the row of the first cells, as a spreadsheet counts.
        separator: of the CSV; empty for parquet.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    levels: tuple[tuple[str, ...], ...]
    counts: tuple[tuple[int, ...], ...]
    cells: np.ndarray
    first: int
    separator: str

    def __len__(self) -> int:
        return len(self.cells)

    def of(self, name: str) -> np.ndarray:
        """Return one column in memory, shape (rows,)."""
        import numpy as np

        column = self.names.index(name)
        return np.array(self.cells[:, column])


def columns_of(path: str, names: Sequence[str], texts: Sequence[str] = ()) -> Columns:
    """Return the columns ``names`` of the table at ``path``, those of ``texts`` by levels whatever they hold.

    Raises:
        ParameterError: the file is not well formed, has no rows, or cannot be kept in the store.
    """
    found = _known(path, fingerprint(located(path)), tuple(names), tuple(texts))
    if isinstance(found, ParameterError):
        raise found
    return found


@lru_cache(maxsize=8)
def _known(
    path: str, content: str, names: tuple[str, ...], texts: tuple[str, ...]
) -> Columns | ParameterError:
    """Return the columns, or what is wrong: it is not read again to say so once more."""
    code = [sha256(Path(file).read_bytes()).hexdigest() for file in CODE]
    key = sha256(json.dumps([content, names, texts, code]).encode()).hexdigest()[:24]
    kept = store_folder() / "datasets" / f"table-{key}.json"
    try:
        return _opened(kept) or _built(kept, Source.of(path), names, texts)
    except ParameterError as error:
        return error


def _opened(kept: Path) -> Columns | None:
    """Return the columns whose facts are in ``kept``, None if nothing is, or if it is damaged."""
    import numpy as np

    values = kept.with_suffix(".f64")
    try:
        facts = json.loads(kept.read_bytes())
        if _digest(values) != facts["sha256"]:
            return None
        shape = (facts["rows"], len(facts["names"]))
        cells = np.memmap(values, dtype=np.float64, mode="r", shape=shape)
        levels, counts = (tuple(map(tuple, facts[name])) for name in ("levels", "counts"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    with suppress(OSError):
        os.utime(kept)  # what is used stays when the store is pruned
    names, kinds = tuple(facts["names"]), tuple(facts["kinds"])
    return Columns(names, kinds, levels, counts, cells, facts["first"], facts["separator"])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _built(kept: Path, source: Source, names: Sequence[str], texts: Sequence[str]) -> Columns:
    values = kept.with_suffix(".f64")
    draft = values.with_name(f".{values.name}.{os.getpid()}.tmp")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with loading(source.shown, source.path.stat().st_size) as tell:
            facts = _write(draft, source, names, texts, tell)
        draft.replace(values)
        write_whole(kept, json.dumps(facts).encode())
    except OSError as error:
        raise StudyError(
            f"{values}: the table {source.shown} was read but cannot be kept: {error.strerror}."
            " Set STUDYLIB_STORE to a folder that can be written to, with room for it."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    built = _opened(kept)
    if not built:
        raise StudyError(f"{values}: what was kept of the table {source.shown} was changed by somebody.")
    return built


def _write(
    path: Path, source: Source, names: Sequence[str], texts: Sequence[str], tell: Tell
) -> dict[str, Any]:
    """Write the numbers of the columns, and return what else is to be known of them."""
    import numpy as np

    kinds = {name: "text" if name in texts else "number" for name in names}
    while True:
        writer = Writer(source.shown, kinds)
        with path.open("wb") as file:
            for block in source.blocks(names, tell):
                file.write(np.ascontiguousarray(writer.numbers(block)).tobytes())
        if not writer.surprised:
            break
    if not writer.rows:
        raise ParameterError(f"{source.shown}: expected rows below the names of the columns, got none.")
    levels, counts = in_order(path, writer)
    return {
        "names": list(names),
        "kinds": list(kinds.values()),
        "levels": levels,
        "counts": counts,
        "rows": writer.rows,
        "first": source.first,
        "separator": source.separator,
        "sha256": _digest(path),
    }
