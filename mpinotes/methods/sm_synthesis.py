"""High-gradient system matrices from low-gradient ones: Wei, Tian & Hui (2026), Algorithms 1 and 2."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mpinotes.checks import check_choice, check_count, check_range, check_tensor, make_plain
from mpinotes.diffusion import (
    ANCESTRAL,
    DDIM,
    ConditionDecay,
    ConditionSchedule,
    ConstantCondition,
    NoisedCondition,
    Objective,
    PrintedStep,
    Step,
    add_noise,
    conditioned,
    guided,
    perturb,
    sample,
    to_x0,
)
from mpinotes.draw import integers, normal_like, seeded_generator, send, uniform
from mpinotes.methods.inference import evaluating
from mpinotes.methods.method import MatrixMethod
from mpinotes.networks import UNetConfig
from mpinotes.physics import order_patterns
from mpinotes.training import forward

SAMPLERS = ("ddim", "derived", "printed")
"""Deterministic, Algorithm 2 with the mean of Ho et al. (2020), and as it is printed."""

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
    receive channels each, turned to one phase (see `align_phase`), and four channels more: weight and
    noise level of the condition, and the two patterns of the mixing order, or zeros where it does not
    get them. So all variants are one network.

    :param network: shape of the U-Net, ours.
    :param objective: schedule, what the network predicts, and how its error is weighted over t, ours.
    :param condition: what training does to it. "clean" is Algorithm 1; "noised" is the paper's text, noise
        at the level of the data; "attenuated" its other sentence, a weight that falls with t; "random" draws
        weight and level, each at its clean end half the time and else from [0, 1].
    :param condition_on_level: whether the network gets weight and level (0 and 0 where the condition is
        dropped). With "clean" that is a learned null condition.
    :param condition_on_order: whether the network gets the patterns of the mixing order.
    :param drop_probability: of the condition; 0.1 is the paper's.

    >>> config = sm_synthesis.SynthesisConfig(condition="random", condition_on_level=True)
    >>> config.drop_probability
    0.1
    """

    network: UNetConfig = UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(32, 64, 96), blocks=1)
    objective: Objective = Objective(weight_range=(0.5, 5.0))
    condition: str = "clean"
    condition_on_level: bool = False
    condition_on_order: bool = False
    drop_probability: float = 0.1

    def __post_init__(self) -> None:
        make_plain(self)
        check_choice("condition", self.condition, (*TRAINING_CONDITIONS, "random"))
        check_range("drop_probability", self.drop_probability, 0.0, 1.0)


def draw(
    batch: tuple[torch.Tensor, ...], generator: torch.Generator, config: SynthesisConfig
) -> tuple[torch.Tensor, ...]:
    """Algorithm 1, lines 3 to 7, for (low, high, orders): the high components, their perturbed conditions,
    the levels of these, the orders, a step t and the noise ε for each; components as real channels.

    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> config, generator = sm_synthesis.SynthesisConfig(), torch.Generator().manual_seed(0)
    >>> drawn = sm_synthesis.draw((low, low, orders), generator, config)
    >>> [tuple(tensor.shape) for tensor in drawn]
    [(2, 4, 8, 8), (2, 4, 8, 8), (2, 2), (2, 2), (2,), (2, 4, 8, 8)]
    """
    low, high, orders = to_training_channels(batch, generator)
    count = len(high)
    t = integers(1, config.objective.schedule.steps + 1, (count,), generator)
    noise, noise_y = normal_like(high, generator), normal_like(high, generator)
    # A dropped condition has weight 0 and level 0: y_null, which the paper leaves undefined, is zero.
    kept = uniform((count,), generator) >= config.drop_probability
    levels = send((_training_levels(t, config, generator) * kept[:, None]).to(high.dtype), high.device)
    return high, perturb(low, noise_y, levels), levels, orders, send(t, high.device), noise


