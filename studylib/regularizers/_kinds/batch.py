"""What happens to a batch, or to all targets, before the model sees them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from studylib.regularizers._kinds.common import SUPERVISED, Regularizer
from studylib.regularizers._wordnet_files import ATTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from torch import Tensor

    from studylib.seeds import Draws


class Perturbation(Regularizer):
    """A disturbance of the training batch: of inputs, of targets, or of both."""

    kind: ClassVar[str] = "perturbation"
    inputs: ClassVar[frozenset[str]]  # of {"images", "text", "tables", "series"}
    softens: ClassVar[bool] = False  # whether targets must be class probabilities, not class indices

    @abstractmethod
    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the disturbed batch; shapes and dtypes stay.

        Args:
            x: images (n, channels, height, width), tables (n, features), series (n, length, channels), or
                text (n, length) of word numbers where 0 is padding at the end and 1 the unknown word.
            target: class probabilities (n, classes) if ``softens``, else whatever the loss takes.
            noise: where all randomness comes from.
        """


class LexicalPerturbation(Regularizer):
    """A disturbance of the words of a training batch that needs to know which words mean nearly the same."""

    kind: ClassVar[str] = "perturbation"
    attribution: ClassVar[str] = ATTRIBUTION
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    @abstractmethod
    def perturb(self, x: Tensor, noise: Draws, synonyms: Tensor) -> Tensor:
        """Return the disturbed text; shape and dtype stay.

        Args:
            x: (n, length) of word numbers where 0 is padding at the end and 1 the unknown word.
            noise: where all randomness comes from.
            synonyms: (vocabulary, most): the numbers of the synonyms of each word, 0 where there is none;
                those of a word come first.
        """


class Paraphrasing(Regularizer):
    """A disturbance of training sentences by others that say the same, which are known before training."""

    kind: ClassVar[str] = "perturbation"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    @abstractmethod
    def refuse_missing(self) -> None:
        """Refuse to start without them.

        Raises:
            ParameterError: they are not where they should be, or not what they should be.
        """

    @abstractmethod
    def paraphrases(self, x: np.ndarray, vocabulary: Sequence[str]) -> np.ndarray:
        """Return those of each train row, (n, most, length) of word numbers; 0 where there are no more.

        Args:
            x: all train rows (n, length), of word numbers.
            vocabulary: the words by their numbers, from 2 on.
        """

    @abstractmethod
    def perturb(self, x: Tensor, noise: Draws, paraphrases: Tensor) -> Tensor:
        """Return the disturbed text; shape and dtype stay.

        Args:
            x: (n, length) of word numbers where 0 is padding at the end and 1 the unknown word.
            noise: where all randomness comes from.
            paraphrases: (n, most, length), those of the rows of ``x``.
        """


class Attack(Regularizer):
    """A disturbance of the inputs of a training batch that is made against the model as it stands."""

    kind: ClassVar[str] = "perturbation"
    alone: ClassVar[str] = "it asks the network for its gradients while it disturbs a batch"
    tasks: ClassVar[frozenset[str]] = SUPERVISED
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "tables"})

    @abstractmethod
    def perturb(self, x: Tensor, noise: Draws, gradient: Callable[[Tensor], Tensor], unit: Tensor) -> Tensor:
        """Return the attacked inputs; shape and dtype stay.

        Args:
            x: images (n, channels, height, width) or tables (n, features), standardised.
            noise: where all randomness comes from.
            gradient: the gradient of the loss of each row with respect to its inputs, at inputs like ``x``,
                with the model in evaluation mode.
            unit: what one unit of the inputs' own scale is after standardisation; broadcasts to a row.
        """


class Corruption(Regularizer):
    """A disturbance of the train targets, once and for all epochs."""

    kind: ClassVar[str] = "perturbation"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    @classmethod
    def dial(cls) -> str:
        """Return nothing: what happens before the first epoch is turned by no schedule."""
        return ""

    @abstractmethod
    def corrupt(self, y: Tensor, classes: int, noise: Draws) -> Tensor:
        """Return the class numbers (n,) to train with."""
