import math

import torch

from mpinotes.physics import (
    BrownRotation,
    LissajousScan,
    Particle,
    debye_response,
    simulate_rotation,
    simulate_system_matrix,
)
from mpinotes.physics.rotation_matrix import simulate_rotation_matrix

ORDERS = torch.tensor([[2, 0], [1, 1], [3, 0], [3, 2]])
CORE, ROTATION = Particle(20e-9), BrownRotation(40e-9)


def scan(frequency, **others):
    return LissajousScan(density=3, shape=(2, 2), base_frequency=frequency, field_of_view=(16e-3, 24e-3), **others)


def test_weak_fields_give_the_matrix_of_debye():
    """Harmonics of the drives alone: 2πfτ = 4, and only a hundredth of a kT."""
    weak = scan(25e3, gradient=(1e-3, 1e-3), amplitude=(2e-5, 2e-5))
    orders = torch.tensor([[1, 0], [0, 1]])
    got = simulate_rotation_matrix(weak, CORE, ROTATION, orders, degree=3, tolerance=1e-7, samples=64)

    def delay(frequency):
        return debye_response(frequency, ROTATION.time(CORE))

    expected = simulate_system_matrix(weak, CORE, orders, integrate_pixels=False, response=delay)
    assert got.frequencies.tolist() == expected.frequencies.tolist()
    assert (got.components - expected.components).norm() < 1e-3 * expected.components.norm()


def test_one_voxel_is_what_the_solver_of_one_moment_gives():
    fast = scan(25e3)
    got = simulate_rotation_matrix(fast, CORE, ROTATION, ORDERS, degree=8, tolerance=1e-5, samples=256)
    period, place = 1 / fast.repetition_frequency, (4e-3, -6e-3)  # the voxel (y, x) = (0, 1)
    times = torch.arange(64, dtype=torch.float64) * period / 64
    times = torch.cat([torch.zeros(1, dtype=torch.float64), 2 * period + times])

    def field(t):
        phase = 2 * math.pi * t / period
        return [p + 20e-3 * math.cos(n * phase) for p, n in zip(place, fast.cycles, strict=True)] + [0.0]

    moment = simulate_rotation(field, times, CORE, ROTATION, degree=8, tolerance=1e-5)[1:]
    lines = torch.fft.rfft(moment, dim=0)[fast.bins(ORDERS)].T / 64
    expected = -2j * math.pi * got.frequencies * 1e-3 * CORE.moment * lines[:2]
    difference = got.components[:, :, 0, 1] - expected
    assert difference.norm() < 5e-3 * expected.norm()
