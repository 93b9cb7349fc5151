"""Dropout with a learned rate. Source: Gal, Hron and Kendall (2017), https://arxiv.org/abs/1705.07832"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import LayerRewiring, Strength

if TYPE_CHECKING:
    from torch import nn

    from studylib.seeds import Draws


@final
class ConcreteDropout(LayerRewiring):
    r"""W(v∗z)/(1 − p) + b with relaxed masks z whose rate p is learned for each layer, from data and prior.

    It drops what comes into the layer: single units of a linear layer, whole channels of a convolution, each
    by a draw of its own. The loss gets the divergence from the prior, once for all N train rows. In terms of
    the weight W that evaluation uses, which is 1 − p of the paper's M, it is l²/2·‖W‖²/(1 − p) less K
    entropies of p, for K inputs. ``strength`` is the training loss of one nat: 1 for the cross-entropy,
    2·(noise variance) for the squared error. The paper's code for regression has l²/(τN) and 2/(τN), which
    is the same at noise variance 1/τ. The bias has no prior.

    Formula: z = 1 - \operatorname{sigmoid}\Bigl(\tfrac{1}{t}\bigl(\log\tfrac{p}{1 - p} + \log\tfrac{u}{1 - u}\bigr)\Bigr),\ u \sim U(0, 1), \qquad \frac{\lambda}{N}\Bigl(\frac{l^2}{2}\,\frac{\lVert W \rVert^2}{1 - p} + K\bigl(p \log p + (1 - p) \log(1 - p)\bigr)\Bigr)

    Use: Where a rate for every layer is too much to tune, and there is enough data to learn it.

    Traps: The popular code for PyTorch draws one number for a whole pass, so that a layer is dropped
    altogether or not at all, and counts the bias as a weight. Masks that are not quite 0 or 1 have not quite
    the mean 1 − p: at p = 0.1, 0.1 % less at temperature 0.1, but 3 % at 0.5. The prior is an ``l2`` already:
    with both, weights pay twice.
    """  # noqa: E501  a formula is one line

    fits: ClassVar[frozenset[str]] = frozenset({"linear", "convolution"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "input"

    strength: Strength = 1.0
    initial_rate: Annotated[float, Field(gt=0, lt=1, description="p before training")] = 0.1
    length_scale: Annotated[
        float, Field(ge=0, description="l of the prior: weights are about 1/l, and 0 lets them be")
    ] = 0.01
    temperature: Annotated[float, Field(gt=0, description="t; masks come nearer to 0 and 1 as it falls")] = (
        0.1
    )

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return the layer with a dropped input, and a rate among its parameters."""
        from studylib.regularizers._variational import Concrete

        return Concrete(
            self,
            noise,
            layer,
            rows,
            initial_rate=self.initial_rate,
            temperature=self.temperature,
            length_scale=self.length_scale,
        )


EXAMPLE = ConcreteDropout()
