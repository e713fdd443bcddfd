"""Settings of particles with an easy axis, drawn in so many dimensions that neighbours are far: the study "easy_axis"
records how far."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from tqdm.auto import tqdm

from mpinotes.checks import check_choice, check_each_kind, check_kind, check_positive, check_range
from mpinotes.data.matrix_pairs import GRADIENT_RATIO, MatrixPairs, add_calibration_noise, pair_components
from mpinotes.physics import (
    DriveIntegrals,
    FixedAxis,
    FluidAxis,
    LissajousScan,
    Mixture,
    Particle,
    log_normal,
    mixing_orders,
    simulate_system_matrix,
)

KINDS = ("fluid", "immobilised")
"""Axes along the selection field, or one axis in the plane of the scan."""

PARTICLE_SPLITS = (*KINDS, "mixed")
"""Names of the splits, see `particle_split`."""

TOLERANCE = 1e-4
"""Of the simulation, relative to the largest moments."""

NODES = (3, 2)
"""Diameters and anisotropies that stand for a distribution."""


@dataclass(frozen=True)
class ParticleSetting:
    """A tracer and the errors of the scanner that measures it; nominal are 1 T/m, 20 mT, f_x = 25 kHz, N_d = 99.

    :param kind: "fluid" or "immobilised"
    :param core_diameter: median [m]
    :param anisotropy: median K [J/m³]
    :param free_share: of particles without anisotropy, by number
    :param diameter_spread: standard deviation of the logarithm of the diameters
    :param anisotropy_spread: of that of K
    :param exponent: of the growth of K in a fluid, see `FluidAxis`
    :param angle: of the axis to x, immobilised [rad]
    :param gradient_x: actual over nominal gradient, as the three that follow
    :param gradient_y: along y
    :param drive_x: actual over nominal drive field
    :param drive_y: along y

    >>> setting = particle_split("fluid").test[0]
    >>> setting.kind, 24e-9 <= setting.core_diameter <= 34e-9
    ('fluid', True)
    """

    kind: str
    core_diameter: float
    anisotropy: float
    free_share: float
    diameter_spread: float
    anisotropy_spread: float
    exponent: float
    angle: float
    gradient_x: float
    gradient_y: float
    drive_x: float
    drive_y: float

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, KINDS)
        check_range("free_share", self.free_share, 0.0, 1.0)
        check_range("diameter_spread", self.diameter_spread, 0.0, 1.0)
        check_range("anisotropy_spread", self.anisotropy_spread, 0.0, 1.0)
        check_range("angle", self.angle, -1e3, 1e3)
        check_positive("exponent", self.exponent)
        for name in ("gradient_x", "gradient_y", "drive_x", "drive_y"):
            check_positive(name, getattr(self, name))
        Particle(self.core_diameter, anisotropy=self.anisotropy)
        self.scan(1.0, (1, 1))

    @property
    def easy_axis(self) -> FluidAxis | FixedAxis:
        """Where the axes point."""
        if self.kind == "fluid":
            return FluidAxis(self.exponent)
        return FixedAxis((math.cos(self.angle), math.sin(self.angle), 0.0))

    @property
    def tracer(self) -> Mixture:
        """The particles: with anisotropy, and the free ones."""
        bound = log_normal(
            Particle(self.core_diameter, anisotropy=self.anisotropy),
            self.diameter_spread,
            self.anisotropy_spread,
            nodes=NODES,
        )
        free = log_normal(Particle(self.core_diameter), self.diameter_spread, nodes=NODES)
        shares = [(1 - self.free_share) * share for share in bound.shares] + [
            self.free_share * share for share in free.shares
        ]
        return Mixture(bound.particles + free.particles, tuple(shares))

    def scan(self, ratio: float, shape: tuple[int, int]) -> LissajousScan:
        """The actual scan at `ratio` times the nominal fields, of 40 mm."""
        return LissajousScan(
            (ratio * self.gradient_x, ratio * self.gradient_y),
            (20e-3 * ratio * self.drive_x, 20e-3 * ratio * self.drive_y),
            shape=shape,
        )


RANGES = {
    "core_diameter": (24e-9, 34e-9),
    "anisotropy": (500.0, 8000.0),
    "free_share": (0.0, 0.4),
    "diameter_spread": (0.02, 0.1),
    "anisotropy_spread": (0.0, 0.4),
    "exponent": (0.25, 4.0),
    "angle": (0.0, math.pi),
    "gradient_x": (0.9, 1.1),
    "gradient_y": (0.9, 1.1),
    "drive_x": (0.9, 1.1),
    "drive_y": (0.9, 1.1),
}
"""What the parameters of a setting are drawn from, uniformly. Errors of a tenth are those of real scanners: the fit of
Maass et al., IEEE Trans. Comput. Imaging 10 (2024) 1588, finds gradients 5 to 15 % off their nominal values."""

NOMINAL = {
    "free_share": 0.0,
    "diameter_spread": 0.0,
    "anisotropy_spread": 0.0,
    "exponent": 2.0,
    "gradient_x": 1.0,
    "gradient_y": 1.0,
    "drive_x": 1.0,
    "drive_y": 1.0,
}
"""What is taken for true where nobody measured it."""

CORNER = ("core_diameter", "anisotropy", "free_share")
"""A setting in a corner has each of these in the first or last fifth of its range."""


@dataclass(frozen=True)
class ParticleSplit:
    """Settings to train on, none in a corner, and settings to test on, the second half of them in corners.

    >>> split = particle_split("mixed")
    >>> len(split.train), len(split.test)
    (90, 16)
    """

    train: tuple[ParticleSetting, ...]
    test: tuple[ParticleSetting, ...]


def in_corner(setting: ParticleSetting) -> bool:
    """Whether a setting lies in a corner, see `CORNER`.

    >>> [in_corner(setting) for setting in particle_split("fluid").test]
    [False, False, False, False, False, False, False, False, True, True, True, True, True, True, True, True]
    """
    check_kind("setting", setting, ParticleSetting)
    places = [(getattr(setting, name) - RANGES[name][0]) / (RANGES[name][1] - RANGES[name][0]) for name in CORNER]
    return all(abs(place - 0.5) > 0.3 for place in places)


def believed_setting(setting: ParticleSetting, error: float) -> ParticleSetting:
    """A setting as somebody knows it whose knowledge is wrong by `error`: each parameter of `NOMINAL` lies this
    share of the way from the truth, 0, to its nominal value, 1.

    >>> setting = particle_split("fluid").test[0]
    >>> believed_setting(setting, 0.0) == setting, believed_setting(setting, 1.0).exponent
    (True, 2.0)
    """
    check_kind("setting", setting, ParticleSetting)
    check_range("error", error, 0.0, 1.0)
    values = {name: getattr(setting, name) for name in NOMINAL}
    return replace(setting, **{name: value + error * (NOMINAL[name] - value) for name, value in values.items()})


def particle_split(name: str) -> ParticleSplit:
    """The split "fluid", "immobilised" or "mixed", of both kinds in turn: 90 settings against 16, of which 8 lie
    between those of the training and 8 in corners that the training leaves out.

    >>> {setting.kind for setting in particle_split("immobilised").train}
    {'immobilised'}
    """
    check_choice("name", name, PARTICLE_SPLITS)
    kinds = KINDS if name == "mixed" else (name,)
    source = random.Random(f"particles of {name}")

    def draw(count: int, corner: bool) -> list[ParticleSetting]:
        found: list[ParticleSetting] = []
        while len(found) < count:
            numbers = {parameter: source.uniform(*RANGES[parameter]) for parameter in RANGES}
            setting = ParticleSetting(kinds[len(found) % len(kinds)], **numbers)
            if in_corner(setting) == corner:
                found.append(setting)
        return found

    return ParticleSplit(tuple(draw(90, False)), tuple(draw(8, False) + draw(8, True)))


def simulate_setting(
    setting: ParticleSetting,
    ratio: float,
    orders: torch.Tensor,
    shape: tuple[int, int],
    integrals: DriveIntegrals | None = None,
) -> torch.Tensor:
    """Components (channel, component, y, x) [V per particle] in equilibrium.

    :param setting: tracer and scanner
    :param ratio: of the fields to the nominal ones, 1 or `GRADIENT_RATIO`
    :param orders: mixing orders (component, 2)
    :param shape: pixels (y, x)
    :param integrals: what calls share, see `simulate_system_matrix`

    >>> simulate_setting(particle_split("fluid").test[0], GRADIENT_RATIO, mixing_subset(3), (4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """
    check_kind("setting", setting, ParticleSetting)
    scan, axis = setting.scan(ratio, shape), setting.easy_axis
    return simulate_system_matrix(
        scan, setting.tracer, orders, easy_axis=axis, tolerance=TOLERANCE, integrals=integrals
    ).components


def particle_pairs(
    settings: Sequence[ParticleSetting],
    orders: torch.Tensor | None = None,
    *,
    shape: tuple[int, int] = (32, 32),
    noise: float = 0.0,
    phase_seed: int | None = 0,
    seed: int = 0,
    progress: bool = False,
) -> MatrixPairs:
    """Both matrices of every setting, in equilibrium; parameters as of `matrix_pairs`. On one core a setting
    takes some seconds, of both gradients together.

    :param settings: tracers and scanners
    :param orders: mixing orders (component, 2), the paper's 168 by default
    :param shape: pixels (y, x)
    :param noise: of calibration, on the low-gradient components
    :param phase_seed: of the phases of the receive chain; None: no chain
    :param seed: of the noise
    :param progress: show a bar

    >>> pairs = particle_pairs(particle_split("fluid").test[:1], mixing_subset(7), shape=(4, 4))
    >>> pairs.low.shape
    torch.Size([7, 2, 4, 4])
    """
    check_each_kind("settings", settings, ParticleSetting)
    check_range("noise", noise, 0.0)
    orders = mixing_orders(2, 17) if orders is None else orders
    integrals = DriveIntegrals(capacity=4)

    components = [
        (
            simulate_setting(setting, GRADIENT_RATIO, orders, shape, integrals),
            simulate_setting(setting, 1.0, orders, shape, integrals),
        )
        for setting in tqdm(settings, desc="simulating matrices", disable=not progress)
    ]
    pairs = pair_components(components, orders, phase_seed)
    return add_calibration_noise(pairs, noise, seed=seed) if noise > 0 else pairs
