"""What is added to the loss: a price of weights, of outputs, of activations, of interactions."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from studylib.regularizers._kinds.common import SUPERVISED, Layered, Regularizer, Strength

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def soft_threshold(w: Tensor, reach: Tensor | float) -> Tensor:
    """Return sign(w)·max(|w| − reach, 0), the prox of reach·Σ|w|; of whatever shapes, elementwise."""
    return w - w.clamp(-reach, reach)  # type: ignore[arg-type]  # both numbers, or both tensors


class Penalty(Layered):
    """A non-negative cost on a weight tensor, added to the mean loss per example; zero at zero."""

    kind: ClassVar[str] = "penalty"
    smooth: ClassVar[bool]  # smooth: by its gradient; otherwise by its prox after each step
    # when it is its turn among proxes on one weight, which together are that of the sum; one may have 1
    turn: ClassVar[int] = 0

    @abstractmethod
    def value(self, w: Tensor) -> Tensor:
        """Return the cost of ``w``, any shape, as a scalar tensor in the units of the loss."""

    @abstractmethod
    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return argmin over z of Σ (z − w)²/(2·step) + value(z), elementwise in ``step``; shape of ``w``."""


class ConcavePenalty(Penalty):
    """λ·Σ|w| less a smooth relief for large weights.

    In training the relief goes into the loss, and ``soften`` acts after each step. The prox of the whole is
    for plain gradient descent: behind momentum or Adam it takes longer steps than the gradient does, and
    throws weights that had settled between its branches.
    """

    smooth: ClassVar[bool] = False
    elementwise: ClassVar[bool] = True

    strength: Strength

    @abstractmethod
    def relief(self, w: Tensor) -> Tensor:
        """Return λ·Σ|w| − value(w), which is differentiable, as a scalar."""

    def soften(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return the prox of λ·Σ|w| alone."""
        return soft_threshold(w, step * self.strength)


class AnchoredPenalty(Layered):
    """A cost on the distance of a weight tensor from where it was; by its gradient, zero at the anchor."""

    kind: ClassVar[str] = "penalty"

    @abstractmethod
    def value(self, w: Tensor, anchor: Tensor) -> Tensor:
        """Return the cost of ``w`` at ``anchor``, of the same shape, as a scalar in the units of the loss."""

    @abstractmethod
    def renews(self, epoch: int) -> bool:
        """Tell whether the weights at the beginning of ``epoch`` (0 is the first) become the anchor."""


class OutputPenalty(Regularizer):
    """A cost on what the model says of a training batch, whatever the targets are."""

    kind: ClassVar[str] = "penalty"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    @abstractmethod
    def value(self, outputs: Tensor) -> Tensor:
        """Return the cost of the scores (n, classes), before the softmax, as a scalar."""


class ActivationPenalty(Regularizer):
    """A cost on the hidden states of a recurrent network over a training batch."""

    kind: ClassVar[str] = "penalty"
    alone: ClassVar[str] = "it looks at the hidden states of one network"
    tasks: ClassVar[frozenset[str]] = SUPERVISED

    @abstractmethod
    def value(self, states: Tensor, dropped: Tensor, words: Tensor) -> Tensor:
        """Return the cost as a scalar in the units of the loss.

        Args:
            states: hidden states (n, length, width) as the recurrence gives them.
            dropped: the same after dropout.
            words: (n, length), True where there is a word or a value, False where there is padding.
        """


@final
class Rows(NamedTuple):
    """Rows of an embedding that a batch used, k of them in each of n interactions.

    Attributes:
        numbers: which they are, (n, k).
        vectors: what stands there, (n, k, d), with its gradient.
    """

    numbers: Tensor
    vectors: Tensor


class InteractionPenalty(Regularizer):
    """A cost on the embedding rows that a batch of interactions touches, or on all of them."""

    kind: ClassVar[str] = "penalty"
    tasks: ClassVar[frozenset[str]] = frozenset({"ranking", "rating"})

    @abstractmethod
    def value(self, tables: Sequence[Tensor], used: Sequence[Rows]) -> Tensor:
        """Return the cost as a scalar in the units of the loss, which is a mean over interactions.

        Args:
            tables: the embeddings, each (rows, d).
            used: for each table the rows that the batch used.
        """

    @abstractmethod
    def bias_value(self, tables: Sequence[Tensor], used: Sequence[Rows]) -> Tensor:
        """Return the cost of the biases of a rating, each table (rows, 1), as ``value`` does of vectors."""

    @abstractmethod
    def prices(self, counts: Tensor, interactions: float) -> tuple[Tensor, Tensor]:
        """Return λ·w of vectors and of biases, (rows,) each, in one batch.

        A row with n of the N interactions pays λ·w/N times its squared length: the sum of all losses and
        prices, N times their mean, has λ·w of it.

        Args:
            counts: how many interactions each row of a table has.
        """
