"""What a stack costs, by model and device, and so into how many parts the fits that share one are cut.

A step of a stack of R fits takes fixed + each·R microseconds, a step of the loop over one network ``alone``.
`python -m benchmarks stacks factors` measures these on one core, up to stacks of 40, and prints them as they
stand here. The line holds to within a tenth up to ``widest``, where a fit costs least: wider tables of words
leave the cache. The sizes are those of the benchmark. Other sizes and machines have other numbers, by which
stacks are then cut a little too fine or too coarse; that changes no result.

Whether a fit is stacked at all is said by its model (``Model.stacked``), once for all fits, where a wide
stack is faster than the loop. It is never said by how many fits there are: the two ways differ in the last
bits, and what came out for a fit would depend on who was there with it. The price is paid by a fit that is
the only one of its kind, and is trained beside its twin: about twice the time of the loop. Two take what the
loop takes for them; from three on a stack is faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple, final

from studylib.trainers.stacks import TWINS

OVERHEAD = 0.1  # of what each fit costs: where the fixed part is less, more fits bring hardly anything


@final
class Cost(NamedTuple):
    """Microseconds of a step: of a stack, ``fixed`` + ``each``·R; of the loop over one network, ``alone``.

    Attributes:
        widest: stack that was measured to be worth its memory.
    """

    fixed: float
    each: float
    alone: float
    widest: int

    @property
    def most(self) -> int:
        """How many fits at a time pay: from there on the fixed part is a tenth of the rest, or less."""
        return max(TWINS, min(self.widest, ceil(self.fixed / (OVERHEAD * self.each))))

    @property
    def gain(self) -> float:
        """How many times faster than the loop a stack of ``most`` fits is."""
        return self.alone * self.most / self.step(self.most)

    def step(self, replicas: int) -> float:
        """Return the microseconds of a step of a stack."""
        return self.fixed + self.each * max(replicas, TWINS)

    def parts(self, fits: int, workers: int) -> int:
        """Return into how many stacks so many fits are cut, so that so many workers are done soonest.

        All workers are busy with something else, or with one part at a time. Of two cuts that take as long it
        is the one into fewer stacks, which leaves a worker to others.
        """
        fewest = ceil(fits / self.most)
        return min(
            range(fewest, fits + 1), key=lambda cut: (ceil(cut / workers) * self.step(ceil(fits / cut)), cut)
        )


MEASURED: Mapping[str, Mapping[str, Cost]] = {
    "cpu": {
        "linear": Cost(fixed=300, each=27, alone=170, widest=40),
        "mlp": Cost(fixed=608, each=169, alone=455, widest=40),
        "matrix_factorization": Cost(fixed=675, each=731, alone=1897, widest=20),
        "small_cnn": Cost(fixed=900, each=950, alone=1330, widest=10),
        "bag_of_words": Cost(fixed=764, each=448, alone=828, widest=10),
    },
    # on an H200, where a lone fit is replayed as well; of small_cnn one width was measured, nearly all of
    # whose time is in kernels
    "cuda": {
        "linear": Cost(fixed=60, each=1.4, alone=765, widest=400),
        "mlp": Cost(fixed=140, each=2, alone=1800, widest=200),
        "bag_of_words": Cost(fixed=258, each=7.3, alone=1335, widest=100),
        "small_cnn": Cost(fixed=150, each=160, alone=2500, widest=25),
    },
}
# where nothing is measured yet: on a GPU a step is launches, which cost what they cost for one fit
SUPPOSED: Mapping[str, Cost] = {
    "cpu": Cost(fixed=1, each=1, alone=1.5, widest=10),
    "cuda": Cost(fixed=40, each=1, alone=40, widest=400),
}


def cost(device: str, model: str) -> Cost:
    """Return what stacks of a model cost on a "cpu" or on "cuda"."""
    return MEASURED.get(device, {}).get(model, SUPPOSED[device])
