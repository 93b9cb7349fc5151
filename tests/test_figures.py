"""Pictures show the numbers of the record, say the same in words, and are the same each time."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from math import isfinite
from statistics import fmean, stdev
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from imaginary import SEEDS, classification, forecasting, ranking, regression, tuned
from over_many import sizes
from timings import timings

from studylib import compare, figures, metrics
from studylib.compare.sizes import growths
from studylib.figures._fifths import by_fifth
from studylib.figures.augmented import draw_augmented, strip
from studylib.figures.coefficient_paths import draw_coefficient_paths, largest
from studylib.figures.differences import draw_differences, drawn_contrasts
from studylib.figures.learning_curves import MOST_POINTS, averaged, thinned
from studylib.figures.picture import Picture
from studylib.figures.reliability import draw_reliability, pooled
from studylib.figures.slim import slim
from studylib.figures.strength import draw_strength, measured
from studylib.figures.survival import draw_survival, kept
from studylib.figures.technique import draw_technique
from studylib.records import Fit, Record
from studylib.regularizers import make
from studylib.statistics import paired_interval

STRENGTHS = np.geomspace(1e-3, 10, 60)
WEIGHTS = np.linspace(-1, 1, 10)
PATHS = {
    "lasso": np.sign(WEIGHTS) * np.maximum(np.abs(WEIGHTS) - STRENGTHS[:, None], 0),
    "ridge": WEIGHTS / (1 + STRENGTHS[:, None]),
}
IMAGES = {"flip": np.zeros((4, 8, 8)), "none": np.linspace(0, 1, 256).reshape(4, 8, 8)}
WAVES = np.sin(np.arange(60) / 3 + np.arange(3)[:, None])
LOSSES = ("train_loss", "validation_loss")
LAMBDAS = {"l2": 1e-3, "dropout": 1e-2, "l2 strong": 1e-1}

DRAWINGS: dict[str, Callable[[], Picture]] = {
    "draw_augmented": lambda: draw_augmented(IMAGES),
    "draw_coefficient_paths": lambda: draw_coefficient_paths(STRENGTHS, PATHS),
    "draw_chosen": lambda: figures.draw_chosen(tuned()),
    "draw_confidences": lambda: figures.draw_confidences(classification()),
    "draw_differences": lambda: draw_differences(classification()),
    "draw_error_by_step": lambda: figures.draw_error_by_step(forecasting()),
    "draw_forecasts": lambda: figures.draw_forecasts(WAVES[:, :20], WAVES[:, 20:], {"none": WAVES[:, 19:-1]}),
    "draw_growth": lambda: figures.draw_growth(timings()),
    "draw_learning_curves": lambda: figures.draw_learning_curves(classification()),
    "draw_norms": lambda: figures.draw_norms(ranking()),
    "draw_optimism": lambda: figures.draw_optimism(tuned()),
    "draw_popularity": lambda: figures.draw_popularity(ranking()),
    "draw_activity": lambda: figures.draw_activity(ranking()),
    "draw_reliability": lambda: draw_reliability(classification()),
    "draw_sizes": lambda: figures.draw_sizes(growths(sizes())[0]),
    "draw_speeds": lambda: figures.draw_speeds(timings()),
    "draw_stability": lambda: figures.draw_stability(regression()),
    "draw_strength": lambda: draw_strength(classification(), "test_accuracy", LAMBDAS),
    "draw_survival": lambda: draw_survival(regression()),
    "draw_tuning": lambda: figures.draw_tuning(tuned()),
    "draw_technique": lambda: draw_technique(make("l1", strength=0.1)),
}
OF_NO_RECORD = {
    *(
        "draw_augmented",
        "draw_coefficient_paths",
        "draw_forecasts",
        "draw_growth",
        "draw_sizes",
        "draw_speeds",
    ),
    "draw_technique",
}
every_drawing = pytest.mark.parametrize("name", sorted(DRAWINGS))


def diverged(record: Record) -> Record:
    """Return a record of the same run in which no training came to its end."""
    fits = tuple(Fit(fit.arm, fit.seed, "diverged", reason="The loss was inf.") for fit in record.fits)
    return replace(record, fits=fits, contrasts=())


def renamed(record: Record, old: str, new: str) -> Record:
    """Return the record with another name for one arm."""
    fits = tuple(replace(fit, arm=new if fit.arm == old else fit.arm) for fit in record.fits)
    arms = {new if arm == old else arm: own for arm, own in record.params["arms"].items()}
    return compare.concluded(replace(record, fits=fits, params={**record.params, "arms": arms}))


def texts(picture: Picture) -> list[str]:
    """Return the texts that a picture shows."""
    return [
        "".join(node.itertext())
        for node in ET.fromstring(picture.svg).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314  # our own
    ]


def places(picture: Picture) -> list[float]:
    """Return the horizontal places of the marks that have a name."""
    found = re.findall(r'<g id="difference-\d+">.*?<use [^>]*?x="([\d.]+)"', picture.svg, re.DOTALL)
    return [float(x) for x in found]


def test_every_drawing_of_the_folder_is_tested_here() -> None:
    """A new file in figures/ has to be given an example above."""
    assert sorted(DRAWINGS) == sorted(set(figures.__all__) - {"Picture"})
    assert set(DRAWINGS) < set(dir(figures))


@every_drawing
def test_a_picture_is_the_same_each_time_small_and_described(name: str) -> None:
    """The same numbers give the same bytes, at most 60 kB, with a sentence for those who do not see it."""
    first, second = DRAWINGS[name](), DRAWINGS[name]()

    assert first == second
    assert len(first.svg) <= 60_000
    assert len(first.alt) > 30
    assert first.alt.rstrip()[-1] in ".?"


@every_drawing
def test_a_picture_fetches_nothing_and_runs_nothing(name: str) -> None:
    """There is no script and no reference but to parts of the picture itself."""
    root = ET.fromstring(DRAWINGS[name]().svg)  # noqa: S314  # our own
    references = [
        v for node in root.iter() for key, v in node.attrib.items() if key.endswith(("href", "src"))
    ]

    assert not [node for node in root.iter() if node.tag.endswith(("script", "foreignObject"))]
    assert not [v for v in references if not v.startswith(("#", "data:image/png;base64,"))]
    assert not [key for node in root.iter() for key in node.attrib if key.startswith("on")]


@pytest.mark.parametrize("name", sorted(set(DRAWINGS) - OF_NO_RECORD))
def test_where_nothing_finished_the_picture_says_so(name: str) -> None:
    """A study whose every fit diverged gets words in place of a drawing, not an error."""
    lost = diverged(classification())
    more = ("test_accuracy", LAMBDAS) if name == "draw_strength" else ()

    picture = getattr(figures, name)(lost, *more)

    assert " ".join(texts(picture)) == picture.alt


def test_one_lost_arm_does_not_hide_the_others() -> None:
    """Its panel says that no seed came to its end; the others are drawn."""
    record = classification()
    fits = tuple(replace(f, status="diverged", curves={}) if f.arm == "mixup" else f for f in record.fits)

    picture = draw_reliability(replace(record, fits=fits))

    assert "no seed came to the end" in texts(picture)
    assert "mixup: nothing to show." in picture.alt


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "$\\frac{1", "a&b'\"", "λ " * 30, "nul\x00\x1b[1m"]
)
def test_any_name_of_an_arm_is_drawn_as_text(name: str) -> None:
    """Names are neither markup nor formulas, and signs that XML cannot hold are left out."""
    record = renamed(classification(), "dropout", name)

    shown = texts(draw_differences(record))

    assert any(text.strip() and name.startswith(text.strip().rstrip("…")[:3]) for text in shown)


def test_marks_stand_where_the_differences_are() -> None:
    """Places on the page are one affine map of the numbers in the record, best arm on top."""
    record = classification()
    rows = drawn_contrasts(record, "test_accuracy")
    x = np.array(places(draw_differences(record)))
    differences = np.array([row.difference for row in rows])
    slope, start = np.polyfit(differences, x, 1)

    assert set(rows) == set(record.contrasts)
    assert list(differences) == sorted(differences, reverse=True)
    assert np.abs(slope * differences + start - x).max() < 0.11  # of a point: coordinates have one decimal
    assert slope > 0


def test_lower_is_better_turns_the_order() -> None:
    """For an error the arm with the lowest difference comes first, and the axis says which way is better."""
    picture = draw_differences(classification(), "test_ece")

    assert places(picture) == sorted(places(picture))
    assert any(text.startswith("← better") for text in texts(picture))
    assert not any("Grey band" in text for text in texts(picture))


def test_each_verdict_has_its_own_sign_beside_its_colour() -> None:
    """Whoever sees no colours tells the verdicts by mark and word."""
    from studylib.figures.differences import MARKS

    assert len({(marker, face == edge) for marker, edge, face in MARKS.values()}) == len(MARKS)
    assert {"better", "worse", "equivalent"} <= set(texts(draw_differences(classification())))


def test_a_curve_is_averaged_over_the_seeds_still_training() -> None:
    """Means and standard errors by hand, for seeds that stop early; the line ends where half of them have."""
    lengths = {"a": [1.0, 2.0, 3.0, 9.0], "b": [3.0, 4.0, 5.0], "c": [5.0, 9.0]}
    average = averaged(
        [Fit("x", k, curves={"train_loss": v}) for k, v in enumerate(lengths.values())], "train_loss"
    )

    assert average is not None
    assert average.mean.tolist() == pytest.approx([3, 5, 4])
    assert average.error.tolist() == pytest.approx([2 / 3**0.5, stdev([2, 4, 9]) / 3**0.5, 1])
    assert average.epochs.tolist() == [1, 2, 3]


@pytest.mark.parametrize("epochs", [1, 2, MOST_POINTS, MOST_POINTS + 1, 1000])
def test_a_long_curve_keeps_its_first_and_its_last_point(epochs: int) -> None:
    """What a training ends with is what matters most."""
    kept = thinned(epochs)

    assert (kept[0], kept[-1], len(kept)) == (0, epochs - 1, min(epochs, MOST_POINTS))


def test_pooled_bins_are_the_bins_of_all_predictions_together() -> None:
    """Pooling the bins of the seeds loses nothing but the seeds."""
    rng = np.random.default_rng(0)
    seeds = [
        (rng.dirichlet(np.ones(4) / 2, size=50 + 10 * k), rng.integers(0, 4, 50 + 10 * k)) for k in range(3)
    ]
    binned = [metrics.calibration_bins(*seed) for seed in seeds]
    fits = [
        Fit("x", k, curves={f"calibration_{name}": v for name, v in bins.items()})
        for k, bins in enumerate(binned)
    ]
    whole = metrics.calibration_bins(*(np.concatenate(part) for part in zip(*seeds, strict=True)))

    bins = pooled(fits)

    assert bins is not None
    assert (bins.share * sum(whole["count"])).tolist() == pytest.approx(whole["count"])
    assert np.nan_to_num(bins.accuracy).tolist() == pytest.approx(whole["accuracy"])
    assert np.nan_to_num(bins.confidence).tolist() == pytest.approx(whole["confidence"])
    labels = [y for _, y in seeds]
    right = [p.argmax(1) == y for (p, _), y in zip(seeds, labels, strict=True)]
    assert bins.means[1] == pytest.approx(np.concatenate(right).mean())


def test_the_interval_of_a_bin_is_that_of_the_seeds_where_they_count_the_same() -> None:
    """With equal counts the ratio estimator is the mean, and its interval Student's over the seeds."""
    accuracies = [0.5, 0.7, 0.9, 0.6]
    same = {"calibration_count": [10.0], "calibration_confidence": [0.8]}
    fits = [Fit("x", k, curves={**same, "calibration_accuracy": [a]}) for k, a in enumerate(accuracies)]
    one = paired_interval(accuracies)

    bins = pooled(fits)

    assert bins is not None
    assert bins.accuracy[0] == pytest.approx(one.mean)
    assert bins.error[0] == pytest.approx(one.high - one.mean)


