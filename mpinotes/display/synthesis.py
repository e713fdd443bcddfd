"""Algorithm 2 cut into what a page can run: the network with its condition, the steps, and the comparison with the
truth.

The live explorer calls the modules, and the page runs them as programs (`mpinotes.display.program`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mpinotes.diffusion import ANCESTRAL, DDIM, PrintedStep, Schedule, Step, perturb, to_x0
from mpinotes.display.portable import portable_normal
from mpinotes.draw import normal_like
from mpinotes.methods import sm_synthesis


class ConditionedEstimate(nn.Module):
    """Lines 3 to 8 of Algorithm 2 at one step: the condition is perturbed and weighed, and the network asked."""

    def __init__(self, network: nn.Module, config: sm_synthesis.SynthesisConfig):
        super().__init__()
        self.network, self.config = network, config

    def forward(
        self, x: torch.Tensor, t: torch.Tensor, condition: torch.Tensor, noise: torch.Tensor,
        weight: torch.Tensor, level: torch.Tensor, orders: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        """x̂_0 and the condition as it entered, for (1, 4, y, x), numbers (1,), and orders (1, 2)."""
        levels = torch.stack([weight, weight * level], dim=1)
        entered = perturb(condition, noise, levels)
        seen = sm_synthesis.to_input(x, entered, levels, orders, self.config)
        objective = self.config.objective
        x0 = to_x0(self.network(seen, t), x, t, objective.schedule, objective.prediction)
        return x0.clamp(-1, 1), entered


class Comparison(nn.Module):
    """A sample beside the truth."""

    def forward(
        self, x: torch.Tensor, turn: torch.Tensor, truth: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Real parts of both channels of a sample, and of what is left where its moduli are cut at 1; then the moduli
        of its error and the PSNR [dB].

        :param x: the sample, (1, 4, y, x).
        :param turn: cosine and sine, for each channel, of what leads from its phase to that of the truth, (1, 2, 2).
        :param truth: (1, 4, y, x).
        """
        (real, imaginary), (cosine, sine) = x.unflatten(1, (2, 2)).unbind(2), turn[:, :, :, None, None].unbind(2)
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
        modulus = (real * real + imaginary * imaginary).clamp(min=1.0).sqrt()
        true_real, true_imaginary = truth.unflatten(1, (2, 2)).unbind(2)
        off_real, off_imaginary = real / modulus - true_real, imaginary / modulus - true_imaginary
        square = off_real * off_real + off_imaginary * off_imaginary
        return real, real / modulus, square.sqrt(), -10 * (square.mean((-2, -1)) / 4).log10()


@dataclass(frozen=True)
class KeptStep:
    """Step `t`, which makes a x_t + b x̂_0 + c z of its sample; `weights` are a, b and c."""

    t: int
    weights: tuple[float, float, float]


def kept_steps(sampler: str, schedule: Schedule, calls: int) -> list[KeptStep]:
    """The kept steps of a sampler; their weights are read off the package's own steps, which are linear.

    >>> from mpinotes.diffusion import Schedule
    >>> from mpinotes.display.synthesis import kept_steps
    >>> [step.t for step in kept_steps("ddim", Schedule(), calls=4)]
    [1000, 667, 334, 1]
    """
    kept = schedule.kept_steps(calls)
    one, zero = (torch.full((), value, dtype=torch.float64, device="cpu") for value in (1.0, 0.0))
    samplers: dict[str, Step] = {"ddim": DDIM, "derived": ANCESTRAL, "printed": PrintedStep(one)}
    z = one if sampler == "printed" else normal_like(one, torch.Generator().manual_seed(0))

    def take(x: torch.Tensor, x0: torch.Tensor, t: int, previous: int) -> float:
        signal, signal_after = (schedule.alpha_bar[at].item() for at in (t, previous))
        return samplers[sampler](x, x0, signal, signal_after, torch.Generator().manual_seed(0)).item()

    steps = []
    for t, previous in zip(kept, [*kept[1:], 0], strict=True):
        noise = take(zero, zero, t, previous)
        a, b = (take(*point, t, previous) - noise for point in ((one, zero), (zero, one)))
        steps.append(KeptStep(t, (a, b, noise / z.item())))
    return steps


@dataclass(frozen=True)
class SampledState:
    """What a call led to, (1, 4, y, x) each: x at the next kept step, x̂_0, and the condition as it `entered`."""

    x: torch.Tensor
    x0: torch.Tensor
    entered: torch.Tensor


@torch.no_grad()
def walk(
    estimate: ConditionedEstimate,
    condition: torch.Tensor,
    orders: torch.Tensor,
    steps: list[KeptStep],
    levels: list[tuple[float, float]],
    *,
    one_noise: bool,
    seed: int,
) -> Iterator[SampledState]:
    """A sample on its way, with the random numbers of the page, in full precision.

    :param estimate: of a network.
    :param condition: (1, 4, y, x).
    :param orders: (1, 2).
    :param steps: the kept ones.
    :param levels: weight and noise level of the condition at each.
    :param one_noise: whether all steps add the same noise.
    :param seed: of all noise.
    """
    x, noise, z = (portable_normal(tuple(condition.shape), seed, stream) for stream in range(3))
    for number, (step, values) in enumerate(zip(steps, levels, strict=True)):
        t, weight, level = x.new_tensor([[step.t], *([value] for value in values)])
        x0, entered = estimate(x, t, condition, noise, weight, level, orders)
        a, b, c = step.weights
        x = a * x + b * x0 + c * (z if one_noise else portable_normal(tuple(x.shape), seed, 3 + number))
        yield SampledState(x, x0, entered)


def gaussian_path(
    mean: float, deviation: float, schedule: Schedule, calls: int, x: torch.Tensor
) -> list[dict[str, Any]]:
    """At each kept step, and at the end: the "density" at `x`, (n,), that x_t has for Gaussian x_0, and "gain" and
    "offset" of the exact denoiser, x̂_0 = gain · x_t + offset."""
    states = []
    for t in [*schedule.kept_steps(calls), 0]:
        signal = schedule.alpha_bar[t].item()
        centre, variance = signal**0.5 * mean, signal * deviation**2 + 1 - signal
        density = torch.exp(-((x - centre) ** 2) / (2 * variance)) / (2 * torch.pi * variance) ** 0.5
        gain = signal**0.5 * deviation**2 / variance
        states.append({"density": density.numpy().round(4).tolist(), "gain": gain, "offset": mean - gain * centre})
    return states
