"""DCCDM: the degradation-consistent conditional diffusion model of Qiu et al. (2026)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import torch
from torch import nn

from mpinotes.checks import check_choice, check_count, check_images, check_range, make_plain
from mpinotes.data import FIT_VOLUMES
from mpinotes.diffusion import DDIM, Objective, Step, add_noise, sample, to_x0
from mpinotes.draw import integers, normal, normal_like, seeded_generator, send
from mpinotes.methods.inference import evaluating
from mpinotes.methods.method import ImageMethod, TrainingData
from mpinotes.methods.mirrors import flip_together
from mpinotes.networks import UNetConfig
from mpinotes.operators import Degradation, fit_degradation, frequency_alignment_loss
from mpinotes.training import forward


@dataclass(frozen=True)
class DCCDMConfig:
    """Everything that defines the model and its objective.

    The paper gives `gamma` = 0.3 and nothing else: all other numbers are ours. With `lambda_dc` =
    `lambda_f` = 0 this is the 3D DDPM the paper compares with.

    :param degradation: D of eq. (1); a training fits its σ and scale to its pairs first.
    :param network: shape of the U-Net.
    :param objective: schedule, what the network predicts, and how its error is weighted over t.
    :param residual: the network predicts what to add to x_LR (only where it predicts x_0).
    :param lambda_dc: weight of the degradation consistency.
    :param lambda_f: weight of the frequency alignment.
    :param gamma: weight of the high band in the alignment, eq. (2).
    :param radius: of the low band [Nyquist].
    :param low_target: what the low band is pulled to, "x_lr" (the paper) or "x_hr".
    :param time_weight: how the two extra terms are weighted over t, by "alpha_bar" or "constant".

    >>> config = dccdm.DCCDMConfig()
    >>> config.gamma, config.objective.prediction
    (0.3, 'x0')
    """

    degradation: Degradation = Degradation(sigma=1.0)
    network: UNetConfig = UNetConfig(blocks=2)
    objective: Objective = Objective(weight_range=(1.0, 1.0))
    residual: bool = True
    lambda_dc: float = 1.0
    lambda_f: float = 0.1
    gamma: float = 0.3
    radius: float = 0.25
    low_target: str = "x_lr"
    time_weight: str = "alpha_bar"

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("lambda_dc", "lambda_f", "gamma"):
            check_range(name, getattr(self, name), 0.0, math.inf)
        check_range("radius", self.radius, 0.0, math.sqrt(3))
        check_choice("low_target", self.low_target, ("x_lr", "x_hr"))
        check_choice("time_weight", self.time_weight, ("alpha_bar", "constant"))
        if self.residual:
            check_choice("objective.prediction with residual", self.objective.prediction, ("x0",))


def draw(batch: tuple[torch.Tensor, ...], generator: torch.Generator, config: DCCDMConfig) -> tuple[torch.Tensor, ...]:
    """Pairs (x_LR, x_HR) in [0, 1], mirrored at random, with a step t and the noise ε for each.

    >>> x_lr, x_hr = torch.zeros(2, 1, 8, 8, 8), torch.ones(2, 1, 8, 8, 8)
    >>> drawn = dccdm.draw((x_lr, x_hr), torch.Generator().manual_seed(0), dccdm.DCCDMConfig())
    >>> [tuple(tensor.shape) for tensor in drawn]
    [(2, 1, 8, 8, 8), (2, 1, 8, 8, 8), (2,), (2, 1, 8, 8, 8)]
    """
    x_lr, x_hr = flip_together(batch, generator)
    t = integers(1, config.objective.schedule.steps + 1, (len(x_hr),), generator)
    return x_lr, x_hr, send(t, x_hr.device), normal_like(x_hr, generator)


def loss(model: nn.Module, drawn: tuple[torch.Tensor, ...], config: DCCDMConfig) -> dict[str, torch.Tensor]:
    """Total objective on what `draw` returns, and its terms.

    diffusion + λ_dc ‖D(x̂_0) − x_LR‖² + λ_f L_freq, the last two weighted by α̅_t by default: an x̂_0
    estimated from almost pure noise is a guess, and from a noise prediction it even grows like 1/√α̅_t.

    >>> from mpinotes.networks import seeded_network
    >>> config = dccdm.DCCDMConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> x_lr, x_hr = torch.zeros(2, 1, 8, 8, 8), torch.ones(2, 1, 8, 8, 8)
    >>> drawn = dccdm.draw((x_lr, x_hr), torch.Generator().manual_seed(0), config)
    >>> list(dccdm.loss(model, drawn, config))
    ['total', 'diffusion', 'consistency', 'alignment']
    """
    x_lr, x_hr, t, noise = drawn
    objective, schedule = config.objective, config.objective.schedule
    x0 = 2 * x_hr - 1
    x_t = add_noise(x0, noise, t, schedule)
    x0_hat = predict_x0(model, x_t, t, x_lr, config)
    error = (x0_hat - x0).square() * objective.weight(t, x0)
    terms = {"diffusion": error.mean()}
    estimate = (x0_hat + 1) / 2
    per_volume = t.new_ones(len(t), dtype=x0.dtype)
    time_weight = schedule.at(t, per_volume) if config.time_weight == "alpha_bar" else per_volume
    if config.lambda_dc > 0:
        consistency = (config.degradation.apply(estimate) - x_lr[:, :1]).square().flatten(1).mean(1)
        terms["consistency"] = config.lambda_dc * (time_weight * consistency).mean()
    if config.lambda_f > 0:
        low = x_lr[:, :1] if config.low_target == "x_lr" else x_hr
        alignment = frequency_alignment_loss(estimate, low, x_hr, config.gamma, config.radius)
        terms["alignment"] = config.lambda_f * (time_weight * alignment).mean()
    return {"total": torch.stack(list(terms.values())).sum(), **terms}


def predict_x0(
    model: nn.Module, x_t: torch.Tensor, t: torch.Tensor, x_lr: torch.Tensor, config: DCCDMConfig
) -> torch.Tensor:
    """The estimate x̂_0, (batch, 1, z, y, x), in units of [-1, 1].

    :param model: the network.
    :param x_t: the noisy volumes, (batch, 1, z, y, x).
    :param t: their steps, (batch,).
    :param x_lr: the condition, in [0, 1], (batch, 1, z, y, x), or with further images of the same scan behind it.
    :param config: of the training.

    >>> from mpinotes.networks import seeded_network
    >>> config = dccdm.DCCDMConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> x_t, x_lr, t = *torch.zeros(2, 2, 1, 8, 8, 8), torch.tensor([10, 500])
    >>> x_0 = dccdm.predict_x0(model, x_t, t, x_lr, config)
    >>> x_0.shape, (x_0 == -1).all().item()  # an untrained network adds nothing to x_LR
    (torch.Size([2, 1, 8, 8, 8]), True)
    """
    condition = 2 * x_lr - 1
    prediction = forward(model, torch.cat([x_t, condition], dim=1), t)
    if config.residual:
        prediction = prediction + condition[:, :1]
    return to_x0(prediction, x_t, t, config.objective.schedule, config.objective.prediction)


def enhance(
    model: nn.Module,
    x_lr: torch.Tensor,
    config: DCCDMConfig,
    *,
    steps: int,
    step: Step = DDIM,
    misfit: Callable[..., torch.Tensor] | None = None,
    seed: int = 0,
    batch: int = 16,
) -> torch.Tensor:
    """Sample x_HR given x_LR, both (batch, 1, z, y, x) in [0, 1].

    :param model: the network.
    :param x_lr: the images; behind the first channel there may be others, as many as the network was trained with.
    :param config: of the training.
    :param steps: network calls per volume.
    :param step: of the sampler, `DDIM` or `ANCESTRAL`.
    :param misfit: of x̂_0 in [-1, 1] and `x_lr`, (batch,): what every step lowers, see `sample_path`.
    :param seed: of starting noise and steps.
    :param batch: volumes at a time.

    >>> from mpinotes.networks import seeded_network
    >>> config = dccdm.DCCDMConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> dccdm.enhance(model, torch.zeros(2, 1, 8, 8, 8), config, steps=2).shape
    torch.Size([2, 1, 8, 8, 8])
    """
    check_images("x_lr", x_lr, config.network.in_channels - 1)
    check_count("batch", batch)
    device = next(model.parameters()).device
    generator = seeded_generator(seed)
    like = torch.empty(0, dtype=torch.float32, device="cpu")  # the same noise for every dtype and device
    starts = normal(x_lr[:, :1].shape, like, generator)
    results = []
    for part, start in zip(x_lr.split(batch), starts.split(batch), strict=True):
        condition = part.to(device, start.dtype)

        def denoise(x: torch.Tensor, t: torch.Tensor, condition: torch.Tensor = condition) -> torch.Tensor:
            return predict_x0(model, x, t, condition, config).clamp(-1, 1)

        with evaluating(model):
            x = sample(
                denoise, start.to(device), config.objective.schedule, steps=steps, step=step,
                misfit=partial(misfit, x_lr=condition) if misfit else None, generator=generator,
            )  # fmt: skip
        results.append(((x + 1) / 2).clamp(0, 1).to(x_lr))
    return torch.cat(results)


@dataclass(frozen=True)
class DiffusionMethod(ImageMethod):
    """DCCDM, or the 3D DDPM, as a `Method`."""

    config: DCCDMConfig

    def fitted(self, data: TrainingData) -> Self:
        x_lr, x_hr = (x[:FIT_VOLUMES] for x in data.tensors)
        degradation, _ = fit_degradation(x_hr, x_lr)
        return replace(self, config=replace(self.config, degradation=degradation))

    def draw(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        return draw(batch, generator, self.config)

    def loss(self, model: nn.Module, drawn: tuple[torch.Tensor, ...], progress: float) -> dict[str, torch.Tensor]:
        return loss(model, drawn, self.config)

    def apply(self, model: nn.Module, x_lr: torch.Tensor, **options: Any) -> torch.Tensor:
        return enhance(model, x_lr, self.config, **{"steps": self.calls} | options)
