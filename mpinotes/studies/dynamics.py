"""Where equilibrium and Debye's model hold: both against the Fokker-Planck equation, for moments and for a matrix."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from mpinotes.physics import (
    BrownRotation,
    LissajousScan,
    NeelRotation,
    Particle,
    debye_response,
    mean_moment,
    mixing_orders,
    neel_time,
    periodic_rotation,
    simulate_system_matrix,
)
from mpinotes.physics.fokker_planck import rotation_operators
from mpinotes.physics.rotation_matrix import simulate_rotation_matrix
from mpinotes.physics.sphere_operators import reached
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row, Series
from mpinotes.studies.rows import Subject

STUDY = "dynamics"

METHOD_TITLES = {
    "equilibrium": "equilibrium",
    "debye": "Debye, its time at no field",
    "debye_fitted": "Debye, its time fitted",
    "rotation": "Fokker-Planck",
}
"""What a moment or a matrix is computed by."""

AMPLITUDE, FREQUENCY = 20e-3, 25e3
DIAMETERS, ANISOTROPIES = range(15, 31), range(0, 10_001, 1000)
FREQUENCIES = [round(10 ** (3 + i / 4)) for i in range(13)]
FREQUENCY_ANISOTROPY = 5000
AXES = {"across": (0.0, 1.0, 0.0), "oblique": (1.0, 1.0, 0.0)}
COARSE_DIAMETERS, COARSE_ANISOTROPIES = (15, 17.5, 20, 22.5, 25), (0, 2500, 5000, 7500, 10_000)
COARSE_DEGREE = 24
BROWN_ABOVE = 15  # kT of barrier: the eigenvalue drowns in rounding at twice that, Brown's series is right to 0.3 %
HYDRODYNAMIC, CORE = (25, 30, 35, 40, 50, 60, 80, 100), 25
MATRIX_FREQUENCIES, MATRIX_DIAMETER = (2500, 25_000, 250_000), 40
ORDERS = mixing_orders(2, 8)


@dataclass(frozen=True)
class Sizes:
    """How finely a particle's density is resolved under a drive of `AMPLITUDE`: harmonics of the sphere and of time.

    >>> from mpinotes.physics import Particle
    >>> from mpinotes.studies.dynamics import Sizes
    >>> Sizes.of(Particle(20e-9))
    Sizes(degree=20, harmonics=121)
    """

    degree: int
    harmonics: int

    @classmethod
    def of(cls, particle: Particle) -> "Sizes":
        """For rounding of some 1e-6: the narrower the well and the steeper the curve, the more."""
        strength = particle.beta * AMPLITUDE
        degree = math.ceil(12 + 0.8 * strength + 1.2 * particle.alpha)
        return cls(degree, math.ceil(20 + 16 / math.asinh(math.pi / 2 / strength)))


def run(profile: Profile, runs: Path) -> Record:
    """Errors of equilibrium and of Debye's model in the velocity of the moment along a drive of 20 mT, once it
    repeats, ‖model − FP‖/‖FP‖; and of their matrices of 8 × 8 voxels.

    Conditions: "neel/along/diameter/20/anisotropy/5000", "neel/frequency/…/diameter/…", "brown/frequency/…/diameter/…"
    and "matrix/frequency/…"; diameters in nm, those of Brown rotation hydrodynamic.
    """
    every = profile.dynamics_stride
    rows = [
        *_barrier_map(DIAMETERS[::every], ANISOTROPIES[::every]),
        *_frequency_map(DIAMETERS[::every], FREQUENCIES[::every]),
        *_axis_map(COARSE_DIAMETERS[::every], COARSE_ANISOTROPIES[::every]),
        *_brown_map(HYDRODYNAMIC[::every], FREQUENCIES[::every]),
    ]
    found, series = _matrix_rows(MATRIX_FREQUENCIES[::-1][::every])
    settings = {
        "amplitude": AMPLITUDE,
        "frequency": FREQUENCY,
        "anisotropy": FREQUENCY_ANISOTROPY,
        "core": CORE,
        "hydrodynamic": MATRIX_DIAMETER,
    }
    source = "simulated moments, and simulated matrices of 8 × 8 voxels"
    return Record(STUDY, source, METHOD_TITLES, settings, (*rows, *found), tuple(series))


def _barrier_map(diameters: range, anisotropies: range) -> Iterator[Row]:
    """Over core diameter and anisotropy, the axis along the drive; with the time to cross the barrier."""
    for diameter, anisotropy in itertools.product(diameters, anisotropies):
        particle = Particle(1e-9 * diameter, anisotropy=float(anisotropy))
        condition = f"neel/along/diameter/{diameter}/anisotropy/{anisotropy}"
        yield from _errors(condition, particle, NeelRotation(), FREQUENCY)
        yield _number("rotation", condition, "relaxation", slowest_time(particle))
    print("barriers done", flush=True)


def _frequency_map(diameters: range, frequencies: list[int]) -> Iterator[Row]:
    for frequency, diameter in itertools.product(frequencies, diameters):
        particle = Particle(1e-9 * diameter, anisotropy=float(FREQUENCY_ANISOTROPY))
        yield from _errors(f"neel/frequency/{frequency}/diameter/{diameter}", particle, NeelRotation(), frequency)
    print("frequencies done", flush=True)


def _axis_map(diameters: tuple[float, ...], anisotropies: tuple[int, ...]) -> Iterator[Row]:
    """With the axis across the drive and at 45°, where precession counts; and what four degrees more change."""
    for (name, axis), diameter, anisotropy in itertools.product(AXES.items(), diameters, anisotropies):
        particle = Particle(1e-9 * diameter, anisotropy=float(anisotropy))
        condition = f"neel/{name}/diameter/{diameter:g}/anisotropy/{anisotropy}"
        sizes = Sizes.of(particle)
        degree = min(COARSE_DEGREE, sizes.degree)
        coarse, fine = (
            _velocity(
                periodic_rotation(
                    (AMPLITUDE, 0, 0), FREQUENCY, particle, NeelRotation(axis), degree=d, harmonics=sizes.harmonics
                )[:, 0]
            )
            for d in (degree - 4, degree)
        )
        expected = equilibrium_velocity(particle, axis, sizes.harmonics)
        yield _number("equilibrium", condition, "error", relative_error(expected, fine))
        yield _number("rotation", condition, "change", relative_error(coarse, fine))
    print("axes done", flush=True)


def _brown_map(diameters: tuple[int, ...], frequencies: list[int]) -> Iterator[Row]:
    for frequency, diameter in itertools.product(frequencies, diameters):
        rotation = BrownRotation(1e-9 * diameter)
        yield from _errors(
            f"brown/frequency/{frequency}/diameter/{diameter}", Particle(1e-9 * CORE), rotation, frequency
        )
    print("Brown rotation done", flush=True)


def _errors(
    condition: str, particle: Particle, rotation: NeelRotation | BrownRotation, frequency: float
) -> Iterator[Row]:
    """Of equilibrium, of Debye with the time of a weak field, and with the one that fits best."""
    sizes = Sizes.of(particle)
    tau = slowest_time(particle) if isinstance(rotation, NeelRotation) else rotation.time(particle)
    # Along z, about which the density then keeps its symmetry: few coefficients are left.
    moment = periodic_rotation(
        (0, 0, AMPLITUDE), frequency, particle, rotation, degree=sizes.degree, harmonics=sizes.harmonics
    )
    truth = _velocity(moment[:, 2])
    expected = equilibrium_velocity(particle, (1.0, 0.0, 0.0), sizes.harmonics)
    lines = frequency * torch.arange(len(truth), dtype=torch.float64, device="cpu")

    def debye(log_time: float) -> float:
        return relative_error(expected * debye_response(lines, math.exp(log_time)), truth)

    span = math.log(1e-6 / frequency), math.log(1e2 / frequency)
    fitted = minimize_scalar(debye, bounds=span, method="bounded", options={"xatol": 1e-3})
    yield _number("equilibrium", condition, "error", relative_error(expected, truth))
    yield _number("debye", condition, "error", debye(math.log(tau)))
    yield _number("debye_fitted", condition, "error", min(fitted.fun, debye(math.log(tau))))


def _velocity(moment: torch.Tensor) -> torch.Tensor:
    """Harmonics of the velocity of a moment along the drive, over 2πi f."""
    return torch.arange(len(moment), device="cpu") * moment


def equilibrium_velocity(particle: Particle, axis: tuple[float, float, float], harmonics: int) -> torch.Tensor:
    """Harmonics of the velocity along the drive, over 2πi f, of a moment in equilibrium, (harmonics + 1,)."""
    samples = 8 * harmonics
    field = torch.zeros(samples, 3, dtype=torch.float64, device="cpu")
    field[:, 0] = AMPLITUDE * torch.cos(
        2 * math.pi * torch.arange(samples, dtype=torch.float64, device="cpu") / samples
    )
    moment = mean_moment(field, particle, torch.tensor(axis, device="cpu"))
    return _velocity(torch.fft.rfft(moment[:, 0])[: harmonics + 1] / samples)


def relative_error(estimate: torch.Tensor, truth: torch.Tensor) -> float:
    """‖estimate − truth‖/‖truth‖."""
    return ((estimate - truth).norm() / truth.norm()).item()


def slowest_time(particle: Particle) -> float:
    """How long a moment takes to forget its side of the barrier, without a field [s].

    >>> from mpinotes.physics import Particle, neel_time
    >>> from mpinotes.studies.dynamics import slowest_time
    >>> print(f"{slowest_time(Particle(20e-9)) / neel_time(Particle(20e-9)):.6f}")
    1.000000
    """
    alpha = particle.alpha
    if alpha > BROWN_ABOVE:
        asymptotic = math.sqrt(math.pi) * math.exp(alpha) / (2 * alpha**1.5) * (1 + 1 / alpha + 7 / (4 * alpha**2))
        return neel_time(particle) * asymptotic
    still, driven = rotation_operators(particle, NeelRotation(), Sizes.of(particle).degree)
    kept = reached(still / abs(still).max() + driven[2] / abs(driven[2]).max())
    rates = np.sort(-np.linalg.eigvals(still[kept][:, kept].toarray()).real)
    return 1 / rates[1].item()


def _matrix_rows(frequencies: tuple[int, ...]) -> tuple[list[Row], list[Series]]:
    """A matrix of Brown rotation at each f_x, against that of equilibrium, Debye's, and those at the others."""
    rotation, particle = BrownRotation(1e-9 * MATRIX_DIAMETER), Particle(1e-9 * CORE)
    rows: list[Row] = []
    series: list[Series] = []
    matrices: dict[int, torch.Tensor] = {}
    for frequency in frequencies:
        scan = LissajousScan(density=7, shape=(8, 8), base_frequency=float(frequency))
        truth = simulate_rotation_matrix(scan, particle, rotation, ORDERS, degree=18, tolerance=1e-6).components
        still = simulate_system_matrix(scan, particle, ORDERS, integrate_pixels=False)
        gain = debye_response(still.frequencies, rotation.time(particle))[None, :, None, None]
        condition = f"matrix/frequency/{frequency}"
        for name, model in (("equilibrium", still.components), ("debye", gain * still.components)):
            found = correlations(model, truth)
            rows += [
                _number(name, condition, "error", relative_error(model, truth)),
                *_quartiles(name, condition, found),
            ]
            series.append(Subject(STUDY, name, condition).series("correlation", found.tolist(), 4))
        for other, matrix in matrices.items():
            found = correlations(matrix, truth)
            rows += _quartiles("rotation", f"{condition}/other/{other}", found)
        matrices[frequency] = truth
        print(f"matrix at {frequency} Hz done", flush=True)
    return rows, series


def correlations(model: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """|⟨a, b⟩|/(‖a‖ ‖b‖) of every component of every channel, a complex factor of each being free, (count,)."""
    a, b = (matrix.flatten(0, 1).flatten(1) for matrix in (model, truth))
    return (a.conj() * b).sum(1).abs() / (a.norm(dim=1) * b.norm(dim=1))


def _quartiles(method: str, condition: str, values: torch.Tensor) -> list[Row]:
    shares = {"lower": 0.25, "median": 0.5, "upper": 0.75}
    return [
        Subject(STUDY, method, condition).number(
            f"correlation_{name}", round(values.quantile(q).item(), 4), len(values)
        )
        for name, q in shares.items()
    ]


def _number(method: str, condition: str, metric: str, value: float) -> Row:
    return Subject(STUDY, method, condition).number(metric, float(f"{value:.4g}"))