def loss(model: nn.Module, drawn: tuple[torch.Tensor, ...], config: SynthesisConfig) -> dict[str, torch.Tensor]:
    """Algorithm 1, lines 8 to 10, on what `draw` returns.

    The error is taken on x̂_0 with a clipped signal-to-noise weight; without the clip that is line
    10, ‖ε − ε_θ‖², itself.

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> drawn = sm_synthesis.draw((low, low, orders), torch.Generator().manual_seed(0), config)
    >>> list(sm_synthesis.loss(model, drawn, config))
    ['total']
    """
    high, condition, levels, orders, t, noise = drawn
    x_t = add_noise(high, noise, t, config.objective.schedule)
    x0_hat = predict_x0(model, x_t, t, condition, levels, orders, config)
    return {"total": ((x0_hat - high).square() * config.objective.weight(t, high)).mean()}


def predict_x0(
    model: nn.Module,
    x_t: torch.Tensor,
    t: torch.Tensor,
    condition: torch.Tensor,
    levels: torch.Tensor,
    orders: torch.Tensor,
    config: SynthesisConfig,
) -> torch.Tensor:
    """The estimate x̂_0, (batch, 4, y, x).

    :param model: the network.
    :param x_t: the noisy components, (batch, 4, y, x).
    :param t: their steps, (batch,).
    :param condition: y as it enters, (batch, 4, y, x).
    :param levels: its weight and noise level, (batch, 2).
    :param orders: the mixing orders, (batch, 2).
    :param config: of the training.

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> t, levels = torch.tensor([10, 500]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> x, y = torch.randn(2, 4, 8, 8), sm_synthesis.to_channels(low)
    >>> sm_synthesis.predict_x0(model, x, t, y, levels, orders, config).shape
    torch.Size([2, 4, 8, 8])
    """
    prediction = forward(model, to_input(x_t, condition, levels, orders, config), t)
    return to_x0(prediction, x_t, t, config.objective.schedule, config.objective.prediction)


def to_input(
    x_t: torch.Tensor, condition: torch.Tensor, levels: torch.Tensor, orders: torch.Tensor, config: SynthesisConfig
) -> torch.Tensor:
    """What the network sees, (batch, 12, y, x).

    :param x_t: the noisy components, (batch, 4, y, x).
    :param condition: y as it enters, (batch, 4, y, x).
    :param levels: its weight and noise level, (batch, 2).
    :param orders: the mixing orders, (batch, 2).
    :param config: of the training.

    >>> x, levels, orders = torch.zeros(1, 4, 8, 8), torch.tensor([[1.0, 0.0]]), torch.tensor([[2, 0]])
    >>> sm_synthesis.to_input(x, x, levels, orders, sm_synthesis.SynthesisConfig()).shape
    torch.Size([1, 12, 8, 8])
    """
    height, width = x_t.shape[2:]
    maps = (levels * config.condition_on_level)[:, :, None, None].expand(-1, -1, height, width)
    patterns = order_patterns(orders, (height, width)).to(x_t) * config.condition_on_order
    return torch.cat([x_t, condition, maps, patterns], dim=1)


@dataclass(frozen=True)
class Sampling:
    """How Algorithm 2 of Wei et al. (2026) is run.

    :param steps: kept steps of the sampler.
    :param condition: how it enters; constant by default.
    :param sampler: "ddim", or Algorithm 2 as "derived" (ancestral) or "printed".
    :param guidance: scale of `guided`; other than 1, every step takes two network calls.
    :param seed: of all noise.

    >>> sm_synthesis.Sampling(steps=20, sampler="printed").guidance
    1.0
    """

    steps: int
    condition: ConditionSchedule = ConstantCondition()
    sampler: str = "ddim"
    guidance: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_count("steps", self.steps)
        check_choice("sampler", self.sampler, SAMPLERS)
        check_range("guidance", self.guidance, 0.0)

    def step(self, z: torch.Tensor) -> Step:
        """The step of the sampler; `z` is the one noise that the printed algorithm uses in all."""
        steps: dict[str, Step] = {"ddim": DDIM, "derived": ANCESTRAL, "printed": PrintedStep(z)}
        return steps[self.sampler]


