"""The few kinds of regularization: each says where it touches training, and does one job there.

A concrete regularizer is one file: a final frozen class, its formula, its source, an ``EXAMPLE``.
Methods are pure functions of tensors, which keep working under ``torch.func.vmap``; their randomness comes
from the ``noise`` that they are given. Importing a file here must not import torch: parameters are checked
without it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, final

from pydantic import Field

from studylib.components import Component

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from studylib.seeds import Draws

Strength = Annotated[float, Field(ge=0, description="λ, how strong; 0 switches it off")]
Rate = Annotated[float, Field(ge=0, lt=1, description="probability that an element is disturbed")]
Layers = Annotated[str, Field(description="shell pattern over layer names; '*' is all of them")]
ByLayer = Annotated[
    Mapping[str, Strength],
    Field(description="patterns of layers with a strength of their own, instead of strength; the first counts"),
]

ALL_TASKS = frozenset({"classification", "regression", "ranking"})
SUPERVISED = frozenset({"classification", "regression"})
SECTIONS = ("Formula", "Use", "Traps")
DIALS = ("strength", "rate", "probability", "std")  # settings that a schedule may turn


class Regularizer(Component):
    """One technique with its settings.

    Attributes:
        tasks: kinds of problems that it has a meaning for.

    The docstring of a concrete one has, beside its first sentence, the paragraphs ``Formula:`` (in LaTeX),
    ``Use:`` (when it is worth a try) and ``Traps:``; the catalogue shows them.
    """

    tasks: ClassVar[frozenset[str]] = ALL_TASKS

    @classmethod
    def sections(cls) -> dict[str, str]:
        """Return the paragraphs of the docstring that begin with a name and a colon, by that name."""
        paragraphs = [" ".join(one.split()) for one in (cls.__doc__ or "").split("\n\n")]
        named = (one.partition(": ") for one in paragraphs)
        return {name: text for name, _, text in named if name in SECTIONS}

    @classmethod
    def dial(cls) -> str:
        """Return the name of the setting that says how strong it is; empty if there is none."""
        return next((name for name in DIALS if name in cls.model_fields), "")

    def misfit(self, optimizer: str) -> str:  # noqa: ARG002  most work with any
        """Return why it cannot be used with ``optimizer`` (adamw, sgd, exact); empty if it can."""
        return ""

    def turned(self, factor: Tensor | float) -> Self:
        """Return it with ``factor`` times the strength, without checking the range again."""
        dial = self.dial()
        return self.model_copy(update={dial: factor * getattr(self, dial)})


class Layered(Regularizer):
    """A regularizer that covers the layers whose names match the shell pattern ``layers``."""

    layers: Layers = "*"

    def covers(self, layer: str) -> bool:
        """Tell whether the layer called ``layer`` (``hidden1``, ``output``, …) is covered."""
        return fnmatchcase(layer, self.layers)


def strength_of(layer: str, by_layer: Mapping[str, float], strength: float) -> float:
    """Return the strength of the first pattern of ``by_layer`` that matches ``layer``, else ``strength``."""
    return next((own for pattern, own in by_layer.items() if fnmatchcase(layer, pattern)), strength)


# the loss


class Penalty(Layered):
    """A non-negative cost on a weight tensor, added to the mean loss per example; zero at zero."""

    kind: ClassVar[str] = "penalty"
    smooth: ClassVar[bool]  # smooth: by its gradient; otherwise by its prox after each step

    @abstractmethod
    def value(self, w: Tensor) -> Tensor:
        """Return the cost of ``w``, any shape, as a scalar tensor in the units of the loss."""

    @abstractmethod
    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return argmin over z of Σ (z − w)²/(2·step) + value(z), elementwise in ``step``; shape of ``w``."""


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
    tasks: ClassVar[frozenset[str]] = SUPERVISED

    @abstractmethod
    def value(self, states: Tensor, dropped: Tensor, words: Tensor) -> Tensor:
        """Return the cost as a scalar in the units of the loss.

        Args:
            states: hidden states (n, length, width) as the recurrence gives them.
            dropped: the same after dropout.
            words: (n, length), True where there is a word or a value, False where there is padding.
        """


