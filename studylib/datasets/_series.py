"""Series of values: cut in time, scaled by the past, seen through windows that share the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, final

from pydantic import Field

from studylib.datasets._splits import Scale
from studylib.datasets.base import Examples, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

LookBack = Annotated[int, Field(ge=2, le=100_000, description="steps that a forecast is made from")]
Horizon = Annotated[int, Field(ge=1, le=100_000, description="steps ahead that are forecast")]
Cut = Annotated[
    Literal["rolling", "fixed"],
    Field(description="whether each seed cuts the series at another time, or all at the latest"),
]
TrainSteps = Annotated[int, Field(ge=1, description="steps that the weights are fitted on")]
ValidationSteps = Annotated[int, Field(ge=1, description="steps that strengths and epochs are chosen on")]
TestSteps = Annotated[int, Field(ge=1, description="steps that forecasts are measured on")]
Every = Annotated[
    int,
    Field(ge=1, description="train and validation take every so many-th window; the test takes them all"),
]
UNIT = "standard deviations"  # of the train values: a forecast is standardised
LEAST_WINDOWS = 20  # to learn from
DECIDES = {
    "rolling": (
        "the time at which the series is cut, beside initial weights and the order of batches. An interval"
        " is over cuts; their rows overlap, so it is narrower than over series of their own."
    ),
    "fixed": (
        "initial weights and the order of batches alone: the cut is the same in all. An interval says nothing"
        " of other times."
    ),
}


@final
class Cuts(NamedTuple):
    """Where the parts of a series begin and end, in steps from 0; the last of a part is not in it.

    Train goes from ``begin`` to ``train``, validation from there to ``validation``, test to ``test``.
    """

    begin: int
    train: int
    validation: int
    test: int

    def refuse_short(self, look_back: int, horizon: int) -> None:
        """Insist on something to learn from and something to measure in every part.

        Raises:
            ValueError: it reads on from "expected ".
        """
        train, held, tested = (
            self.train - self.begin,
            self.validation - self.train,
            self.test - self.validation,
        )
        least = look_back + horizon + LEAST_WINDOWS - 1
        if train < least:
            raise ValueError(
                f"train to have at least {least} steps, which make {LEAST_WINDOWS} windows of"
                f" look_back {look_back} + horizon {horizon} (here {train})"
            )
        for part, steps in (("validation", held), ("test", tested)):
            if steps < horizon:
                raise ValueError(f"{part} to have at least the horizon of {horizon} steps (here {steps})")


def rolled(steps: int, seed: int, train: int, validation: int, test: int) -> Cuts:
    """Return the cut of ``seed`` in a series of ``steps``: as late as there is for seed 0, others before it.

    Of 2ᵏ seeds each is as far from the next as can be: they follow van der Corput's sequence 0, ½, ¼, ¾, …
    over the steps that are left when the three parts are taken. Source: https://doi.org/10.1007/978-94-017-2934-2_3
    """
    spare = steps - train - validation - test
    share, digit = 0.0, 0.5
    while seed:
        seed, bit = divmod(seed, 2)
        share, digit = share + bit * digit, digit / 2
    begin = spare - round(share * spare)
    return Cuts(begin, begin + train, begin + train + validation, begin + train + validation + test)


def apart(values: np.ndarray, cuts: Cuts, look_back: int, horizon: int, every: int = 1) -> Split:
    """Return the split of a series (steps, channels) whose channels are forecast each from itself alone.

    An example is one window of one channel: of c channels, row i is channel i mod c of window i div c. Of
    train and validation every so many-th row is taken, which keeps all channels if ``every`` is no multiple
    of c.
    """
    channels = values.shape[1]

    def windows(scaled: np.ndarray, first: int, end: int, step: int) -> Examples:
        past, coming = _copies(scaled, first - look_back, first, end, horizon)
        rows = -(-(end - first - horizon + 1) * channels // step)
        return Examples(
            _viewed(past, (rows, look_back, 1), (step, channels, 1)),
            _viewed(coming, (rows, horizon), (step, channels)),
        )

    return _split(values, cuts, (look_back, 1), horizon, every, windows)


def together(values: np.ndarray, cuts: Cuts, look_back: int, horizon: int, every: int = 1) -> Split:
    """Return the split of a series (steps, channels) whose first channel is forecast from all of them."""
    channels = values.shape[1]

    def windows(scaled: np.ndarray, first: int, end: int, step: int) -> Examples:
        past, coming = _copies(scaled, first - look_back, first, end, horizon)
        rows = -(-(end - first - horizon + 1) // step)
        return Examples(
            _viewed(past, (rows, look_back, channels), (step * channels, channels, 1)),
            _viewed(coming, (rows, horizon), (step * channels, channels)),
        )

    return _split(values, cuts, (look_back, channels), horizon, every, windows)


def _copies(
    scaled: np.ndarray, past: int, first: int, end: int, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a part's windows look back on, and what is ahead of them, each in memory of its own."""
    return scaled[past : end - horizon].astype("float32"), scaled[first:end].copy()


def _viewed(flat: np.ndarray, shape: tuple[int, ...], steps: tuple[int, ...]) -> np.ndarray:
    """Return a view in which one further along an axis is ``steps`` values further in memory.

    So a window takes no room of its own: at a horizon of 720 copies would be hundreds of times as large.
    """
    from numpy.lib.stride_tricks import as_strided

    return as_strided(flat, shape, tuple(step * flat.itemsize for step in steps))


def _split(
    values: np.ndarray,
    cuts: Cuts,
    inputs: tuple[int, int],
    horizon: int,
    every: int,
    windows: Callable[[np.ndarray, int, int, int], Examples],
) -> Split:
    """Return windows whose whole horizon lies in its part; what they look back on may lie before it."""
    import numpy as np

    values = np.ascontiguousarray(values)  # sums depend on the order in memory, and so do views
    scale = Scale.of(values[cuts.begin : cuts.train])
    scaled = scale(values)
    train = windows(scaled, cuts.begin + inputs[0], cuts.train, every)
    validation = windows(scaled, cuts.train, cuts.validation, every)
    test = windows(scaled, cuts.validation, cuts.test, 1)
    return Split(train, validation, test, inputs, horizon, target_scale=float(scale.std[0]))
