"""Chebyshev expansion of a function of the field along one axis of a scan."""

import math
from dataclasses import dataclass

import torch

from mpinotes.numerics import as_number
from mpinotes.physics.anisotropy import nearest_pole
from mpinotes.physics.lissajous import LissajousScan
from mpinotes.physics.particles import Particle


@dataclass(frozen=True)
class Axis:
    """One axis of the expansion f(H) = Σ_p c_p T_p(H / reach) on |H| ≤ reach.

    :param reach: largest field [T]
    :param pixels: along the axis
    :param half_width: of a pixel, over the reach; negative where the gradient is
    :param swing: amplitude of the drive over the reach
    :param degree: number of p, even
    :param offset: of the middle pixel from the centre of the figure, over the reach
    """

    reach: float
    pixels: int
    half_width: float
    swing: float
    degree: int
    offset: float = 0.0

    @classmethod
    def of(cls, scan: LissajousScan, particle: Particle, axis: int, tolerance: float) -> "Axis":
        # Numbers, where the scan may hold tensors: `DriveIntegrals` tells its tables apart by them.
        gradient, amplitude, view = (as_number(x[axis]) for x in (scan.gradient, scan.amplitude, scan.field_of_view))
        half_view, offset = abs(gradient) * view / 2, gradient * scan.centres[axis]
        reach = half_view + amplitude + abs(offset)
        # Coefficients fall as exp(−p·asinh(π/(β reach))), from the pole of L at iπ, which anisotropy moves. In
        # 2D and 3D it touches only the axis of the field, which is worth e⁵ at least (measured, 30 to 70 nm).
        decay = math.asinh(nearest_pole(as_number(particle.alpha)) / (as_number(particle.beta) * reach))
        bonus = 5 if scan.dims > 1 else 0
        needed = max(128.0, (-math.log(tolerance) - bonus) / decay)
        # Rounded up to a power of √2, so that particles of similar size share their moments.
        degree = 2 * math.ceil(2 ** (math.ceil(2 * math.log2(needed)) / 2 - 1))
        pixels = scan.shape[-1 - axis]
        half_width = math.copysign(half_view / pixels / reach, gradient)
        return cls(reach, pixels, half_width, amplitude / reach, degree, offset / reach)

    @property
    def nodes(self) -> torch.Tensor:
        """The positive Chebyshev nodes [T], (degree/2,)."""
        return self.reach * torch.cos(_node_angles(self.degree))

    def transform(self, odd: bool) -> torch.Tensor:
        """From values at the nodes to the coefficients c_p of an odd or even f, (p, node)."""
        p = parity(self.degree, odd)
        return torch.cos(p[:, None] * _node_angles(self.degree)) * torch.where(p == 0, 2.0, 4.0)[:, None] / self.degree


def parity(degree: int, odd: bool) -> torch.Tensor:
    """The odd or even p < degree, float64."""
    return torch.arange(int(odd), degree, 2, dtype=torch.float64, device="cpu")


def _node_angles(degree: int) -> torch.Tensor:
    return math.pi * (torch.arange(degree // 2, dtype=torch.float64, device="cpu") + 0.5) / degree
