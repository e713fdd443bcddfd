import math

import pytest
import torch

from mpinotes.physics import CartesianScan, Particle, ScanSignal, simulate_scan
from mpinotes.reconstruction import harmonic_portraits

PARTICLE, SCAN = Particle(25e-9), CartesianScan(samples=64)
EVERY = tuple(range(1, 33))


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def scanned(volumes):
    return simulate_scan(volumes, PARTICLE, SCAN, generator=torch.Generator().manual_seed(0))


def test_portraits_are_the_harmonics_of_a_fourier_transform():
    """u(t) = Σ_h b_h sin(2πhft): b_h = −2 Im û_h / N, in the unit and scale of the portraits."""
    volumes = random(2, 1, 3, 4, 9)
    signal = scanned(volumes)
    portraits = harmonic_portraits(signal, PARTICLE, SCAN, 9, EVERY[:-1])
    turned = torch.exp(1j * math.pi * torch.arange(33, dtype=torch.float64) / 64)  # samples sit half a step later
    spectrum = torch.fft.rfft(signal.voltage) / turned
    expected = -2 * spectrum.imag[..., 1:32] / 64 / signal.drive_frequency.view(-1, 1, 1, 1, 1)
    scale = (portraits * expected).sum() / expected.square().sum()
    torch.testing.assert_close(portraits, scale * expected, rtol=1e-8, atol=1e-8 * portraits.abs().max().item())


def test_together_they_are_the_scan():
    """The energy of all is that of the voltage: orthonormal sines lose nothing."""
    signal = scanned(random(2, 1, 3, 4, 9))
    portraits = harmonic_portraits(signal, PARTICLE, SCAN, 9, EVERY)
    energy = (signal.voltage[..., :32] / signal.drive_frequency.view(-1, 1, 1, 1, 1)).square().sum(-1)
    share = portraits.square().sum(-1) / energy
    torch.testing.assert_close(share, share[:1, :1, :1, :1].expand_as(share))


def test_white_noise_is_equally_strong_in_every_harmonic_and_independent():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 1, 100, 100, 64, generator=generator, dtype=torch.float64)
    signal = ScanSignal(noise, torch.tensor([25e3], dtype=torch.float64))
    portraits = harmonic_portraits(signal, PARTICLE, SCAN, 9, EVERY).flatten(0, 3)
    covariance = portraits.T.cov()
    scale = covariance.diagonal().mean()
    torch.testing.assert_close(covariance / scale, torch.eye(32, dtype=torch.float64), atol=0.08, rtol=0)


def test_a_mirrored_line_changes_the_sign_of_even_harmonics():
    volumes = random(1, 1, 1, 1, 9)
    there, back = (harmonic_portraits(scanned(x), PARTICLE, SCAN, 9, EVERY) for x in (volumes, volumes.flip(-1)))
    signs = torch.tensor([1.0, -1.0] * 16, dtype=torch.float64)
    torch.testing.assert_close(back, there * signs)


def test_a_tracer_much_wider_than_its_response_answers_in_the_first_harmonic_alone():
    """At saturation everywhere but at the field-free point, a long line gives the speed of that point, but for
    the overscan, where it gives nothing."""
    volumes = torch.ones(1, 1, 1, 1, 400, dtype=torch.float64)
    portraits = harmonic_portraits(scanned(volumes), PARTICLE, SCAN, 400, (1, 2, 3, 4, 5)).flatten().abs()
    assert portraits[1:].max() < 0.15 * portraits[0]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"harmonics": ()}, "harmonics"),
        ({"harmonics": 3}, "harmonics"),
        ({"harmonics": (2.5,)}, "harmonics"),
        ({"harmonics": (0, 1)}, "harmonics"),
        ({"harmonics": (2, 2)}, "harmonics"),
        ({"width": 0}, "width"),
        ({"scan": CartesianScan(samples=32)}, "signal.voltage"),
        ({"signal": ScanSignal(random(1, 3, 4, 64), torch.ones(1))}, "signal.voltage"),
        ({"signal": ScanSignal(random(1, 1, 3, 4, 64) * math.nan, torch.ones(1))}, "signal.voltage"),
        ({"signal": ScanSignal(random(1, 1, 3, 4, 64) + 0j, torch.ones(1))}, "signal.voltage"),
    ],
)
def test_bad_input_is_named(change, name):
    arguments = {
        "signal": ScanSignal(random(1, 1, 3, 4, 64), torch.ones(1)),
        "particle": PARTICLE,
        "scan": SCAN,
        "width": 5,
        "harmonics": (2, 3),
    }
    with pytest.raises(ValueError, match=f"^{name}: got"):
        harmonic_portraits(**(arguments | change))
