"""Moments that need time to turn, by the Fokker-Planck equation: what judges equilibrium and Debye."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import spsolve

from mpinotes.checks import check_count, check_kind, check_plausible, check_positive, check_range, check_tensor
from mpinotes.numerics import as_number, wants_gradient
from mpinotes.physics.anisotropy import mean_moment
from mpinotes.physics.easy_axis import check_direction
from mpinotes.physics.particles import Particle
from mpinotes.physics.relaxation import brownian_time, neel_time
from mpinotes.physics.sphere_operators import directions, laplacian, reached, rotations

_UNRESOLVED = 0.05  # of saturation
Field = Callable[[float], Sequence[float]]


@dataclass(frozen=True)
class NeelRotation:
    """The moment turns inside a particle that is held: damped precession, kicked by the heat.

    :param easy_axis: (x, y, z), for particles with anisotropy
    :param damping: α of Gilbert's equation, unit-less
    :param gyromagnetic_ratio: γ [rad/(s T)]

    >>> f"{NeelRotation().time(Particle(20e-9)):.1e} s"
    '1.4e-08 s'
    """

    easy_axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    damping: float = 0.1
    gyromagnetic_ratio: float = 1.75e11

    def __post_init__(self) -> None:
        check_direction("easy_axis", self.easy_axis)
        check_positive("damping", self.damping)
        check_positive("gyromagnetic_ratio", self.gyromagnetic_ratio)

    def time(self, particle: Particle) -> float:
        """Relaxation time τ_N of a free moment [s]."""
        return neel_time(particle, damping=self.damping, gyromagnetic_ratio=self.gyromagnetic_ratio)


@dataclass(frozen=True)
class BrownRotation:
    """The particle turns as a whole in a liquid, and its moment, which is fixed in it, with it: easy axis and
    anisotropy do not matter.

    >>> f"{BrownRotation(40e-9).time(Particle(20e-9)):.1e} s"
    '2.5e-05 s'
    """

    hydrodynamic_diameter: float
    viscosity: float = 1e-3

    def __post_init__(self) -> None:
        check_plausible("hydrodynamic_diameter", self.hydrodynamic_diameter, 1e-5, "m", "nanometres")
        check_positive("viscosity", self.viscosity)

    def time(self, particle: Particle) -> float:
        """Relaxation time τ_B [s]."""
        temperature = as_number(particle.temperature)
        return brownian_time(self.hydrodynamic_diameter, viscosity=self.viscosity, temperature=temperature)


def simulate_rotation(
    field: Field,
    times: torch.Tensor,
    particle: Particle,
    rotation: NeelRotation | BrownRotation,
    *,
    before: Sequence[float] | None = None,
    degree: int = 20,
    tolerance: float = 1e-6,
) -> torch.Tensor:
    """Mean moment over its saturation value at `times`, (time, 3), float64.

    The density p of directions obeys 2τ ∂p/∂t = Δp − ∇·(p ∇φ) − ∇·(p ∇φ × u)/a with φ = βB·u + α(n·u)² for
    Néel rotation with damping a, and without the last term and without α for Brown rotation. In
    spherical harmonics up to `degree` these are sparse linear equations, which scipy's implicit
    Runge-Kutta method (Radau) integrates. Raises ``ValueError`` for wrong input, and where the degree is too
    low for the strongest field at `times`.

    Sources: Coffey & Kalmykov, The Langevin Equation (4th ed.), ch. 1 and 7; in MPI Kluth, Szwargulski & Knopp,
    New J. Phys. 21 (2019) 103032.

    :param field: B(t), three values [T] at a time [s]
    :param times: growing, (time,) [s], of which the first is where the integration starts
    :param particle: what turns; numbers, not tensors that want a gradient
    :param rotation: `NeelRotation` or `BrownRotation`
    :param before: field [T] in whose equilibrium the particles are at first; by default that of the first time
    :param degree: of the spherical harmonics: about 20 for βB up to 30, more for more or for a high barrier
    :param tolerance: of the integration, relative

    >>> particle, rotation = Particle(20e-9), BrownRotation(40e-9)
    >>> times = torch.linspace(0, 1e-4, 3, dtype=torch.float64)
    >>> decay = simulate_rotation(lambda t: (0, 0, 0), times, particle, rotation, before=(0, 0, 5e-3))
    >>> torch.allclose(decay[:, 2] / decay[0, 2], torch.exp(-times / rotation.time(particle)), rtol=1e-4)
    True
    """
    if not callable(field):
        raise ValueError(f"field: got {field!r}, accepted is a function of time, as lambda t: (0, 0, 1e-3)")
    check_tensor("times", times, 1, "(time,)")
    if len(times) < 2 or not (times.diff() > 0).all():
        raise ValueError("times: got values that do not grow, accepted are at least two that do")
    check_rotation(particle, rotation)
    check_count("degree", degree, 1, 200)
    check_range("tolerance", tolerance, 1e-12, 0.1)
    moments = times.double().tolist()
    still, driven = rotation_operators(particle, rotation, degree)
    fields = [three_numbers("field", field(moment)) for moment in moments]
    fields += [] if before is None else [three_numbers("before", before)]
    check_degree(degree, particle, rotation, (still, driven), max(fields, key=np.linalg.norm))
    first = fields[0] if before is None else fields[-1]
    start = _equilibrium(still + sum(b * part for b, part in zip(first, driven, strict=True)))

    def operator(t: float, _: np.ndarray) -> sparse.csc_matrix:
        b = three_numbers("field", field(t))
        return (still + b[0] * driven[0] + b[1] * driven[1] + b[2] * driven[2]).tocsc()

    solution = solve_ivp(
        lambda t, y: operator(t, y) @ y,
        (moments[0], moments[-1]),
        start,
        method="Radau",
        t_eval=moments,
        jac=operator,
        rtol=tolerance,
        atol=1e-2 * tolerance,
    )
    if not solution.success:
        raise ValueError(f"field: got one that could not be integrated, {solution.message}")
    means = [(u[0] @ solution.y).ravel() for u in directions(degree)]
    return torch.from_numpy(np.stack(means, axis=1))


def rotation_operators(
    particle: Particle, rotation: NeelRotation | BrownRotation, degree: int
) -> tuple[sparse.csr_matrix, list[sparse.csr_matrix]]:
    """M and (M_x, M_y, M_z) of dy/dt = (M + B_x M_x + B_y M_y + B_z M_z) y, for the coefficients y of the
    density over that of degree 0 [1/s, 1/(s T)].

    :meta private:
    """
    size, space = (degree + 1) ** 2, degree + 2  # products of two directions leave the space and come back
    u, turn, delta = directions(space), rotations(space), laplacian(space)

    def drift(potential: sparse.csr_matrix, its_laplacian: sparse.csr_matrix) -> sparse.csr_matrix:
        """∇·(p ∇φ) = (Δ(φp) − φ Δp + p Δφ)/2."""
        return (delta @ potential - potential @ delta + its_laplacian) / 2

    rate = 1 / (2 * rotation.time(particle))
    beta, damping = as_number(particle.beta), rotation.damping if isinstance(rotation, NeelRotation) else math.inf
    driven = [-rate * beta * (drift(u_i, -2 * u_i) + turn_i / damping) for u_i, turn_i in zip(u, turn, strict=True)]
    still = rate * delta
    if isinstance(rotation, NeelRotation):
        axis = np.array(rotation.easy_axis) / np.linalg.norm(rotation.easy_axis)
        along, about = (sum(n * part for n, part in zip(axis, parts, strict=True)) for parts in (u, turn))
        squared = along @ along
        # ∇·(p ∇φ × u) = ∇φ·(u × ∇)p, and ∇(n·u)² = 2 (n·u) n but for a part along u.
        uniaxial = (
            drift(squared, 2 * sparse.identity(len(delta.indptr) - 1) - 6 * squared) + 2 / damping * along @ about
        )
        still = still - rate * as_number(particle.alpha) * uniaxial
    return still[:size, :size], [part[:size, :size] for part in driven]


def _equilibrium(operator: sparse.csr_matrix) -> np.ndarray:
    """The density that stays: M y = 0 with a first coefficient of 1."""
    operator = operator.tocsc()
    return np.concatenate([[1.0], spsolve(operator[1:, 1:], -operator[1:, 0].toarray().ravel())])


def check_rotation(particle: Particle, rotation: NeelRotation | BrownRotation) -> None:
    """Raise ``ValueError`` unless this is one of the two kinds, of a particle of which no gradient is wanted.

    :meta private:
    """
    if not isinstance(rotation, NeelRotation | BrownRotation):
        raise ValueError(f"rotation: got {rotation!r}, accepted are a NeelRotation or a BrownRotation")
    check_kind("particle", particle, Particle)
    if any(wants_gradient(value) for value in (particle.beta, particle.alpha)):
        raise ValueError("particle: got numbers that want a gradient, accepted are numbers: scipy gives none")


def check_degree(
    degree: int,
    particle: Particle,
    rotation: NeelRotation | BrownRotation,
    operators: tuple[sparse.csr_matrix, list[sparse.csr_matrix]],
    strongest: Sequence[float],
) -> None:
    """Raise ``ValueError`` where so many spherical harmonics miss the equilibrium in the strongest field, which
    `mean_moment` knows: too few of them make anything, up to several times saturation or its opposite.

    :meta private:
    """
    still, driven = operators
    operator = still + sum(b * part for b, part in zip(strongest, driven, strict=True))
    kept = np.flatnonzero(reached(operator))
    density = _equilibrium(operator[kept][:, kept])
    means = [(u[0, kept] @ density).item() for u in directions(degree)]
    found = torch.tensor(means, dtype=torch.float64, device="cpu")
    axis = (0.0, 0.0, 1.0)
    if isinstance(rotation, NeelRotation):
        axis = rotation.easy_axis
    else:
        particle = replace(particle, anisotropy=0.0)
    exact = mean_moment(found.new_tensor(strongest), particle, found.new_tensor([as_number(n) for n in axis]))
    error = (found - exact).norm().item()
    if error > _UNRESOLVED:
        raise ValueError(
            f"degree: got {degree}, by which the mean moment at rest in {tuple(strongest)} T is off by {error:.2g} of "
            "saturation, accepted are enough to resolve it (or less field, is it in T, or a lower barrier)"
        )


def three_numbers(name: str, values: Sequence[float]) -> list[float]:
    """The components of a field [T] as floats. Raises ``ValueError`` unless they are three and finite.

    :meta private:
    """
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError, RuntimeError):  # texts, complex numbers, tensors that want a gradient
        numbers = np.empty(0)
    if numbers.shape != (3,) or not np.isfinite(numbers).all():
        raise ValueError(f"{name}: got {values}, accepted are three finite values (B_x, B_y, B_z)")
    return numbers.tolist()
