"""Laws of every perturbation of text, and the definitions of each, against brute force."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import pytest
import torch

from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import Perturbation
from studylib.regularizers.random_deletion import RandomDeletion
from studylib.regularizers.random_swap import RandomSwap
from studylib.regularizers.word_dropout import WordDropout
from studylib.seeds import Noise

SENTENCES = torch.tensor(
    [
        [5, 6, 7, 8, 9, 2, 3, 4],
        [4, 1, 9, 5, 0, 0, 0, 0],
        [8, 8, 0, 0, 0, 0, 0, 0],
        [7, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
)
every_text = pytest.mark.parametrize(
    "perturbation",
    [e for e in EXAMPLES.values() if isinstance(e, Perturbation) and e.inputs == {"text"}],
    ids=lambda e: type(e).__name__,
)


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


@every_text
def test_text_stays_text(perturbation: Perturbation) -> None:
    """In 200 draws padding stays at the end, no sentence is emptied, and no word comes from nowhere."""
    for seed in range(200):
        after, _ = perturbation.perturb(SENTENCES, SENTENCES, noise(seed))
        words = after != 0

        assert not (words[:, 1:] & ~words[:, :-1]).any()
        assert torch.equal(words.any(dim=1), (SENTENCES != 0).any(dim=1))
        for old, new in zip(SENTENCES.tolist(), after.tolist(), strict=True):
            assert set(new) <= {*old, 0, 1}


def test_word_dropout_hides_words_in_place() -> None:
    """Words become 1 where they stand, in the share of the rate; padding is never touched."""
    sentences = torch.tensor([[5, 6, 7, 0]]).repeat(5000, 1)
    after, _ = WordDropout(rate=0.3).perturb(sentences, sentences, noise())
    changed = after != sentences

    assert (after[changed] == 1).all()
    assert changed.double().mean(dim=0).tolist() == pytest.approx([0.3, 0.3, 0.3, 0], abs=0.025)


def test_random_deletion_closes_up_in_order() -> None:
    """Outcomes are subsequences with probability rate^gone·(1 − rate)^kept; one word always stays."""
    rows, rate = 20_000, 0.4
    sentences = torch.tensor([[5, 6, 7, 0]]).repeat(rows, 1)
    after, _ = RandomDeletion(rate=rate).perturb(sentences, sentences, noise())
    found = Counter(tuple(row) for row in after.tolist())
    expected: dict[tuple[int, ...], float] = {}
    for stays in product([True, False], repeat=3):
        kept = [word for word, stay in zip((5, 6, 7), stays, strict=True) if stay]
        share = math.prod(1 - rate if stay else rate for stay in stays)
        for words in [kept] if kept else [[5], [6], [7]]:
            outcome = (*words, *[0] * (4 - len(words)))
            expected[outcome] = expected.get(outcome, 0) + rows * share / (1 if kept else 3)

    assert found.keys() == expected.keys()
    assert all(abs(found[row] - expected[row]) < 5 * expected[row] ** 0.5 for row in expected)


def test_random_swap_keeps_the_words() -> None:
    """Every sentence keeps its words, only their order changes; a single word cannot change places."""
    for seed in range(100):
        after, _ = RandomSwap(share=0.5).perturb(SENTENCES, SENTENCES, noise(seed))

        assert torch.equal(after.sort(dim=1).values, SENTENCES.sort(dim=1).values)
        assert torch.equal(after[3:], SENTENCES[3:])


def test_one_swap_exchanges_two_places_that_differ() -> None:
    """A small share means one swap; all pairs of places are equally likely, the rest stays put."""
    sentences = torch.tensor([[5, 6, 7, 8, 0, 0]]).repeat(6000, 1)
    after, _ = RandomSwap(share=0.01).perturb(sentences, sentences, noise())
    moved = Counter(tuple(row) for row in (after != sentences).tolist())

    assert len(moved) == 6
    assert all(sum(places) == 2 for places in moved)
    assert all(abs(count - 1000) < 5 * 1000**0.5 for count in moved.values())


def test_the_number_of_swaps_follows_the_length() -> None:
    """Swaps are max(1, round(share·words)): two of them move an even permutation, one an odd one."""
    sentences = torch.tensor([[2, 3, 4, 5, 6, 7, 8, 9], [2, 3, 4, 5, 0, 0, 0, 0]]).repeat(200, 1)
    after, _ = RandomSwap(share=0.25).perturb(sentences, sentences, noise())
    for number, row in enumerate(after.tolist()):
        words = [word for word in row if word]
        inversions = sum(a > b for place, a in enumerate(words) for b in words[place:])

        assert inversions % 2 == number % 2
