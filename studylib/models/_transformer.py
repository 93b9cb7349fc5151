"""The network that reads all words of a text at once; text is (n, length) of word numbers, 0 is padding."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib.models._networks import WORD_SCALE
from studylib.models._slot import Slot


@final
class TransformerNetwork(nn.Module):
    """Blocks of self-attention and of a hidden layer per word, each added to what it normalises first.

    The mean over the words goes to a linear output; no word attends to padding.
    """

    def __init__(
        self, inputs: tuple[int, ...], width: int, heads: int, blocks: int, hidden: int, classes: int
    ) -> None:
        super().__init__()
        vocabulary, self.length = inputs
        self.heads = heads
        self.blocks = blocks
        self.embedding = nn.Embedding(vocabulary, width)
        self.embedding_slot = Slot("embedding", "embedding", width)
        self.position = nn.Embedding(self.length, width)
        for block in range(1, blocks + 1):
            self._add_block(block, width, hidden)
        self.norm = nn.LayerNorm(width)
        self.mean_slot = Slot("mean", "units", width)
        self.output = nn.Linear(width, classes)
        nn.init.normal_(self.embedding.weight, std=WORD_SCALE)
        nn.init.normal_(self.position.weight, std=WORD_SCALE)

    def _add_block(self, block: int, width: int, hidden: int) -> None:
        depth, end = (2 * block - 1) / (2 * self.blocks), block / self.blocks
        parts = {
            "attend{}_norm": nn.LayerNorm(width),
            "query{}": nn.Linear(width, width),
            # a bias here would add the same to all scores of a softmax, which does not see it
            "key{}": nn.Linear(width, width, bias=False),
            "value{}": nn.Linear(width, width),
            "attention{}_slot": Slot(f"attend{block}", "attention", self.heads),
            "attend{}": nn.Linear(width, width),
            "attend{}_slot": Slot(f"attend{block}", "branch", width, depth),
            "contract{}_norm": nn.LayerNorm(width),
            "expand{}": nn.Linear(width, hidden),
            "contract{}": nn.Linear(hidden, width),
            "contract{}_slot": Slot(f"contract{block}", "branch", width, end),
        }
        for name, part in parts.items():
            self.add_module(name.format(block), part)

    def forward(self, text: Tensor) -> Tensor:
        """Return scores (n, classes); words further on than in training share the last position."""
        words = text != 0
        positions = torch.arange(text.shape[1], device=text.device)
        h = self.embedding_slot(self.embedding(text)) + self.position(positions.clamp(max=self.length - 1))
        # a softmax over nothing is no number: a text without words attends to its beginning, for nothing
        seen = (words | (positions == 0))[:, None, None, :]
        for block in range(1, self.blocks + 1):
            h = h + self._attended(block, h, seen)
            h = h + self._transformed(block, h)
        there = words.unsqueeze(-1)
        mean: Tensor = self.mean_slot((self.norm(h) * there).sum(1) / there.sum(1).clamp(min=1))
        scores: Tensor = self.output(mean)
        return scores

    def _attended(self, block: int, h: Tensor, seen: Tensor) -> Tensor:
        normed = self._through(f"attend{block}_norm", h)
        query, key, value = (
            self._through(f"{name}{block}", normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        slot = self.get_submodule(f"attention{block}_slot")
        mixed = _mixed(query, key, value, seen, slot if list(slot.children()) else None)
        attended = self._through(f"attend{block}", mixed.transpose(1, 2).flatten(2))
        return self._through(f"attend{block}_slot", attended)

    def _transformed(self, block: int, h: Tensor) -> Tensor:
        normed = self._through(f"contract{block}_norm", h)
        hidden = F.relu(self._through(f"expand{block}", normed))
        return self._through(f"contract{block}_slot", self._through(f"contract{block}", hidden))

    def _through(self, part: str, h: Tensor) -> Tensor:
        passed: Tensor = self.get_submodule(part)(h)
        return passed


def _mixed(query: Tensor, key: Tensor, value: Tensor, seen: Tensor, slot: nn.Module | None) -> Tensor:
    """Return the values (n, heads, length, width) in the mix that each word asks for.

    Only with a ``slot`` are the weights of the mix there to be seen.
    """
    if slot is None:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    weights: Tensor = slot(scores.masked_fill(~seen, -torch.inf).softmax(-1))
    return weights @ value
