"""Which settings are tried next: a pure function of what was tried before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import exp, floor, isfinite, log
from typing import TYPE_CHECKING, Any, NamedTuple, final

from studylib.seeds import derive, numpy_generator
from studylib.trainers.candidates import Range, Values
from studylib.trainers.tuning import Point, Space, Tuning, first, grid, stages

if TYPE_CHECKING:
    import numpy as np
    from optuna.distributions import BaseDistribution

STARTUP = 10  # trials that TPE draws before it looks at any, as optuna does
REJECTED = 100  # draws in a row that were known already, before what is left is taken in its order
PURPOSE = "tuning"


@final
class Tried(NamedTuple):
    """Settings that were tried, and how they did: lower is better, infinite what came to no end."""

    settings: Point
    score: float


def proposals(space: Space, tuning: Tuning, seed: int, history: Sequence[Tried]) -> list[Point]:
    """Return the settings to try next, by name; none if there are no more.

    Grid and random answer once, TPE one at a time after a batch that is drawn, and what is staged once for
    each of its settings. What is drawn follows from (seed, "tuning") and the history alone.

    Args:
        space: what is open; not empty.
        tuning: how it is searched.
        seed: of the fits.
        history: what was proposed before, in that order and in whole batches, with its scores.
    """
    if tuning.order == "staged":
        return _staged(space, tuning, seed, history)
    return _METHODS[tuning.method](space, tuning.trials or 0, seed, history)


def best(history: Sequence[Tried]) -> int | None:
    """Return the place of the lowest score, the first of equals; None if nothing came to its end."""
    places = [place for place, one in enumerate(history) if isfinite(one.score)]
    return min(places, key=lambda place: history[place].score) if places else None


def _staged(space: Space, tuning: Tuning, seed: int, history: Sequence[Tried]) -> list[Point]:
    """Propose values of the first setting that is not done; the others are at the best so far, or first."""
    here, past = first(space), 0
    for (name, values), size in zip(space.items(), stages(space, tuning), strict=True):
        stage = [Tried({name: one.settings[name]}, one.score) for one in history[past : past + size]]
        found = _METHODS[tuning.method]({name: values}, size, derive(seed, name), stage)
        if past and tuning.method == "grid":  # the best so far was tried
            found = [one for one in found if one[name] != here[name]]
        if found:
            return [{**here, **one} for one in found]
        past += size
        taken = best(history[:past])
        here = here if taken is None else dict(history[taken].settings)
    return []


def _grid(space: Space, trials: int, seed: int, history: Sequence[Tried]) -> list[Point]:  # noqa: ARG001  # as the others
    return [] if history else [dict(zip(space, values, strict=True)) for values in product(*grid(space))]


def _random(space: Space, trials: int, seed: int, history: Sequence[Tried]) -> list[Point]:
    return [] if history else _drawn(space, trials, numpy_generator(seed, PURPOSE), [])


def _tpe(space: Space, trials: int, seed: int, history: Sequence[Tried]) -> list[Point]:
    if not history:
        return _random(space, min(STARTUP, trials), seed, history)
    return [_next(space, seed, history)] if len(history) < trials else []


_METHODS: dict[str, Callable[[Space, int, int, Sequence[Tried]], list[Point]]] = {
    "grid": _grid,
    "random": _random,
    "tpe": _tpe,
}


def _next(space: Space, seed: int, history: Sequence[Tried]) -> Point:
    """Return what TPE proposes; if that was tried, or if nothing came to its end, what is drawn instead."""
    generator = numpy_generator(seed, f"{PURPOSE}/{len(history)}")
    seen = [one.settings for one in history]
    if best(history) is None:
        return _drawn(space, 1, generator, seen)[0]
    point = _of_optuna(space, derive(seed, f"{PURPOSE}/{len(history)}"), history)
    return point if point not in seen else _drawn(space, 1, generator, seen)[0]


def _of_optuna(space: Space, seed: int, history: Sequence[Tried]) -> Point:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {name: _distribution(values) for name, values in space.items()}
    sampler = optuna.samplers.TPESampler(n_startup_trials=1, seed=seed % 2**32)
    study = optuna.create_study(sampler=sampler)
    # what diverged is as bad as the worst that did not, so that its neighbourhood is left alone
    worst = max(one.score for one in history if isfinite(one.score))
    for one in history:
        study.add_trial(
            optuna.trial.create_trial(
                params={name: _told(values, one.settings[name]) for name, values in space.items()},
                distributions=distributions,
                value=min(one.score, worst),
            )
        )
    asked = study.ask(distributions).params
    return {name: _heard(values, asked[name]) for name, values in space.items()}


def _distribution(values: Values) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, tuple):
        return CategoricalDistribution(range(len(values)))  # of places, as a value may be a list
    if isinstance(values, Range):
        return FloatDistribution(values.low, values.high, log=values.log)
    return IntDistribution(values.low, values.high, log=values.log)


def _told(values: Values, value: Any) -> Any:
    return values.index(value) if isinstance(values, tuple) else value


def _heard(values: Values, value: Any) -> Any:
    if isinstance(values, tuple):
        return values[value]
    return _short(value, values) if isinstance(values, Range) else value


def _drawn(space: Space, count: int, generator: np.random.Generator, seen: Sequence[Point]) -> list[Point]:
    """Return different points that are not among those ``seen``, as many as there are if fewer."""
    known = {repr(one) for one in seen}
    found: list[Point] = []
    rejected = 0
    while len(found) < count:
        point = {name: _draw(values, generator) for name, values in space.items()}
        if repr(point) in known:
            rejected += 1
            if rejected < REJECTED:
                continue
            left = (dict(zip(space, v, strict=True)) for v in product(*map(_every, space.values())))
            fresh = next((one for one in left if repr(one) not in known), None)
            if fresh is None:
                break
            point = fresh
        rejected = 0
        known.add(repr(point))
        found.append(point)
    return found


def _every(values: Values) -> Sequence[Any]:
    if isinstance(values, tuple):
        return values
    return values.values() if isinstance(values, Range) else range(values.low, values.high + 1)


def _draw(values: Values, generator: np.random.Generator) -> Any:
    if isinstance(values, tuple):
        return values[int(generator.integers(len(values)))]
    if isinstance(values, Range):
        if values.log:
            return _short(exp(generator.uniform(log(values.low), log(values.high))), values)
        return _short(generator.uniform(values.low, values.high), values)
    if values.log:
        even = exp(generator.uniform(log(values.low - 0.5), log(values.high + 0.5)))
        return min(max(floor(even + 0.5), values.low), values.high)
    return int(generator.integers(values.low, values.high + 1))


def _short(value: float, among: Range) -> float:
    """Return a number with six digits, as nobody needs more, inside its range."""
    return min(max(float(f"{value:.6g}"), among.low), among.high)
