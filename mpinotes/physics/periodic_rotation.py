"""Moments that turn in a field along one line, once they repeat with its period: no wait, however high the barrier."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy import sparse

from mpinotes.checks import check_count, check_positive
from mpinotes.numerics import as_number
from mpinotes.physics.fokker_planck import (
    BrownRotation,
    NeelRotation,
    check_degree,
    check_rotation,
    rotation_operators,
    three_numbers,
)
from mpinotes.physics.particles import Particle
from mpinotes.physics.sphere_operators import directions, reached


def periodic_rotation(
    amplitude: Sequence[float],
    frequency: float,
    particle: Particle,
    rotation: NeelRotation | BrownRotation,
    *,
    offset: Sequence[float] = (0.0, 0.0, 0.0),
    degree: int = 30,
    harmonics: int = 100,
) -> torch.Tensor:
    """Fourier coefficients of the mean moment over its saturation, (harmonics + 1, 3), complex128, in the periodic
    state: m(t) = Re[m_0 + 2 Σ_k m_k exp(i2πkft)] in the field `offset` + `amplitude` cos(2πft).

    The equation of `simulate_rotation`, whose harmonics k and k ± 1 are coupled, is solved from the last one
    downwards by a matrix continued fraction: nothing is integrated, and no barrier has to be waited for. Raises
    ``ValueError`` for wrong input, and where the degree is too low for the strongest field.

    Source: Coffey & Kalmykov, The Langevin Equation (4th ed.), ch. 2 and 9.

    :param amplitude: of the drive, three values [T]
    :param frequency: f [Hz]
    :param particle: what turns
    :param rotation: `NeelRotation` or `BrownRotation`
    :param offset: field that stays, three values [T]
    :param degree: of the spherical harmonics: about 20 for βB up to 30, more for more or for a high barrier
    :param harmonics: how many are coupled; those beyond are taken as zero

    >>> moment = periodic_rotation((5e-3, 0, 0), 25e3, Particle(20e-9), BrownRotation(40e-9), degree=12, harmonics=9)
    >>> moment[[1, 3], 0].abs()
    tensor([0.1010, 0.0003], dtype=torch.float64)
    """
    check_rotation(particle, rotation)
    drive, rest = three_numbers("amplitude", amplitude), three_numbers("offset", offset)
    check_positive("frequency", frequency)
    check_count("degree", degree, 1, 200)
    check_count("harmonics", harmonics, 1, 10_000)
    still, driven = rotation_operators(particle, rotation, degree)
    ends = [[b + sign * a for a, b in zip(drive, rest, strict=True)] for sign in (1, -1)]
    check_degree(degree, particle, rotation, (still, driven), max(ends, key=np.linalg.norm))
    still = still + sum(b * part for b, part in zip(rest, driven, strict=True))
    turned = sum(b * part for b, part in zip(drive, driven, strict=True)) / 2
    # Harmonics of one parity hold those coefficients of the density that the mean of the first one can reach.
    parts = reached(sparse.bmat([[still, turned], [turned, still]]))
    places = [np.flatnonzero(part) for part in np.split(parts, 2)]

    def block(operator: sparse.csr_matrix, row: int, column: int) -> np.ndarray:
        """Of an operator, what leads to harmonic `row` from harmonic `column`."""
        return operator[places[row % 2]][:, places[column % 2]].toarray()

    omega = 2j * np.pi * as_number(frequency)
    ratios: dict[int, np.ndarray] = {}
    for k in range(harmonics, 0, -1):
        matrix = omega * k * np.eye(len(places[k % 2])) - block(still, k, k)
        if k < harmonics:
            matrix = matrix - block(turned, k, k + 1) @ ratios[k + 1]
        ratios[k] = np.linalg.solve(matrix, block(turned, k, k - 1))
    balance = block(still, 0, 0) + 2 * (block(turned, 0, 1) @ ratios[1]).real
    density = np.concatenate([[1.0], np.linalg.solve(balance[1:, 1:], -balance[1:, 0])]).astype(complex)
    means = [u.toarray()[0] for u in directions(degree)]
    found = []
    for k in range(harmonics + 1):
        density = ratios[k] @ density if k else density
        found.append([mean[places[k % 2]] @ density for mean in means])
    return torch.from_numpy(np.array(found))
