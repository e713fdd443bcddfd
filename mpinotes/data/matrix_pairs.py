"""Pairs of low- and high-gradient system-matrix components: the data set of Wei et al. (2026)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from tqdm.auto import tqdm

from mpinotes import draw
from mpinotes.checks import (
    check_choice,
    check_count,
    check_each_kind,
    check_kind,
    check_positive,
    check_range,
    check_tensor,
)
from mpinotes.physics import (
    DriveIntegrals,
    LissajousScan,
    Particle,
    SystemMatrix,
    brownian_time,
    debye_response,
    mixing_orders,
    simulate_system_matrix,
)

GRADIENT_RATIO = 0.1
"""Low over high gradient, and low over high drive amplitude: one field of view for both."""

RELAXATIONS = ("equilibrium", "debye")
"""Particles that follow the field at once, or with the Brownian time of their core in water."""

TOLERANCE = 1e-5
"""Of the simulation, relative to the largest moments: a third of the time of its default."""

SIZE_NODES = 5
"""Core diameters that stand for a distribution: Gauss-Hermite nodes of its logarithm."""

_RATIOS = (GRADIENT_RATIO, 1.0)
_Matrices = dict[tuple[float, tuple[float, int]], SystemMatrix]  # by ratio, core diameter and density


@dataclass(frozen=True)
class MatrixSetting:
    """One scanner and tracer setting: `core_diameter` [m], `base_frequency` f_x [Hz], `density` N_d.

    `size_spread`: standard deviation of the logarithm of the core diameters, log-normal around
    `core_diameter`; 0, one size, is the paper's.

    >>> setting = MatrixSetting(core_diameter=30e-9, base_frequency=25e3, density=99)
    >>> setting == PAPER_TEST
    True
    """

    core_diameter: float
    base_frequency: float
    density: int
    size_spread: float = 0.0

    def __post_init__(self) -> None:
        check_positive("base_frequency", self.base_frequency)
        check_range("size_spread", self.size_spread, 0.0, 1.0)


def mixing_subset(count: int) -> torch.Tensor:
    """`count` of the paper's 168 mixing orders, evenly spread over the list, (count, 2).

    >>> mixing_subset(3).tolist()
    [[0, 2], [9, 3], [17, 0]]
    """
    orders = mixing_orders(2, 17)
    check_count("count", count, 1, len(orders))
    return orders[torch.linspace(0, len(orders) - 1, count, dtype=torch.float32, device="cpu").round().long()]


@dataclass(frozen=True)
class MatrixPairs:
    """Low- and high-gradient components. Each channel of each is divided by its largest modulus.

    :param low: complex (sample, channel, y, x), modulus ≤ 1
    :param high: complex (sample, channel, y, x), modulus ≤ 1
    :param low_scale: largest moduli of the low-gradient components, (sample, channel) [V per particle]
    :param high_scale: those of the high-gradient ones
    :param setting: index into the settings, (sample,)
    :param orders: (n, m) of each sample, (sample, 2)

    >>> pairs = matrix_pairs([PAPER_TEST], mixing_subset(2), shape=(4, 4))
    >>> pairs.low_scale.shape, pairs.setting, pairs.orders.tolist()
    (torch.Size([2, 2]), tensor([0, 0]), [[0, 2], [17, 0]])
    """

    low: torch.Tensor
    high: torch.Tensor
    low_scale: torch.Tensor
    high_scale: torch.Tensor
    setting: torch.Tensor
    orders: torch.Tensor

    @property
    def low_voltage(self) -> torch.Tensor:
        """The low-gradient components [V per particle], complex128."""
        return self.low.to(torch.complex128) * self.low_scale[..., None, None]

    @property
    def high_voltage(self) -> torch.Tensor:
        """The high-gradient components [V per particle], complex128."""
        return self.high.to(torch.complex128) * self.high_scale[..., None, None]


def matrix_pairs(
    settings: Sequence[MatrixSetting],
    orders: torch.Tensor | None = None,
    *,
    shape: tuple[int, int] = (32, 32),
    relaxation: str = "equilibrium",
    noise: float = 0.0,
    phase_seed: int | None = 0,
    seed: int = 0,
    progress: bool = False,
) -> MatrixPairs:
    """Simulate both matrices of every setting: 1 T/m with 20 mT against 0.1 T/m with 2 mT.

    :param settings: scanners and tracers
    :param orders: mixing orders (component, 2), the paper's 168 by default
    :param shape: pixels (y, x)
    :param relaxation: "equilibrium" or "debye"
    :param noise: standard deviation of real and imaginary part that calibration adds to the low-gradient
        components, as a share of the strongest of the setting's high-gradient components; the high
        ones, the truth, stay clean
    :param phase_seed: a receive chain that was never calibrated turns every line of every channel by a
        phase of its own, the same at both gradients; None: no chain, so that equilibrium components
        are purely imaginary and a real or imaginary channel stays empty
    :param seed: of the noise
    :param progress: show a bar

    >>> pairs = matrix_pairs([PAPER_TEST], mixing_subset(2), shape=(8, 8), noise=1e-3)
    >>> pairs.low.shape, pairs.high.dtype
    (torch.Size([2, 2, 8, 8]), torch.complex64)
    """
    check_each_kind("settings", settings, MatrixSetting)
    check_choice("relaxation", relaxation, RELAXATIONS)
    check_range("noise", noise, 0.0)
    orders = mixing_orders(2, 17) if orders is None else orders
    matrices = _simulate(settings, orders, shape, progress)
    pairs = pair_components(
        [
            (_components(s, GRADIENT_RATIO, relaxation, matrices), _components(s, 1.0, relaxation, matrices))
            for s in settings
        ],
        orders,
        phase_seed,
    )
    return add_calibration_noise(pairs, noise, seed=seed) if noise > 0 else pairs


def pair_components(
    components: Sequence[tuple[torch.Tensor, torch.Tensor]], orders: torch.Tensor, phase_seed: int | None
) -> MatrixPairs:
    """The pairs of low- and high-gradient components (channel, component, y, x) [V] of every setting, normalised,
    with the phases of a receive chain; see `matrix_pairs`.

    :meta private:
    """
    phases = None if phase_seed is None else draw.seeded_generator(phase_seed)
    low: list[torch.Tensor] = []
    high: list[torch.Tensor] = []
    for weak, strong in components:
        if phases is not None:
            angle = (
                2 * math.pi * draw.uniform(weak.shape[:2], phases, dtype=torch.float64)[..., None, None].to(weak.device)
            )
            weak, strong = (x * torch.polar(torch.ones_like(angle), angle) for x in (weak, strong))
        low.append(weak.transpose(0, 1))
        high.append(strong.transpose(0, 1))
    (low_images, low_scale), (high_images, high_scale) = (normalise_components(torch.cat(x)) for x in (low, high))
    return MatrixPairs(
        low_images.to(torch.complex64),
        high_images.to(torch.complex64),
        low_scale,
        high_scale,
        torch.arange(len(components), device=orders.device).repeat_interleave(len(orders)),
        orders.repeat(len(components), 1),
    )


def add_calibration_noise(pairs: MatrixPairs, noise: float, *, seed: int = 0) -> MatrixPairs:
    """The pairs with noise on their low-gradient components, normalised again; see `matrix_pairs`. The components of
    a setting stand together, and all settings have as many.

    >>> pairs = matrix_pairs([MatrixSetting(25e-9, 25e3, 9)], torch.tensor([[2, 0]]), shape=(8, 8))
    >>> noisy = add_calibration_noise(pairs, 1e-3)
    >>> torch.equal(noisy.high, pairs.high), torch.equal(noisy.low, pairs.low)
    (True, False)
    """
    check_kind("pairs", pairs, MatrixPairs)
    check_range("noise", noise, 0.0)
    _, components_of = pairs.setting.unique_consecutive(return_counts=True)
    count, components = len(components_of), int(components_of[0])
    if len(pairs.setting.unique()) < count or not (components_of == components).all():
        raise ValueError(
            f"pairs: got runs of {components_of.tolist()} components of {len(pairs.setting.unique())} settings, "
            "accepted is one run for each setting, all of one length"
        )
    strongest = pairs.high_scale.view(count, -1).amax(1).repeat_interleave(components)
    generator = draw.seeded_generator(seed)
    shape = (count, 2, components, *pairs.low.shape[-2:])
    errors = draw.normal(shape, pairs.low_voltage, generator).transpose(1, 2).flatten(0, 1)
    low, low_scale = normalise_components(pairs.low_voltage + noise * strongest[:, None, None, None] * errors)
    return replace(pairs, low=low.to(pairs.low.dtype), low_scale=low_scale)


def normalise_components(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Components (sample, channel, y, x) over their largest moduli, and these, (sample, channel).

    Raises ``ValueError`` for components that are zero everywhere or not finite.

    >>> images, scale = normalise_components(torch.tensor([0.0, 3j]).view(1, 1, 1, 2))
    >>> images.flatten(), scale
    (tensor([0.+0.j, 0.+1.j]), tensor([[3.]]))
    """
    check_tensor("images", images, 4, "(sample, channel, y, x)", complex_too=True)
    scale = images.abs().amax((-2, -1))
    if (scale == 0).any():
        raise ValueError("images: got a component that is zero everywhere, accepted are those with a signal")
    return images / scale[..., None, None], scale


