"""Layers whose weights, or what is dropped of them, have a distribution that is learned."""

from __future__ import annotations

from abc import abstractmethod
from math import expm1, log
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from studylib.regularizers._layers import Remade, deviation, dialled, groups_of
from studylib.regularizers._modules import Costly, Made, Noisy

if TYPE_CHECKING:
    from studylib.regularizers.base import Regularizer
    from studylib.seeds import Draws

# of the approximation of the divergence from a log-uniform prior, equation 14 of Molchanov et al. (2017)
K1, K2, K3 = 0.63576, 1.87320, 1.48695
TINY = 1e-16  # beside θ², whose logarithm at 0 is infinite


class Priced(Costly, Noisy):
    """A module with a divergence from a prior as its price, once for all N train rows."""

    rows: int

    def cost(self) -> Tensor:
        """Return strength·divergence/N, in the units of the mean loss per example."""
        return dialled(self.technique) / self.rows * self.divergence()

    @abstractmethod
    def divergence(self) -> Tensor:
        """Return the divergence of what is learned from the prior, in nats, up to a constant."""


@final
class Concrete(Priced, Made):
    """A layer whose inputs are dropped with a rate that is learned, by masks that are nearly 0 or 1."""

    def __init__(
        self,
        technique: Regularizer,
        noise: Draws,
        layer: nn.Module,
        rows: int,
        *,
        initial_rate: float,
        temperature: float,
        length_scale: float,
    ) -> None:
        super().__init__(technique, noise)
        self.layer, self.rows = layer, rows
        self.logit = nn.Parameter(self.weight.new_tensor(log(initial_rate / (1 - initial_rate))))
        self.temperature, self.length_scale = temperature, length_scale
        self.inputs = self.weight.shape[1] * groups_of(layer)

    @property
    def weight(self) -> Tensor:
        """The weight of the layer."""
        weight: Tensor = self.layer.weight  # type: ignore[assignment]  # a layer has one
        return weight

    @property
    def bias(self) -> Tensor | None:
        """The bias of the layer."""
        bias: Tensor | None = self.layer.bias  # type: ignore[assignment]  # a layer has one, or None
        return bias

    def scales(self) -> list[nn.Parameter]:
        """Return what the size of the layer's weight is proportional to."""
        return self.layer.scales() if isinstance(self.layer, Made) else [self.layer.get_parameter("weight")]

    @property
    def rate(self) -> Tensor:
        """The probability that an input is dropped."""
        return self.logit.sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, …) for inputs (n, …)."""
        outputs: Tensor = self.layer(x * self._mask(x) if self.drawing else x)
        return outputs

    def _mask(self, x: Tensor) -> Tensor:
        # a channel of a convolution is dropped at all positions: the mask belongs to its weights
        shape = x.shape if self.weight.ndim == 2 else (*x.shape[:2], *[1] * (x.ndim - 2))
        chance = self.noise.uniform(*shape, like=x).logit()
        kept = torch.sigmoid(-(self.logit + chance) / self.temperature)
        return kept / torch.sigmoid(-self.logit)

    def divergence(self) -> Tensor:
        """Return l²/2·‖W‖²/(1 − p) − K·entropy(p) for K inputs; the bias has no prior."""
        kept = functional.logsigmoid(-self.logit)
        entropy = -self.rate * functional.logsigmoid(self.logit) - kept.exp() * kept
        weights: Tensor = self.length_scale**2 / 2 * self.weight.square().sum() / kept.exp()
        return weights - self.inputs * entropy


class Variational(Remade, Priced):
    """A layer with independent normal weights; it keeps the bias, which has no prior."""

    def __init__(self, technique: Regularizer, noise: Draws, layer: nn.Module, rows: int) -> None:
        super().__init__(technique, noise, layer)
        self.rows = rows

    def drawn(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Return outputs for weights N(mean, variance): every output is drawn by itself, not the weights."""
        expected = self.respond(x, mean, self.bias)
        size, channels, *positions = expected.shape
        # in the memory of our images the channels of a pixel lie side by side
        noise = self.noise.normal(size, *positions, channels, like=expected).movedim(-1, 1)
        return torch.addcmul(expected, deviation(self.respond, x, variance), noise)


@final
class SparseVariational(Variational, Made):
    """A layer with weights N(θ, σ²) of which those that are nearly noise alone are 0 in evaluation."""

    def __init__(
        self,
        technique: Regularizer,
        noise: Draws,
        layer: nn.Module,
        rows: int,
        *,
        initial_std: float,
        threshold: float,
    ) -> None:
        super().__init__(technique, noise, layer, rows)
        self.mean: nn.Parameter = layer.weight  # type: ignore[assignment]  # response() knows the layer
        self.log_variance = nn.Parameter(torch.full_like(self.mean, 2 * log(initial_std)))
        self.threshold = threshold

    @property
    def log_alpha(self) -> Tensor:
        """Logarithm of σ²/θ²."""
        return self.log_variance - (self.mean.square() + TINY).log()

    @property
    def weight(self) -> Tensor:
        """The weight as it acts in evaluation."""
        return torch.where(self.log_alpha > self.threshold, 0, self.mean)

    def scales(self) -> list[nn.Parameter]:
        """Return θ."""
        return [self.mean]

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, …) for inputs (n, …)."""
        if self.drawing:
            # a copy lies in memory as the parameter does, an exponential need not
            return self.drawn(x, self.mean, self.log_variance.clone().exp_())
        return self.respond(x, self.weight, self.bias)

    def divergence(self) -> Tensor:
        """Return the approximate divergence from the log-uniform prior."""
        return log_uniform_divergence(self.log_alpha).sum()


def log_uniform_divergence(log_alpha: Tensor) -> Tensor:
    """Return KL(N(θ, α·θ²) ‖ log-uniform) elementwise, up to a constant: 0 where α is infinite."""
    return K1 * torch.sigmoid(-K2 - K3 * log_alpha) + functional.softplus(-log_alpha) / 2


@final
class Gaussian(Variational):
    """A linear layer with weights N(μ, σ²), μ in evaluation; the bias is a number, and has no prior."""

    weight: nn.Parameter

    def __init__(
        self,
        technique: Regularizer,
        noise: Draws,
        layer: nn.Module,
        rows: int,
        *,
        initial_std: float,
        prior_std: float,
    ) -> None:
        super().__init__(technique, noise, layer, rows)
        self.weight = layer.weight  # type: ignore[assignment]  # response() knows the layer
        # softplus(ρ) is the standard deviation
        rho = initial_std if initial_std > 30 else log(expm1(initial_std))
        self.rho = nn.Parameter(torch.full_like(self.weight, rho))
        self.prior_std = prior_std

    @property
    def std(self) -> Tensor:
        """The standard deviation of each weight."""
        return functional.softplus(self.rho)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, …) for inputs (n, …)."""
        if self.drawing:
            return self.drawn(x, self.weight, self.std.square())
        return self.respond(x, self.weight, self.bias)

    def divergence(self) -> Tensor:
        """Return KL(N(μ, σ²) ‖ N(0, s²)) = Σ log(s/σ) + (σ² + μ²)/(2s²) − ½."""
        ratio = self.std / self.prior_std
        distance = self.weight / self.prior_std
        return ((ratio.square() + distance.square() - 1) / 2 - ratio.log()).sum()
