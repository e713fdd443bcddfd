"""Particles whose easy axes point in all directions alike: their mean moment depends on |B| alone."""

import math

import torch

from mpinotes.numerics import as_number
from mpinotes.physics.anisotropy import axial_moments, gauss_legendre
from mpinotes.physics.particles import Particle

_DIGITS = 34.5  # e⁻³⁴·⁵ is 1e-15


def powder_ratio(x: torch.Tensor, particle: Particle) -> torch.Tensor:
    """P(x)/x of the mean moment P along the field at x = β|B|, averaged over all easy axes: as `langevin_ratio`,
    1/3 at zero.

    Expanded in even Chebyshev polynomials of asinh x, in which its poles lie π/2 beside the real axis from the
    first to the last: some hundred values serve any number of fields.

    :meta private:
    """
    reach = math.asinh(as_number(x.detach().max())) + 1e-3
    width = math.asin(1.0) / reach  # of the strip without poles
    count = math.ceil(_DIGITS / math.asinh(width) / 2) + 16 + math.ceil(4 * as_number(particle.alpha))
    angle = math.pi * (torch.arange(count, dtype=torch.float64, device=x.device) + 0.5) / (2 * count)
    values = _average_over_axes(torch.sinh(reach * angle.cos()), particle)
    even = 2 * torch.arange(count, dtype=torch.float64, device=x.device)
    coefficients = torch.cos(even[:, None] * angle) @ values * torch.where(even == 0, 1.0, 2.0) / count
    # T_2p(s) = T_p(2s² − 1), summed by Clenshaw's recurrence.
    argument = 2 * (torch.asinh(x) / reach).square() - 1
    above = last = torch.zeros_like(argument)
    for coefficient in coefficients[1:].flip(0):
        above, last = coefficient + 2 * argument * above - last, above
    return coefficients[0] + argument * above - last


def _average_over_axes(x: torch.Tensor, particle: Particle) -> torch.Tensor:
    """The same at a few x > 0, by Gauss-Legendre quadrature over the cosine of the angle to the axis, the
    half of the axes on the field's side."""
    count = math.ceil(24 + 6 * math.sqrt(as_number(x.detach().max())))
    nodes, weights = (torch.from_numpy(v).to(x) for v in gauss_legendre(count))
    cos = (nodes + 1) / 2
    along, across = x[:, None] * cos, x[:, None] * (1 - cos.square()).sqrt()
    axial, transverse = axial_moments(along, across.square(), particle.alpha)
    return ((axial * cos / x[:, None] + transverse * (1 - cos.square())) * weights / 2).sum(1)
