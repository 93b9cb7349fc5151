"""Rankings by weighted least squares, beside the library that is known for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from implicit.als import AlternatingLeastSquares
from made_up import Visits
from scipy.sparse import csr_matrix

from studylib.models.matrix_factorization import MatrixFactorization
from studylib.regularizers import make
from studylib.trainers.base import Training
from studylib.trainers.confidence import train
from studylib.trainers.recommendations import ranked

SPLIT = Visits().split(2)
MODEL = MatrixFactorization(factors=4)


def factors(epochs: int, confidence: float, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors of rows and items after so many sweeps."""
    training = Training(optimizer="exact", epochs=epochs, confidence=confidence)
    trained = train(SPLIT, MODEL, [make("embedding_l2", **settings)], training, seed=3)
    rows, items = trained.network.rows.weight, trained.network.items.weight
    return rows.detach().numpy(), items.detach().numpy()


@pytest.mark.parametrize("confidence", [1.0, 8.0])
@pytest.mark.parametrize("definition", ["interaction", "batch", "full"])
def test_a_sweep_solves_every_item_against_all_rows(definition: str, confidence: float) -> None:
    """Factors of an item are those of a ridge regression on all rows, seen and unseen, written by hand."""
    λ = {"interaction": 0.1, "batch": 0.5, "full": 0.01}[definition]
    p, q = factors(3, confidence, strength=λ, definition=definition)
    seen = np.zeros(SPLIT.inputs)
    seen[SPLIT.train.x[:, 0], SPLIT.train.x[:, 1]] = 1
    for item in np.flatnonzero(seen.any(0)):
        weight = np.where(seen[:, item], confidence, 1.0)
        price = λ * {"interaction": seen[:, item].sum(), "batch": 1, "full": seen.sum()}[definition]
        gram = p.T @ (weight[:, None] * p) + price * np.eye(4)
        expected = np.linalg.solve(gram, p.T @ (weight * seen[:, item]))

        np.testing.assert_allclose(q[item], expected, rtol=1e-9, atol=1e-11)


def test_the_factors_are_those_of_implicit() -> None:
    """From the same items' factors implicit comes to the same, in its single precision."""
    likes = csr_matrix((np.ones(len(SPLIT.train), "float32"), tuple(SPLIT.train.x.T)), Visits.shape)  # type: ignore[arg-type]  # two numbers
    peer = AlternatingLeastSquares(
        4, regularization=0.7, alpha=5.0, iterations=3, use_cg=False, use_native=False, num_threads=1
    )
    _, first = _begun()
    peer.user_factors, peer.item_factors = np.zeros((30, 4), "float32"), first.astype("float32")
    peer.fit(likes, show_progress=False)
    p, q = factors(3, 5.0, strength=0.7, definition="batch")

    np.testing.assert_allclose(p @ q.T, peer.user_factors @ peer.item_factors.T, rtol=0, atol=2e-4)


def _begun() -> tuple[np.ndarray, np.ndarray]:
    from studylib.seeds import initialising

    with initialising(3):
        network: Any = MODEL.build(SPLIT.inputs, 1)
    return network.rows.weight.detach().numpy(), network.items.weight.detach().numpy()


def test_it_learns_who_likes_what() -> None:
    """Held-out rooms are ranked above chance."""
    training = Training(optimizer="exact", epochs=8, confidence=5.0)
    trained = train(SPLIT, MODEL, [make("embedding_l2", strength=3.0, definition="batch")], training, 3)
    chance, _ = ranked(np.random.default_rng(0).random(SPLIT.inputs), SPLIT)

    assert ranked(trained.scores(), SPLIT)[0]["test_ndcg_at_20"] > 1.2 * chance["test_ndcg_at_20"]