def synthesise(
    model: nn.Module, low: torch.Tensor, orders: torch.Tensor, config: SynthesisConfig, sampling: Sampling
) -> torch.Tensor:
    """High-gradient components, complex (batch, 2, y, x) of modulus ≤ 1.

    :param model: the network.
    :param low: the low-gradient components, complex (batch, 2, y, x), modulus ≤ 1.
    :param orders: their mixing orders, (batch, 2).
    :param config: of the training.
    :param sampling: how Algorithm 2 is run.

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> high = sm_synthesis.synthesise(model, low, orders, config, sm_synthesis.Sampling(steps=2))
    >>> high.shape, high.dtype
    (torch.Size([2, 2, 8, 8]), torch.complex64)
    """
    check_components(low, orders)
    device = next(model.parameters()).device
    schedule = config.objective.schedule
    generator = seeded_generator(sampling.seed)
    turn = align_phase(low)
    condition, orders = to_channels(low * turn).to(device, torch.float32), orders.to(device)
    start, noise_y, z = (normal_like(condition, generator) for _ in range(3))  # line 1

    def predict(x: torch.Tensor, t: torch.Tensor, y: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        return predict_x0(model, x, t, y, levels, orders, config)

    def predict_without(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return predict(x, t, torch.zeros_like(condition), condition.new_zeros(len(condition), 2))

    denoise = conditioned(predict, condition, sampling.condition, schedule, noise_y, generator)
    if sampling.guidance != 1.0:
        denoise = guided(denoise, predict_without, sampling.guidance)
    with evaluating(model):
        x = sample(
            lambda x, t: denoise(x, t).clamp(-1, 1), start, schedule, steps=sampling.steps, step=sampling.step(z),
            generator=generator,
        )  # fmt: skip
    return to_components(x).to(low) / turn


def check_components(low: torch.Tensor, orders: torch.Tensor) -> None:
    """Raise ``ValueError`` unless `low` holds finite complex numbers (batch, 2, y, x) of modulus ≤ 1 and
    `orders` one pair for each."""
    check_tensor("low", low, 4, "(batch, 2, y, x)", complex_too=True)
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


def to_training_channels(batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """(low, high, orders) with both components turned to the phase of the low one, a random sign per
    channel, and as real channels."""
    low, high, orders = batch
    sign = send(1 - 2 * integers(0, 2, (*low.shape[:2], 1, 1), generator), low.device)
    turn = sign * align_phase(low)
    return to_channels(low * turn), to_channels(high * turn), orders


def _training_levels(t: torch.Tensor, config: SynthesisConfig, generator: torch.Generator) -> torch.Tensor:
    """Weight and noise level of the condition at steps t, (batch, 2)."""
    if config.condition == "random":
        levels, keep = (uniform((len(t), 2), generator) for _ in range(2))
        return torch.where(keep < 0.5, levels.new_tensor([1.0, 0.0]), levels)
    return TRAINING_CONDITIONS[config.condition].at(t, config.objective.schedule)


@dataclass(frozen=True)
class SynthesisMethod(MatrixMethod):
    """A conditional diffusion of system matrices as a `Method`."""

    config: SynthesisConfig

    def draw(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        return draw(batch, generator, self.config)

    def loss(self, model: nn.Module, drawn: tuple[torch.Tensor, ...], progress: float) -> dict[str, torch.Tensor]:
        return loss(model, drawn, self.config)

    def apply(self, model: nn.Module, low: torch.Tensor, orders: torch.Tensor, **options: Any) -> torch.Tensor:
        # Who knows weight and level, or met them at random, knows the clean condition, too.
        known = self.config.condition_on_level or self.config.condition == "random"
        condition = ConstantCondition() if known else TRAINING_CONDITIONS[self.config.condition]
        defaults: dict[str, Any] = {"steps": self.calls, "condition": condition}
        return synthesise(model, low, orders, self.config, Sampling(**defaults | options))
