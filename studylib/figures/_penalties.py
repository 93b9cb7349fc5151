"""What penalties cost, and where they move what they are laid on."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from studylib.figures.style import ACCENT, FAINT, INK, MUTED, SECOND, picture, sheet
from studylib.figures.words import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.regularizers.base import (
        ActivationPenalty,
        AnchoredPenalty,
        InteractionPenalty,
        OutputPenalty,
        Penalty,
    )

POINTS = 81  # odd, so that 0 is among them
RANGES = (2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
VISIBLE = 0.2  # of the range: a move that can be seen
ROUNDING = 1e-12  # by which a weight at the very threshold may miss 0
COST = "penalty (loss units)"


def penalty(technique: Penalty) -> Picture:
    """Draw the cost of a weight, and where the proximal step takes it."""
    shape = _joint(technique)
    reach, step = _scale(technique)
    if shape:
        return _pairs(technique, shape, reach, step)
    w = np.linspace(-reach, reach, POINTS)
    costs, moved = _costs(technique, w), _moved(technique, w, step)
    title = _found(w, moved)
    figure = sheet(2.9, title, f"Both at the strength of the example below; proximal step {step:g}.")
    left, right = figure.subplots(1, 2)
    left.plot(w, costs, color=ACCENT)
    left.set(xlabel="weight w", ylabel=COST)
    left.set_ylim(bottom=0)
    right.plot(w, w, color=FAINT, linewidth=1.2)
    right.plot(w, moved, color=ACCENT)
    right.set(xlabel="weight before", ylabel="weight after the step")
    told = (
        f"The penalty of a weight of {reach:g} is {costs[-1]:.3g}, and the step takes it to {moved[-1]:.3g}"
    )
    return picture(figure, f"{title}. {told}; the grey line is no change.")


def _costs(technique: Penalty, w: np.ndarray) -> np.ndarray:
    import torch

    return np.array([float(technique.value(torch.full((1, 1), one, dtype=torch.float64))) for one in w])


def _moved(technique: Penalty, w: np.ndarray, step: float) -> np.ndarray:
    import torch

    alone = (torch.full((1, 1), one, dtype=torch.float64) for one in w)
    return np.array([float(technique.prox(one, step)) for one in alone])


def _joint(technique: Penalty) -> tuple[int, int] | None:
    """Return a shape of two weights that are moved as one; None if each is moved for itself."""
    import torch

    pair = torch.tensor([0.9, 0.4], dtype=torch.float64)
    for shape in ((1, 2), (2, 1)):
        for step in (1.0, 30.0):
            together = technique.prox(pair.reshape(shape), step).flatten()
            apart = _moved(technique, pair.numpy(), step)
            if not np.allclose(together.numpy(), apart, atol=1e-9):
                return shape
    return None


def _scale(technique: Penalty) -> tuple[float, float]:
    """Return a range of weights and a step at which the proximal step can be seen."""
    for reach in RANGES:
        w = np.linspace(-reach, reach, 21)
        if np.abs(_moved(technique, w, 1.0) - w).max() >= VISIBLE * reach:
            return reach, 1.0
    reach, w = RANGES[0], np.linspace(-RANGES[0], RANGES[0], 21)
    steps = [float(2**k) for k in range(1, 24)]
    far = (step for step in steps if np.abs(_moved(technique, w, step) - w).max() >= VISIBLE * reach)
    return reach, next(far, steps[-1])


def _found(w: np.ndarray, moved: np.ndarray) -> str:
    """Return what the proximal step does, in words."""
    zeros, away = np.abs(w[(np.abs(moved) < ROUNDING) & (w != 0)]), np.abs(w) > 0
    if len(zeros):
        rest = "large ones stay" if moved[-1] == w[-1] else f"others lose up to {np.abs(w - moved).max():.2g}"
        return f"Weights up to {zeros.max():.2g} become exactly 0, {rest}"
    share = moved[away] / w[away]
    if np.ptp(share) < 1e-6:
        return f"Every weight keeps {percent(share[0], 0)} of itself, and none becomes exactly 0"
    kept = f"{100 * share.min():.0f} to {percent(share.max(), 0)}"
    return f"A weight keeps {kept} of itself, and none becomes exactly 0"


def _pairs(technique: Penalty, shape: tuple[int, int], reach: float, step: float) -> Picture:
    import torch

    reach /= 2  # so that many groups are near enough to 0
    side = np.linspace(-reach, reach, 9)
    pairs = np.array([(x, y) for x in side for y in side])
    tensors = [torch.from_numpy(pair).reshape(shape) for pair in pairs]
    after = np.array([technique.prox(pair, step).flatten().numpy() for pair in tensors])
    gone = int(((after == 0).all(axis=1) & (pairs != 0).any(axis=1)).sum())
    half = int(((after == 0).sum(axis=1) > (pairs == 0).sum(axis=1)).sum()) - gone
    title = f"Weights of a group are moved together: {gone} of {len(pairs)} pairs become 0 as a whole"
    figure = sheet(4.2, title, f"Arrows: the proximal step {step:g} at the strength of the example below.")
    axes = figure.subplots()
    arrows(axes, pairs, after - pairs, ACCENT)
    axes.set(xlabel="first weight", ylabel="second weight of the group", aspect="equal")
    axes.set(xlim=(-1.15 * reach, 1.15 * reach), ylim=(-1.15 * reach, 1.15 * reach))
    return picture(figure, f"{title}; of {half} other pairs one weight becomes 0.")


def arrows(axes: Axes, tails: np.ndarray, ways: np.ndarray, colour: str) -> None:
    """Draw arrows in the units of the axes, from ``tails`` (n, 2) along ``ways`` (n, 2)."""
    axes.quiver(*tails.T, *ways.T, color=colour, angles="xy", scale_units="xy", scale=1, width=0.006)


def anchored_penalty(technique: AnchoredPenalty) -> Picture:
    """Draw the cost of a weight and the force on it, against its distance from the anchor."""
    import torch

    distances = np.linspace(-2, 2, POINTS)
    costs, forces = [], []
    for distance in distances:
        w = torch.full((1, 1), 1 + distance, dtype=torch.float64, requires_grad=True)
        cost = technique.value(w, torch.ones(1, 1, dtype=torch.float64))
        (force,) = torch.autograd.grad(cost, w)
        costs.append(cost.item())
        forces.append(-force.item())
    near, far = abs(forces[60]), abs(forces[-1])
    grows = "grows with the distance" if far > 1.01 * near else "is the same at any distance"
    origin = "its round of epochs" if any(map(technique.renews, range(1, 100))) else "training"
    title = f"A weight is pulled back to where it began {origin}; the pull {grows}"
    figure = sheet(2.9, title, "At the strength of the example below.")
    left, right = figure.subplots(1, 2)
    left.plot(distances, costs, color=ACCENT)
    left.set(xlabel="distance from the anchor", ylabel=COST)
    right.axhline(0, color=FAINT, linewidth=1.2)
    right.plot(distances, forces, color=ACCENT)
    right.set(xlabel="distance from the anchor", ylabel="pull (−gradient)")
    return picture(
        figure, f"{title}. At a distance of 1 it costs {costs[60]:.3g} and the pull is {near:.3g}."
    )


def output_penalty(technique: OutputPenalty) -> Picture:
    """Draw the cost of an output against how sure it is."""
    import torch

    shares = np.linspace(0.01, 0.99, 99)
    scores = [torch.tensor([[log(p / (1 - p)), 0.0]], dtype=torch.float64) for p in shares]
    costs = np.array([float(technique.value(one)) for one in scores])
    cheapest = shares[costs.argmin()]
    unsure = abs(cheapest - 0.5) < 0.02
    title = (
        "To be sure costs, to be undecided costs least, whatever the target is"
        if unsure
        else f"It costs least to give the first class {percent(cheapest, 0)}"
    )
    figure = sheet(2.8, title, "Two classes, at the strength of the example below.")
    axes = figure.subplots()
    axes.plot(100 * shares, costs, color=ACCENT)
    axes.set(xlabel="probability that the model gives to the first class (%)", ylabel=COST)
    told = f"At 50 % it costs {costs[49]:.3g}, at 99 % {costs[-1]:.3g}"
    return picture(figure, f"{title}. {told}.")


def activation_penalty(technique: ActivationPenalty) -> Picture:
    """Draw the cost of hidden states that stay, and of states that jump, against their size."""
    import torch

    sizes = np.linspace(0, 2, 41)
    signs = torch.tensor([(-1.0) ** t for t in range(8)], dtype=torch.float64)[None, :, None]
    words = torch.ones(1, 8, dtype=torch.bool)

    def cost(size: float, pattern: torch.Tensor) -> float:
        states = size * pattern.expand(1, 8, 4)
        return float(technique.value(states, states, words))

    steady = np.array([cost(size, signs.abs()) for size in sizes])
    jumping = np.array([cost(size, signs) for size in sizes])
    if steady[-1] < 0.05 * jumping[-1]:
        title = "States that stay as they are cost nothing, states that jump do"
    elif jumping[-1] > 1.05 * steady[-1]:
        title = "Large states cost, and more where they jump"
    else:
        title = "Large states cost, whether they stay or jump"
    figure = sheet(2.9, title, "At the strength of the example below.")
    axes = figure.subplots()
    lines = {"states that stay the same": steady, "states that change their sign each step": jumping}
    curves(axes, sizes, lines)
    axes.set(xlabel="size of each hidden state", ylabel=COST)
    axes.legend(loc="upper left")
    return picture(
        figure, f"{title}. At size 2: {steady[-1]:.3g} where they stay, {jumping[-1]:.3g} where not."
    )


def interaction_penalty(technique: InteractionPenalty) -> Picture:
    """Draw how strongly the rows of an embedding are pulled, by how often a batch used them."""
    import torch

    from studylib.regularizers.base import Rows

    table = torch.full((6, 4), 0.5, dtype=torch.float64, requires_grad=True)
    items = torch.full((6, 4), 0.5, dtype=torch.float64)
    used = torch.tensor([row for row in range(6) for _ in range(row)])
    others = torch.arange(len(used)) % 6
    taken = [Rows(used[:, None], table[used][:, None]), Rows(others[:, None], items[others][:, None])]
    cost = technique.value([table, items], taken)
    (gradient,) = torch.autograd.grad(cost, table)
    pulls = gradient.norm(dim=1).numpy()
    title = _pulled(pulls)
    figure = sheet(2.8, title, "A batch of 15 interactions; all rows are equally long.")
    axes = figure.subplots()
    axes.bar(range(6), pulls, color=ACCENT, width=0.7)
    axes.set(xlabel="times that the batch used the row", ylabel="pull (gradient)")
    axes.grid(visible=False, axis="x")
    told = ", ".join(f"{pull:.3g}" for pull in pulls)
    return picture(figure, f"{title}. Pull on rows used 0 to 5 times: {told}.")


def _pulled(pulls: np.ndarray) -> str:
    if np.ptp(pulls) < 1e-9:
        return "All rows are pulled alike, whether the batch used them or not"
    if np.ptp(pulls[1:]) < 1e-9:
        return "Every row that the batch used is pulled alike, the others are left alone"
    if np.allclose(pulls, pulls[1] * np.arange(6)):
        return "A row is pulled once for each time that the batch used it"
    return "How strongly a row is pulled depends on how often the batch used it"


def curves(axes: Axes, x: np.ndarray, lines: dict[str, np.ndarray]) -> None:
    """Draw lines that are told apart by colour and by dashes."""
    styles = ((ACCENT, "-"), (SECOND, "--"), (MUTED, ":"), (INK, "-."))
    for (name, y), (colour, dashes) in zip(lines.items(), styles, strict=False):
        axes.plot(x, y, color=colour, linestyle=dashes, label=name)
