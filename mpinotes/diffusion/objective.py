"""The training objective: noise a sample, predict, weigh the error."""

import math
from dataclasses import dataclass

import torch

from mpinotes.checks import check_choice, check_range, check_several, make_plain
from mpinotes.diffusion.schedule import Schedule

PREDICTIONS = ("epsilon", "x0", "v")


@dataclass(frozen=True)
class Objective:
    """What the network predicts and how its squared error is weighed over t.

    `prediction`: "epsilon" (Ho et al. 2020), "x0", or "v" = √α̅ ε − √(1 − α̅) x_0 (Salimans & Ho
    2022). `weight_range`: bounds of the signal-to-noise ratio α̅/(1 − α̅) that weighs the error of
    x_0; with (0, ∞) the x_0 loss equals the plain ε loss of both papers.

    >>> objective = Objective(weight_range=(0.5, 5.0))
    >>> objective.weight(torch.tensor([1, 300, 1000]), like=torch.zeros(3, 1)).T
    tensor([[5.0000, 0.6568, 0.5000]])
    """

    schedule: Schedule = Schedule()
    prediction: str = "x0"
    weight_range: tuple[float, float] = (0.0, math.inf)

    def __post_init__(self) -> None:
        make_plain(self)
        check_choice("prediction", self.prediction, PREDICTIONS)
        check_several("weight_range", self.weight_range, (2,), "two bounds (low, high)")
        check_range("weight_range", self.weight_range[0], 0.0, self.weight_range[1])

    def weight(self, t: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Clipped signal-to-noise ratio at steps t, shaped to multiply `like`."""
        alpha_bar = self.schedule.at(t, like)
        return (alpha_bar / (1 - alpha_bar)).clamp(*self.weight_range)


def add_noise(x0: torch.Tensor, noise: torch.Tensor, t: torch.Tensor, schedule: Schedule) -> torch.Tensor:
    """x_t = √α̅_t x_0 + √(1 − α̅_t) ε (Ho et al. 2020, eq. (4)); `t`: (batch,) in 0 … T.

    >>> x0, noise = torch.ones(2, 1), torch.zeros(2, 1)
    >>> add_noise(x0, noise, torch.tensor([0, 500]), Schedule()).T
    tensor([[1.0000, 0.2803]])
    """
    alpha_bar = schedule.at(t, x0)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise


def to_x0(prediction: torch.Tensor, x_t: torch.Tensor, t: torch.Tensor, schedule: Schedule, kind: str) -> torch.Tensor:
    """The estimate x̂_0 that a prediction implies at x_t, (batch, ...).

    :param prediction: what the network predicted, (batch, ...).
    :param x_t: the noisy sample, (batch, ...).
    :param t: its steps, (batch,).
    :param schedule: of the noise.
    :param kind: what the prediction is of: "epsilon", "x0" or "v".

    >>> x0, noise, t = torch.ones(1, 2), torch.tensor([[0.5, -0.5]]), torch.tensor([500])
    >>> to_x0(noise, add_noise(x0, noise, t, Schedule()), t, Schedule(), "epsilon")
    tensor([[1.0000, 1.0000]])
    """
    check_choice("kind", kind, PREDICTIONS)
    if kind == "x0":
        return prediction
    alpha_bar = schedule.at(t, x_t)
    if kind == "v":
        return alpha_bar.sqrt() * x_t - (1 - alpha_bar).sqrt() * prediction
    return (x_t - (1 - alpha_bar).sqrt() * prediction) / alpha_bar.sqrt()
