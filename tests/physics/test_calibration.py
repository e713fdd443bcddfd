import math

import pytest
import torch

from mpinotes.physics import LissajousScan, Particle, SystemMatrix, calibrate, mixing_orders, simulate_system_matrix

SCAN = LissajousScan(shape=(20, 30), density=9)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def empty(lines=40):
    return SystemMatrix(
        torch.zeros(2, lines, 20, 30, dtype=torch.complex128), mixing_orders(2, 20)[:lines], torch.ones(lines), SCAN
    )


def test_the_error_is_the_noise_of_the_voxel_and_of_the_two_backgrounds():
    """Between two background measurements, at shares s and 1 − s: variance 1 + s² + (1 − s)²."""
    every, noise = 20, 3e-9
    got = calibrate(empty(), particles=1.0, noise=noise, background_every=every, generator=seeded())
    variance = got.components.flatten(2).unflatten(2, (-1, every)).abs().square().mean((0, 1, 2)) / 2
    s = torch.arange(1, every + 1, dtype=torch.float64) / (every + 1)
    expected = noise**2 * (1 + s**2 + (1 - s) ** 2)
    # 2 · 40 · 30 complex values: five standard errors of a variance estimated from 4800 numbers.
    torch.testing.assert_close(variance, expected, rtol=5 * math.sqrt(2 / 4800), atol=0)


def test_a_drift_is_bridged_between_two_backgrounds():
    """A random walk pinned at both ends has variance s (1 − s) times the number of its steps."""
    every, drift = 20, 2e-9
    got = calibrate(empty(), particles=1.0, noise=1e-15, drift=drift, background_every=every, generator=seeded())
    variance = got.components.flatten(2).unflatten(2, (-1, every)).abs().square().mean((0, 1, 2)) / 2
    s = torch.arange(1, every + 1, dtype=torch.float64) / (every + 1)
    torch.testing.assert_close(variance, drift**2 * (every + 1) * s * (1 - s), rtol=5 * math.sqrt(2 / 4800), atol=0)


def test_snr_is_the_mean_modulus_over_the_spread_of_the_empty_scanner():
    true, noise, particles = simulate_system_matrix(SCAN, Particle(30e-9), mixing_orders(2, 6)), 1e-9, 1e12
    got = calibrate(true, particles=particles, noise=noise, background_every=1, generator=seeded())
    strong = true.components.abs().mean((-2, -1)) * particles > 100 * noise
    assert strong.sum() > 5
    expected = particles * true.components.abs().mean((-2, -1)) / (math.sqrt(2) * noise)
    torch.testing.assert_close(got.snr[strong], expected[strong], rtol=0.15, atol=0)


def test_many_particles_and_little_noise_give_the_matrix_back():
    true = simulate_system_matrix(SCAN, Particle(30e-9), mixing_orders(2, 4))
    got = calibrate(true, particles=1e12, noise=1e-18, drift=1e-19, generator=seeded())
    torch.testing.assert_close(got.components, true.components, rtol=0, atol=1e-25)
    assert got.components.shape == true.components.shape and got.scan is SCAN


def test_the_same_seed_gives_the_same_bits():
    first, again, other = (calibrate(empty(3), particles=1.0, noise=1.0, generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first.components, again.components) and not torch.equal(first.components, other.components)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("particles", 0.0),
        ("noise", 0.0),
        ("noise", math.nan),
        ("drift", -1.0),
        ("background_every", 0),
        ("background_every", 601),
    ],
)
def test_bad_input_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        calibrate(empty(2), **({"particles": 1.0, "noise": 1.0} | {name: value}))
