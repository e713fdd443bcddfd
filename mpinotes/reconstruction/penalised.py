"""Non-negative least squares with a penalty: ridge, L1 or total variation, for every forward model."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from mpinotes.checks import check_choice, check_count, check_range
from mpinotes.numerics import full_precision
from mpinotes.reconstruction.forward_models import ForwardModel, check_model
from mpinotes.reconstruction.total_variation import descend, variation

_TV_STEPS = 5  # of each proximal map, which goes on from the last one's dual field


@dataclass(frozen=True)
class PenalisedState:
    """After a step: the `volumes`, (batch, 1, z, y, x), and their `objective` over ‖d‖²/2, (batch,), float64.

    >>> model = MatrixModel(torch.eye(4), shape=(1, 2, 2))
    >>> states = penalised_steps(model, torch.ones(1, 4), penalty="ridge", weight=1.0)
    >>> [round(next(states).objective.item(), 3) for _ in range(2)]
    [0.5, 0.5]
    """

    volumes: torch.Tensor
    objective: torch.Tensor


@dataclass(frozen=True)
class _Penalty:
    """P(c), (batch,), and the proximal map argmin ‖c − v‖²/2 + τP(c) over c ≥ 0, from a memory to the next one."""

    value: Callable[[torch.Tensor], torch.Tensor]
    proximal: Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], tuple[torch.Tensor, torch.Tensor | None]]
    degree: int


_PENALTIES = {
    "ridge": _Penalty(
        lambda c: c.square().flatten(1).sum(1) / 2, lambda v, tau, memory: ((v / (1 + tau)).clamp_min(0), memory), 2
    ),
    "l1": _Penalty(lambda c: c.abs().flatten(1).sum(1), lambda v, tau, memory: ((v - tau).clamp_min(0), memory), 1),
    "total_variation": _Penalty(variation, lambda v, tau, memory: descend(v, tau, _TV_STEPS, memory), 1),
}


def reconstruct_penalised(
    model: ForwardModel, data: torch.Tensor, *, penalty: str, weight: float, steps: int = 100
) -> torch.Tensor:
    """The volumes of `penalised_steps` after a number of steps, (batch, 1, z, y, x).

    :param model: what is measured of a volume: `MatrixModel`, `native_model`, `harmonic_model`
    :param data: d, (batch, …)
    :param penalty: "ridge", "l1" or "total_variation"
    :param weight: λ
    :param steps: each applies the model and its adjoint once

    >>> data = torch.tensor([[3.0, 1.0, 0.1, -1.0]])
    >>> model = MatrixModel(torch.eye(4), shape=(1, 2, 2))
    >>> reconstruct_penalised(model, data, penalty="l1", weight=0.5, steps=20).flatten()
    tensor([2.5000, 0.5000, 0.0000, 0.0000])
    """
    check_count("steps", steps)
    states = penalised_steps(model, data, penalty=penalty, weight=weight)
    for _ in range(steps):
        state = next(states)
    return state.volumes


@full_precision
def penalised_steps(
    model: ForwardModel, data: torch.Tensor, *, penalty: str, weight: float
) -> Iterator[PenalisedState]:
    """Minimise ‖Ac − d‖²/2 + λP(c) over real c ≥ 0, without end: take as many steps as are wanted.

    P is ‖c‖²/2 ("ridge": Tikhonov with non-negativity), Σ|c| ("l1") or `total_variation`. Each step is a
    gradient step with momentum and the proximal map of λP. The objective of no volume ever rises, and it
    falls to the minimum as 1/step², for exact proximal maps: that of total variation takes five steps from
    where it last ended. Volumes do not disturb each other. Source: Beck & Teboulle, IEEE Trans. Image
    Process. 18 (2009) 2419, section 5 (MFISTA).

    Keeps the precision and the device of the data, whose largest numbers may have no square in float32.
    Raises ``ValueError`` for data that are not the model's, and for a weight that is no number ≥ 0.

    :param model: what is measured of a volume: `MatrixModel`, `native_model`, `harmonic_model`
    :param data: d, (batch, …)
    :param penalty: "ridge", "l1" or "total_variation"
    :param weight: λ, absolute: for "ridge" in units of ‖A‖², for the others of ‖A‖ times a datum

    >>> model = MatrixModel(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), shape=(1, 1, 2))
    >>> states = penalised_steps(model, torch.tensor([[2.0, 1.0]]), penalty="ridge", weight=0.0)
    >>> [round(next(states).objective.item(), 3) for _ in range(4)]
    [0.006, 0.004, 0.003, 0.002]
    """
    check_choice("penalty", penalty, _PENALTIES)
    check_range("weight", weight, 0.0)
    check_model(model)
    model.check_data(data)
    model, chosen = model.like(data), _PENALTIES[penalty]
    axes = (-1, *[1] * (data.ndim - 1))
    size = torch.linalg.vector_norm(data.to(torch.promote_types(data.dtype, torch.float64)).flatten(1), dim=1)
    unit = torch.where(size == 0, 1, size)
    data = data / unit.to(data.real.dtype).view(axes)
    volumes = model.adjoint(data) * 0
    # In units of the data's norm and of ‖A‖: steps are 1, and squares of volts per particle do not occur.
    gain = math.sqrt(model.energy())
    scale = (unit / gain).view(-1, 1, 1, 1, 1)
    strength = (weight * scale**chosen.degree / unit.view(-1, 1, 1, 1, 1) ** 2).to(volumes.dtype)
    scale = scale.to(volumes.dtype)

    def objective(volumes: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        misfit = (image - data).abs().square().flatten(1).sum(1, dtype=torch.float64)
        return misfit + 2 * strength.flatten().double() * chosen.value(volumes).double()

    image, memory, momentum = 0 * data, None, 1.0
    ahead, image_ahead, least = volumes, image, objective(volumes, image)
    while True:
        moved, memory = chosen.proximal(ahead - model.adjoint(image_ahead - data) / gain, strength, memory)
        seen = model.apply(moved) / gain
        reached = objective(moved, seen)
        lower = reached <= least
        least = torch.where(lower, reached, least)
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        volumes, ahead = _look_ahead(lower, volumes, moved, momentum, following)
        image, image_ahead = _look_ahead(lower, image, seen, momentum, following)
        momentum = following
        yield PenalisedState(volumes * scale, least)


def _look_ahead(
    lower: torch.Tensor, before: torch.Tensor, moved: torch.Tensor, momentum: float, following: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The better of two points, and where the next step starts; `image` follows linearly."""
    after = torch.where(lower.view(-1, *[1] * (before.ndim - 1)), moved, before)
    return after, after + momentum / following * (moved - after) + (momentum - 1) / following * (after - before)