def matrix_scan(setting: MatrixSetting, ratio: float, shape: tuple[int, int]) -> LissajousScan:
    """The scan of a setting at `ratio` times 1 T/m and 20 mT: 40 mm field of view.

    >>> scan = matrix_scan(PAPER_TEST, GRADIENT_RATIO, (32, 32))
    >>> scan.gradient, scan.amplitude
    ((0.1, 0.1), (0.002, 0.002))
    """
    amplitude = 20e-3 * ratio
    return LissajousScan((ratio, ratio), (amplitude, amplitude), setting.base_frequency, setting.density, shape)


def _simulate(
    settings: Sequence[MatrixSetting], orders: torch.Tensor, shape: tuple[int, int], progress: bool
) -> _Matrices:
    """The matrices of all settings in equilibrium, at 1 Hz: a voltage is proportional to f_x, so settings
    that differ in nothing else share one. By ratio and core, so that neighbours share their integrals and
    few of these are kept."""
    cores = {(core, setting.density) for setting in settings for core, _ in _core_diameters(setting)}
    integrals, matrices = DriveIntegrals(capacity=4), {}
    for key in tqdm(sorted(product(_RATIOS, cores)), desc="simulating matrices", disable=not progress):
        ratio, (core, density) = key
        scan = matrix_scan(MatrixSetting(core, 1.0, density), ratio, shape)
        matrices[key] = simulate_system_matrix(scan, Particle(core), orders, tolerance=TOLERANCE, integrals=integrals)
    return matrices


def _components(setting: MatrixSetting, ratio: float, relaxation: str, matrices: _Matrices) -> torch.Tensor:
    """Components (channel, component, y, x) at `ratio` times 1 T/m and 20 mT, mean over the core diameters.

    What relaxes does so after the equilibrium, as a gain that depends on core and frequency.
    """
    parts = []
    for core, share in _core_diameters(setting):
        matrix = matrices[ratio, (core, setting.density)]
        gain = torch.full_like(matrix.frequencies, setting.base_frequency * share, dtype=torch.complex128)
        if relaxation == "debye":
            gain = gain * debye_response(matrix.frequencies * setting.base_frequency, brownian_time(core))
        parts.append(gain[:, None, None] * matrix.components)
    return sum(parts, torch.zeros_like(parts[0]))


def _core_diameters(setting: MatrixSetting) -> list[tuple[float, float]]:
    """Core diameters [m] and their shares of the particles."""
    if setting.size_spread == 0:
        return [(setting.core_diameter, 1.0)]
    nodes, weights = np.polynomial.hermite_e.hermegauss(SIZE_NODES)
    sizes = setting.core_diameter * np.exp(setting.size_spread * nodes)
    return list(zip(sizes.tolist(), (weights / weights.sum()).tolist(), strict=True))
