"""What the catalogue says to write in an arm can be written there."""

from __future__ import annotations

import pytest
from made_up import DATASETS, MadeUp
from ruamel.yaml import YAML

from studylib import models
from studylib.errors import ParameterError
from studylib.pages.catalogue import yaml
from studylib.regularizers import CATALOGUE, base
from studylib.trainers.base import Training
from studylib.trainers.candidates import choices
from studylib.trainers.compatibility import refuse_misfits

FROM_FILES = (base.LexicalPerturbation, base.Paraphrasing)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if not issubclass(CATALOGUE[name], FROM_FILES)])
def test_what_the_page_says_to_write_can_be_trained(name: str) -> None:
    """Some model on some dataset takes the line as it stands: nothing is missing beside the technique."""
    ((_, asked),) = YAML(typ="safe", pure=True).load(yaml(name)).items()
    (arm,) = choices(asked)

    def fits(dataset: MadeUp, model: str) -> bool:
        try:
            refuse_misfits(dataset, models.CATALOGUE.example(model), arm, Training(), "")
        except ParameterError:
            return False
        return True

    assert any(fits(dataset, model) for dataset in DATASETS for model in models.CATALOGUE)
