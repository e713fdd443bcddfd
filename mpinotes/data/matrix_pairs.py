"""Pairs of low- and high-gradient system-matrix components: the data set of Wei et al. (2026)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from tqdm.auto import tqdm

from mpinotes.physics import LissajousScan, Particle, SystemMatrix, mixing_orders, simulate_system_matrix
from mpinotes.validation import check_count

GRADIENT_RATIO = 0.1
"""Low over high gradient, and low over high drive amplitude: one field of view for both."""


@dataclass(frozen=True)
class MatrixSetting:
    """One scanner and tracer setting: `core_diameter` [m], `base_frequency` f_x [Hz], `density` N_d."""

    core_diameter: float
    base_frequency: float
    density: int


PAPER_SETTINGS = tuple(
    MatrixSetting(*values) for values in product((30e-9, 50e-9, 70e-9), (10e3, 20e3, 30e3), range(49, 100, 10))
)
"""54 settings. The paper's ranges give 5 × 3 × 6 = 90, its text counts 54 = 3 × 3 × 6: we take
every second diameter."""

PAPER_TEST = MatrixSetting(30e-9, 25e3, 99)
"""The paper's test matrix."""


def mixing_subset(count: int) -> torch.Tensor:
    """`count` of the paper's 168 mixing orders, evenly spread over the list, (count, 2)."""
    orders = mixing_orders(2, 17)
    check_count("count", count, 1, len(orders))
    return orders[torch.linspace(0, len(orders) - 1, count).round().long()]


@dataclass(frozen=True)
class MatrixPairs:
    """Low- and high-gradient components, `low` and `high`, both (sample, channel, y, x) in [-1, 1].

    Each channel of each component is divided by its largest modulus, kept in `low_scale` and
    `high_scale` [V per particle], (sample, channel). `setting`: index into the settings, and
    `orders` (n, m) of each sample. A static model's components are purely imaginary: the imaginary
    part is what stands here, one image per receive channel.
    """

    low: torch.Tensor
    high: torch.Tensor
    low_scale: torch.Tensor
    high_scale: torch.Tensor
    setting: torch.Tensor
    orders: torch.Tensor


def matrix_pairs(
    settings: Sequence[MatrixSetting] = PAPER_SETTINGS,
    orders: torch.Tensor | None = None,
    *,
    shape: tuple[int, int] = (32, 32),
    progress: bool = False,
) -> MatrixPairs:
    """Simulate both matrices of every setting: 1 T/m with 20 mT against 0.1 T/m with 2 mT.

    With the defaults: 54 pairs of 168 components, 9,072 samples of two channels. `shape`: pixels.
    """
    if not settings:
        raise ValueError("settings: got none, accepted is at least one MatrixSetting")
    orders = mixing_orders(2, 17) if orders is None else orders
    low: list[torch.Tensor] = []
    high: list[torch.Tensor] = []
    for setting in tqdm(settings, desc="simulating matrices", disable=not progress):
        for ratio, stack in ((GRADIENT_RATIO, low), (1.0, high)):
            stack.append(simulate_setting(setting, ratio, orders, shape).components.imag.transpose(0, 1))
    (low_images, low_scale), (high_images, high_scale) = map(_normalise, (torch.cat(low), torch.cat(high)))
    index = torch.arange(len(settings)).repeat_interleave(len(orders))
    return MatrixPairs(low_images, high_images, low_scale, high_scale, index, orders.repeat(len(settings), 1))


def simulate_setting(
    setting: MatrixSetting, ratio: float, orders: torch.Tensor, shape: tuple[int, int] = (32, 32)
) -> SystemMatrix:
    """The system matrix of a setting at `ratio` times 1 T/m and 20 mT (40 mm field of view)."""
    scan = LissajousScan(
        gradient=(ratio, ratio),
        amplitude=(20e-3 * ratio, 20e-3 * ratio),
        base_frequency=setting.base_frequency,
        density=setting.density,
        shape=shape,
    )
    return simulate_system_matrix(scan, Particle(setting.core_diameter), orders)


def _normalise(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scale = images.abs().amax((-2, -1))
    if (scale == 0).any():
        raise ValueError("orders: got one whose component is zero everywhere, accepted are those with a signal")
    return (images / scale[..., None, None]).float(), scale
