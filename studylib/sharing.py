"""Reports for others: the default ones beside the code, or all of them in one file to send."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from studylib import places, publishing, sources
from studylib.errors import ParameterError, StudyError
from studylib.records import Record, write_whole
from studylib.secrets import masked

Files = Mapping[str, bytes]  # by path from the folder of the index

LIMIT = 2_000_000  # bytes, of everything that is committed
PUBLISHED = "published"
OURS = (".html", ".json", ".json.gz", ".ipynb")
INDEX = "index.html"
LINK = re.compile(r'<a\b([^>]*) href="(\.\.?/[^"#]+)([^"]*)"([^>]*)>(.*?)</a>', re.DOTALL)
ARCHIVE = "studylib-reports"
SUMS = "SHA256SUMS"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first day that a zip knows: the same files, the same bytes
README = """\
What this is

Reports that compare regularization techniques: one page for each study, and an index over them. Each page is
one file that asks for nothing from any network. Made by studylib, commit {commit}.

What to open first

index.html, in any browser. From there every page is one click away.

What is what

<study>/<run>.html   the page, for everyone
<study>/<run>.ipynb  the executed notebook, for analysts (JupyterLab, or any viewer of notebooks)
<study>/<run>.json   the record: every fit, contrast and version, for machines

How to verify

That nothing was changed on the way:

    sha256sum --check {sums}

That the numbers are true: in a copy of studylib at the commit above, whose README says how to set it up,

    studylib verify {example}

computes a sample of the record's fits again, draws all conclusions again, and compares every number of
record, notebook and page (--all: all of its fits).
"""


def publish(reports: Path) -> list[str]:
    """Put the default reports into ``reports/published``, for whoever browses the repository.

    Pages, records, and the index over them; executed notebooks and the catalogue where there is room. Records
    are written without spaces, or gzipped where they would not fit otherwise. What is left out is not linked.
    Returns a line for each file, and one on the whole.

    Raises:
        ParameterError: a default report is not there; nothing was written.
        StudyError: they are larger than 2 MB: how large each is; nothing was written.
    """
    folder = reports / PUBLISHED
    records = [reports / study / "default.json" for study in sources.studies()]
    for path in (path for record in records for path in (record, record.with_suffix(".html"))):
        if not path.is_file():
            raise ParameterError(f"{path}: there is no such file. Make the default reports with: make report")
    beside = {path.name: path.stat().st_size for path in _files(folder) if not path.name.endswith(OURS)}
    files: Files = {}
    for files in _choices(reports, records):
        if _size(files) + sum(beside.values()) <= LIMIT:
            return _written(files, folder)
    sizes = {name: len(body) for name, body in files.items()} | beside
    told = ", ".join(f"{name} {_mb(size)}" for name, size in sorted(sizes.items(), key=lambda one: -one[1]))
    total = _mb(sum(sizes.values()))
    raise StudyError(f"{folder}: expected at most {_mb(LIMIT)}, got {total}: {told}. Nothing was written.")


def pages(reports: Path) -> list[Path]:
    """Return every page under ``reports`` but those that are published: the index and its like first."""
    of_runs = sorted(path for path in reports.glob("*/*.html") if path.parent.name != PUBLISHED)
    return [*sorted(reports.glob("*.html")), *of_runs]


def _choices(reports: Path, records: Sequence[Path]) -> Iterator[Files]:
    """Yield what may be published, the fullest first."""
    shown = {_name(path, reports): path.read_bytes() for path in (r.with_suffix(".html") for r in records)}
    notebooks = [path for path in (record.with_suffix(".ipynb") for record in records) if path.is_file()]
    catalogue = [path for path in [reports / publishing.CATALOGUE] if path.is_file()]
    lean = {_name(path, reports): _lean(path) for path in records}
    packed = {f"{name}.gz": gzip.compress(body, mtime=0) for name, body in lean.items()}
    for numbers in (lean, packed):
        for more in ([*notebooks, *catalogue], notebooks, []):
            extra = {_name(path, reports): path.read_bytes() for path in more}
            techniques = [publishing.CATALOGUE] if publishing.CATALOGUE in extra else []
            index = {INDEX: publishing.index_over(records, reports, techniques)}
            yield _linked(index | shown | numbers | extra)


def _lean(path: Path) -> bytes:
    Record.load(path)  # or say what is wrong with it
    data = json.loads(path.read_bytes())
    data["params"] = masked(data["params"])
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _linked(files: Files) -> Files:
    """Return files whose links lead to each other, and nowhere else in the folder."""
    return {
        name: _relinked(body.decode(), name, files).encode() if name.endswith(".html") else body
        for name, body in files.items()
    }


def _relinked(html: str, page: str, files: Files) -> str:
    def leading(link: re.Match[str]) -> str:
        before, href, rest, after, text = link.groups()
        target = normpath(join(dirname(page), unquote(href)))
        ending = next((ending for ending in ("", ".gz") if target + ending in files), None)
        if ending is None:
            return f"{text} (not published)" if page == INDEX else text
        return f'<a{before} href="{href}{ending}{rest}"{after}>{text}</a>'

    return LINK.sub(leading, html)


def _written(files: Files, folder: Path) -> list[str]:
    places.refuse_unwritable(folder, "Make it writable.")
    for name, body in files.items():
        write_whole(folder / name, body)
    for path in _files(folder):
        if path.name.endswith(OURS) and _name(path, folder) not in files:
            path.unlink()
    lines = [f"{folder / name} {_mb(len(body))}" for name, body in sorted(files.items())]
    return [*lines, f"{_mb(sum(path.stat().st_size for path in _files(folder)))} of {_mb(LIMIT)}"]


def share(reports: Path, target: Path | None = None) -> Path:
    """Pack pages, records and notebooks into one zip, with a README for whoever receives it; return its path.

    The same files give the same bytes.

    Raises:
        ParameterError: there are no reports, or ``target`` cannot be written.
    """
    index = reports / INDEX
    if not index.is_file():
        raise ParameterError(f"{index}: there is no such file. Make the reports with: make report")
    runs = [path for path in sorted(reports.glob("*/*")) if _is_of_a_run(path)]
    over = sorted(reports.glob("*.html"))
    files = {_name(path, reports): path.read_bytes() for path in [*over, *runs]}
    example = next((name for name in files if name.endswith(".json")), "<study>/<run>.json")
    told = README.format(commit=publishing.commit(), sums=SUMS, example=example)
    files |= {"README.txt": told.encode()}
    sums = "".join(f"{sha256(body).hexdigest()}  {name}\n" for name, body in sorted(files.items()))
    target = target or reports / f"{ARCHIVE}.zip"
    places.refuse_unwritable(target.parent, "Name another file with --file.")
    write_whole(target, _zipped(files | {SUMS: sums.encode()}))
    return target


def _is_of_a_run(path: Path) -> bool:
    """Return whether a file is the record, notebook or page of a run that has all three."""
    whole = all(path.with_suffix(suffix).is_file() for suffix in (".json", ".html"))
    return path.parent.name != PUBLISHED and path.suffix in (".json", ".html", ".ipynb") and whole


def _zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, body in sorted(files.items()):
            entry = ZipInfo(f"{ARCHIVE}/{name}", EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # as on Unix, wherever it was made
            archive.writestr(entry, body, ZIP_DEFLATED, 9)
    return buffer.getvalue()


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _size(files: Files) -> int:
    return sum(map(len, files.values()))


def _mb(size: int) -> str:
    return f"{size / 1e6:.2f} MB"