def test_survival_is_the_share_of_seeds_that_keep_a_feature() -> None:
    """The lasso of the example drops the last two of five features in every seed, the others none."""
    names = ["age", "sex", "bmi", "bp", "s1"]

    table = kept(regression(), ("none", "l1"), names)

    assert table.to_numpy().tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert (list(table.index), list(table.columns)) == (["none", "l1"], names)
    assert "l1 always keeps 3 of 5 features (age, sex, bmi)." in draw_survival(regression(), names=names).alt


def test_strengths_are_drawn_in_order_with_the_mean_of_their_seeds() -> None:
    """Arms without a strength are the baseline's band, arms without a finished fit are named below."""
    record = classification()
    points = measured(record, "test_accuracy", {**LAMBDAS, "none": 0.0})
    mean = fmean(fit.metrics["test_accuracy"] for fit in record.finished("dropout"))
    fits = tuple(fit for fit in record.fits if fit.arm != "l2")

    lost = draw_strength(replace(record, fits=fits), "test_accuracy", LAMBDAS)

    assert [(arm, strength) for arm, strength, _ in points] == [
        ("l2", 1e-3),
        ("dropout", 1e-2),
        ("l2 strong", 0.1),
    ]
    assert points[1][2].mean == pytest.approx(mean)
    assert "Without a finished fit: l2." in " ".join(texts(lost))
    assert "0.001" not in texts(lost)


