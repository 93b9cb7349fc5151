"""The networks that are more than a sequence of layers.

Text is (n, length) of word numbers, 0 is padding; interactions are (n, 2) of row and item. A network that
``joins`` counts axes from the last, so that it takes more of them in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib.models._slot import Slot

WORD_SCALE = 0.1  # small word vectors: an unseen word must not shout


@final
class WordVectors(nn.Embedding):
    """A vector for each word."""

    def sums(self, text: Tensor, words: Tensor) -> Tensor:
        """Return the sum of the vectors of each text, (n, dimension).

        Args:
            text: numbers of words (n, length).
            words: (n, length), True where one counts.
        """
        return sums_of_rows(self.weight, text, words)


def sums_of_rows(table: Tensor, numbers: Tensor, counts: Tensor) -> Tensor:
    """Return the sums of rows of ``table`` (rows, d) over the last axis of ``numbers``, (n, d).

    Rows that do not count, of padding, are never looked up: of short texts among long ones they are the most.

    Args:
        table: (rows, d).
        numbers: of rows, (n, k).
        counts: which of them are summed, (n, k), bool.
    """
    if table.is_cuda:  # where to look a number up costs more than the rows
        return (F.embedding(numbers, table) * counts.unsqueeze(-1)).sum(-2)
    owners = torch.arange(len(numbers)).repeat_interleave(counts.sum(-1))
    rows = table.index_select(0, numbers[counts])
    return table.new_zeros(len(numbers), table.shape[1]).index_add(0, owners, rows)


def _word_vectors(vocabulary: int, dimension: int) -> WordVectors:
    embedding = WordVectors(vocabulary, dimension)
    nn.init.normal_(embedding.weight, std=WORD_SCALE)
    return embedding


@final
class BagOfWordsNetwork(nn.Module):
    """The mean of the word vectors, then a linear output."""

    joins = True

    def __init__(self, vocabulary: int, dimension: int, classes: int) -> None:
        super().__init__()
        self.embedding = _word_vectors(vocabulary, dimension)
        self.embedding_slot = Slot("embedding", "embedding", dimension)
        self.mean_slot = Slot("mean", "units", dimension)
        self.output = nn.Linear(dimension, classes)

    def forward(self, text: Tensor) -> Tensor:
        """Return scores (n, classes); padding does not count in the mean."""
        words = text != 0
        mean: Tensor = self.mean_slot(self._sums(text, words) / words.sum(-1, keepdim=True).clamp(min=1))
        scores: Tensor = self.output(mean)
        return scores

    def _sums(self, text: Tensor, words: Tensor) -> Tensor:
        """Return the sums of the word vectors, (n, dimension), one by one only if something disturbs them."""
        if hasattr(self.embedding, "sums") and not len(self.embedding_slot):
            sums: Tensor = self.embedding.sums(text, words)
            return sums
        vectors: Tensor = self.embedding_slot(self.embedding(text)) * words.unsqueeze(-1)
        return vectors.sum(-2)


@final
class TextCNNNetwork(nn.Module):
    """Convolutions of several widths over the word vectors, their maxima over time, a linear output.

    A filter begins at each word and sees zeros after the last one; where only padding is left, none begins,
    so that what a sentence scores does not depend on how far it is padded.
    """

    def __init__(
        self, vocabulary: int, dimension: int, widths: tuple[int, ...], filters: int, classes: int
    ) -> None:
        super().__init__()
        self.widths = widths
        self.embedding = _word_vectors(vocabulary, dimension)
        self.embedding_slot = Slot("embedding", "embedding", dimension)
        for width in widths:
            self.add_module(f"conv{width}", nn.Conv1d(dimension, filters, width))
        self.maxima_slot = Slot("maxima", "units", len(widths) * filters)
        self.output = nn.Linear(len(widths) * filters, classes)

    def forward(self, text: Tensor) -> Tensor:
        """Return scores (n, classes)."""
        words = text != 0
        vectors = self.embedding_slot(self.embedding(text)) * words.unsqueeze(-1)
        layers = [self.get_submodule(f"conv{width}") for width in self.widths]
        plain = [one for one in layers if type(one) is nn.Conv1d]
        if len(plain) == len(layers) and not text.is_cuda and 2 * int(words.sum()) < words.numel():
            maxima = maxima_at_words(plain, vectors, words)
        else:
            maxima = self._maxima(layers, vectors.transpose(1, 2), words.unsqueeze(1))
        scores: Tensor = self.output(self.maxima_slot(maxima))
        return scores

    def _maxima(self, layers: Sequence[nn.Module], vectors: Tensor, words: Tensor) -> Tensor:
        responses = [
            layer(F.pad(vectors, (0, width - 1))) for layer, width in zip(layers, self.widths, strict=True)
        ]
        return torch.cat([(F.relu(one) * words).amax(-1) for one in responses], dim=1)


def maxima_at_words(layers: Sequence[nn.Conv1d], vectors: Tensor, words: Tensor) -> Tensor:
    """Return the maxima over time of what filters of all widths respond to, (n, filters), 0 at least.

    They begin at words alone: of short texts among long ones, most of a convolution is of padding.

    Args:
        layers: a convolution for each width.
        vectors: of the words, (n, length, dimension), 0 where there is none.
        words: (n, length), True where there is a word.
    """
    (texts, length, dimension), widest = vectors.shape, max(layer.kernel_size[0] for layer in layers)
    flat = F.pad(vectors, (0, 0, 0, widest - 1)).flatten(0, 1)
    owners, places = words.nonzero(as_tuple=True)
    first = owners * (length + widest - 1) + places
    seen = flat.index_select(0, (first[:, None] + torch.arange(widest)).flatten())
    filters = torch.cat([F.pad(layer.weight, (0, widest - layer.kernel_size[0])) for layer in layers])
    biases = torch.cat([layer.bias for layer in layers if layer.bias is not None])
    responses = torch.addmm(
        biases, seen.view(-1, widest * dimension), filters.permute(2, 1, 0).flatten(0, 1)
    ).relu()
    by_place = responses.new_zeros(texts * length, len(biases))
    return by_place.index_copy(0, owners * length + places, responses).view(texts, length, -1).amax(1)


@final
class FactorizationNetwork(nn.Module):
    """Scores of (row, item) pairs: the inner product of their factors plus the item's bias."""

    def __init__(self, rows: int, items: int, factors: int, scale: float) -> None:
        super().__init__()
        self.rows = nn.Embedding(rows, factors)
        self.items = nn.Embedding(items, factors)
        self.bias = nn.Parameter(torch.zeros(items))
        self.rows_slot = Slot("rows", "factors", factors)
        self.items_slot = Slot("items", "factors", factors)
        if factors:
            nn.init.normal_(self.rows.weight, std=scale)
            nn.init.normal_(self.items.weight, std=scale)

    def forward(self, rows: Tensor, items: Tensor) -> Tensor:
        """Return the scores of rows (n,) with items (n, k), shape (n, k)."""
        return self.scores(self.rows(rows), self.items(items), items)

    def scores(self, p: Tensor, q: Tensor, items: Tensor) -> Tensor:
        """Return the scores of gathered factors p (n, d) with q (n, k, d) of ``items`` (n, k)."""
        products: Tensor = self.rows_slot(p).unsqueeze(1) * self.items_slot(q)
        return products.sum(-1) + self.bias[items]

    def all_scores(self, rows: slice = slice(None)) -> Tensor:
        """Return the scores of ``rows``, which are every row if none are named, with every item."""
        return self.rows.weight[rows] @ self.items.weight.T + self.bias


