"""Laws of attacks on the inputs, and the definition of the steepest ones, in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from studylib.regularizers import CATALOGUE, EXAMPLES
from studylib.regularizers.adversarial import Adversarial
from studylib.regularizers.base import Attack
from studylib.seeds import Noise, Recorded, Replayed

CORNER = torch.tensor([0.5, -1.0, 2.0, 1.5]).double()  # the weights of a linear model
UNIT = torch.tensor(0.7).double()
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


def uphill(x: Tensor) -> Tensor:
    """Return the gradient of Σ sin(3x), as if it were the loss of a model."""
    return 3 * (3 * x).cos()


every_attack = pytest.mark.parametrize(
    ("example", "x"),
    [
        (attack, {"images": normal(5, 3, 6, 9), "tables": normal(5, 4)}[inputs])
        for attack in EXAMPLES.values()
        if isinstance(attack, Attack)
        for inputs in sorted(attack.inputs)
    ],
    ids=lambda part: str(part.dim()) if isinstance(part, Tensor) else str(part.name),
)


@every_attack
@DTYPES
def test_an_attack_keeps_the_form_of_its_inputs(example: Attack, x: Tensor, dtype: torch.dtype) -> None:
    """Shape and type stay, also for one row; the inputs are not written to; the noise decides everything."""
    x = x.to(dtype)
    before = x.clone()
    after = example.perturb(x, noise(), uphill, UNIT)

    assert (after.shape, after.dtype) == (x.shape, dtype)
    assert after.isfinite().all()
    assert torch.equal(x, before)
    assert torch.equal(example.perturb(x, noise(), uphill, UNIT), after)
    assert example.perturb(x[:1], noise(), uphill, UNIT).shape == x[:1].shape


@every_attack
def test_an_attack_is_off_at_0(example: Attack, x: Tensor) -> None:
    """With every setting that may be 0 at 0, and with a unit of 0, the inputs come back bit for bit."""
    settings = CATALOGUE[example.name].settings()
    zeros = {key: 0 for key, setting in settings.items() if setting.get("minimum") == 0}
    off = type(example).model_validate(example.model_dump() | zeros)

    assert torch.equal(off.perturb(x, noise(), uphill, UNIT), x)
    assert torch.equal(example.perturb(x, noise(), uphill, 0 * UNIT), x)


@every_attack
def test_an_attack_raises_the_loss(example: Attack, x: Tensor) -> None:
    """Along its gradient a loss only goes up, for every row."""
    after = example.perturb(x, noise(), uphill, UNIT)

    assert ((3 * after).sin().flatten(1).sum(1) > (3 * x).sin().flatten(1).sum(1)).all()


@every_attack
def test_an_attack_on_replicas_is_one_on_each(example: Attack, x: Tensor) -> None:
    """Under vmap, with replayed noise and probabilities of their own, replicas are treated one by one."""
    records, factors = [Recorded(noise(seed)) for seed in range(3)], torch.tensor([0.0, 0.5, 1.0])
    inputs = torch.stack([x.roll(shift, 0) for shift in range(3)])
    alone = [
        example.turned(float(factor)).perturb(one, record, uphill, UNIT)
        for one, record, factor in zip(inputs, records, factors, strict=True)
    ]

    def attack(one: Tensor, drawn: list[Tensor], factor: Tensor) -> Tensor:
        return example.turned(factor).perturb(one, Replayed(drawn), uphill, UNIT)

    drawn = [torch.stack(draws) for draws in zip(*(record.drawn for record in records), strict=True)]
    together = torch.func.vmap(attack)(inputs, drawn, factors)
    torch.testing.assert_close(together, torch.stack(alone))


def test_fgsm_is_the_strongest_attack_on_a_linear_model() -> None:
    """It is x + ε·unit·sign(w), raises w·x by ε·Σ unit·|w|, and no point of the box does better."""
    x, unit = normal(6, 4), torch.tensor([1.0, 0.5, 2.0, 0.1]).double()
    attacked = Adversarial(method="fgsm", epsilon=0.3).perturb(x, noise(), CORNER.expand_as, unit)
    elsewhere = x + 0.3 * unit * (2 * torch.rand(1000, 6, 4, generator=torch.Generator().manual_seed(1)) - 1)

    assert torch.equal(attacked, x + 0.3 * unit * CORNER.sign())
    torch.testing.assert_close((attacked - x) @ CORNER, (0.3 * unit * CORNER.abs()).sum().expand(6))
    assert (elsewhere @ CORNER <= attacked @ CORNER).all()


def test_the_loss_of_a_logistic_model_goes_up_in_closed_form() -> None:
    """Its margins y·w·x fall by ε·‖w‖₁, each row's against its own class, by the gradient of its loss."""
    x, y = normal(8, 4), torch.tensor([1.0, -1, 1, 1, -1, -1, 1, -1]).double()

    def loss(at: Tensor) -> Tensor:
        return functional.softplus(-y * (at @ CORNER))

    def gradient(at: Tensor) -> Tensor:
        at = at.detach().requires_grad_()
        return torch.autograd.grad(loss(at).sum(), at)[0]

    for method in ("fgsm", "pgd"):
        attack = Adversarial(method=method, epsilon=0.2, steps=10)
        attacked = attack.perturb(x, noise(), gradient, torch.ones(()))
        margins = y * (x @ CORNER) - 0.2 * CORNER.abs().sum()

        torch.testing.assert_close(loss(attacked), functional.softplus(-margins))


