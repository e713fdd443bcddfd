"""Particles with an easy axis of magnetisation, in equilibrium."""

import math
from functools import lru_cache

import numpy as np
import torch
from scipy.optimize import brentq

from mpinotes.checks import check_kind, check_tensor
from mpinotes.numerics import as_number, full_precision
from mpinotes.physics.particles import Particle

_NEGLIGIBLE = 45.0  # e⁻⁴⁵ of the largest Boltzmann factor is below rounding
_STRONGEST = 1e100  # of β times the field: saturation to the last digit, and its square is a number
_LARGEST = 2**22  # Boltzmann factors in flight: some 200 MB with what is made of them
_SERIES_BELOW = 0.1  # of I₁(x)/x, five terms of which are exact to rounding there


@full_precision
def mean_moment(field: torch.Tensor, particle: Particle, easy_axis: torch.Tensor) -> torch.Tensor:
    """Mean moment over its saturation value, (…, 3), of particles whose easy axis is held.

    The direction u of a moment has the Boltzmann density p(u) ∝ exp(β B·u + α (n·u)²), the stationary
    one of the Fokker-Planck equation of Néel rotation (Kluth et al., New J. Phys. 21 (2019) 103032).
    Its mean is an integral over the angle to the axis, taken by Gauss-Legendre quadrature in float64;
    without anisotropy it is `langevin` of βB along B. Differentiable in field and particle, keeps the
    dtype and device of `field`. Raises ``ValueError`` for wrong shapes, NaN, and an axis of length zero.

    `field`: (…, 3) [T]; `easy_axis`: n of any length and either sign, (…, 3), its leading axes those of
    `field` or such that broadcast with them.

    >>> field = torch.tensor([[12e-3, 0.0, 0.0], [0.0, 12e-3, 0.0]])
    >>> mean_moment(field, Particle(19e-9, anisotropy=3500.0), torch.tensor([1.0, 0.0, 0.0])).round(decimals=4)
    tensor([[0.8985, 0.0000, 0.0000],
            [0.0000, 0.6741, 0.0000]])
    """
    _check_vectors("field", field)
    _check_vectors("easy_axis", easy_axis)
    check_kind("particle", particle, Particle)
    axis = easy_axis.to(field.device, torch.float64)
    length = axis.norm(dim=-1, keepdim=True)
    if (length == 0).any():
        raise ValueError("easy_axis: got an axis of length zero, accepted are directions (…, 3)")
    axis, strength = axis / length, particle.beta * field.double()
    if not (strength.detach().abs() < _STRONGEST).all():
        raise ValueError(f"field: got up to {field.abs().max():g} T, accepted is β|B| of {_STRONGEST:g} at most")
    try:
        strength, axis = torch.broadcast_tensors(strength, axis)
    except RuntimeError:
        raise ValueError(
            f"easy_axis: got shape {tuple(easy_axis.shape)}, accepted is one that broadcasts with that of "
            f"field, {tuple(field.shape)}"
        ) from None
    along = (strength * axis).sum(-1)
    across = strength - along[..., None] * axis
    axial, transverse = axial_moments(along, across.square().sum(-1), particle.alpha)
    return (axial[..., None] * axis + transverse[..., None] * across).to(field.dtype)


def _check_vectors(name: str, value: torch.Tensor) -> None:
    check_tensor(name, value, 1, "(…, 3)", more=True)
    if value.shape[-1] != 3:
        raise ValueError(f"{name}: got shape {tuple(value.shape)}, accepted is (…, 3)")


