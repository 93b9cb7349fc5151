"""What a page and a check say of tuning: what was tried and chosen, where to doubt it, and if it is true."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from imaginary import classification, tuned
from test_tuning import run, small

from studylib import executors, needs, study
from studylib.checks import trials
from studylib.compare.tuning import optimism
from studylib.compare.tuning import tuned as of_record
from studylib.contents import Contents
from studylib.pages import tuning
from studylib.pages.drawings import Origin

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from studylib.records import Record

ORIGIN = Origin("tabular", "default", "studylib run tabular")


def test_the_page_says_what_was_tried_what_was_chosen_and_what_to_doubt() -> None:
    """Method, trials and ranges of each arm; choices with their counts; ends of ranges; a hedged sentence."""
    section = tuning.tuned_of(tuned(), ORIGIN)
    assert section is not None

    assert "every combination of a grid was tried: 4 trials per arm, the same for every arm" in section.method
    assert "8 trials came to no end, and were passed over." in section.method
    assert "<td>not tuned</td>" in section.table
    assert "10 (8)" in section.table
    assert [line.split(":")[0] for line in section.warnings] == ["ridge", "net"]
    assert "at the high end, 10, in 8 of 8 seeds. A larger value may do better" in section.warnings[0]
    assert "beyond doubt, in ridge (by 0.05)" in section.optimism
    assert "the arms that were not tuned show how much" in section.optimism
    for figure in (section.chosen, section.curves, section.gaps):
        assert "<figure><img " in figure
        assert 'alt="' in figure


def test_a_page_without_tuning_says_nothing_of_it() -> None:
    """Nor does one of a record that is older than trials."""
    assert not tuning.has(classification())
    assert tuning.tuned_of(classification(), ORIGIN) is None


def test_optimism_is_test_loss_less_the_score_that_chose() -> None:
    """Per seed, and for an arm that was not tuned less its validation loss."""
    record = tuned()
    for one, arm in zip(of_record(record), record.arms, strict=True):
        gaps = [optimism(fit) for fit in record.finished(arm)]
        assert one.optimism is not None
        assert abs(one.optimism.mean - sum(gaps) / len(gaps)) < 1e-12
    assert abs(optimism(record.finished("ridge")[0]) - 0.05) < 1e-12


def test_a_changed_score_or_choice_is_found(tmp_path: Path) -> None:
    """Trials are computed again; proposals and choices are drawn again from the scores as they stand."""
    params = small({"none": {}, "l2": {"l2": {"strength": {"low": 1e-4, "high": 1.0}}}})
    params = params.model_copy(
        update={"tuning": params.tuning.model_copy(update={"method": "tpe", "trials": 12})}
    )
    record, _ = run(params, tmp_path)
    with ThreadPoolExecutor(1) as here:
        [one] = study.planned([params], here, Contents(tmp_path))

    def found(of: Record) -> set[str]:
        again = trials.again(one, of.fits[2], whole=False, draw=random.Random(1))
        results = {spec.key: executors.compute_one(spec) for spec in again.specs}
        differences = [*again.differences(one, results, []), *trials.misfits(of, one, [])]
        return {difference.what for difference in differences}

    def with_trial(place: int, score: float) -> Record:
        own = list(record.fits[2].trials)
        own[place] = replace(own[place], score=score)
        fits = list(record.fits)
        fits[2] = replace(fits[2], trials=tuple(own))
        return replace(record, fits=tuple(fits))

    drawn = random.Random(1).sample(range(12), 1)[0]
    assert found(record) == set()
    assert f"score of trial {drawn + 1}" in found(with_trial(drawn, 9.0))
    worst = max(range(12), key=lambda place: record.fits[2].trials[place].score or 0.0)
    assert found(with_trial(worst, -9.0)) & {"the choice", "the trials"}


def test_the_fits_of_trials_are_needed_by_their_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pruned is not what the next report would look for."""
    monkeypatch.chdir(tmp_path)
    record, _ = run(small({"none": {}, "l2": {"l2": {"strength": [1e-4, 1.0]}}}), tmp_path / "store")
    record.save(tmp_path / "reports" / "vision" / "mine.json")
    keys = {key for fit in record.fits for trial in fit.trials for key in trial.keys}

    assert len(keys) == 4
    assert keys <= needs.of_records(tmp_path / "store").keys
