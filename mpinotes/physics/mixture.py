"""Tracers whose particles differ."""

import math
from dataclasses import dataclass, replace

import numpy as np

from mpinotes.checks import check_count, check_kind, check_range
from mpinotes.physics.particles import Particle


@dataclass(frozen=True)
class Mixture:
    """Particles and their shares, by number: `weights` of at least 0, in any common unit.

    >>> free_and_bound = Mixture((Particle(20e-9), Particle(20e-9, anisotropy=5e3)), (0.2, 0.8))
    >>> free_and_bound.shares
    (0.2, 0.8)
    """

    particles: tuple[Particle, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        particles = self.particles
        if not isinstance(particles, tuple) or not particles or not all(isinstance(p, Particle) for p in particles):
            raise ValueError(f"particles: got {particles}, accepted is a tuple of at least one Particle")
        if not isinstance(self.weights, tuple) or len(self.weights) != len(particles):
            raise ValueError(
                f"weights: got {self.weights}, accepted is a tuple of {len(particles)}, one for each particle"
            )
        for weight in self.weights:
            check_range("weights", weight, 0.0)
        if not 0 < sum(self.weights) < math.inf:
            raise ValueError(f"weights: got {self.weights}, accepted is at least one above zero, and a finite sum")

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights, scaled to a sum of 1."""
        total = sum(self.weights)
        return tuple(weight / total for weight in self.weights)


def log_normal(
    particle: Particle, diameter_spread: float, anisotropy_spread: float = 0.0, *, nodes: tuple[int, int] = (5, 3)
) -> Mixture:
    """Particles whose core diameter and anisotropy are log-normal around those of `particle`, independently of
    each other.

    `diameter_spread`, `anisotropy_spread`: standard deviations of the logarithms, 0 to 1; `nodes`: how many
    diameters and how many anisotropies stand for the distribution, by Gauss-Hermite quadrature. What does
    not spread takes one.

    >>> mixture = log_normal(Particle(20e-9, anisotropy=2e3), 0.1)
    >>> [f"{p.core_diameter:.3g} m, {share:.3f}" for p, share in zip(mixture.particles, mixture.shares)][1:3]
    ['1.75e-08 m, 0.222', '2e-08 m, 0.533']
    """
    check_kind("particle", particle, Particle)
    check_range("diameter_spread", diameter_spread, 0.0, 1.0)
    check_range("anisotropy_spread", anisotropy_spread, 0.0, 1.0)
    if not isinstance(nodes, tuple) or len(nodes) != 2:
        raise ValueError(f"nodes: got {nodes}, accepted are two whole numbers, of diameters and of anisotropies")
    for count in nodes:
        check_count("nodes", count, 1, 50)
    diameters, anisotropies = (
        _factors(spread, count) for spread, count in zip((diameter_spread, anisotropy_spread), nodes, strict=True)
    )
    pairs = [(d, k) for d in diameters for k in anisotropies]
    return Mixture(
        tuple(
            replace(particle, core_diameter=d * particle.core_diameter, anisotropy=k * particle.anisotropy)
            for (d, _), (k, _) in pairs
        ),
        tuple(first * second for (_, first), (_, second) in pairs),
    )


def _factors(spread: float, count: int) -> list[tuple[float, float]]:
    if spread == 0:
        return [(1.0, 1.0)]
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return [
        (math.exp(spread * node), weight)
        for node, weight in zip(nodes.tolist(), (weights / weights.sum()).tolist(), strict=True)
    ]
