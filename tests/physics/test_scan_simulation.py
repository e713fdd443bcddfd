import dataclasses
import itertools
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.physics import CartesianScan, Particle, ScanSignal, add_white_noise, scan_simulation, simulate_scan

PARTICLE = Particle(25e-9)
ONE_FREQUENCY = {"drive_frequency": (25e3, 25e3)}
SCAN = CartesianScan(gradient=(1.5, 0.7, -2.2), samples=16, **ONE_FREQUENCY)


def phantom(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return 1e18 * torch.rand(shape, generator=generator, dtype=dtype)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def centres(n, size):
    return (np.arange(n) - (n - 1) / 2) * size


def voltage_by_direct_sum(c, scan, frequency, inside=(0.0,)):
    """u(t) = -p d/dt of the summed moments, voxel by voxel and sample by sample, with full 3x3 tensors."""
    depth, height, width = c.shape
    size, gradient, beta = scan.voxel_size, np.array(scan.gradient), PARTICLE.beta
    sweep, omega = scan.overscan * width * size / 2, 2 * np.pi * frequency
    u = np.zeros((depth, height, scan.samples))
    for row, column, sample in np.ndindex(u.shape):
        phase = 2 * np.pi * (sample + 0.5) / scan.samples
        ffp = np.array([sweep * np.cos(phase), centres(height, size)[column], centres(depth, size)[row]])
        ffp_velocity = np.array([-sweep * omega * np.sin(phase), 0, 0])
        for z, y, x in np.ndindex(c.shape):
            voxel = np.array([centres(width, size)[x], centres(height, size)[y], centres(depth, size)[z]])
            for offset in itertools.product(inside, repeat=3):
                field, field_rate = gradient * (voxel + offset - ffp), -gradient * ffp_velocity
                strength = np.linalg.norm(field)
                b, along = beta * strength, np.outer(field, field) / strength**2
                langevin, slope = 1 / np.tanh(b) - 1 / b, 1 / b**2 - 1 / np.sinh(b) ** 2
                tensor = PARTICLE.moment * (beta * slope * along + langevin / strength * (np.eye(3) - along))
                amount = size**3 * c[z, y, x] / len(inside) ** 3
                u[row, column, sample] -= scan.coil_sensitivity * amount * (tensor @ field_rate)[0]
    return u


def magnetisation_along_x(c, scan, phase, row, column):
    """Summed moment along x with the FFP at `phase` of line (row, column): Langevin along the field."""
    depth, height, width = c.shape
    size = scan.voxel_size
    z, y, x = np.meshgrid(*(centres(n, size) for n in c.shape), indexing="ij")
    ffp_x = scan.overscan * width * size / 2 * np.cos(phase)
    h_x = scan.gradient[0] * (x - ffp_x)
    h_y = scan.gradient[1] * (y - centres(height, size)[column])
    h_z = scan.gradient[2] * (z - centres(depth, size)[row])
    strength = np.sqrt(h_x**2 + h_y**2 + h_z**2)
    b = PARTICLE.beta * strength
    return (PARTICLE.moment * size**3 * c * (1 / np.tanh(b) - 1 / b) * h_x / strength).sum()


def test_voltage_is_the_direct_sum_of_the_response_tensors():
    c = phantom(1, 1, 3, 4, 5)
    signal = simulate_scan(c, PARTICLE, SCAN)
    expected = voltage_by_direct_sum(c[0, 0].numpy(), SCAN, signal.drive_frequency.item())
    assert signal.voltage.shape == (1, 1, 3, 4, 16)
    np.testing.assert_allclose(signal.voltage[0, 0].numpy(), expected, atol=1e-10 * np.abs(expected).max())


def test_the_tracer_of_a_voxel_may_be_spread_over_points():
    scan, c = dataclasses.replace(SCAN, subvoxels=3), phantom(1, 1, 2, 2, 3)
    signal = simulate_scan(c, PARTICLE, scan)
    thirds = (-scan.voxel_size / 3, 0.0, scan.voxel_size / 3)
    expected = voltage_by_direct_sum(c[0, 0].numpy(), scan, signal.drive_frequency.item(), thirds)
    np.testing.assert_allclose(signal.voltage[0, 0].numpy(), expected, atol=1e-10 * np.abs(expected).max())


def test_a_response_narrower_than_a_voxel_is_said_until_points_are_close_enough():
    coarse = CartesianScan(voxel_size=4e-3, samples=4)
    with pytest.warns(UserWarning, match="scan.subvoxels"):
        simulate_scan(phantom(1, 1, 2, 2, 2), PARTICLE, coarse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate_scan(phantom(1, 1, 2, 2, 2), PARTICLE, dataclasses.replace(coarse, subvoxels=3))


def test_voltage_is_minus_the_time_derivative_of_the_magnetisation():
    """Fourth-order central differences in the phase: truncation and rounding stay below 1e-7."""
    c, row, column, h = phantom(1, 1, 2, 3, 4), 1, 0, 2e-3
    voltage = simulate_scan(c, PARTICLE, SCAN).voltage[0, 0, row, column].numpy()
    phase = 2 * np.pi * (np.arange(SCAN.samples) + 0.5) / SCAN.samples
    m = {
        s: np.array([magnetisation_along_x(c[0, 0].numpy(), SCAN, p + s * h, row, column) for p in phase])
        for s in (-2, -1, 1, 2)
    }
    rate = (8 * (m[1] - m[-1]) - (m[2] - m[-2])) / (12 * h) * 2 * np.pi * 25e3
    expected = -SCAN.coil_sensitivity * rate
    np.testing.assert_allclose(voltage, expected, atol=1e-6 * np.abs(expected).max())


def test_float32_agrees_with_float64():
    c = phantom(2, 1, 4, 4, 6)
    exact = simulate_scan(c, PARTICLE, SCAN).voltage
    single = simulate_scan(c.float(), PARTICLE, SCAN).voltage
    assert single.dtype == torch.float32
    assert (single - exact).abs().max() < 1e-5 * exact.abs().max()


def test_voltage_is_linear_in_the_concentration():
    a, b = phantom(1, 1, 3, 2, 4, seed=1), phantom(1, 1, 3, 2, 4, seed=2)
    u = [simulate_scan(c, PARTICLE, SCAN).voltage for c in (a, b, 2 * a + 3 * b)]
    torch.testing.assert_close(u[2], 2 * u[0] + 3 * u[1], rtol=0, atol=1e-12 * u[2].abs().max().item())


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    scan = CartesianScan(samples=8, noise=1e-6)
    first, again, other = (
        simulate_scan(phantom(3, 1, 2, 2, 3), PARTICLE, scan, generator=seeded(s)) for s in (5, 5, 6)
    )
    assert torch.equal(first.voltage, again.voltage)
    assert torch.equal(first.drive_frequency, again.drive_frequency)
    assert not torch.equal(first.voltage, other.voltage)
    assert not torch.equal(first.drive_frequency, other.drive_frequency)


def test_drive_frequencies_differ_between_scans_and_stay_in_their_range():
    scan = CartesianScan(samples=4, drive_frequency=(20e3, 30e3))
    frequency = simulate_scan(phantom(50, 1, 1, 1, 2), PARTICLE, scan, generator=seeded()).drive_frequency
    assert frequency.min() >= 20e3 and frequency.max() <= 30e3
    assert frequency.unique().numel() == 50


def test_each_volume_is_scanned_independently_of_its_batch_and_of_the_chunking(monkeypatch):
    c = phantom(5, 1, 2, 3, 4)
    together = simulate_scan(c, PARTICLE, SCAN).voltage
    alone = torch.cat([simulate_scan(volume[None], PARTICLE, SCAN).voltage for volume in c])
    monkeypatch.setattr(scan_simulation, "_CHUNK", 2)
    chunked = simulate_scan(c, PARTICLE, SCAN).voltage
    tolerance = 1e-13 * together.abs().max().item()
    torch.testing.assert_close(alone, together, rtol=0, atol=tolerance)
    torch.testing.assert_close(chunked, together, rtol=0, atol=tolerance)


def test_voltage_grows_with_the_drive_frequency():
    c = phantom(1, 1, 2, 2, 3)
    slow, fast = (simulate_scan(c, PARTICLE, CartesianScan(drive_frequency=(f, f), samples=8)) for f in (10e3, 25e3))
    torch.testing.assert_close(fast.voltage, 2.5 * slow.voltage, rtol=1e-12, atol=0)


def test_the_way_back_is_the_way_there_at_the_opposite_speed():
    forward, back = simulate_scan(phantom(1, 1, 2, 2, 3), PARTICLE, SCAN).voltage.chunk(2, dim=-1)
    assert torch.equal(back, -forward.flip(-1))


@pytest.mark.parametrize("axis", [2, 3])
def test_mirroring_the_phantom_in_y_or_z_mirrors_the_lines(axis):
    c = phantom(1, 1, 3, 4, 3)
    u, mirrored = (simulate_scan(volume, PARTICLE, SCAN).voltage for volume in (c, c.flip(axis)))
    torch.testing.assert_close(mirrored, u.flip(axis), rtol=0, atol=1e-12 * u.abs().max().item())


def test_mirroring_the_phantom_in_x_swaps_the_ways_there_and_back():
    c = phantom(1, 1, 3, 4, 3)
    u, mirrored = (simulate_scan(volume, PARTICLE, SCAN).voltage for volume in (c, c.flip(-1)))
    torch.testing.assert_close(mirrored, u.roll(SCAN.samples // 2, -1) * -1, rtol=0, atol=1e-12 * u.abs().max().item())


def test_noise_has_the_stated_standard_deviation_in_volts():
    """Five standard errors of a sample standard deviation over n values: 5 / sqrt(2 n)."""
    scan = CartesianScan(samples=100, noise=2e-6)
    voltage = simulate_scan(torch.zeros(4, 1, 5, 5, 4), PARTICLE, scan, generator=seeded()).voltage
    assert voltage.std().item() == pytest.approx(2e-6, rel=5 / math.sqrt(2 * voltage.numel()))
    assert abs(voltage.mean().item()) < 5 * 2e-6 / math.sqrt(voltage.numel())


def test_its_noise_is_white_noise_drawn_after_the_drive_frequencies():
    quiet, noisy = CartesianScan(samples=8), CartesianScan(samples=8, noise=2e-6)
    first, second = seeded(), seeded()
    without = simulate_scan(phantom(2, 1, 2, 2, 3), PARTICLE, quiet, generator=first)
    expected = add_white_noise(without, 2e-6, generator=first)
    got = simulate_scan(phantom(2, 1, 2, 2, 3), PARTICLE, noisy, generator=second)
    assert isinstance(got, ScanSignal) and torch.equal(got.voltage, expected.voltage)
    assert torch.equal(got.drive_frequency, expected.drive_frequency)


def test_gradients_flow_back_to_the_concentration():
    scan = CartesianScan(samples=4, **ONE_FREQUENCY)
    relative = (0.5 + 0.5 * phantom(1, 1, 2, 2, 3) / 1e18).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: 1e6 * simulate_scan(1e18 * c, PARTICLE, scan).voltage, relative)


def test_gradients_flow_back_to_particle_and_selection_field():
    c = phantom(1, 1, 2, 2, 3)

    def voltage(nanometres, kelvin, g_x, g_y):
        particle = Particle(nanometres * 1e-9, temperature=100 * kelvin)
        scan = dataclasses.replace(SCAN, gradient=(g_x, g_y, -g_x - g_y), samples=4)
        return 1e6 * simulate_scan(c, particle, scan).voltage

    point = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (25.0, 2.93, 1.5, 0.7)]
    assert torch.autograd.gradcheck(voltage, point)


@pytest.mark.parametrize("drive_axis, dim", [("y", -2), ("z", -3)])
def test_turning_scanner_and_phantom_together_changes_nothing(drive_axis, dim):
    c = phantom(2, 1, 3, 4, 5)
    gradient = list(SCAN.gradient)
    gradient[0], gradient[-1 - dim] = gradient[-1 - dim], gradient[0]
    turned = dataclasses.replace(SCAN, gradient=tuple(gradient), drive_axis=drive_axis)
    u = simulate_scan(c, PARTICLE, SCAN).voltage
    assert torch.equal(simulate_scan(c.transpose(-1, dim), PARTICLE, turned).voltage, u)


def test_a_response_acts_on_every_harmonic_of_each_scans_own_frequency():
    scan, c = CartesianScan(samples=16, drive_frequency=(20e3, 30e3)), phantom(3, 1, 2, 2, 3)
    still, filtered = (
        simulate_scan(c, PARTICLE, scan, response=r, generator=seeded())
        for r in (None, lambda f: 1 / (1 + 1j * f / 5e4))
    )
    harmonic = torch.arange(9, dtype=torch.float64) * still.drive_frequency[:, None]
    expected = torch.fft.rfft(still.voltage) / (1 + 1j * harmonic / 5e4)[:, None, None, None]
    torch.testing.assert_close(torch.fft.rfft(filtered.voltage)[..., :-1], expected[..., :-1])


@given(
    shape=st.tuples(st.integers(1, 3), *[st.integers(1, 5)] * 3),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    samples=st.integers(2, 9).map(lambda n: 2 * n),
    drive_axis=st.sampled_from("xyz"),
)
def test_any_volume_gives_finite_voltages_of_its_dtype(shape, dtype, samples, drive_axis):
    batch, *sides = shape
    scan = CartesianScan(samples=samples, drive_axis=drive_axis)
    signal = simulate_scan(phantom(batch, 1, *sides, dtype=dtype), PARTICLE, scan)
    lines = [side for axis, side in zip("zyx", sides, strict=True) if axis != drive_axis]
    assert sorted(signal.voltage.shape[2:4]) == sorted(lines) and signal.voltage.shape[-1] == samples
    assert signal.voltage.dtype == dtype and torch.isfinite(signal.voltage).all() and signal.voltage.abs().max() > 0


@pytest.mark.parametrize(
    "concentration",
    [
        torch.ones(1, 2, 2, 2),
        torch.ones(1, 2, 2, 2, 2),
        torch.ones(1, 1, 0, 2, 2),
        torch.full((1, 1, 2, 2, 2), math.nan),
        torch.full((1, 1, 2, 2, 2), -1.0),
        torch.ones(1, 1, 2, 2, 2, dtype=torch.int64),
    ],
    ids=["wrong rank", "two channels", "empty", "NaN", "negative", "integers"],
)
def test_a_bad_concentration_is_refused_by_name(concentration):
    with pytest.raises(ValueError, match="^concentration: got"):
        simulate_scan(concentration, PARTICLE, SCAN)
