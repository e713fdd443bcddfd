"""The training objective: noise a sample, predict, weigh the error."""

import math
from dataclasses import dataclass

import torch

from mpinotes.diffusion.schedule import Schedule
from mpinotes.validation import check_choice, check_range

PREDICTIONS = ("epsilon", "x0", "v")


@dataclass(frozen=True)
class Objective:
    """What the network predicts and how its squared error is weighed over t.

    `prediction`: "epsilon" (Ho et al. 2020), "x0", or "v" = √α̅ ε − √(1 − α̅) x_0 (Salimans & Ho
    2022). `weight_range`: bounds of the signal-to-noise ratio α̅/(1 − α̅) that weighs the error of
    x_0; with (0, ∞) the x_0 loss equals the plain ε loss of both papers.
    """

    schedule: Schedule = Schedule()
    prediction: str = "x0"
    weight_range: tuple[float, float] = (0.0, math.inf)

    def __post_init__(self) -> None:
        check_choice("prediction", self.prediction, PREDICTIONS)
        check_range("weight_range", self.weight_range[0], 0.0, self.weight_range[1])

    def weight(self, t: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Clipped signal-to-noise ratio at steps t, shaped to multiply `like`."""
        alpha_bar = self.schedule.at(t, like)
        return (alpha_bar / (1 - alpha_bar)).clamp(*self.weight_range)


def add_noise(x0: torch.Tensor, noise: torch.Tensor, t: torch.Tensor, schedule: Schedule) -> torch.Tensor:
    """x_t = √α̅_t x_0 + √(1 − α̅_t) ε (Ho et al. 2020, eq. (4)); `t`: (batch,) in 0 … T."""
    alpha_bar = schedule.at(t, x0)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise


def to_x0(prediction: torch.Tensor, x_t: torch.Tensor, t: torch.Tensor, schedule: Schedule, kind: str) -> torch.Tensor:
    """The estimate x̂_0 that a prediction of `kind` ("epsilon", "x0" or "v") implies at x_t."""
    check_choice("kind", kind, PREDICTIONS)
    if kind == "x0":
        return prediction
    alpha_bar = schedule.at(t, x_t)
    if kind == "v":
        return alpha_bar.sqrt() * x_t - (1 - alpha_bar).sqrt() * prediction
    return (x_t - (1 - alpha_bar).sqrt() * prediction) / alpha_bar.sqrt()


def to_epsilon(x0: torch.Tensor, x_t: torch.Tensor, t: torch.Tensor, schedule: Schedule) -> torch.Tensor:
    """The noise ε̂ = (x_t − √α̅_t x̂_0) / √(1 − α̅_t) that an estimate x̂_0 implies; t ≥ 1."""
    alpha_bar = schedule.at(t, x_t)
    return (x_t - alpha_bar.sqrt() * x0) / (1 - alpha_bar).sqrt()