def test_popularity_is_averaged_bin_by_bin() -> None:
    """The mean over the seeds of each fifth of the items."""
    record = ranking()
    curves = [fit.curves["recall_by_popularity"] for fit in record.finished("l2")]

    found = [one.mean for one in by_fifth(record, "l2", "recall_by_popularity")]

    assert len(curves) == SEEDS
    assert found == pytest.approx(np.mean(curves, axis=0).tolist())


def test_the_largest_coefficients_get_the_names() -> None:
    """Ten features, eight colours: the two in the middle stay grey."""
    assert sorted(largest(PATHS)) == [0, 1, 2, 3, 6, 7, 8, 9]


def test_images_stand_side_by_side_unchanged() -> None:
    """Every pixel is where it belongs, with one empty column between two images."""
    row = strip(IMAGES["none"])

    assert row.shape == (8, 4 * 9 - 1)
    assert (row[:, 9:17] == IMAGES["none"][1]).all()
    assert np.isnan(row[:, 8]).all()


def test_colours_stand_side_by_side_unchanged() -> None:
    """Every pixel has its colour and is opaque; nothing is drawn between two images."""
    images = np.random.default_rng(0).random((3, 5, 4, 3))
    row = strip(images)

    assert row.shape == (5, 3 * 5 - 1, 4)
    assert (row[:, 5:9, :3] == images[1]).all()
    assert (row[:, 5:9, 3] == 1).all()
    assert (row[:, 4] == 0).all()
    assert draw_augmented({"none": images, "flip": images[:, :, ::-1]}).alt.startswith("3 images in a row")


