"""High-gradient system matrices from low-gradient ones: Wei, Tian & Hui (2026), Algorithms 1 and 2."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from mpinotes.checks import check_choice, check_range, check_tensor
from mpinotes.diffusion import (
    ConditionDecay,
    ConditionSchedule,
    ConstantCondition,
    NoisedCondition,
    Objective,
    Schedule,
    add_noise,
    progressive_path,
    to_epsilon,
    to_x0,
)
from mpinotes.networks import UNetConfig
from mpinotes.physics import order_patterns
from mpinotes.training import forward, local_rows

TRAINING_CONDITIONS: dict[str, ConditionSchedule] = {
    "clean": ConstantCondition(),
    "noised": NoisedCondition(),
    "attenuated": ConditionDecay(eta_max=0.0),
}
"""Conditions whose weight and noise level in training follow from t; "random" draws them instead."""


@dataclass(frozen=True)
class SynthesisConfig:
    """Everything that defines the model and its training.

    The network sees the noisy components and their condition, real and imaginary parts of two
    receive channels each, turned to one phase (see `align_phase`), and four channels more: where
    `told`, the weight and the noise level of the condition (constant, 0 and 0 where it is dropped), and
    where `ordered`, the two patterns of the mixing order; else zeros. So all variants are one network.
    `condition`: "clean" is Algorithm 1; "noised" is the paper's text, noise at the level of the data;
    "attenuated" its other sentence, a weight that falls with t; "random" draws weight and level, each
    at its clean end half the time and else from [0, 1]. `told` with "clean" is a learned null
    condition: what the network makes of the weight's channel takes its place.
    `drop_probability` 0.1 is the paper's; network and objective are ours.

    >>> config = sm_synthesis.SynthesisConfig(condition="random", told=True)
    >>> config.drop_probability
    0.1
    """

    network: UNetConfig = UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(32, 64, 96), blocks=1)
    objective: Objective = Objective(weight_range=(0.5, 5.0))
    condition: str = "clean"
    told: bool = False
    ordered: bool = False
    drop_probability: float = 0.1

    def __post_init__(self) -> None:
        check_choice("condition", self.condition, (*TRAINING_CONDITIONS, "random"))
        check_range("drop_probability", self.drop_probability, 0.0, 1.0)


def loss(
    model: nn.Module, batch: tuple[torch.Tensor, ...], generator: torch.Generator, config: SynthesisConfig
) -> dict[str, torch.Tensor]:
    """Algorithm 1 on (low, high, orders): pairs of complex components, some conditions dropped.

    The error is taken on x̂_0 with a clipped signal-to-noise weight; without the clip that is line
    10, ‖ε − ε_θ‖², itself.

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> generator = torch.Generator().manual_seed(0)
    >>> list(sm_synthesis.loss(model, (low, low, orders), generator, config))
    ['total']
    """
    low, high, orders = to_training_channels(batch, generator)
    count, objective = len(high), config.objective
    t = torch.randint(1, objective.schedule.steps + 1, (count,), generator=generator)
    noise, noise_y = (torch.randn(high.shape, generator=generator).to(high.device) for _ in "xy")
    # A dropped condition has weight 0 and level 0: y_null, which the paper leaves undefined, is zero.
    kept = torch.rand(count, generator=generator) >= config.drop_probability
    levels = (_training_levels(t, config, generator) * kept[:, None]).to(high)
    condition = perturb(low, noise_y, levels)
    t = t.to(high.device)
    high, condition, levels, orders, t, noise = local_rows(high, condition, levels, orders, t, noise)
    x_t = add_noise(high, noise, t, objective.schedule)
    x0_hat = predict_x0(model, x_t, t, condition, levels, orders, config)
    return {"total": ((x0_hat - high).square() * objective.weight(t, high)).mean()}


def predict_x0(
    model: nn.Module,
    x_t: torch.Tensor,
    t: torch.Tensor,
    condition: torch.Tensor,
    levels: torch.Tensor,
    orders: torch.Tensor,
    config: SynthesisConfig,
) -> torch.Tensor:
    """Estimate x̂_0 from x_t and the condition, all (batch, 4, y, x), the condition's `levels`, weight
    and noise, (batch, 2), and the mixing `orders`, (batch, 2).

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> t, levels = torch.tensor([10, 500]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> x, y = torch.randn(2, 4, 8, 8), sm_synthesis.to_channels(low)
    >>> sm_synthesis.predict_x0(model, x, t, y, levels, orders, config).shape
    torch.Size([2, 4, 8, 8])
    """
    height, width = x_t.shape[2:]
    told = (levels * config.told)[:, :, None, None].expand(-1, -1, height, width)
    patterns = order_patterns(orders, (height, width)).to(x_t) * config.ordered
    prediction = forward(model, torch.cat([x_t, condition, told, patterns], dim=1), t)
    return to_x0(prediction, x_t, t, config.objective.schedule, config.objective.prediction)


def synthesise(
    model: nn.Module,
    low: torch.Tensor,
    orders: torch.Tensor,
    config: SynthesisConfig,
    *,
    steps: int,
    decay: ConditionSchedule = TRAINING_CONDITIONS["clean"],
    variant: str = "ddim",
    guidance: float = 1.0,
    seed: int = 0,
) -> torch.Tensor:
    """High-gradient components for low-gradient ones, both complex (batch, 2, y, x), modulus ≤ 1, and
    their mixing `orders` (batch, 2).

    `steps` of the sampler `variant`: "ddim", or Algorithm 2 as "derived" or "printed". `decay`: how
    the condition enters, constant by default. `guidance` g: x̂_0 = null + g (conditional − null)
    (Ho & Salimans 2022); other than 1, every step takes two network calls.

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> high = sm_synthesis.synthesise(model, low, orders, config, steps=2)
    >>> high.shape, high.dtype
    (torch.Size([2, 2, 8, 8]), torch.complex64)
    """
    check_components(low, orders)
    check_range("guidance", guidance, 0.0, math.inf)
    device = next(model.parameters()).device
    schedule = config.objective.schedule
    generator = torch.Generator().manual_seed(seed)
    turn = align_phase(low)
    condition, orders = to_channels(low * turn).to(device), orders.to(device)
    start = torch.randn(condition.shape, generator=generator).to(device)
    missing = torch.zeros_like(condition), condition.new_zeros(len(condition), 2)

    def predict_noise(x: torch.Tensor, t: torch.Tensor, y: torch.Tensor, levels: tuple[float, float]) -> torch.Tensor:
        x0 = predict_x0(model, x, t, y, x.new_tensor(levels).expand(len(x), 2), orders, config)
        if guidance != 1.0:
            null = predict_x0(model, x, t, *missing, orders, config)
            x0 = null + guidance * (x0 - null)
        return to_epsilon(x0.clamp(-1, 1), x, t, schedule)

    model.eval()
    with torch.no_grad():
        path = progressive_path(
            predict_noise, start, condition, schedule, decay, steps=steps, variant=variant, generator=generator
        )
        *_, last = path
    return to_components(last.x).to(low) / turn


def check_components(low: torch.Tensor, orders: torch.Tensor) -> None:
    """Raise ``ValueError`` unless `low` holds finite complex numbers (batch, 2, y, x) of modulus ≤ 1 and
    `orders` one pair for each."""
    check_tensor("low", low, 4, "(batch, 2, y, x)")
    if not low.is_complex() or low.shape[1] != 2:
        raise ValueError(f"low: got {low.shape[1]} channels of {low.dtype}, accepted are two of complex numbers")
    if (largest := low.abs().max().item()) > 1 + 1e-5:
        raise ValueError(f"low: got moduli up to {largest:g}, accepted is at most 1 (see normalise_components)")
    if orders.shape != (len(low), 2):
        raise ValueError(f"orders: got shape {tuple(orders.shape)}, accepted is ({len(low)}, 2)")


def align_phase(components: torch.Tensor) -> torch.Tensor:
    """Factors of modulus 1 (batch, channel, 1, 1) that turn components to a phase of 45°.

    A component of a particle that follows the field, or relaxes linearly, is real up to one phase,
    ½ arg Σ y², that of the receive chain. At 45° its real and its imaginary part both carry it: no
    channel of a network stays empty. The sign is left open.

    >>> turn = sm_synthesis.align_phase(torch.full((1, 2, 4, 4), 1j))
    >>> (1j * turn[0, 0, 0, 0]).abs(), (1j * turn[0, 0, 0, 0]).angle().rad2deg()
    (tensor(1.), tensor(45.))
    """
    square = components.square().sum((-2, -1), keepdim=True)
    return torch.polar(torch.ones_like(square.real), math.pi / 4 - square.angle() / 2)


def to_channels(components: torch.Tensor) -> torch.Tensor:
    """Complex (batch, channel, y, x) -> real (batch, 2·channel, y, x): real and imaginary parts in turn.

    >>> sm_synthesis.to_channels(torch.tensor([1 + 2j, 3 + 4j]).view(1, 2, 1, 1)).flatten()
    tensor([1., 2., 3., 4.])
    """
    return torch.view_as_real(components).movedim(-1, 2).flatten(1, 2)


def to_components(channels: torch.Tensor) -> torch.Tensor:
    """The inverse of `to_channels`, with moduli cut at 1.

    >>> sm_synthesis.to_components(torch.tensor([0.5, 0.25, 0.75, 0.5])[None, :, None, None]).flatten()
    tensor([0.5000+0.2500j, 0.7500+0.5000j])
    """
    components = torch.view_as_complex(channels.unflatten(1, (-1, 2)).movedim(2, -1).contiguous())
    return components / components.abs().clamp_min(1)


def to_training_channels(batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> list[torch.Tensor]:
    """(low, high, orders) with both components turned to the phase of the low one, a random sign per
    channel, and as real channels."""
    low, high, orders = batch
    sign = 1 - 2 * torch.randint(2, (*low.shape[:2], 1, 1), generator=generator).to(low.device)
    turn = sign * align_phase(low)
    return [to_channels(low * turn), to_channels(high * turn), orders]


def perturb(condition: torch.Tensor, noise: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """Weight times condition plus level times noise, for `levels` (batch, 2)."""
    weight, level = levels[..., None, None, None].unbind(1)
    return weight * condition + level * noise


def _training_levels(t: torch.Tensor, config: SynthesisConfig, generator: torch.Generator) -> torch.Tensor:
    """Weight and noise level of the condition at steps t, (batch, 2)."""
    if config.condition == "random":
        clean = torch.tensor([1.0, 0.0])
        draw, keep = (torch.rand(len(t), 2, generator=generator) for _ in "dk")
        return torch.where(keep < 0.5, clean, draw)
    return _tabulate(TRAINING_CONDITIONS[config.condition], config.objective.schedule)[t]


@lru_cache(maxsize=8)
def _tabulate(condition: ConditionSchedule, schedule: Schedule) -> torch.Tensor:
    """Weight and noise level at t = 0 … T, (T + 1, 2)."""
    signal = enumerate(schedule.alpha_bar.tolist())
    return torch.tensor([condition.levels(t / schedule.steps, alpha_bar) for t, alpha_bar in signal])
