"""What is done to sentences: word by word, before and after."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from studylib.figures._draws import drawn, in_part, targets
from studylib.figures.style import INK, MUTED, SECOND, picture, sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from torch import Tensor

    from studylib.figures.picture import Picture
    from studylib.regularizers.base import LexicalPerturbation, Paraphrasing, Perturbation

SENTENCES = (
    "the small dog ran across the road",
    "she read a long letter twice",
    "big clouds hide the bright moon",
)
PARAPHRASES = (
    "a little dog ran over the road",
    "she read the long letter two times",
    "the moon hides behind big clouds",
)
SYNONYMS = {
    "small": ("little", "tiny"),
    "road": ("street",),
    "letter": ("note", "message"),
    "long": ("lengthy",),
    "big": ("large", "huge"),
    "hide": ("cover",),
    "bright": ("brilliant", "shining"),
}
LENGTH = 9
MONO = ["DejaVu Sans Mono", "monospace"]  # words stand where they should, whatever the reader's typeface
ADVANCE = 0.602  # width of a letter to the size of the type
SIZE = 9.5


def _vocabulary() -> list[str]:
    said = [word for text in (*SENTENCES, *PARAPHRASES) for word in text.split()]
    return list(dict.fromkeys([*said, *SYNONYMS, *(word for words in SYNONYMS.values() for word in words)]))


def _encoded(texts: Sequence[str]) -> Tensor:
    import torch

    numbers = {word: number for number, word in enumerate(_vocabulary(), start=2)}
    rows = torch.zeros(len(texts), LENGTH, dtype=torch.int64)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text.split())] = torch.tensor([numbers[word] for word in text.split()])
    return rows


def disturbed(technique: Perturbation) -> Picture:
    """Draw sentences before and after a disturbance, or their targets where it leaves the words alone."""
    import torch

    x, target = _encoded(SENTENCES), torch.arange(len(SENTENCES))
    if technique.softens:
        target = torch.eye(len(SENTENCES))
    after, goal = drawn(
        technique.name,
        lambda noise: technique.perturb(x, target, noise),
        lambda batch: not batch[0].equal(x) or (technique.softens and in_part(batch[1][0], target[0])),
    )
    return targets(technique, target[0], goal[0]) if after.equal(x) else _compared(x, after)


def lexical(technique: LexicalPerturbation) -> Picture:
    """Draw sentences before and after a disturbance that knows synonyms."""
    import torch

    words = _vocabulary()
    synonyms = torch.zeros(len(words) + 2, 2, dtype=torch.int64)
    for word, others in SYNONYMS.items():
        numbers = torch.tensor([words.index(other) + 2 for other in others])
        synonyms[words.index(word) + 2, : len(others)] = numbers
    x = _encoded(SENTENCES)
    after = drawn(
        technique.name, lambda noise: technique.perturb(x, noise, synonyms), lambda one: not one.equal(x)
    )
    return _compared(x, after)


def paraphrased(technique: Paraphrasing) -> Picture:
    """Draw sentences before and after, with a paraphrase known for each."""
    x, known = _encoded(SENTENCES), _encoded(PARAPHRASES)[:, None]
    after = drawn(
        technique.name, lambda noise: technique.perturb(x, noise, known), lambda one: not one.equal(x)
    )
    return _compared(x, after)


def _compared(before: Tensor, after: Tensor) -> Picture:
    words = ["", "[unknown]", *_vocabulary()]
    pairs = [
        tuple([words[number] for number in row if number] for row in both)
        for both in zip(before.tolist(), after.tolist(), strict=True)
    ]
    changed = sum(old != new for old, new in pairs)
    title = f"{changed} of {len(pairs)} sentences {'is' if changed == 1 else 'are'} changed, each time others"
    if changed == len(pairs):
        title = "Every sentence is changed, a little and each time anew"
    note = "Grey: before. Black: after. In colour: above what goes, below in bold what comes."
    figure = sheet(0.75 + 0.62 * len(pairs), title, note)
    axes = figure.subplots()
    axes.set(xlim=(0, 4.6 * 72), ylim=(len(pairs), -0.15))
    axes.set_axis_off()
    for place, (old, new) in enumerate(pairs):
        steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        gone = {k for tag, start, end, *_ in steps for k in range(start, end) if tag != "equal"}
        come = {k for tag, _, _, start, end in steps for k in range(start, end) if tag != "equal"}
        _write(axes, old, gone, place + 0.15, MUTED, "normal")
        _write(axes, new, come, place + 0.52, INK, "bold")
    told = "; ".join(f"“{' '.join(old)}” → “{' '.join(new)}”" for old, new in pairs)
    return picture(figure, f"{title}. {told}.")


def _write(
    axes: Axes, words: Sequence[str], marked: set[int], height: float, colour: str, weight: str
) -> None:
    """Write words one after the other, those whose places are ``marked`` in another colour."""
    x = 2.0
    for place, word in enumerate(words):
        own, look = (SECOND, weight) if place in marked else (colour, "normal")
        axes.text(x, height, word, color=own, fontweight=look, fontsize=SIZE, family=MONO, va="center")
        x += (len(word) + 1) * SIZE * ADVANCE
