"""Runs that differ in the number of train rows alone are laid side by side, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from over_many import SIZES, run, sizes
from scipy.stats import ttest_ind

from studylib.compare.pairing import values
from studylib.compare.sizes import growths
from studylib.figures.sizes import draw_sizes
from studylib.pages import sizes_page
from studylib.records import Record


def changed(record: Record, **params: Any) -> Record:
    """Return a record with other parameters."""
    return replace(record, params={**record.params, **params})


def test_runs_of_one_dataset_are_ordered_by_their_train_rows() -> None:
    """Whatever their names, and with what else differs said."""
    [found] = growths(reversed(sizes()))

    assert found.rows == SIZES
    assert found.arms == ("none", "cutout", "batch norm", "dropout")
    assert found.differing == ("epochs",)


def test_what_differs_otherwise_is_not_laid_side_by_side() -> None:
    """Another dataset, model, metric or baseline, a smoke run, another suite, or one size alone."""
    few, *_, many = sizes()
    others = [
        replace(many, study="text"),
        changed(many, model={"name": "mlp"}),
        changed(many, metric="test_nll"),
        changed(many, dataset={"name": "digits"}),
        changed(many, arms={"cutout": {}, "none": {}, "batch norm": {}, "dropout": {}}),
        replace(many, run="quick-fashion_mnist-full"),
        replace(many, run="smoke"),
        replace(many, dataset={**many.dataset, "split": few.dataset["split"]}),
    ]

    assert [growths([few, other]) for other in others] == [[]] * len(others)


def test_runs_of_ones_own_are_laid_beside_each_other() -> None:
    """``studylib run vision --set dataset.train=300 --name more`` beside the default run."""
    dataset = {"name": "digits", "train": 150}
    own = [
        run("vision", "default", dataset, {"none": 0.8, "mixup": 0.82}, train=150),
        run("vision", "more", {**dataset, "train": 300}, {"none": 0.85, "mixup": 0.86}, train=300),
    ]

    assert [one.rows for one in growths(own)] == [(150, 300)]


def test_an_arm_counts_if_it_is_of_the_same_techniques_at_each_size() -> None:
    """Its strength may be another one, and that is said."""
    few, *_, many = sizes()
    weaker = {**few.params["arms"], "cutout": {"cutout": {"size": 3}}, "dropout": {"l2": {"strength": 1}}}
    stronger = {**many.params["arms"], "cutout": {"cutout": {"size": 9}}}
    [found] = growths([changed(few, arms=weaker), changed(many, arms=stronger)])

    assert found.arms == ("none", "cutout", "batch norm")
    assert found.differing == ("epochs", "settings of cutout")


def test_the_change_of_a_gain_is_that_of_welch() -> None:
    """Two samples of paired differences, drawn apart: mean, interval and p are SciPy's."""
    [found] = growths(sizes())
    arms = [
        [np.array([*values(record, arm, "test_accuracy").values()]) for arm in ("cutout", "none")]
        for record in (found.records[0], found.records[-1])
    ]
    gains = [arm - baseline for arm, baseline in arms]
    peer = ttest_ind(gains[1], gains[0], equal_var=False)
    change = found.changes()["cutout"].interval

    assert change.mean == pytest.approx(gains[1].mean() - gains[0].mean())
    assert change.p == pytest.approx(peer.pvalue)
    assert (change.low, change.high) == pytest.approx(tuple(peer.confidence_interval(0.95)))


def test_the_sentence_says_what_the_seeds_show_and_no_more() -> None:
    """Whose gain shrinks is named; where the seeds do not tell, that is said."""
    [found] = growths(sizes())
    [flat] = growths(
        [run("vision", f"a{n}", {"name": "x"}, {"none": 0.8, "l2": 0.8}, train=n) for n in (9, 99)]
    )

    assert found.sentence() == (
        "From 1 000 to 50 000 train rows, what an arm gains in test accuracy over none became smaller for"
        " cutout; for 2 of 3 arms these seeds do not tell."
    )
    assert flat.sentence() == (
        "From 9 to 99 train rows, these seeds do not show that what an arm gains in test accuracy over none"
        " changes."
    )


def test_the_page_has_each_size_with_its_verdict_and_the_same_bytes_each_time() -> None:
    """A row per arm, a cell per size, a link to each run, and the picture in words."""
    [found] = growths(sizes())
    picture = draw_sizes(found)
    hrefs = {"vision/benchmark-fashion_mnist-1000": "vision/benchmark-fashion_mnist-1000.html"}
    page = sizes_page([(found, picture)], hrefs, command="studylib report", commit="5e613c0a1b2c")
    html = page.decode()

    assert page == sizes_page(
        [(found, draw_sizes(found))], hrefs, command="studylib report", commit="5e613c0a1b2c"
    )
    assert html.count('<span class="chip better">') == 1 + 4 + sum(
        c.verdict == "better" for c in found.contrasts("cutout")
    )
    assert '<a href="./vision/benchmark-fashion_mnist-1000.html">' in html
    assert "80.1 at 1000" in picture.alt or "80 at 1000" in picture.alt or " at 1000" in picture.alt
    assert picture.data is not None
    assert len(picture.data.rows) == len(found.arms) * len(SIZES)
