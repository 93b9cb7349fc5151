"""What every test starts from: one thread, and a store of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from studylib.places import store_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

# before torch and NumPy are imported: a second thread in each worker costs more than it computes
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def store_of_this_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep fits that were computed before, by other code, out of the tests.

    Built datasets are shared: their files carry the code and the versions that they come from.
    """
    built = store_folder() / "datasets"
    built.mkdir(parents=True, exist_ok=True)
    store = tmp_path_factory.mktemp("store")
    (store / "datasets").symlink_to(built, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDYLIB_STORE", str(store))
        yield