def test_a_notebook_shows_the_picture_and_keeps_its_words() -> None:
    """Both come in one bundle with the numbers, so that a page made of the notebook has all three."""
    bundle = draw_differences(classification())._repr_mimebundle_()

    assert set(bundle) == {"image/svg+xml", "text/plain", "text/csv"}
    assert "dropout +2.27 (+2.16 to +2.38), better" in bundle["text/plain"]


@pytest.mark.parametrize("name", sorted(set(DRAWINGS) - {"draw_technique"}))
def test_a_picture_carries_the_numbers_that_it_draws(name: str) -> None:
    """Every row fills every column, names are unique, and the file says the same to five digits."""
    data = DRAWINGS[name]().data
    assert data is not None
    header, *rows = csv.reader(StringIO(data.csv()))

    assert len(set(header)) == len(header)
    assert header == list(data.columns)
    assert len(rows) == len(data.rows) > 0
    for written, row in zip(rows, data.rows, strict=True):
        for text, cell in zip(written, row, strict=True):
            if isinstance(cell, float) and isfinite(cell):
                assert float(text) == pytest.approx(cell, rel=5.1e-5)
            else:
                assert text == ("" if cell is None or isinstance(cell, float) else str(cell))


def test_the_numbers_of_the_differences_are_those_of_the_record() -> None:
    """Bit by bit: difference, interval, p, verdict and pairs of each arm, in points."""
    record = classification()
    data = draw_differences(record).data
    assert data is not None

    assert {row[0]: tuple(row[1:]) for row in data.rows} == {
        c.arm: (100 * c.difference, 100 * c.low, 100 * c.high, c.p_holm, c.verdict, c.pairs)
        for c in record.contrasts
    }
    assert data.columns[1] == "difference in test accuracy (points)"