def axial_moments(
    along: torch.Tensor, across_squared: torch.Tensor, alpha: float | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean moment along the easy axis, and across it over the field across, which stays finite at 0.

    `along` = βB·n and `across_squared` = g², the square of β times the field across, one shape, float64;
    `alpha` a number or of that shape.

    With h = `along` and the angle θ to the axis both are averages of cos θ and of sin θ I₁/(g I₀) under the
    weight sin θ exp(h cos θ + α cos²θ) I₀(g sin θ). The nodes sit where that exponent lies less than 45
    below its maximum, at |θ − ψ| < δ around the angle ψ of the field, which keeps their number the
    same from no field to saturation.

    :meta private:
    """
    alpha = torch.as_tensor(alpha, dtype=along.dtype, device=along.device)
    nodes, weights = (
        torch.from_numpy(x).to(along) for x in gauss_legendre(_node_count(as_number(alpha.detach().max())))
    )
    shape, alpha = along.shape, alpha.expand(along.shape)
    parts = zip(
        *(x.flatten().split(max(1, _LARGEST // len(nodes))) for x in (along, across_squared, alpha)), strict=True
    )
    moments = [_averages(h, g_squared, a, nodes, weights) for h, g_squared, a in parts]
    axial, transverse = (torch.cat(x).view(shape) for x in zip(*moments, strict=True))
    return axial, transverse


def nearest_pole(alpha: float) -> float:
    """Distance of the mean moment's nearest pole from the real fields βB along the axis, in the complex plane: π
    (Langevin) for α = 0 and down to π/2 (two states) for α → ∞.

    There the partition function ∫ cos(kt) exp(αt²) dt is zero.

    :meta private:
    """
    if alpha < 1e-6:
        return math.pi
    nodes, weights = gauss_legendre(_node_count(alpha))
    return brentq(lambda k: weights @ (np.cos(k * nodes) * np.exp(alpha * (nodes**2 - 1))), math.pi / 2, math.pi)


def _averages(
    h: torch.Tensor, g_squared: torch.Tensor, alpha: torch.Tensor, nodes: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    # The root has no slope at 0; all that is made of it is even in g, and its slope there is 0.
    g = torch.where(g_squared > 0, g_squared, 1e-200).sqrt()
    with torch.no_grad():
        psi = torch.atan2(g, h)[:, None]
        before, beyond = _window(h, g, alpha, psi[:, 0])
        turn = (beyond + before)[:, None] / 2 + (beyond - before)[:, None] / 2 * nodes
        theta, half, middle = psi + turn, turn / 2, psi + turn / 2
    cos, sin = theta.cos(), theta.sin()
    x = g[:, None] * sin
    # Less that at ψ, as products of sines: in strong fields the two cancel to the last digit.
    pull = g[:, None] * middle.cos() - h[:, None] * middle.sin() - alpha[:, None] * half.cos() * (2 * middle).sin()
    exponent = 2 * half.sin() * pull
    weight = weights * sin * torch.exp(exponent - exponent.detach().amax(1, keepdim=True))
    even = weight * torch.special.i0e(x)
    total = even.sum(1)
    return (even * cos).sum(1) / total, (weight * sin.square() * _scaled_i1_ratio(x)).sum(1) / total


def _window(
    h: torch.Tensor, g: torch.Tensor, alpha: torch.Tensor, psi: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The turns from ψ beyond which the exponent ξ cos(θ − ψ) + α cos²θ is below its value there by 45."""
    depth = (_NEGLIGIBLE + alpha * psi.sin().square()) / torch.hypot(h, g).clamp_min(1e-100)
    half_width = 2 * torch.asin((depth / 2).clamp(max=1.0).sqrt())
    return -torch.minimum(half_width, psi), torch.minimum(half_width, math.pi - psi)


def _scaled_i1_ratio(x: torch.Tensor) -> torch.Tensor:
    """exp(−x) I₁(x)/x for x ≥ 0."""
    small = x < _SERIES_BELOW
    near, far = torch.where(small, x, 0.0), torch.where(small, 1.0, x)
    quarter = near.square() / 4
    series = 1 + quarter / 2 * (1 + quarter / 6 * (1 + quarter / 12 * (1 + quarter / 20)))
    return torch.where(small, series / 2 * torch.exp(-near), torch.special.i1e(far) / far)


def _node_count(alpha: float) -> int:
    """Enough for rounding at any field, found by trial for α up to 2000."""
    return max(48, 16 + math.ceil(5.5 * math.sqrt(alpha)))


@lru_cache(maxsize=16)
def gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [−1, 1].

    :meta private:
    """
    return np.polynomial.legendre.leggauss(count)