@final
class RatingNetwork(nn.Module):
    """Ratings of (row, item) pairs: μ + b_row + b_item + p·q, with the factors of ``pairs``.

    μ is a number that is not learnt, the mean of the train ratings.
    """

    mean: Tensor

    def __init__(self, pairs: FactorizationNetwork, mean: float) -> None:
        super().__init__()
        self.rows, self.items = pairs.rows, pairs.items
        self.rows_slot, self.items_slot = pairs.rows_slot, pairs.items_slot
        self.row_bias = nn.Parameter(torch.zeros(self.rows.num_embeddings, 1))
        self.item_bias = nn.Parameter(torch.zeros(self.items.num_embeddings, 1))
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float64))

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the ratings (n,) of the pairs (n, 2) of row and item."""
        rows, items = pairs.T
        return self.ratings(self.rows(rows), self.items(items), self.row_bias[rows], self.item_bias[items])

    def ratings(self, p: Tensor, q: Tensor, row_bias: Tensor, item_bias: Tensor) -> Tensor:
        """Return the ratings (n,) of gathered factors (n, d) and biases (n, 1)."""
        products: Tensor = self.rows_slot(p) * self.items_slot(q)
        return self.mean + row_bias[:, 0] + item_bias[:, 0] + products.sum(1)

    @torch.no_grad()
    def forget(self, rows: Tensor, items: Tensor) -> None:
        """Let the rows and items of those numbers have neither factors nor a bias: they are as the mean."""
        for numbers, factors, bias in (
            (rows, self.rows.weight, self.row_bias),
            (items, self.items.weight, self.item_bias),
        ):
            factors[numbers] = 0
            bias[numbers] = 0
