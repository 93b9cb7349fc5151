"""How many fits are trained at once: by their shapes, by what is free, and by what they turn out to take."""

from __future__ import annotations

import resource
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

import numpy as np
import psutil
import pytest
import torch
from made_up import MadeUp, Pictures, Sentences, Visits
from test_stacked import STACKED, TRAINING, arm, members, named, numbers, same
from test_stacking import seeded

from studylib import executors, memory, models, pool, processes
from studylib.datasets.base import Examples, Split
from studylib.models.bag_of_words import BagOfWords
from studylib.models.mlp import MLP
from studylib.processes import KEPT
from studylib.trainers import fitting, stacked, widths
from studylib.trainers.base import Training
from studylib.trainers.fitting import Case
from studylib.trainers.stacked import Member
from studylib.trainers.widths import SPARE, Footprint

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.models.base import Model

MB = 1e6


@final
class Letters(MadeUp):
    """Sentences whose splits know more than 512 words or fewer, in turn."""

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "text"
    shape: ClassVar[tuple[int, ...]] = (20, 9)
    outputs: ClassVar[int] = 2

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return sentences and classes."""
        return Sentences().draw(rng)

    def split(self, seed: int) -> Split:
        """Return a split whose words are 500 or more than 512."""
        return replace(super().split(seed), inputs=(500 + 20 * (seed % 2), 9))


class Size(NamedTuple):
    """Fits of one size: those of ``count`` seeds take so many times what one does."""

    model: str
    settings: dict[str, Any]
    rows: int
    row: tuple[int, ...]
    kind: str = "float32"
    techniques: tuple[str, ...] = ()
    batch: int = 32

    def member(self, seed: int, rows: int) -> Member:
        """Return the fit of a seed, on so many train rows."""
        train, validation, test = (self._examples(seed, count) for count in (rows, rows // 4, rows // 4))
        inputs = (5000, *self.row) if self.kind == "int64" else self.row
        training = Training(epochs=2, batch_size=self.batch)
        return Member(
            Split(train, validation, test, inputs, 10),
            tuple(arm(one)[0] for one in self.techniques),
            training,
            seed,
        )

    def _examples(self, seed: int, rows: int) -> Examples:
        rng = np.random.default_rng((seed, rows))
        shape = (rows, *self.row)
        x = rng.integers(1, 5000, shape) if self.kind == "int64" else rng.normal(size=shape)
        return Examples(x.astype(self.kind), rng.integers(0, 10, rows))


WIDE = Size("mlp", {"hidden": [512, 512]}, 200, (64,))
SIZES = {
    "weights, and what layers say": WIDE._replace(
        rows=600, techniques=("dropout", "l2", "early_stopping"), batch=256
    ),
    "rows that are moved": Size("linear", {}, 2000, (784,), "float64"),
    "words": Size("bag_of_words", {"dimension": 32}, 600, (200,), "int64"),
}


# What workers are told to do; each process imports this file for itself.


def taken(size: Size) -> float:
    """Return by how many bytes the peak of this process is higher for twelve fits than for two."""
    processes.one_thread()
    model = models.CATALOGUE.make(size.model, size.settings)
    peaks = []
    for count in (2, 2, 12):  # at first other things are loaded, too
        widths.train([size.member(seed, size.rows) for seed in range(count)], model, "cpu", stacked.train)
        peaks.append(processes.peak_mb() * MB)
    return peaks[2] - peaks[1]


def starved(count: int) -> tuple[str, list[list[str]], list[list[str]]]:
    """Train fits where there are no addresses for all at once, and where there are.

    Returns:
        what torch says of the stack; what came of the fits all the same; what comes of them in plenty.
    """
    processes.one_thread()
    model = models.CATALOGUE.make(WIDE.model, WIDE.settings)
    fits = [WIDE.member(seed, WIDE.rows) for seed in range(count)]
    widths.train(fits[:2], model, "cpu", stacked.train)
    free = int(count / 3 * widths.footprint(fits[0], model, "cpu").replica)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + free, before[1]))
    try:
        said = ""
        stacked.train(fits, model)
    except RuntimeError as error:
        said = str(error)
    found = losses(widths.train(fits, model, "cpu", stacked.train))
    resource.setrlimit(resource.RLIMIT_AS, before)
    return said, found, losses(stacked.train(fits, model))


def room() -> float:
    """Return what a worker may still take."""
    return memory.free("cpu")


def losses(found: list[Any]) -> list[list[str]]:
    """Return the losses of each fit, as text: equal text means equal to the last bit."""
    return [[repr(one.train_loss), repr(one.validation_loss)] for one in found]


@pytest.mark.parametrize("what", SIZES)
def test_the_estimate_is_what_a_stack_takes(what: str) -> None:
    """Ten fits more let the peak of a process grow by 0.5 to 1.3 times what is told before."""
    size = SIZES[what]
    fit = size.member(0, size.rows)
    told = widths.footprint(fit, models.CATALOGUE.make(size.model, size.settings), "cpu")
    with pool.local(1) as workers:
        found = workers.submit(taken, size).result()

    assert 0.5 < found / (told.bytes(12, 12) - told.bytes(2, 2)) < 1.3


@pytest.mark.parametrize(("name", "dataset", "model"), STACKED, ids=named)
def test_whatever_is_stacked_has_an_estimate(name: str, dataset: MadeUp, model: Model) -> None:
    """It looks into the network with the technique in it, and leaves every stream where it was."""
    [fit] = members(dataset, arm(name), TRAINING, 1)
    before = torch.get_rng_state()
    size = widths.footprint(fit, model, "cpu")

    assert 0 < size.split < size.bytes(1, 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_learnt_from_interactions_has_an_estimate_too() -> None:
    """A network of rows and items is looked into with the first of them."""
    model = models.CATALOGUE.make("matrix_factorization", {"factors": 4})
    small, large = (
        widths.footprint(Member(Visits().split(0), (), TRAINING, 0), one, "cpu").replica
        for one in (model, model.model_copy(update={"factors": 64}))
    )

    assert 0 < small < large


def test_parts_are_even_and_fit_into_what_is_free() -> None:
    """As wide as may be, every fit once, in order; the rows of a seed are counted once for all its arms."""
    size = Footprint(split=2 * MB, replica=MB)
    fits = [*range(5)] * 4  # four arms
    for left in (12, 14, 15, 29, 30, 1000):
        room = (KEPT + left * MB) / SPARE
        parts = [fits[some] for some in size.parts(fits, room)]
        most = max(map(len, parts))

        assert [seed for part in parts for seed in part] == fits
        assert most - min(map(len, parts)) <= 1
        assert size.bytes(most, min(most, 5)) <= SPARE * room
        if most < len(fits):
            wider = -(-len(fits) // (len(parts) - 1))
            assert size.bytes(wider, min(wider, 5)) > SPARE * room


def test_two_are_never_parted() -> None:
    """One alone is trained beside its twin, and takes as much: nothing free at all makes pairs."""
    size = Footprint(split=MB, replica=MB)

    assert [*size.parts(range(6), 0)] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert [*size.parts(range(1), 0)] == [slice(0, 1)]


def test_how_much_is_free_changes_no_number() -> None:
    """Four fits of two seeds in one stack, in two, and each by itself, share their splits and their bits."""
    dataset, model = Pictures(), MLP(hidden=(6,))
    cases = [
        Case({"dropout": {"rate": rate}}, TRAINING, seed, fitting.WHOLE)
        for rate in (0.1, 0.5)
        for seed in (0, 1)
    ]
    wide, narrow = (fitting.fits(dataset, model, cases, "cpu", free) for free in (inf, 0))
    alone = [fitting.fit(dataset, model, case.settings, case.training, case.seed, "cpu") for case in cases]
    told = [[repr((dict(one.metrics), dict(one.curves))) for one in some] for some in (wide, narrow, alone)]  # type: ignore[union-attr]  # none diverges

    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("name", ["word_dropout", "l2"])
def test_tables_of_two_sizes_make_two_stacks_with_the_bits_of_single_fits(name: str) -> None:
    """Of five seeds three have tables of 512 rows and two of 1024: none is trained by itself for that."""
    dataset, model = Letters(), BagOfWords(dimension=4)
    every = members(dataset, arm(name), TRAINING, 5)
    found = widths.train(every, model, "cpu", stacked.train)

    assert widths.of_one_shape(every, model) == [[0, 2, 4], [1, 3]]
    for seed, one in enumerate(found):
        [alone] = stacked.train(every[seed : seed + 1], model)
        assert same(numbers(one, dataset, seed), numbers(alone, dataset, seed))


def test_a_stack_that_runs_out_of_memory_is_trained_in_halves() -> None:
    """Torch refuses twelve at once; in parts they are trained, to the bits of all at once."""
    with pool.local(1) as workers:
        said, found, expected = workers.submit(starved, 12).result()

    assert "can't allocate memory" in said
    assert found == expected


def test_who_works_beside_a_worker_leaves_it_its_part() -> None:
    """Of two workers each may take half of what is free, and never more than its ceiling leaves."""
    with pool.local(1) as one, pool.local(2) as two, pool.local(1, pool.Limits(memory=400 * MB)) as held:
        alone, shared, low = (who.submit(room).result() for who in (one, two, held))

    assert shared == pytest.approx(alone / 2, rel=0.3)
    assert low < 400 * MB


def test_a_stack_keeps_below_the_ceiling_of_its_worker() -> None:
    """Twenty-four networks that take 900 MB at once are trained in parts, and nobody is killed for it."""
    big = [
        replace(spec, model={"name": "mlp", "hidden": [1024, 1024]}, training={**spec.training, "epochs": 1})
        for spec in seeded(24)
    ]
    with pool.local(1, pool.Limits(memory=700 * MB)) as workers:
        results = workers.submit(executors.compute_stack, big).result()

    assert {one.status for one in results} == {"ok"}
    assert results[0].peak_mb < 700


def test_a_container_counts_and_what_files_keep_does_not(tmp_path: Path) -> None:
    """The least of a group and those around it, of either version of cgroups; "max" is no limit."""
    inner = tmp_path / "job" / "step"
    inner.mkdir(parents=True)
    for folder, limit in ((inner, "max"), (tmp_path / "job", "1000")):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text("700\n")
        (folder / "memory.stat").write_text("anon 300\ninactive_file 400\n")
    (tmp_path / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (tmp_path / "memory.usage_in_bytes").write_text("5\n")
    (tmp_path / "memory.stat").write_text("total_inactive_file 0\n")

    assert [*memory.left_in(tmp_path, "/job/step")] == [700.0]


def test_what_is_an_error_of_memory_is_known() -> None:
    """NumPy's, torch's of a processor and of a GPU are; another one is not."""
    with pytest.raises(MemoryError) as of_numpy:
        np.empty(1 << 60, np.uint8)
    with pytest.raises(RuntimeError) as of_torch:
        torch.empty(1 << 60, dtype=torch.uint8)

    assert memory.ran_out(of_numpy.value)
    assert memory.ran_out(of_torch.value)
    assert memory.ran_out(torch.OutOfMemoryError("CUDA out of memory."))
    assert not memory.ran_out(RuntimeError("size mismatch"))
