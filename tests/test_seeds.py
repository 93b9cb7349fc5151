"""Randomness: streams made of a seed and a purpose, and no hand on the global generators."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
import torch

from studylib.seeds import Noise, derive, initialising, numpy_generator, repeatable

PURPOSES = ("split", "init", "order", "noise/dropout", "noise/mixup")
PAIRS = [(seed, purpose) for seed in range(200) for purpose in PURPOSES]


def draws(noise: Noise, like: torch.Tensor) -> list[torch.Tensor]:
    """Return one draw of every kind."""
    return [
        noise.uniform(5, like=like),
        noise.normal(5, like=like),
        noise.keep(5, rate=0.5, like=like),
        noise.integers(0, 9, 5, like=like),
        noise.permutation(5, like=like),
        noise.beta(0.4, like=like),
    ]


def test_a_gpu_is_held_to_one_order_and_let_go_again() -> None:
    """Within, torch takes kernels that give the same bits twice; afterwards what it took before."""
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic
    with repeatable("cuda"):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.backends.cudnn.deterministic
    with repeatable("cpu"):
        assert torch.are_deterministic_algorithms_enabled() == before[0]

    assert (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic) == before


def test_derived_seeds_are_63_bit_and_all_different() -> None:
    """A thousand pairs of seed and purpose give a thousand numbers that every generator takes."""
    derived = {derive(seed, purpose) for seed, purpose in PAIRS}

    assert len(derived) == len(PAIRS)
    assert all(0 <= number < 2**63 for number in derived)


def test_a_derived_seed_is_the_same_in_every_process() -> None:
    """Unlike hash(), it does not depend on the process; a record can be verified tomorrow."""
    program = "from studylib.seeds import derive; print(derive(7, 'split'))"
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert int(elsewhere.stdout) == derive(7, "split")


def test_seed_and_purpose_cannot_be_confused() -> None:
    """Seed 1 with purpose 2 is not seed 12 with none."""
    assert derive(1, "2") != derive(12, "")
    assert derive(1, "2/3") != derive(1, "2") != derive(2, "3")


def test_numpy_streams_repeat_and_differ() -> None:
    """The same pair gives the same numbers; streams of other pairs are uncorrelated."""
    streams = [numpy_generator(seed, purpose).normal(size=4000) for seed in (0, 1) for purpose in PURPOSES]

    assert np.array_equal(streams[0], numpy_generator(0, PURPOSES[0]).normal(size=4000))
    assert max(abs(np.corrcoef(a, b)[0, 1]) for a, b in combinations(streams, 2)) < 0.08


def test_initial_weights_follow_from_the_seed_alone() -> None:
    """Whatever was drawn before, a seed gives its weights, and the global generator stays where it was."""
    weights = []
    for earlier in (1, 2):
        torch.manual_seed(earlier)
        before = torch.random.get_rng_state()
        with initialising(3):
            weights.append(torch.nn.Linear(4, 4).weight)
        assert torch.equal(torch.random.get_rng_state(), before)

    assert torch.equal(*weights)
    with initialising(4):
        assert not torch.equal(weights[0], torch.nn.Linear(4, 4).weight)


def test_noise_is_a_function_of_seed_and_purpose() -> None:
    """Equal pairs draw equally, whatever the global generators did; another seed or purpose draws anew."""
    like = torch.zeros(1)
    torch.manual_seed(0)
    first = draws(Noise(5, "noise/a"), like)
    torch.manual_seed(1)
    again, other_seed, other_purpose = (
        draws(Noise(seed, purpose), like)
        for seed, purpose in ((5, "noise/a"), (6, "noise/a"), (5, "noise/b"))
    )

    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other_seed[0])
    assert not torch.equal(first[0], other_purpose[0])


def test_noise_leaves_the_global_generators_alone() -> None:
    """A regularizer that draws does not change what the next layer, or the reader's own code, draws."""
    before = torch.random.get_rng_state()
    draws(Noise(5, "noise/a"), torch.zeros(1))

    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_have_the_type_of_what_they_disturb(dtype: torch.dtype) -> None:
    """A float64 study is not silently disturbed in float32."""
    noise, like = Noise(0, "noise/a"), torch.zeros(1, dtype=dtype)

    assert {noise.uniform(2, like=like).dtype, noise.normal(2, like=like).dtype} == {dtype}
    assert noise.keep(2, rate=0.5, like=like).dtype == dtype
    assert noise.integers(0, 2, 2, like=like).dtype == noise.permutation(2, like=like).dtype == torch.int64


def test_uniform_draws_for_words_are_float32() -> None:
    """Word numbers are integers; a probability is drawn for them all the same."""
    drawn = Noise(0, "noise/a").uniform(100, like=torch.zeros(1, dtype=torch.int64))

    assert drawn.dtype == torch.float32
    assert 0 <= float(drawn.min()) < float(drawn.max()) < 1


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.9])
def test_a_mask_keeps_the_mean(rate: float) -> None:
    """Elements are 0 or 1/(1 − rate), and their mean is 1: evaluation needs no correction."""
    mask = Noise(0, "noise/a").keep(200_000, rate=rate, like=torch.zeros(1, dtype=torch.float64))

    assert set(mask.unique().tolist()) <= {0.0, 1 / (1 - rate)}
    assert float(mask.mean()) == pytest.approx(1, abs=0.03)


def test_integers_cover_their_range_and_permutations_are_permutations() -> None:
    """Both ends of the half-open range: the low one is drawn, the high one never."""
    noise, like = Noise(0, "noise/a"), torch.zeros(1)

    assert sorted(noise.integers(-2, 3, 1000, like=like).unique().tolist()) == [-2, -1, 0, 1, 2]
    assert sorted(noise.permutation(50, like=like).tolist()) == list(range(50))


def test_beta_has_the_moments_of_its_law() -> None:
    """Beta(a, a) has mean 1/2 and variance 1/(4(2a + 1))."""
    noise = Noise(0, "noise/a")
    drawn = np.array([float(noise.beta(0.4, like=torch.zeros(1))) for _ in range(20_000)])

    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.var() == pytest.approx(1 / (4 * 1.8), abs=0.005)
