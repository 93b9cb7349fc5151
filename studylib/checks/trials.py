"""Do the trials of a record come out the same again, and does what was tried and chosen follow from them?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from studylib.checks import fits, tolerances
from studylib.checks.differences import Difference
from studylib.records import Fit, Record
from studylib.searches import history, of_one_fit, score_of
from studylib.trainers.fitting import SCORES
from studylib.trainers.proposals import best

if TYPE_CHECKING:
    from studylib.plan import FitSpec
    from studylib.store import Result
    from studylib.study import Planned


@final
@dataclass(frozen=True)
class Again:
    """A fit that is computed again.

    Attributes:
        whole: the fit that the record shows; None if nothing was chosen, as every trial diverged.
        trials: by their place, the fits of trials.
    """

    fit: Fit
    whole: FitSpec | None
    trials: Mapping[int, tuple[FitSpec, ...]]

    @property
    def specs(self) -> list[FitSpec]:
        """Everything that is computed."""
        return [*([self.whole] if self.whole else []), *(s for own in self.trials.values() for s in own)]

    def differences(
        self, one: Planned, results: Mapping[str, Result], other: Sequence[str]
    ) -> Iterator[Difference]:
        """Yield what differs from the record."""
        pair = self.fit.arm, self.fit.seed
        if self.whole:
            result, bound = results[self.whole.key], tolerances.bound(other, self.whole)
            if pair in one.searches and self.fit.trials:
                result = replace(
                    result, metrics=dict(result.metrics) | one.searches[pair].taken(self.fit.trials)
                )
            yield from fits.fit_differences(self.fit, result, bound)
            if SCORES in result.curves:
                arm = next(arm for arm in one.params.arms if arm.name == self.fit.arm)
                found = of_one_fit(arm, result.curves[SCORES])
                for place, (was, now) in enumerate(zip(self.fit.trials, found, strict=False)):
                    yield from bound.changes(*_scores(self.fit, place, was.score, now.score))
        for place, specs in self.trials.items():
            own = [results[spec.key] for spec in specs]
            score = score_of(own) if all(each.status == "ok" for each in own) else None
            bound = tolerances.bound(other, specs[0])
            yield from bound.changes(*_scores(self.fit, place, self.fit.trials[place].score, score))


def again(one: Planned, fit: Fit, *, whole: bool, draw: random.Random) -> Again:
    """Return what of a fit is computed again: itself, and one of its trials, or the ``whole`` of them."""
    pair = fit.arm, fit.seed
    if pair in one.specs:
        return Again(fit, one.specs[pair], {})
    search, chosen = one.searches[pair], best(history(fit.trials))
    places = range(len(fit.trials))
    looked = places if whole else draw.sample(places, min(1, len(places)))
    specs = {place: search.of_trial(fit.trials[place].settings) for place in looked}
    return Again(fit, None if chosen is None else search.spec(fit.trials[chosen].settings), specs)


def misfits(record: Record, one: Planned, other: Sequence[str]) -> Iterator[Difference]:
    """Yield where trials do not follow from those before them, or where another one was the best.

    What is proposed after scores that another version computed may be something else; that is not checked.
    """
    for fit in record.fits:
        search = one.searches.get((fit.arm, fit.seed))
        if search and fit.trials and not other:
            if not search.retraced(fit.trials):
                yield Difference(_where(fit), "the trials", "as they are", "others follow from their scores")
            elif not search.taken(fit.trials).items() <= fit.metrics.items():
                yield Difference(_where(fit), "the choice", "as it is", "another trial was the best")


def _scores(
    fit: Fit, place: int, was: float | None, now: float | None
) -> tuple[str, dict[str, float | None], dict[str, float | None]]:
    name = f"score of trial {place + 1}"
    return _where(fit), {name: was}, {name: now}


def _where(fit: Fit) -> str:
    return f"{fit.arm}, seed {fit.seed}"
