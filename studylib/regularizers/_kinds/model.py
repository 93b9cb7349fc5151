"""How a network is changed before training: in its open places, or layer by layer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from studylib.regularizers._kinds.common import Layered

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.regularizers._kinds.site import Site
    from studylib.seeds import Draws


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
            same size whatever theirs is. ``input`` leaves the weight alone, and changes what comes in.
        draws: whether it draws noise in training, as a ``_modules.Noisy``.
    """

    kind: ClassVar[str] = "rewiring"
    fits: ClassVar[frozenset[str]]
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]]
    draws: ClassVar[bool] = True
    alone: ClassVar[str] = "it puts another layer in the place of a layer"

    @abstractmethod
    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return what takes the place of ``layer``, with its parameters, a ``weight`` and a ``bias``.

        A module with a price of its own (``_modules.Costly``) has it added to the loss; one whose weight is
        made or normed is a ``_modules.Made``.

        Args:
            layer: ``nn.Linear``, ``nn.Conv1d``, ``nn.Conv2d``, ``nn.Embedding``, or that of a recurrence.
            noise: where all randomness comes from.
            rows: N, the number of train rows.
        """
