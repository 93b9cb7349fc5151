"""Laws of every technique at prediction: maps fitted to validation rows, and averages over passes."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TypeVar

import numpy as np
import pytest
import torch
from scipy import optimize, special
from torch import Tensor
from torch.nn import functional

from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import Calibration, Prediction, Sampling, Site
from studylib.regularizers.dropout import Dropout
from studylib.regularizers.mc_dropout import McDropout
from studylib.regularizers.temperature_scaling import TemperatureScaling
from studylib.seeds import Noise

P = TypeVar("P", bound=Prediction)

MOST = 100.0
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def every(argument: str, kind: type[P]) -> pytest.MarkDecorator:
    """Return the mark that runs a test over the folder's examples of one kind."""
    of_kind = [e for e in EXAMPLES.values() if isinstance(e, kind)]
    return pytest.mark.parametrize(argument, of_kind, ids=lambda e: e.name)


def scored(
    seed: int, rows: int = 200, classes: int = 5, size: float = 3.0, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    """Return scores of that size, and classes drawn from their softmax at a fifth of the size."""
    generator = torch.Generator().manual_seed(seed)
    z = size * torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    y = torch.multinomial((z / 5).softmax(dim=1), 1, generator=generator)[:, 0]
    return z.to(dtype), y


def loss(scores: Tensor, y: Tensor) -> float:
    """Return the cross-entropy in float64."""
    return float(functional.cross_entropy(scores.double(), y))


def temperature(z: Tensor, y: Tensor) -> float:
    """Return the T of temperature scaling."""
    return float(TemperatureScaling(most=MOST).temperature(z, y))


# calibration


@every("calibration", Calibration)
@DTYPES
@pytest.mark.parametrize("rows", [1, 2, 50])
def test_a_calibration_is_never_worse_where_it_was_fitted(
    calibration: Calibration, dtype: torch.dtype, rows: int
) -> None:
    """Scores keep shape and type, stay finite, and their loss on the validation rows does not rise."""
    for seed in range(10):
        z, y = scored(seed, rows, dtype=dtype)
        before = z.clone()
        after = calibration.fitted(z, y)(z)

        assert torch.equal(z, before)
        assert (after.shape, after.dtype) == (z.shape, dtype)
        assert after.isfinite().all()
        assert loss(after, y) <= loss(z, y) + 1e-6


@every("calibration", Calibration)
@DTYPES
def test_calibrations_under_vmap_are_those_one_by_one(calibration: Calibration, dtype: torch.dtype) -> None:
    """Three replicas at once get the scores that each gets alone."""
    replicas = [scored(seed, dtype=dtype) for seed in range(3)]
    z, y = (torch.stack(parts) for parts in zip(*replicas, strict=True))
    new = torch.stack([scored(seed, 7, dtype=dtype)[0] for seed in range(3, 6)])

    def fitted(z: Tensor, y: Tensor, new: Tensor) -> Tensor:
        return calibration.fitted(z, y)(new)

    together = torch.func.vmap(fitted)(z, y, new)
    alone = torch.stack([fitted(*parts) for parts in zip(z, y, new, strict=True)])

    torch.testing.assert_close(together, alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [3.0, 10.0, 30.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_temperature_scaling_finds_the_minimum_that_scipy_finds(size: float, classes: int) -> None:
    """T is that of SciPy's bounded minimiser to a millionth, and the slope has its root there."""
    for seed in range(5):
        z, y = scored(seed, 1000, classes, size)
        scores, own = z.numpy(), z.numpy()[np.arange(len(y)), y]

        def value(log_t: float, scores: np.ndarray = scores, own: np.ndarray = own) -> float:
            t = np.exp(log_t)
            return float(np.mean(special.logsumexp(scores / t, axis=1) - own / t))

        def slope(log_t: float, scores: np.ndarray = scores, own: np.ndarray = own) -> float:
            p = special.softmax(scores / np.exp(log_t), axis=1)
            return float(np.mean((p * scores).sum(axis=1) - own))

        bounds = (-log(MOST), log(MOST))
        least = optimize.minimize_scalar(value, bounds=bounds, method="bounded", options={"xatol": 1e-10})
        found = temperature(z, y)

        assert found == pytest.approx(np.exp(least.x), rel=1e-6)
        assert found == pytest.approx(np.exp(optimize.brentq(slope, *bounds, xtol=1e-14)), rel=1e-9)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.0, 8.0])
def test_temperature_scaling_finds_the_temperature_that_rows_were_drawn_with(true: float) -> None:
    """For classes drawn from softmax(z) and scores true·z, T is ``true`` within five standard errors."""
    generator = torch.Generator().manual_seed(7)
    z = 2 * torch.randn(20_000, 4, generator=generator, dtype=torch.float64)
    p = z.softmax(dim=1)
    y = torch.multinomial(p, 1, generator=generator)[:, 0]
    variance = (p * z.square()).sum(dim=1) - (p * z).sum(dim=1).square()  # Fisher information of log T at 1
    error = 1 / sqrt(float(variance.sum()))

    assert log(temperature(true * z, y)) == pytest.approx(log(true), abs=5 * error)


@DTYPES
def test_temperature_scaling_changes_no_decision(dtype: torch.dtype) -> None:
    """Neighbouring floats stay apart, ties stay ties, and so the largest score stays where it was."""
    z, y = scored(1, dtype=dtype)
    z[:, 1] = torch.nextafter(z[:, 0], torch.tensor(inf, dtype=dtype))
    z[:50, 2] = z[:50].amax(dim=1)
    after = TemperatureScaling().fitted(z, y)(z)

    assert torch.equal(after.argmax(dim=1), z.argmax(dim=1))
    assert torch.equal(after == after.amax(dim=1, keepdim=True), z == z.amax(dim=1, keepdim=True))


def test_rows_that_say_nothing_of_the_temperature_have_one_all_the_same() -> None:
    """Right everywhere is 1/most, wrong everywhere most; what no T can change leaves it at 1."""
    scores = torch.tensor([[1.0, 0.0, -2.0], [0.5, 3.0, 0.0]], dtype=torch.float64)
    right, wrong = torch.tensor([0, 1]), torch.tensor([2, 2])
    alike = torch.full((2, 3), 0.1, dtype=torch.float64)

    assert temperature(scores, right) == pytest.approx(1 / MOST)
    assert temperature(scores[:1], right[:1]) == pytest.approx(1 / MOST)
    assert temperature(10 * scores, right) == pytest.approx(1 / MOST)  # where the slope is 0 long before
    assert temperature(scores, wrong) == pytest.approx(MOST)
    assert temperature(scores[:1], wrong[:1]) == pytest.approx(MOST)
    assert temperature(alike, right) == 1
    assert temperature(1e6 * scores, right) == 1  # the loss is 0 already


@DTYPES
def test_temperature_scaling_survives_enormous_scores(dtype: torch.dtype) -> None:
    """Scores of ±10³⁰, right or wrong, are mapped to finite probabilities that sum to 1."""
    z, y = scored(2, dtype=dtype)
    after = TemperatureScaling().fitted(1e30 * z, y)(1e30 * z).softmax(dim=1)

    torch.testing.assert_close(after.sum(dim=1), torch.ones(len(z), dtype=dtype))


# sampling


def passes(samples: int, classes: int, dtype: torch.dtype = torch.float64, size: float = 3.0) -> Tensor:
    """Return outputs (samples, 6, classes) that are the same in every test."""
    generator = torch.Generator().manual_seed(3)
    return (size * torch.randn(samples, 6, classes, generator=generator, dtype=torch.float64)).to(dtype)


@every("sampling", Sampling)
@DTYPES
@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_one_pass_or_many_alike_predict_what_the_pass_does(
    sampling: Sampling, dtype: torch.dtype, outputs: int
) -> None:
    """Outputs keep shape and type; equal passes have the probabilities, and the values, of one of them."""
    one = passes(1, outputs, dtype)
    for samples in (1, 8):
        many = one.expand(samples, -1, -1)
        scores, values = sampling.combined(many), sampling.averaged(many)

        assert (scores.shape, scores.dtype) == (values.shape, values.dtype) == (one[0].shape, dtype)
        torch.testing.assert_close(scores.softmax(dim=1), one[0].softmax(dim=1))
        torch.testing.assert_close(values, one[0])


@every("sampling", Sampling)
@DTYPES
@pytest.mark.parametrize("classes", [2, 5])
def test_the_order_of_passes_and_the_size_of_scores_do_not_matter(
    sampling: Sampling, dtype: torch.dtype, classes: int
) -> None:
    """Passes in reverse give the same; scores of thousands give finite outputs that sum to 1."""
    outputs = passes(9, classes, dtype)
    large = sampling.combined(1000 * outputs)

    torch.testing.assert_close(sampling.combined(outputs.flip(0)), sampling.combined(outputs))
    torch.testing.assert_close(sampling.averaged(outputs.flip(0)), sampling.averaged(outputs))
    assert large.isfinite().all()
    torch.testing.assert_close(large.softmax(dim=1).sum(dim=1), torch.ones(6, dtype=dtype))


@every("sampling", Sampling)
def test_samplings_under_vmap_are_those_one_by_one(sampling: Sampling) -> None:
    """Three replicas at once get the outputs that each gets alone."""
    replicas = torch.stack([passes(5, 4, size=size) for size in (0.5, 2.0, 9.0)])
    for made in (sampling.combined, sampling.averaged):
        torch.testing.assert_close(torch.func.vmap(made)(replicas), torch.stack(list(map(made, replicas))))


@DTYPES
@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_mc_dropout_is_the_mean_of_probabilities_or_of_values(dtype: torch.dtype, outputs: int) -> None:
    """The softmax of what comes out is the mean softmax over passes by NumPy, and it is normalised itself."""
    drawn = passes(30, outputs, dtype)
    made = (McDropout().combined, McDropout().averaged)
    combined, averaged = (one(drawn).double().numpy() for one in made)
    plain = drawn.double().numpy()
    atol = 1e-5 if dtype == torch.float32 else 1e-12
    expected = np.log(special.softmax(plain, axis=2).mean(axis=0))

    np.testing.assert_allclose(averaged, plain.mean(axis=0), rtol=1e-5, atol=atol)
    np.testing.assert_allclose(combined, expected, rtol=1e-5, atol=atol)
    np.testing.assert_allclose(np.exp(combined).sum(axis=1), 1, rtol=1e-5)


def test_mc_dropout_of_a_linear_output_is_the_output_without_dropout() -> None:
    """4000 passes of w·dropout(h) have the mean w·h within five standard errors."""
    generator = torch.Generator().manual_seed(4)
    h, w = (torch.randn(20, generator=generator, dtype=torch.float64) for _ in range(2))
    noise, site = Noise(1, "noise"), Site("hidden1", "units", 20)
    outputs = torch.stack(
        [(Dropout(rate=0.4).drop(h[None], noise, site) * w).sum(dim=1, keepdim=True) for _ in range(4000)]
    )
    error = sqrt(0.4 / 0.6 * float((h * w).square().sum()) / 4000)

    assert float(McDropout(samples=4000).averaged(outputs)) == pytest.approx(float(h @ w), abs=5 * error)
