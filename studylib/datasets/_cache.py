"""What takes seconds to build is built once, and kept in the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from studylib.errors import StudyError
from studylib.records import write_whole

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
_SEAL = sha256().digest_size


def stored(
    folder: Path, name: str, ingredients: Iterable[str], build: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return the arrays that ``build`` makes, from ``folder`` if they are there and undamaged.

    Args:
        ingredients: all that decides the content: versions, settings, source text of the code that builds.

    Raises:
        StudyError: the file cannot be written.
    """
    key = sha256(json.dumps([FORMAT, *ingredients]).encode()).hexdigest()[:16]
    path = folder / "datasets" / f"{name}-{key}.npz"
    known = _unsealed(path)
    if known is not None:
        return known
    arrays = dict(build())
    try:
        write_whole(path, _sealed(arrays))
    except OSError as error:
        raise StudyError(
            f"{path}: the dataset {name!r} was built but cannot be kept: {error.strerror}."
            " Set STUDYLIB_STORE to a folder that can be written to."
        ) from None
    return arrays


def _sealed(arrays: Mapping[str, np.ndarray]) -> bytes:
    # NumPy reads an npz with bytes behind it, so the file stays what its name says
    import numpy as np

    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue() + sha256(file.getvalue()).digest()


def _unsealed(path: Path) -> dict[str, np.ndarray] | None:
    import numpy as np

    if not path.is_file():
        return None
    whole = path.read_bytes()
    body, seal = whole[:-_SEAL], whole[-_SEAL:]
    if sha256(body).digest() != seal:
        return None
    with np.load(BytesIO(body), allow_pickle=False) as file:
        return dict(file)
