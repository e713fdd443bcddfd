"""System matrices of particles that need time to turn as a whole, by the Fokker-Planck equation at every voxel."""

import math

import numpy as np
import torch
from scipy import sparse
from scipy.integrate import solve_ivp

from mpinotes.numerics import as_number
from mpinotes.physics.easy_axis import voxel_places
from mpinotes.physics.fokker_planck import BrownRotation, rotation_operators
from mpinotes.physics.lissajous import LissajousScan
from mpinotes.physics.particles import Particle
from mpinotes.physics.sphere_operators import directions, reached
from mpinotes.physics.system_matrix import SystemMatrix, received

_SETTLED = 10.0  # relaxation times, after which e⁻¹⁰ of the start is left


def simulate_rotation_matrix(
    scan: LissajousScan,
    particle: Particle,
    rotation: BrownRotation,
    orders: torch.Tensor,
    *,
    degree: int = 16,
    tolerance: float = 1e-5,
    samples: int = 1024,
) -> SystemMatrix:
    """As `simulate_system_matrix` at the centres of the voxels, for Brown rotation in a plane.

    All voxels are integrated at once by scipy's explicit Runge-Kutta method, which Brown rotation is slow enough
    for: whole repetitions until ten times τ_B have passed, then one that is transformed at `samples` moments.

    :meta private:
    """
    still, driven = rotation_operators(particle, rotation, degree)
    kept = np.flatnonzero(reached(sum(abs(part) / abs(part).max() for part in (still, *driven[:2]))))
    operator = sparse.hstack([part[kept][:, kept] for part in (*driven[:2], still)]).tocsr()
    selection = voxel_places(scan).numpy() * np.array([as_number(g) for g in scan.gradient])
    amplitude = np.array([as_number(a) for a in scan.amplitude])
    period = 1 / as_number(scan.repetition_frequency)
    cycles = np.array(scan.cycles)
    shape = len(kept), len(selection)

    def change(t: float, flat: np.ndarray) -> np.ndarray:
        y = flat.reshape(shape)
        x_field, y_field = (selection + amplitude * np.cos(2 * math.pi * cycles * t / period)).T
        return (operator @ np.vstack([y * x_field, y * y_field, y])).ravel()

    start = np.zeros(shape)
    start[0] = 1.0
    first = math.ceil(_SETTLED * rotation.time(particle) / period) * period
    moments = first + period * np.arange(samples) / samples
    solution = solve_ivp(
        change, (0.0, first + period), start.ravel(), t_eval=moments, rtol=tolerance, atol=1e-2 * tolerance
    )
    density = torch.from_numpy(solution.y.reshape(*shape, samples))
    means = torch.from_numpy(np.stack([u.toarray()[0, kept] for u in directions(degree)[:2]]))
    lines = torch.fft.rfft(torch.einsum("ck,kvt->cvt", means, density))[..., scan.bins(orders)] / samples
    return received(lines.movedim(-1, 1).unflatten(2, scan.shape), scan, particle, orders, None)
