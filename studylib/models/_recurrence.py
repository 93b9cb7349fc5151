"""Networks that read a sequence step by step.

Text is (n, length) of word numbers, 0 is padding at the end; series are (n, length, channels), without any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib.models._networks import WORD_SCALE
from studylib.models._series import levelled
from studylib.models._slot import Slot

Weights: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]


@final
class Gates(nn.Module):
    """Weight (4·hidden, inputs) and bias of the input, forget, cell and output gates; called, it gives both.

    What takes its place is called once in each pass too, and may give others than those that it keeps.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        bound = hidden**-0.5
        self.weight = nn.Parameter(torch.empty(4 * hidden, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias."""
        return self.weight, self.bias


def fused(x: Tensor, weights: Weights) -> Tensor:
    """Return the hidden states (n, length, hidden) over inputs x (n, length, width), as torch's LSTM does.

    ``weights`` are those of input and state, then their biases. The loop over time is oneDNN's or cuDNN's.
    """
    start = x.new_zeros(1, len(x), weights[1].shape[1])
    states, _, _ = torch.lstm(
        x,
        (start, start),
        adjoined(weights) if x.is_cuda else weights,
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        train=torch.is_grad_enabled(),  # cuDNN has a gradient only then
        bidirectional=False,
        batch_first=True,
    )
    return states


def adjoined(weights: Weights) -> list[Tensor]:
    """Return the same weights side by side in memory, as cuDNN wants them and warns of if they are not."""
    flat = torch.cat([w.flatten() for w in weights]).split([w.numel() for w in weights])
    return [part.view(w.shape) for part, w in zip(flat, weights, strict=True)]


def stepped(x: Tensor, weights: Weights, carried: Tensor) -> Tensor:
    """Return the same, step by step, where the last state is multiplied by ``carried`` (n, hidden) each time.

    The cell, which is the memory itself, is left alone.
    """
    of_input, of_state, input_bias, state_bias = weights
    h = c = x.new_zeros(carried.shape)
    states, onward = [], of_state.T
    # the steps first, so that each one's numbers lie side by side
    for incoming in F.linear(x.transpose(0, 1), of_input, input_bias + state_bias).unbind(0):
        i, f, g, o = torch.addmm(incoming, h * carried, onward).chunk(4, dim=1)
        c = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return torch.stack(states).transpose(0, 1)


def mean(states: Tensor, words: Tensor) -> Tensor:
    """Return the mean state (n, hidden) over the words; zeros where there is none."""
    there = words.unsqueeze(-1)
    return (states * there).sum(1) / there.sum(1).clamp(min=1)


def last(states: Tensor, words: Tensor) -> Tensor:
    """Return the state (n, hidden) at the last word; zeros where there is none."""
    end = (words.sum(1).clamp(min=1) - 1)[:, None, None].expand(-1, -1, states.shape[-1])
    return states.gather(1, end).squeeze(1) * words.any(1, keepdim=True)


POOLING = {"mean": mean, "last": last}


class Recurrence(nn.Module):
    """A long short-term memory over vectors, its states pooled, then a linear output.

    Attributes:
        trace: of the last batch in training the states, those after dropout, and where there is no padding.
    """

    def __init__(
        self, front: Mapping[str, nn.Module], width: int, hidden: int, outputs: int, pooling: str
    ) -> None:
        super().__init__()
        for name, part in front.items():  # first, so that parts are in the order in which they are passed
            self.add_module(name, part)
        self.hidden = hidden
        self.pooling = pooling
        self.input = Gates(width, hidden)
        self.recurrent = Gates(hidden, hidden)
        self.state_slot = Slot("recurrent", "state", hidden)
        self.states_slot = Slot("states", "sequence", hidden)
        self.pooled_slot = Slot("pooled", "units", hidden)
        self.output = nn.Linear(hidden, outputs)
        self.trace: tuple[Tensor, Tensor, Tensor] | None = None
        nn.init.ones_(self.input.bias[hidden : 2 * hidden])  # a memory that keeps, until it learns to forget

    def __getstate__(self) -> dict[str, object]:
        # a trace belongs to the gradient of its batch, and cannot be copied
        return {**self.__dict__, "trace": None}

    def read(self, vectors: Tensor, words: Tensor) -> Tensor:
        """Return outputs for vectors (n, length, width) where ``words`` (n, length) says there are any."""
        (of_input, input_bias), (of_state, state_bias) = self.input(), self.recurrent()
        weights = of_input, of_state, input_bias, state_bias
        ones = vectors.new_ones(len(vectors), self.hidden)
        carried = self.state_slot(ones)
        states = fused(vectors, weights) if carried is ones else stepped(vectors, weights, carried)
        dropped = self.states_slot(states)
        self.trace = (states, dropped, words) if self.training else None
        outputs: Tensor = self.output(self.pooled_slot(POOLING[self.pooling](dropped, words)))
        return outputs


@final
class TextRecurrence(Recurrence):
    """Reads words as vectors; what comes after the last word changes nothing."""

    embedding: nn.Module
    embedding_slot: nn.Module

    def __init__(self, vocabulary: int, dimension: int, hidden: int, classes: int, pooling: str) -> None:
        embedding = nn.Embedding(vocabulary, dimension)
        nn.init.normal_(embedding.weight, std=WORD_SCALE)
        front = {"embedding": embedding, "embedding_slot": Slot("embedding", "embedding", dimension)}
        super().__init__(front, dimension, hidden, classes, pooling)

    def forward(self, text: Tensor) -> Tensor:
        """Return scores (n, classes)."""
        return self.read(self.embedding_slot(self.embedding(text)), text != 0)


@final
class SeriesRecurrence(Recurrence):
    """Reads the values of a series as they are."""

    def __init__(self, channels: int, hidden: int, outputs: int, pooling: str) -> None:
        super().__init__({}, channels, hidden, outputs, pooling)

    def forward(self, series: Tensor) -> Tensor:
        """Return outputs (n, outputs)."""
        return self.read(series, series.new_ones(series.shape[:2], dtype=torch.bool))


@final
class LevelledRecurrence(Recurrence):
    """Reads the values of a series less the last one, which is added to every output."""

    def __init__(self, channels: int, hidden: int, outputs: int, pooling: str) -> None:
        super().__init__({}, channels, hidden, outputs, pooling)

    def forward(self, series: Tensor) -> Tensor:
        """Return outputs (n, outputs)."""
        steps, level = levelled(series)
        return self.read(steps, steps.new_ones(steps.shape[:2], dtype=torch.bool)) + level