def test_the_numbers_of_the_curves_are_means_over_the_fits_of_the_record() -> None:
    """Mean and standard error by hand, at the first and the last epoch that are drawn."""
    record = classification()
    data = figures.draw_learning_curves(record).data
    assert data is not None
    for arm, epoch, *numbers in (data.rows[0], data.rows[29]):
        losses = [[f.curves[k][int(str(epoch)) - 1] for f in record.finished("none")] for k in LOSSES]

        assert arm == "none"
        assert numbers == pytest.approx(
            [part for own in losses for part in (fmean(own), stdev(own) / len(own) ** 0.5)]
        )
    assert data.rows[29][1] == 30


def test_the_numbers_of_bins_recalls_norms_and_features_are_those_of_the_record() -> None:
    """What is drawn of each is what is averaged over the seeds of the record."""
    bins, shares = pooled(classification().finished("none")), draw_reliability(classification()).data
    recalls, kept_ones = figures.draw_popularity(ranking()).data, draw_survival(regression()).data
    norms = figures.draw_norms(ranking()).data
    assert bins
    assert shares
    assert recalls
    assert kept_ones
    assert norms

    last = [row for row in shares.rows if row[0] == "none"][-1]
    assert last[1:] == pytest.approx(
        [100 * x[-1] for x in (bins.confidence, bins.accuracy, bins.error, bins.share)]
    )
    assert [row[2] for row in recalls.rows if row[0] == "l2"] == pytest.approx(
        [100 * one.mean for one in by_fifth(ranking(), "l2", "recall_by_popularity")]
    )
    assert [list(row[1:]) for row in kept_ones.rows] == kept(
        regression(), ("none", "l2", "l1")
    ).to_numpy().tolist()
    assert norms.rows[0][2] == pytest.approx(fmean(f.metrics["row_norm"] for f in ranking().finished("none")))


def test_a_slim_drawing_goes_through_the_same_points() -> None:
    """Steps from point to point add up to the places that Matplotlib wrote, to a tenth of a point."""
    points = np.random.default_rng(0).uniform(-300, 300, (200, 2)).round(1)
    path = "".join(f"{'L' if k else 'M'}{x} {y}" for k, (x, y) in enumerate(points))

    found = re.search(r'd="M([^l]*)l([^"]*)"', slim(f'<svg><path d="{path}"/></svg>'))

    assert found
    steps = [float(n) for n in re.findall(r"-?\d*\.?\d+", f"{found[1]} {found[2]}")]
    assert np.cumsum(np.reshape(steps, (-1, 2)), axis=0) == pytest.approx(points, abs=0.051)


def test_a_name_that_looks_like_drawing_stays_a_name() -> None:
    """What makes a drawing smaller touches tags alone: texts are shown letter by letter."""
    name = 'L1 2L3 4" style="a" id="b_1'

    assert name[:20] in " ".join(texts(draw_differences(renamed(classification(), "dropout", name))))


def test_drawing_leaves_the_reader_s_own_settings_alone() -> None:
    """The house style holds inside a drawing, whatever was set before, and nowhere else."""
    expected = draw_differences(classification())
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        drawn = draw_differences(classification())

        assert dict(mpl.rcParams) == before
    assert drawn == expected


def test_the_folder_is_listed_without_loading_matplotlib() -> None:
    """A notebook that asks for one drawing waits for no other."""
    program = (
        "import sys, studylib.figures as f; print('draw_norms' in f.__all__, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "True False"
    with pytest.raises(AttributeError, match="draw_nothing"):
        _ = figures.draw_nothing
