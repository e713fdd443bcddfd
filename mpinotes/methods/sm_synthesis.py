"""High-gradient system matrices from low-gradient ones: Wei, Tian & Hui (2026), Algorithms 1 and 2."""

from dataclasses import dataclass

import torch
from torch import nn

from mpinotes.diffusion import (
    ConditionDecay,
    Objective,
    add_noise,
    drop_condition,
    progressive_path,
    sample,
    to_epsilon,
    to_x0,
)
from mpinotes.networks import UNetConfig
from mpinotes.training import forward, local_rows
from mpinotes.validation import check_range, check_tensor


@dataclass(frozen=True)
class SynthesisConfig:
    """Everything that defines the model and its training.

    `drop_probability` 0.1 is the paper's; network and objective are ours. Two receive channels of
    the noisy component and of its condition make four input channels.
    """

    network: UNetConfig = UNetConfig(dims=2, in_channels=4, out_channels=2, widths=(48, 96, 128), blocks=1)
    objective: Objective = Objective(weight_range=(0.5, 5.0))
    drop_probability: float = 0.1

    def __post_init__(self) -> None:
        check_range("drop_probability", self.drop_probability, 0.0, 1.0)


def loss(
    model: nn.Module, batch: tuple[torch.Tensor, ...], generator: torch.Generator, config: SynthesisConfig
) -> dict[str, torch.Tensor]:
    """Algorithm 1 on pairs (low, high) of components in [-1, 1]: clean conditions, some dropped.

    The error is taken on x̂_0 with a clipped signal-to-noise weight; without the clip that is line
    10, ‖ε − ε_θ‖², itself.
    """
    low, high = batch
    objective = config.objective
    t = torch.randint(1, objective.schedule.steps + 1, (len(high),), generator=generator).to(high.device)
    noise = torch.randn(high.shape, generator=generator).to(high.device)
    condition = drop_condition(low, config.drop_probability, generator=generator)
    high, condition, t, noise = local_rows(high, condition, t, noise)
    x0_hat = predict_x0(model, add_noise(high, noise, t, objective.schedule), t, condition, config)
    return {"total": ((x0_hat - high).square() * objective.weight(t, high)).mean()}


def predict_x0(
    model: nn.Module, x_t: torch.Tensor, t: torch.Tensor, condition: torch.Tensor, config: SynthesisConfig
) -> torch.Tensor:
    """Estimate x̂_0 from x_t and the low-gradient condition, all (batch, 2, y, x)."""
    prediction = forward(model, torch.cat([x_t, condition], dim=1), t)
    return to_x0(prediction, x_t, t, config.objective.schedule, config.objective.prediction)


def synthesise(
    model: nn.Module,
    low: torch.Tensor,
    config: SynthesisConfig,
    *,
    steps: int,
    decay: ConditionDecay | None = None,
    variant: str = "derived",
    seed: int = 0,
) -> torch.Tensor:
    """High-gradient components for low-gradient ones, both (batch, 2, y, x) in [-1, 1].

    With `decay`, Algorithm 2 in its "printed" or "derived" `variant`; without, DDIM under the
    constant, clean condition. `steps` network calls each.
    """
    check_tensor("low", low, 4, "(batch, 2, y, x)")
    device = next(model.parameters()).device
    schedule = config.objective.schedule
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(low.shape, generator=generator).to(device)
    condition = low.to(device)
    model.eval()

    def denoise(x: torch.Tensor, t: torch.Tensor, y: torch.Tensor = condition) -> torch.Tensor:
        return predict_x0(model, x, t, y, config).clamp(-1, 1)

    def predict_noise(x: torch.Tensor, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return to_epsilon(denoise(x, t, y), x, t, schedule)

    if decay is None:
        return sample(denoise, start, schedule, steps=steps, generator=generator).to(low)
    with torch.no_grad():
        path = progressive_path(
            predict_noise, start, condition, schedule, decay, steps=steps, variant=variant, generator=generator
        )
        *_, last = path
    return last.x.clamp(-1, 1).to(low)
