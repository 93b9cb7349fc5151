"""The bytes of a table as text: their encoding, their separator, and quotes that never close."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from studylib.errors import ParameterError

BLOCK = 1 << 22  # bytes at once
UNNAMED = "column "  # and its number: what a column without a name is called
HEAD = 1 << 20  # bytes that the names of the columns have to fit into
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def refuse_misspelt(path: Path, shown: str) -> None:
    """Insist on UTF-8, and on quotes that close.

    Raises:
        ParameterError: the first byte that is not UTF-8, or the row in which the open quote stands.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, rows, quotes = 0, 1, 0
    for block in _blocks(path):
        if before == 0 and (block.startswith(_WIDE) or b"\0" in block[:1000]):
            raise ParameterError(
                f"{shown}: expected text in UTF-8, got UTF-16. Try `iconv -f UTF-16 -t UTF-8` on it."
            )
        waiting = decoder.getstate()[0]
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            at = error.start - len(waiting)
            row = rows + block[: max(at, 0)].count(b"\n")
            raise _not_utf8(shown, (waiting + block)[error.start], row, before + at) from None
        before, rows, quotes = before + len(block), rows + block.count(b"\n"), quotes + block.count(b'"')
    if quotes % 2:
        _refuse_open_quote(path, shown)


def _not_utf8(shown: str, byte: int, row: int, at: int) -> ParameterError:
    return ParameterError(
        f"{shown}, row {row}: expected text in UTF-8, got the byte 0x{byte:02X} at offset {at}."
        " If it is Latin-1, as of older spreadsheets, try `iconv -f LATIN1 -t UTF-8` on it."
    )


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _refuse_open_quote(path: Path, shown: str) -> None:
    """Find the quote that never closes: the last that opens where another should have closed before."""
    opened = 0
    starts = re.compile(rb'(?:^|[,;\t|])"')
    with path.open("rb") as file:
        for row, line in enumerate(file, 1):
            if line.count(b'"') % 2 == 0:
                continue
            if opened and starts.search(line) and not re.search(rb'"(?:[,;\t|]|\s*$)', line):
                break  # a field begins here, so the one before has ended
            opened = 0 if opened else row
    if opened:
        raise ParameterError(
            f"{shown}, row {opened}: a quote opens in this row and never closes. Close it, or double it"
            ' ("") if it belongs to the text.'
        )


def header(path: Path, shown: str) -> tuple[list[str], str]:
    """Return the names of the columns, and the separator: comma, semicolon, tab or bar.

    Raises:
        ParameterError: two are equal, or they are numbers.
    """
    with path.open("rb") as file:
        text = file.read(HEAD).decode("utf-8-sig", errors="ignore")
    text = text.lstrip("\r\n")
    bare = re.sub(r'"[^"]*"', "", text).split("\n", 1)[0]
    separator = max(SEPARATORS, key=bare.count)
    found = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    names = [name.strip() or f"{UNNAMED}{number}" for number, name in enumerate(found, 1)]
    refuse_names(names, shown)
    return names, separator


def refuse_names(names: list[str], shown: str) -> None:
    """Insist on different names, and that the first row holds names, not data.

    Raises:
        ParameterError: which one is wrong.
    """
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice:
        first, second = [at for at, name in enumerate(names, 1) if name == twice][:2]
        raise ParameterError(
            f"{shown}, row 1: columns {first} and {second} are both named {twice!r}. Rename one of them."
        )
    if all(re.fullmatch(r"[-+.\d][-+.\deE]*", name) for name in names):
        raise ParameterError(
            f"{shown}, row 1: expected names of columns, got numbers ({', '.join(names[:3])}, …)."
            " Put a row of names first."
        )
