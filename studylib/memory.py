"""How much memory a process of ours may still take: what is free, shared with those that work beside it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import NamedTuple, final

GROUPS = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")
UNLIMITED = 1 << 60  # what a cgroup of version 1 says where nobody has set a limit is near 2⁶³


@final
class _Share(NamedTuple):
    workers: int = 1
    ceiling: float = inf


_own = {"share": _Share()}


def share(workers: int, ceiling: float | None = None) -> None:
    """Let this process take one of ``workers`` parts of what is free, and hold ``ceiling`` bytes at most."""
    _own["share"] = _Share(workers, ceiling or inf)


def free(device: str) -> float:
    """Return how many bytes this process may still take on a "cpu" or on its "cuda" device.

    On a processor it is the least of: its part of what the system has, and of what is left to the container
    or to the job of a queue (cgroup); its ceiling; and what a limit of its address space leaves.
    """
    own = _own["share"]
    if device == "cuda":
        import torch

        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return float(torch.cuda.mem_get_info()[0]) / own.workers + unused
    import psutil

    held = psutil.Process().memory_info()
    free_to_all = min(float(psutil.virtual_memory().available), *_left_to_groups(), inf)
    left = min(free_to_all / own.workers, own.ceiling - held.rss, _addresses() - held.vms)
    return max(0.0, float(left))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python from looking for cycles: where there are none, or where nothing may be freed."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _addresses() -> float:
    with suppress(ImportError):  # Windows has none
        import resource

        most: int = resource.getrlimit(resource.RLIMIT_AS)[0]
        return inf if most == resource.RLIM_INFINITY else float(most)
    return inf


def _left_to_groups() -> Iterator[float]:
    """Yield what each cgroup that holds this process, and those around it, has left."""
    with suppress(OSError):
        for line in GROUPS.read_text(encoding="utf-8").splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds in {"", "memory"}:
                yield from left_in(MOUNTED / kinds, path)


def left_in(root: Path, path: str) -> Iterator[float]:
    """Yield the bytes left in the cgroup ``path`` below ``root``, and in those around it, where limited.

    What files keep in memory only until somebody needs it is not counted as used.
    """
    inner = root / path.lstrip("/")
    for folder in (inner, *inner.parents):
        if folder == root.parent:
            return
        for limit, used, unused in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            with suppress(OSError, ValueError):  # there is none, or it says "max"
                most = int((folder / limit).read_text(encoding="ascii"))
                stat = dict(map(str.split, (folder / "memory.stat").read_text(encoding="ascii").splitlines()))
                held = int((folder / used).read_text(encoding="ascii")) - int(stat.get(unused, 0))
                if most < UNLIMITED:
                    yield float(most - held)


def ran_out(error: BaseException) -> bool:
    """Return whether an error is one of too little memory: of Python, NumPy, torch, or of a GPU."""
    told = str(error)
    by_name = type(error).__name__ == "OutOfMemoryError"
    return isinstance(error, MemoryError) or by_name or "can't allocate memory" in told


def give_back() -> None:
    """Let go of what nobody holds any more."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
