"""Chebyshev expansion of a function of the field along one axis of a scan, and its integrals over pixel and drive."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from mpinotes.physics.lissajous import LissajousScan
from mpinotes.physics.particles import Particle


@dataclass(frozen=True)
class Axis:
    """One axis of the expansion f(H) = Σ_p c_p T_p(H / reach) on |H| ≤ reach.

    In units of the reach: `half_width` of a pixel, `swing` of the drive. `degree`: number of p.
    """

    reach: float
    pixels: int
    half_width: float
    swing: float
    degree: int

    @classmethod
    def of(cls, scan: LissajousScan, particle: Particle, axis: int, tolerance: float) -> "Axis":
        gradient, amplitude = abs(scan.gradient[axis]), scan.amplitude[axis]
        half_view = gradient * scan.field_of_view[axis] / 2
        reach = half_view + amplitude
        # Coefficients fall as exp(−p·asinh(π/(β reach))), from the pole of L at iπ. In 2D and 3D it
        # touches only the axis of the field, which is worth e⁵ at least (measured, 30 to 70 nm).
        decay = math.asinh(math.pi / (torch.as_tensor(particle.beta).item() * reach))
        bonus = 5 if scan.dims > 1 else 0
        needed = max(128.0, (-math.log(tolerance) - bonus) / decay)
        # Rounded up to a power of √2, so that particles of similar size share their moments.
        degree = 2 * math.ceil(2 ** (math.ceil(2 * math.log2(needed)) / 2 - 1))
        pixels = scan.shape[-1 - axis]
        return cls(
            reach, pixels, math.copysign(half_view / pixels / reach, scan.gradient[axis]), amplitude / reach, degree
        )

    @property
    def nodes(self) -> torch.Tensor:
        """The positive Chebyshev nodes [T], (degree/2,)."""
        return self.reach * torch.cos(_node_angles(self.degree))

    def transform(self, odd: bool) -> torch.Tensor:
        """From values at the nodes to the coefficients c_p of an odd or even f, (p, node)."""
        p = _parity(self.degree, odd)
        return torch.cos(p[:, None] * _node_angles(self.degree)) * torch.where(p == 0, 2.0, 4.0)[:, None] / self.degree

    def moments(self, odd: bool, integrate: bool) -> torch.Tensor:
        """π⁻¹ ∫ T_p(pixel + swing·u) T_a(u)/√(1−u²) du for every order a < degree, (a, pixel, p)."""
        return _moments(self.pixels, self.half_width, self.swing, self.degree, odd, integrate)


@lru_cache(maxsize=20)  # they depend on the geometry alone: a data set of many particles shares them
def _moments(pixels: int, half_width: float, swing: float, degree: int, odd: bool, integrate: bool) -> torch.Tensor:
    p = _parity(degree, odd)
    drive = swing * torch.cos(math.pi * torch.arange(degree + 1, dtype=torch.float64) / degree)
    columns = []
    for index in range((pixels + 1) // 2):  # one column of pixels at a time: bounds the memory
        field = drive + (2 * index - pixels + 1) * half_width
        if integrate:
            difference = _antiderivative(p, field + half_width) - _antiderivative(p, field - half_width)
            values = difference / (2 * half_width)
        else:
            values = _chebyshev(p, field)
        columns.append(torch.fft.hfft(values, n=2 * degree, dim=0)[:degree] / (2 * degree))
    left = torch.stack(columns, dim=1)
    # On the other side of the centre, T_p(−s) = (−1)^p T_p(s) and T_a(−u) likewise.
    sign = (-1.0) ** (torch.arange(degree, dtype=torch.float64) + int(odd))
    right = left[:, : pixels // 2].flip(1) * sign[:, None, None]
    return torch.cat([left, right], dim=1)


def _parity(degree: int, odd: bool) -> torch.Tensor:
    return torch.arange(int(odd), degree, 2, dtype=torch.float64)


def _node_angles(degree: int) -> torch.Tensor:
    return math.pi * (torch.arange(degree // 2, dtype=torch.float64) + 0.5) / degree


def _chebyshev(p: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    return torch.cos(p * torch.acos(s.clamp(-1, 1))[:, None])


def _antiderivative(p: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """∫ T_p ds = (T_{p+1}/(p+1) − T_{p−1}/(p−1))/2; for p = 1, s²/2."""
    below = torch.where(p == 1, torch.zeros_like(p), 1 / (p - 1))
    return (_chebyshev(p + 1, s) / (p + 1) - _chebyshev((p - 1).abs(), s) * below) / 2