class InteractionPenalty(Regularizer):
    """A cost on the embedding rows that a batch of interactions touches, or on all of them."""

    kind: ClassVar[str] = "penalty"
    tasks: ClassVar[frozenset[str]] = frozenset({"ranking"})

    @abstractmethod
    def value(self, tables: Sequence[Tensor], used: Sequence[Tensor]) -> Tensor:
        """Return the cost as a scalar in the units of the loss, which is a mean over interactions.

        Args:
            tables: the embeddings, each (rows, d).
            used: for each table the numbers of the rows that the batch used, (n, k): k of them in each of n
                interactions.
        """


# the weights, before and after a step


class Decay(Layered):
    """A shrinkage of the weights themselves before each step, apart from the gradient."""

    kind: ClassVar[str] = "weight decay"

    @abstractmethod
    def factor(self, layer: str, learning_rate: float) -> float:
        """Return the number that the weights of ``layer`` are multiplied by before a step."""


class CoupledDecay(Layered):
    """A shrinkage that is part of the gradient, and passes through whatever the optimizer does to it."""

    kind: ClassVar[str] = "weight decay"

    @abstractmethod
    def share(self, layer: str) -> float:
        """Return λ of ``layer``: its gradient g becomes g + λ·w."""


class LayerRates(Layered):
    """Learning rates that differ from layer to layer."""

    kind: ClassVar[str] = "learning rates"

    @abstractmethod
    def share(self, layer: str, layers: Sequence[str]) -> float:
        """Return what the learning rate of ``layer`` is multiplied by; ``layers`` go from input to output."""


class Constraint(Layered):
    """A set that the weights are projected onto after each step."""

    kind: ClassVar[str] = "constraint"

    @abstractmethod
    def project(self, w: Tensor) -> Tensor:
        """Return the nearest point of the set to ``w``, whose first axis is the output units."""


class GradientRule(Regularizer):
    """A change of the gradients of all weights before each step."""

    kind: ClassVar[str] = "gradient rule"

    @abstractmethod
    def apply(self, gradients: Sequence[Tensor], noise: Draws, step: Tensor | int) -> list[Tensor]:
        """Return the gradients to step along; shapes and dtypes stay.

        Args:
            gradients: one for each weight tensor.
            noise: where all randomness comes from.
            step: number of the step, 0 is the first.
        """


# the batch


class Perturbation(Regularizer):
    """A disturbance of the training batch: of inputs, of targets, or of both."""

    kind: ClassVar[str] = "perturbation"
    inputs: ClassVar[frozenset[str]]  # of {"images", "text", "tables"}
    softens: ClassVar[bool] = False  # whether targets must be class probabilities, not class indices

    @abstractmethod
    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the disturbed batch; shapes and dtypes stay.

        Args:
            x: images (n, channels, height, width), tables (n, features), or text (n, length) of word
                numbers where 0 is padding at the end and 1 the unknown word.
            target: class probabilities (n, classes) if ``softens``, else whatever the loss takes.
            noise: where all randomness comes from.
        """


class LexicalPerturbation(Regularizer):
    """A disturbance of the words of a training batch that needs to know which words mean nearly the same."""

    kind: ClassVar[str] = "perturbation"
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

    @abstractmethod
    def corrupt(self, y: Tensor, classes: int, noise: Draws) -> Tensor:
        """Return the class numbers (n,) to train with."""


# the model before training


@final
@dataclass(frozen=True)
class Site:
    """An open place in a network, where a rewiring may put a module.

    Attributes:
        layer: the layer that it follows.
        place: what passes: ``normalisation`` (n, width) or (n, width, height, width) before the activation;
            ``units`` (n, width) and ``maps`` (n, width, height, width) after it; ``embedding`` word vectors
            (n, length, width); ``factors`` (n, width) or (n, k, width); ``sequence`` hidden states
            (n, length, width); ``state`` what the recurrent state is multiplied by at every step (n, width),
            asked for once per sequence with ones; ``attention`` weights (n, heads, length, length) after the
            softmax; ``branch`` (n, …, width), what a residual connection adds.
        width: channels.
        depth: where the place is, above 0 at the first and 1 at the last residual connection.
    """

    layer: str
    place: str
    width: int
    depth: float = 1.0


class Rewiring(Layered):
    """A change of the model before training, made by putting a module into the model's open places."""

    kind: ClassVar[str] = "rewiring"
    places: ClassVar[frozenset[str]]  # of those of ``Site``

    @abstractmethod
    def module(self, site: Site, noise: Draws) -> nn.Module:
        """Return the module for one place; what passes keeps its shape."""


