"""The noise schedule: how much of the signal is left at step t."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from mpinotes.checks import check_choice, check_count, make_plain


@dataclass(frozen=True)
class Schedule:
    """Variance-preserving schedule over t = 0 … T: x_t = √α̅_t x_0 + √(1 − α̅_t) ε.

    `name`: "linear" (β from 1e-4 to 0.02 at T = 1000, scaled by 1000/T; Ho et al. 2020) or
    "cosine" (Nichol & Dhariwal 2021). Below some 50 steps the linear one is
    extreme: β meets its cap. `steps`: T. The papers give neither: both are ours.

    >>> schedule = Schedule("cosine", steps=100)
    >>> schedule.alpha_bar[[0, 50, 99]].round(decimals=3)
    tensor([1.0000, 0.4940, 0.0000], dtype=torch.float64)
    >>> schedule.kept_steps(4)
    [100, 67, 34, 1]
    """

    name: str = "linear"
    steps: int = 1000

    def __post_init__(self) -> None:
        make_plain(self)
        check_choice("name", self.name, ("linear", "cosine"))
        check_count("steps", self.steps)

    @cached_property
    def alpha_bar(self) -> torch.Tensor:
        """α̅_0 … α̅_T, (T + 1,), float64: 1 at t = 0, falling to almost 0 at t = T."""
        with torch.inference_mode(False):  # it is kept: made for inference alone, it would serve no training
            if self.name == "linear":
                ramp = torch.linspace(0.02, 1e-4, self.steps, dtype=torch.float64, device="cpu").flip(0)
                beta = (ramp * 1000 / self.steps).clamp(max=0.999)
            else:
                t = torch.arange(self.steps + 1, dtype=torch.float64, device="cpu") / self.steps
                f = torch.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
                beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)
            return torch.cat([beta.new_ones(1), (1 - beta).cumprod(0)])

    @cached_property
    def _tables(self) -> dict[torch.device, torch.Tensor]:
        """α̅ on every device that has asked for it: a step of a training must not send it anew."""
        return {self.alpha_bar.device: self.alpha_bar}

    def kept_steps(self, steps: int) -> list[int]:
        """So many evenly spaced `steps` from T down to 1, for respaced sampling."""
        check_count("steps", steps, 1, self.steps)
        return torch.linspace(self.steps, 1, steps, dtype=torch.float64, device="cpu").round().long().tolist()

    def at(self, t: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """α̅_t for steps t, (batch,), in 0 … T, shaped to multiply `like`, (batch, ...)."""
        if like.device not in self._tables:
            with torch.inference_mode(False):
                self._tables[like.device] = self.alpha_bar.to(like.device)
        try:  # the look-up itself refuses other steps: to compare them first would wait for a GPU
            alpha_bar = self._tables[like.device].index_select(0, t)
        except IndexError:
            raise ValueError(f"t: got {t.tolist()}, accepted are steps from 0 to {self.steps}") from None
        return alpha_bar.to(like.dtype).view(-1, *[1] * (like.ndim - 1))
