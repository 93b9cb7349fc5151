"""The trials of arms that leave settings open: each is a fit, and what is next follows from the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import inf, isfinite
from statistics import fmean
from typing import TYPE_CHECKING, final

from studylib import plan
from studylib.store import Result
from studylib.trainers.candidates import as_number
from studylib.trainers.proposals import Tried, best, proposals
from studylib.trainers.tuning import Point, Tuning, count, first, grid
from studylib.trials import Trial

if TYPE_CHECKING:
    from studylib.arms import Arm
    from studylib.executors import Attempt
    from studylib.params import StudyParams
    from studylib.plan import FitSpec
    from studylib.store import Store

LOST = Result("failed", "was not computed")

Known = Callable[["FitSpec"], Result | None]


def searches(params: StudyParams, content: str, device: str) -> dict[tuple[str, int], Search]:
    """Return the search of each (arm, seed) whose trials are fits, on a dataset of that ``content`` hash."""
    found: dict[tuple[str, int], Search] = {}
    for arm in params.arms:
        if plan.is_searched(arm, params.tuning):
            firsts = _firsts(params, arm, content, device)
            for seed in range(params.seeds):
                found[arm.name, seed] = Search(arm, params.tuning, seed, firsts)
    return found


def _firsts(params: StudyParams, arm: Arm, content: str, device: str) -> dict[str, FitSpec]:
    """Return a specification of the arm by optimizer, which decides the trainer and with it the code."""
    start = arm.at(first(arm.space))
    kinds = {
        name: start.model_copy(update={"training": start.training.model_copy(update={"optimizer": name})})
        for name in arm.space.get("training.optimizer", (arm.training.optimizer,))
    }
    return {name: plan.specified(params, kind, content, device) for name, kind in kinds.items()}


@final
class Search:
    """What one arm tries with one seed.

    Attributes:
        trials: what was tried and has ended.
        named: the specification of each fit that was asked for so far, by its key.
    """

    def __init__(self, arm: Arm, tuning: Tuning, seed: int, firsts: Mapping[str, FitSpec]) -> None:
        self.trials: list[Trial] = []
        self.named: dict[str, FitSpec] = {}
        self.codes = {spec.code for spec in firsts.values()}
        self._arm, self._tuning, self._seed, self._firsts = arm, tuning, seed, firsts
        self._folds = 1 if tuning.folds == "none" else tuning.folds
        self._batch: list[tuple[Point, tuple[FitSpec, ...]]] = []
        self._ended = False
        self._lost = LOST

    def advance(self, known: Known) -> list[FitSpec]:
        """Take what is known, and return what is to be computed before it goes on; nothing at its end."""
        while not self._ended:
            missing = [spec for _, specs in self._batch for spec in specs if known(spec) is None]
            if missing:
                return missing
            self.trials += [self._tried(point, specs, known) for point, specs in self._batch]
            asked = proposals(self._arm.space, self._tuning, self._seed, history(self.trials))
            self._batch = [(point, self.of_trial(point)) for point in asked]
            self.named |= {spec.key: spec for _, specs in self._batch for spec in specs}
            self._ended = not asked
        last = self.chosen
        if last is None:
            return []
        self.named[last.key] = last
        return [] if known(last) else [last]

    @property
    def ahead(self) -> int:
        """How many fits will be asked for that have no name yet, at most."""
        if self._ended:
            return 0
        trials = count(self._arm.space, self._tuning) - len(self.trials) - len(self._batch)
        return trials * self._folds + (self._folds > 1)

    @property
    def chosen(self) -> FitSpec | None:
        """The fit of what did best, on all train rows; None before the end, or if nothing came to its own."""
        place = best(history(self.trials)) if self._ended else None
        return None if place is None else self.spec(self.trials[place].settings)

    @property
    def lost(self) -> Result:
        """How it ended, and why, if nothing was chosen."""
        return self._lost

    def spec(self, point: Point) -> FitSpec:
        """Return the fit of some settings on all train rows."""
        arm = self._arm.at(point)
        return replace(
            self._firsts[arm.training.optimizer],
            model=arm.model.named_settings(),
            regularizers=arm.regularizers,
            training=arm.training.model_dump(mode="json"),
            seed=self._seed,
        )

    def taken(self, trials: Sequence[Trial] | None = None) -> dict[str, float]:
        """Return ``{"chosen_<regularizer>_<setting>": value}`` of the best of its own or of other trials."""
        trials = self.trials if trials is None else trials
        place = best(history(trials))
        settings = {} if place is None else trials[place].settings
        return {
            f"chosen_{name.replace('.', '_')}": as_number(value, self._arm.space[name])
            for name, value in settings.items()
        }

    def retraced(self, trials: Sequence[Trial]) -> bool:
        """Tell whether these settings are what follows from these scores."""
        before: list[Trial] = []
        while asked := proposals(self._arm.space, self._tuning, self._seed, history(before)):
            there = list(trials[len(before) : len(before) + len(asked)])
            if [dict(one.settings) for one in there] != asked:
                return False
            before += there
        return len(before) == len(trials)

    def of_trial(self, point: Point) -> tuple[FitSpec, ...]:
        """Return the fits that score some settings: one, or one for each fold."""
        whole = self.spec(point)
        if self._folds == 1:
            return (whole,)
        return tuple(replace(whole, fold={"of": self._folds, "held": k}) for k in range(self._folds))

    def _tried(self, point: Point, specs: Sequence[FitSpec], known: Known) -> Trial:
        results = [found for spec in specs if (found := known(spec))]
        keys = tuple(spec.key for spec in specs)
        bad = next((one for one in results if one.status != "ok"), None)
        if bad:
            self._lost = Result(bad.status, f"so did every one of its trials: {bad.reason}")
            return Trial(point, None, bad.status, keys)
        test = test_of(results[0].metrics) if self._folds == 1 else None
        return Trial(point, score_of(results), "ok", keys, test)


def history(trials: Sequence[Trial]) -> list[Tried]:
    """Return trials as what is tried next follows from them."""
    return [Tried(one.settings, inf if one.score is None else one.score) for one in trials]


def score_of(results: Sequence[Result]) -> float | None:
    """Return the mean score of the fits of one trial; None if one has none that is a number."""
    scores = [inf if one.score is None else one.score for one in results]
    mean = fmean(scores)
    return mean if isfinite(mean) else None


def test_of(metrics: Mapping[str, float]) -> float | None:
    """Return what on test rows is the score of settings: the loss, or for a ranking −NDCG at 20."""
    ndcg = metrics.get("test_ndcg_at_20")
    return metrics.get("test_loss") if ndcg is None else -ndcg


def of_one_fit(arm: Arm, curve: Sequence[float]) -> tuple[Trial, ...]:
    """Return the candidates that one fit tried, with what they were chosen by."""
    names = list(arm.space)
    points = [dict(zip(names, values, strict=True)) for values in product(*grid(arm.space))]
    return tuple(
        Trial(point, score, "ok") if isfinite(score) else Trial(point, None, "diverged")
        for point, score in zip(points, curve, strict=True)
    )


@final
class Rounds:
    """The searches of some runs, which advance together, so that nobody who computes waits for another."""

    def __init__(self, fixed: Mapping[str, FitSpec], searches: Sequence[Search], store: Store) -> None:
        self._fixed, self._searches, self._store = fixed, searches, store
        self._known: dict[str, Result | None] = {}
        self._waiting: dict[str, set[int]] = {}  # places of searches, by the key that they wait for
        self._asked: set[str] = set()

    def begin(self) -> list[FitSpec]:
        """Return what can be computed at once and is not in the store, each specification once."""
        wanted = [spec for spec in self._fixed.values() if self._look(spec) is None]
        return self._new([*wanted, *self._advanced(range(len(self._searches)))])

    def more(self, attempt: Attempt) -> list[FitSpec]:
        """Return what can be computed now that an attempt has come to its end."""
        key = attempt.spec.key
        self._known[key] = attempt.result and replace(attempt.result, curves={})
        return self._new(self._advanced(sorted(self._waiting.pop(key, ()))))

    @property
    def total(self) -> int:
        """How many fits are computed in all, at most."""
        return len(self._asked) + sum(search.ahead for search in self._searches)

    def _advanced(self, places: Iterable[int]) -> Iterator[FitSpec]:
        for place in places:
            for spec in self._searches[place].advance(self._look):
                self._waiting.setdefault(spec.key, set()).add(place)
                yield spec

    def _new(self, specs: Iterable[FitSpec]) -> list[FitSpec]:
        fresh = {spec.key: spec for spec in specs if spec.key not in self._asked}
        self._asked |= fresh.keys()
        return list(fresh.values())

    def _look(self, spec: FitSpec) -> Result | None:
        if spec.key not in self._known:
            self._known[spec.key] = self._store.without_curves(spec)
        return self._known[spec.key]
