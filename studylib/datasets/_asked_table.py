"""What is asked of a table of one's own: the settings, before anything is read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from studylib.datasets._own import OwnData
from studylib.datasets._own_parts import TrainShare, ValidationShare

Column = Annotated[str, Field(min_length=1)]
Names = tuple[Column, ...]


class AskedTable(OwnData):
    """A column to be predicted from others, and how the rows are to be divided."""

    model_config = ConfigDict(serialize_by_alias=True)

    target: Annotated[Column, Field(description="the column to be predicted")]
    asked: Annotated[
        Literal["classification", "regression"] | None,
        Field(alias="task", description="what is asked; as the target looks if not said"),
    ] = None
    train: TrainShare = 0.6
    validation: ValidationShare = 0.2
    group: Annotated[
        Column | None, Field(description="column whose rows of one value stay in one part, such as a patient")
    ] = None
    time: Annotated[
        Column | None, Field(description="column of times: train is earliest, test is latest")
    ] = None
    columns_used: Annotated[
        Names,
        Field(alias="columns", strict=False, description="to predict from; else all others"),
    ] = ()
    leave_out: Annotated[Names, Field(strict=False, description="columns not to predict from")] = ()
    categories: Annotated[
        Names, Field(strict=False, description="columns whose numbers are names of categories")
    ] = ()
    target_unit: Annotated[str, Field(description="of a number that is predicted, such as EUR")] = ""