@DTYPES
def test_pgd_never_leaves_the_box(dtype: torch.dtype) -> None:
    """After any number of steps of any length each number is from x − ε·unit to x + ε·unit, to the bit."""
    x, unit = 50 * normal(40, 3, 4, 4, dtype=dtype), torch.tensor([0.1, 3.0, 1.0]).reshape(3, 1, 1).to(dtype)
    for steps, step in ((1, 2.0), (3, 0.7), (20, 0.25)):
        attack = Adversarial(method="pgd", epsilon=0.1, steps=steps, step=step)
        after = attack.perturb(x, noise(steps), uphill, unit)

        assert (after >= x - 0.1 * unit).all()
        assert (after <= x + 0.1 * unit).all()
        assert (after != x).double().mean() > 0.99


def test_pgd_climbs_to_the_top_where_one_step_overshoots() -> None:
    """On −(x − c)² small steps end within one of them of c, which the step of FGSM passes by."""
    x, top = torch.zeros(50, 4).double(), 0.1 * normal(50, 4).clamp(-2, 2)
    pgd = Adversarial(method="pgd", epsilon=1.0, steps=60, step=0.05)
    climbed = pgd.perturb(x, noise(), lambda at: 2 * (top - at), torch.ones(()))
    leapt = pgd.model_copy(update={"method": "fgsm"}).perturb(x, noise(), lambda at: 2 * (top - at), UNIT)

    assert (climbed - top).abs().max() <= 0.05 + 1e-9
    assert (leapt - top).abs().min() > 0.3


def test_pgd_starts_anywhere_in_the_box() -> None:
    """With a step that leads nowhere the changes are uniform from −ε to ε."""
    x = torch.zeros(5000, 2).double()
    attack = Adversarial(method="pgd", epsilon=0.5, steps=1, step=1e-9)
    start = attack.perturb(x, noise(), torch.zeros_like, torch.ones(()))

    assert torch.histc(start, 10, -0.5, 0.5).tolist() == pytest.approx([1000] * 10, abs=5 * 30)


def test_rows_are_attacked_in_the_share_of_the_probability() -> None:
    """A row is attacked as a whole, or left alone bit for bit."""
    x = normal(4000, 3)
    after = Adversarial(method="fgsm", epsilon=0.5, probability=0.3).perturb(x, noise(), uphill, UNIT)
    changed = after != x

    assert torch.equal(changed.any(dim=1), changed.all(dim=1))
    assert changed[:, 0].double().mean() == pytest.approx(0.3, abs=5 * 0.0073)
