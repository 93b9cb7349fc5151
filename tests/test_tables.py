"""Tables for reading say what the record says."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html

from studylib.compare import means, summary, table
from studylib.records import Fit, Record


def record(metric: str, arms: dict[str, list[float]]) -> Record:
    """Make a record of two arms and an arm that no seed finished."""
    fits = [Fit(arm, seed, metrics={metric: v}) for arm, own in arms.items() for seed, v in enumerate(own)]
    params = {"metric": metric, "smallest_effect": 0.005, "arms": {arm: {} for arm in [*arms, "wild"]}}
    lost = Fit("wild", 0, "diverged", reason="the loss was inf")
    return Record("vision", "made up", params, {"unit": "kg"}, (*fits, lost), {})


ACCURACY = record("test_accuracy", {"none": [0.90, 0.91, 0.92, 0.90], "mixup": [0.93, 0.935, 0.95, 0.93]})


def test_a_summary_has_the_arms_and_verdicts_of_the_table_in_their_order() -> None:
    """Formatting changes neither the order of the arms nor a verdict."""
    numbers, shown = table(ACCURACY), summary(ACCURACY)

    assert list(shown.index) == list(numbers["arm"])
    assert list(shown["verdict"]) == list(numbers["verdict"])
    assert list(shown.columns)[-1] == "verdict"


def test_a_summary_speaks_in_the_unit_of_the_reader() -> None:
    """Shares are percent, their differences points, and the baseline has no difference."""
    shown = summary(ACCURACY)

    assert shown.loc["mixup", "test accuracy"] == "93.6 %"
    assert str(shown.loc["mixup", "difference (points)"]) == "2.9"
    assert (shown.loc["none", ["difference (points)", "95 % interval", "wins"]] == "").all()


def test_an_arm_that_never_finished_says_so() -> None:
    """No number stands where there is none."""
    shown = summary(ACCURACY)

    assert shown.loc["wild", "test accuracy"] == "no fit finished"
    assert "nan" not in shown.to_string()
    assert "inf" not in shown.to_string()


def test_a_p_value_too_small_to_tell_is_bounded_not_zero() -> None:
    """No table claims a probability of nothing."""
    rmse = {"none": [5.0, 5.1, 5.2, 5.3, 5.4], "ridge": [3.0, 3.101, 3.202, 3.299, 3.398]}
    sure = record("test_rmse", rmse)

    assert summary(sure).loc["ridge", "p (Holm)"] == "< 0.001"


def test_a_finding_shows_an_arm_of_any_name_as_it_is_written() -> None:
    """Markdown renders the escaped headline to the very text of the headline."""
    name = "*a* _b_ `c` [d](e) ![f](g) <img src=h> # | ~~i~~ $j$ &amp; \\k"
    text = f"{name} raised the test accuracy."
    page = BeautifulSoup(markdown2html(replace(ACCURACY, headline=text).finding()), "html.parser")

    assert page.get_text().strip() == text
    assert [tag.name for tag in page.find_all()] == ["p"]


def test_without_a_metric_means_are_those_of_what_decides() -> None:
    """On each part of the rows where it was measured; a notebook need not know what decides."""
    fits = tuple(
        replace(fit, metrics={**fit.metrics, "train_accuracy": 1.0, "nonzeros": 9.0, "test_nll": 0.5})
        for fit in ACCURACY.fits
    )

    assert list(means(replace(ACCURACY, fits=fits))) == ["train accuracy", "test accuracy", "nonzeros"]


def test_means_are_the_means_of_the_finished_fits() -> None:
    """Every number of the table is the mean over seeds, and an arm without any has none."""
    shown = means(ACCURACY, "test_accuracy")["test accuracy"]

    assert float(shown["none"]) == round(fmean([0.90, 0.91, 0.92, 0.90]), 4)
    assert shown["wild"] == ""