class Dropping(Rewiring):
    """A rewiring that disturbs activations in training, and is gone in evaluation."""

    @abstractmethod
    def drop(self, h: Tensor, noise: Draws, site: Site) -> Tensor:
        """Return the disturbed activations, of the shape of ``h``, whose mean over ``noise`` is ``h``."""

    def module(self, site: Site, noise: Draws) -> nn.Module:
        """Return the module that disturbs in training."""
        from studylib.regularizers._modules import Stochastic

        return Stochastic(self, noise, site)


class LayerRewiring(Layered):
    """A change of the model before training, made by putting another layer in the place of a layer.

    Attributes:
        fits: kinds of layers: of {"linear", "convolution", "embedding", "recurrent"}.
        weight: what the new layer's ``weight`` is: the ``parameter`` itself; ``made`` of other parameters, of
            which ``scales()`` lists those that its size is proportional to; or ``normed``, so that it has the
            same size whatever its parameters have. ``input`` leaves the weight alone, and changes what comes in.
        draws: whether it draws noise in training, as a ``_modules.Noisy``.
    """

    kind: ClassVar[str] = "rewiring"
    fits: ClassVar[frozenset[str]]
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]]
    draws: ClassVar[bool] = True

    @abstractmethod
    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return what takes the place of ``layer``, with its parameters, and a ``weight`` and ``bias`` to read.

        A module with a price of its own (``_modules.Costly``) has it added to the loss; one whose weight is
        made or normed is a ``_modules.Made``.

        Args:
            layer: ``nn.Linear``, ``nn.Conv1d``, ``nn.Conv2d``, ``nn.Embedding``, or the weights of a recurrence.
            noise: where all randomness comes from.
            rows: N, the number of train rows.
        """


# the clock


class Schedule(Regularizer):
    """A rule over the clock of a training, as pure functions of the history so far."""

    kind: ClassVar[str] = "schedule"


class Stopping(Schedule):
    """When training ends, and which weights are kept."""

    @abstractmethod
    def best(self, losses: Sequence[float]) -> int:
        """Return the index of the epoch whose weights are to be kept."""

    @abstractmethod
    def stop(self, losses: Sequence[float]) -> bool:
        """Tell whether training ends after these validation losses (without penalty, one per epoch)."""


class StrengthSchedule(Schedule):
    """How strong other techniques of the arm are, epoch by epoch.

    The settings of the schedule name them by a shell pattern, ``technique``.
    """

    technique: Annotated[str, Field(description="shell pattern over the names of techniques of the arm")]

    @abstractmethod
    def factor(
        self, epoch: int, epochs: int, train_loss: Sequence[float], validation_loss: Sequence[float]
    ) -> float:
        """Return what their strength is multiplied by during ``epoch`` (0 is the first) of ``epochs``.

        The losses are those of the epochs before, without any penalty.
        """


class Unfreezing(Schedule):
    """Which layers do not learn yet."""

    @abstractmethod
    def frozen(self, layers: Sequence[str], epoch: int) -> frozenset[str]:
        """Return those of ``layers``, from input to output, that do not learn in ``epoch`` (0 is the first)."""


class Averaging(Schedule):
    """Weights that are averaged over training, and take the place of the last ones at its end."""

    @abstractmethod
    def share(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Return the share of the weights after ``step`` (1 is the first) in the new average.

        0 leaves the average as it was, 1 begins it anew.
        """


# at prediction


class Prediction(Regularizer):
    """What is done with a trained model's outputs; nothing in training."""

    kind: ClassVar[str] = "prediction"
    tasks: ClassVar[frozenset[str]] = SUPERVISED


class Calibration(Prediction):
    """A map of the outputs that is fitted to validation rows."""

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    @abstractmethod
    def fitted(self, outputs: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the map, for scores (n, classes) of validation rows and their class numbers (n,)."""


class Sampling(Prediction):
    """Predictions averaged over passes in which dropping goes on, and nothing else of training does."""

    samples: Annotated[int, Field(ge=1, description="passes that are averaged")]

    @abstractmethod
    def combined(self, outputs: Tensor) -> Tensor:
        """Return outputs (n, k) for those of all passes (samples, n, k): scores, or values of a regression."""
