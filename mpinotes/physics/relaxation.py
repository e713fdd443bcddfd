"""The first step beyond equilibrium: moments that need time to turn."""

import math

import torch

from mpinotes.checks import check_kind, check_plausible, check_positive, check_range
from mpinotes.numerics import as_number
from mpinotes.physics.particles import BOLTZMANN, Particle


def debye_response(frequency: torch.Tensor, relaxation_time: float) -> torch.Tensor:
    """Complex response 1/(1 + i2πfτ) at frequencies [Hz], any shape, of a moment that relaxes to its
    equilibrium value with one time constant: τ dm/dt = m_eq − m.

    `relaxation_time`: τ [s], 0 for equilibrium. Source: Debye, Polar Molecules (1929); for MPI Croft
    et al., IEEE TMI 31 (2012) 2335.

    >>> debye_response(torch.tensor([0.0, 25e3]), brownian_time(30e-9)).abs()
    tensor([1.0000, 0.5190])
    """
    check_range("relaxation_time", relaxation_time, 0.0)
    return 1 / (1 + 2j * math.pi * frequency * relaxation_time)


def brownian_time(hydrodynamic_diameter: float, *, viscosity: float = 1e-3, temperature: float = 293.0) -> float:
    """Relaxation time τ_B = 3ηV_h/(k_B T) [s] of a particle that turns as a whole in a liquid.

    `hydrodynamic_diameter` [m] of core and coating, `viscosity` η [Pa s] (water by default),
    `temperature` [K]. Source: Rosensweig, J. Magn. Magn. Mater. 252 (2002) 370.

    >>> f"{brownian_time(30e-9):.1e} s"
    '1.0e-05 s'
    """
    check_plausible("hydrodynamic_diameter", hydrodynamic_diameter, 1e-5, "m", "nanometres")
    check_positive("viscosity", viscosity)
    check_positive("temperature", temperature)
    return 3 * viscosity * math.pi / 6 * hydrodynamic_diameter**3 / (BOLTZMANN * temperature)


def neel_time(particle: Particle, *, damping: float = 0.1, gyromagnetic_ratio: float = 1.75e11) -> float:
    """Relaxation time τ_N = m (1 + a²)/(2 a γ k_B T) [s] of a moment that turns inside its particle, without
    the barrier of an anisotropy: that multiplies it by √π exp(α)/(2 α^(3/2)) where α is large.

    `damping` a of Gilbert's equation, `gyromagnetic_ratio` γ [rad/(s T)]. Source: Brown, Phys. Rev. 130 (1963)
    1677; Coffey & Kalmykov, J. Appl. Phys. 112 (2012) 121301.

    >>> f"{neel_time(Particle(20e-9)):.1e} s"
    '1.4e-08 s'
    """
    check_kind("particle", particle, Particle)
    check_positive("damping", damping)
    check_positive("gyromagnetic_ratio", gyromagnetic_ratio)
    return as_number(particle.beta) * (1 + damping**2) / (2 * damping * gyromagnetic_ratio)
