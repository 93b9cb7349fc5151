"""What the drawings of batches share: draws that show something, and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from studylib.figures.style import ACCENT, FAINT, picture, sheet
from studylib.figures.words import percent
from studylib.seeds import Noise

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.figures.picture import Picture
    from studylib.regularizers.base import Regularizer

T = TypeVar("T")


def spoken(technique: Regularizer) -> str:
    """Return the name of a technique in words, to begin a sentence with."""
    name = technique.name.replace("_", " ")
    return name[:1].upper() + name[1:]


def drawn(name: str, draw: Callable[[Noise], T], shows: Callable[[T], bool]) -> T:
    """Return the first of a hundred draws that shows what a technique does, or else the last."""
    for seed in range(100):
        found = draw(Noise(seed, f"noise/{name}"))
        if shows(found):
            break
    return found


def in_part(goal: Tensor, target: Tensor) -> bool:
    """Tell whether targets have changed enough to be seen, and not for others altogether."""
    moved = float((goal - target).abs().max())
    return 0.05 < moved < 0.5


def targets(technique: Regularizer, before: Tensor, after: Tensor) -> Picture:
    """Draw the class probabilities of one row before and after."""
    true = int(before.argmax())
    title = f"The true class keeps {percent(float(after[true]))} of the target, the others get the rest"
    figure = sheet(2.6, title, "Light: before. Blue: after.")
    axes = figure.subplots()
    classes = np.arange(len(before))
    axes.bar(classes, 100 * before.numpy(), color=FAINT, width=0.8, alpha=0.6)
    axes.bar(classes, 100 * after.numpy(), color=ACCENT, width=0.5)
    axes.set(xlabel="class", ylabel="target (%)", xticks=classes)
    axes.grid(visible=False, axis="x")
    others = " or ".join(dict.fromkeys(percent(float(share)) for share in after.sort().values[:-1]))
    return picture(figure, f"{spoken(technique)}. {title}. Each other class has {others}.")
