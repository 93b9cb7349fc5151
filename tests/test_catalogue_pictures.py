"""What the title of a picture says is so."""

from __future__ import annotations

import re

import pytest

from studylib.figures.technique import draw_technique
from studylib.regularizers import CATALOGUE, make


@pytest.mark.parametrize("name", ["l1", "elastic_net", "mcp", "scad"])
def test_the_title_names_the_threshold(name: str) -> None:
    """The largest weight that a proximal step of 1 makes exactly 0 is the strength of its ℓ₁ part."""
    technique = CATALOGUE.example(name)
    mix = {"elastic_net": 0.5}.get(name, 1.0)
    told = re.match(r"Weights up to ([\d.]+) become exactly 0", draw_technique(technique).alt)

    assert told
    assert float(told[1]) == pytest.approx(mix * technique.model_dump()["strength"])


def test_the_title_of_an_anchor_says_when_it_was_thrown() -> None:
    """A round of fedprox begins anew after some epochs; the start of l2_sp is that of the training."""
    rounds = draw_technique(make("fedprox", strength=0.1, epochs=3)).alt
    once = draw_technique(make("l2_sp", strength=0.1)).alt

    assert rounds.startswith("A weight is pulled back to where it began its round of epochs;")
    assert once.startswith("A weight is pulled back to where it began training;")
