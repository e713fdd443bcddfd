"""Superparamagnetic particles, and their equilibrium without an easy axis: the Langevin model."""

import math
from dataclasses import dataclass

import torch

from mpinotes.checks import check_plausible, check_positive, check_range
from mpinotes.numerics import as_number, wants_gradient

BOLTZMANN = 1.380649e-23
"""Boltzmann constant [J/K]."""

FWHM, FWHM_ACROSS = 4.161046, 9.466640
"""Full widths at half maximum of L′(x) and L(x)/x: over βG, those of the response along the drive
and across it."""

MAGNETITE_DENSITY, MAGNETITE_MOLAR_MASS = 5170.0, 0.231533
"""Of Fe₃O₄ [kg/m³] and [kg/mol] (CRC Handbook of Chemistry and Physics)."""

# Below the switch the closed forms cancel, above it the truncated series does: rounding grows as
# 3·eps/x², truncation as x¹⁰. These two points keep both under 3e-13 and 3e-6.
_SERIES_BELOW = {torch.float64: 0.1, torch.float32: 0.5}
_SERIES = (1 / 3, -1 / 45, 2 / 945, -1 / 4725, 2 / 93555)


@dataclass(frozen=True)
class Particle:
    """A single-domain magnetite particle.

    Numbers, or scalar tensors where a gradient is wanted.

    :param core_diameter: [m]
    :param saturation_magnetization: [A/m]
    :param temperature: [K]
    :param anisotropy: constant K of a uniaxial anisotropy [J/m³]; 0: all directions are alike

    >>> particle = Particle(25e-9)
    >>> f"{particle.moment:.2e} A m², {particle.beta:.0f} per tesla"
    '3.88e-18 A m², 959 per tesla'
    """

    core_diameter: float
    saturation_magnetization: float = 474e3
    temperature: float = 293.0
    anisotropy: float = 0.0

    def __post_init__(self) -> None:
        check_plausible("core_diameter", self.core_diameter, 1e-6, "m", "nanometres")
        check_positive("saturation_magnetization", self.saturation_magnetization)
        check_positive("temperature", self.temperature)
        check_range("anisotropy", self.anisotropy, 0.0)

    @property
    def moment(self) -> float:
        """Magnetic moment m = M_s π d³ / 6 [A m²]."""
        return self.saturation_magnetization * math.pi / 6 * self.core_diameter**3

    @property
    def alpha(self) -> float:
        """Energy barrier of the anisotropy over thermal energy, α = K π d³ / 6 / (k_B T)."""
        return self.anisotropy * math.pi / 6 * self.core_diameter**3 / (BOLTZMANN * self.temperature)

    @property
    def has_easy_axis(self) -> bool:
        """Whether there is an anisotropy, or a gradient of it is wanted."""
        return as_number(self.anisotropy) > 0 or wants_gradient(self.anisotropy)

    @property
    def iron(self) -> float:
        """Amount of iron in one particle of magnetite, Fe₃O₄ [mol]: multiplied by particles/m³ it
        gives mol(Fe)/m³, which is mmol(Fe)/l."""
        return 3 * MAGNETITE_DENSITY / MAGNETITE_MOLAR_MASS * math.pi / 6 * self.core_diameter**3

    @property
    def beta(self) -> float:
        """Inverse field scale β = m / (k_B T) [1/T], for fields given as µ0·H in tesla."""
        return self.moment / (BOLTZMANN * self.temperature)


def langevin(x: torch.Tensor) -> torch.Tensor:
    """Langevin function L(x) = coth x − 1/x, elementwise, any shape, finite gradients everywhere.

    Source: Langevin, Ann. Chim. Phys. 5 (1905); series of coth (Abramowitz & Stegun 4.5.67).

    >>> langevin(torch.tensor([0.0, 1.0, 100.0]))
    tensor([0.0000, 0.3130, 0.9900])
    """
    near, far, small = _split(x)
    return torch.where(small, near * _even_series(near, _SERIES), 1 / torch.tanh(far) - 1 / far)


def langevin_ratio(x: torch.Tensor) -> torch.Tensor:
    """L(x)/x, elementwise: the transverse response, 1/3 at zero.

    >>> langevin_ratio(torch.tensor([0.0, FWHM_ACROSS / 2]))
    tensor([0.3333, 0.1667])
    """
    near, far, small = _split(x)
    return torch.where(small, _even_series(near, _SERIES), (1 / torch.tanh(far) - 1 / far) / far)


def langevin_derivative(x: torch.Tensor) -> torch.Tensor:
    """Derivative L′(x) = 1/x² − 1/sinh²x, elementwise: the longitudinal response, 1/3 at zero.

    >>> langevin_derivative(torch.tensor([0.0, FWHM / 2]))
    tensor([0.3333, 0.1667])
    """
    near, far, small = _split(x)
    decay = torch.exp(-2 * far.abs())
    closed = 1 / far**2 - 4 * decay / (1 - decay) ** 2
    derivative = tuple((2 * k + 1) * c for k, c in enumerate(_SERIES))
    return torch.where(small, _even_series(near, derivative), closed)


def _split(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x for the series, x for the closed form, and where the series holds. Each form is given a harmless
    number in the other's places: what overflows there would make the gradient NaN, though it is not used."""
    if x.dtype not in _SERIES_BELOW:
        raise ValueError(f"x: got dtype {x.dtype}, accepted are torch.float32 and torch.float64")
    small = x.abs() < _SERIES_BELOW[x.dtype]
    return torch.where(small, x, torch.zeros_like(x)), torch.where(small, torch.ones_like(x), x), small


def _even_series(x: torch.Tensor, coefficients: tuple[float, ...]) -> torch.Tensor:
    squared = x * x
    total = torch.zeros_like(x)
    for coefficient in reversed(coefficients):
        total = total * squared + coefficient
    return total
