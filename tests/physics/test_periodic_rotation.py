import math

import numpy as np
import pytest
import torch

from mpinotes.physics import (
    BrownRotation,
    NeelRotation,
    Particle,
    debye_response,
    mean_moment,
    periodic_rotation,
    simulate_rotation,
)
from mpinotes.physics.fokker_planck import rotation_operators

FREE, WATER = Particle(20e-9), BrownRotation(25e-9)
HARD = Particle(20e-9, anisotropy=3500.0)


def wave(coefficients, phase):
    """m(t) at phases 2πft, (time, 3)."""
    k = torch.arange(1, len(coefficients), dtype=torch.float64)
    turning = torch.exp(1j * k[:, None, None] * phase[None, :, None])
    return (coefficients[0] + 2 * (coefficients[1:, None] * turning).sum(0)).real


@pytest.mark.parametrize(
    "particle, rotation, amplitude, offset",
    [
        (HARD, NeelRotation((0.0, 0.0, 1.0)), (0.0, 0.0, 8e-3), (0.0, 0.0, 3e-3)),
        (HARD, NeelRotation((1.0, 1.0, 0.0)), (8e-3, 0.0, 0.0), (0.0, 0.0, 0.0)),
        (HARD, NeelRotation((1.0, 2.0, -1.0)), (6e-3, 2e-3, 0.0), (0.0, -1e-3, 3e-3)),
        (FREE, WATER, (5e-3, 0.0, 0.0), (0.0, 4e-3, 0.0)),
    ],
    ids=("along", "oblique", "anyhow", "brown"),
)
def test_the_periodic_state_is_what_an_integration_comes_to(particle, rotation, amplitude, offset):
    """A Néel moment within a period at 100 kHz, Brown's after eight of them."""
    frequency, degree, rounds = 100e3, 12, 1 if particle is HARD else 16
    found = periodic_rotation(amplitude, frequency, particle, rotation, offset=offset, degree=degree, harmonics=40)
    phase = 2 * math.pi * (rounds + torch.linspace(0, 1, 5, dtype=torch.float64))
    times = torch.cat([torch.zeros(1, dtype=torch.float64), phase / (2 * math.pi * frequency)])

    def field(t):
        return [b + a * math.cos(2 * math.pi * frequency * t) for a, b in zip(amplitude, offset, strict=True)]

    expected = simulate_rotation(field, times, particle, rotation, degree=degree, tolerance=1e-6)[1:]
    torch.testing.assert_close(wave(found, phase), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (1.0, 0.0, 1.0)], ids=("along", "oblique"))
def test_at_one_hertz_the_moment_is_in_equilibrium(axis):
    phase = 2 * math.pi * torch.arange(16, dtype=torch.float64) / 16
    field = torch.zeros(16, 3, dtype=torch.float64)
    field[:, 2] = 8e-3 * torch.cos(phase) + 2e-3
    found = periodic_rotation(
        (0.0, 0.0, 8e-3), 1.0, HARD, NeelRotation(axis), offset=(0.0, 0.0, 2e-3), degree=14, harmonics=40
    )
    torch.testing.assert_close(wave(found, phase), mean_moment(field, HARD, torch.tensor(axis)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("rotation", [NeelRotation(), WATER], ids=repr)
def test_a_weak_field_gives_debye_s_first_harmonic_and_no_other(rotation):
    strength, frequency = 0.01 / FREE.beta, 1 / rotation.time(FREE)
    found = periodic_rotation((strength, 0.0, 0.0), frequency, FREE, rotation, degree=4, harmonics=4)
    gain = debye_response(torch.tensor(frequency, dtype=torch.float64), rotation.time(FREE))
    assert abs(found[1, 0] / (gain * 0.01 / 6) - 1) < 1e-4
    assert found[2:].abs().max() < 1e-4 * found[1, 0].abs()


def test_behind_a_high_barrier_a_weak_field_is_answered_at_the_slowest_rate():
    """Two wells at 2πfτ = 1: no time of simulation would reach their periodic state by chance."""
    particle = Particle(20e-9, anisotropy=14 / Particle(20e-9, anisotropy=1.0).alpha)
    still, _ = rotation_operators(particle, NeelRotation(), 24)
    slowest = np.sort(-np.linalg.eigvals(still.toarray()).real)[1]
    strength, frequency = 0.01 / particle.beta, slowest / (2 * math.pi)
    found = periodic_rotation((0.0, 0.0, strength), frequency, particle, NeelRotation(), degree=24, harmonics=3)
    slow = periodic_rotation((0.0, 0.0, strength), 1e-6 * frequency, particle, NeelRotation(), degree=24, harmonics=3)
    assert abs(found[1, 2] / slow[1, 2] - 1 / (1 + 1j)) < 2e-3


def test_without_an_offset_the_moment_has_odd_harmonics_only():
    found = periodic_rotation((0.0, 9e-3, 0.0), 25e3, HARD, NeelRotation((1.0, 0.0, 1.0)), degree=10, harmonics=8)
    assert found[::2].abs().max() < 1e-12 < found[1::2].abs().max()


def test_a_larger_degree_changes_nothing_that_is_kept():
    few, many = (
        periodic_rotation((0.0, 0.0, 9e-3), 25e3, HARD, NeelRotation(), degree=d, harmonics=h)
        for d, h in ((16, 40), (24, 60))
    )
    torch.testing.assert_close(few, many[:41], rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    "name, call",
    [
        ("amplitude", lambda: periodic_rotation(5e-3, 25e3, FREE, WATER)),
        ("amplitude", lambda: periodic_rotation((math.nan, 0, 0), 25e3, FREE, WATER)),
        ("offset", lambda: periodic_rotation((5e-3, 0, 0), 25e3, FREE, WATER, offset=(1e-3, 0))),
        ("frequency", lambda: periodic_rotation((5e-3, 0, 0), 0.0, FREE, WATER)),
        ("rotation", lambda: periodic_rotation((5e-3, 0, 0), 25e3, FREE, "brown")),
        ("degree", lambda: periodic_rotation((5e-3, 0, 0), 25e3, FREE, WATER, degree=0)),
        ("harmonics", lambda: periodic_rotation((5e-3, 0, 0), 25e3, FREE, WATER, harmonics=0)),
    ],
)
def test_wrong_input_is_refused_by_name(name, call):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        call()
