"""Gaussian noise on the inputs. Source: Bishop (1995), https://doi.org/10.1162/neco.1995.7.1.108"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class InputNoise(Perturbation):
    r"""x + std·z with z ~ N(0, 1) for every number of the input, drawn anew for every batch.

    For squared error and small std it acts like a penalty of std² on the squared gradient of the output by
    the input; for a linear model that is exact, and is L2 on its weights.

    Formula: x' = x + \sigma z, \quad z \sim N(0, I)

    Use: Tables, images and series that are measured with errors, or few rows; a tenth of a standard
    deviation is a mild beginning.

    Traps: std is in the unit of the standardised inputs, the same for all columns. Columns that are 0 or 1
    become numbers that no row has.
    """

    elementwise: ClassVar[bool] = True
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "tables", "series"})

    std: Annotated[float, Field(ge=0, description="standard deviation, in the unit of the inputs")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the inputs with noise, and ``target`` as it is."""
        return x + self.std * noise.normal(*x.shape, like=x), target


EXAMPLE = InputNoise(std=0.1)
