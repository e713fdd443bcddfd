import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import lsqr

from mpinotes.physics import CartesianScan, LissajousScan, Mixture, Particle, ScanSignal, simulate_scan
from mpinotes.reconstruction import (
    harmonic_model,
    harmonic_portraits,
    native_model,
    noise_regularization,
    reconstruct_tikhonov,
    reconstruct_xspace,
    recover_fundamental,
)

PARTICLE = Particle(25e-9)
SCAN = CartesianScan(gradient=(1.5, 0.7, -2.2), samples=64)


def dense_response(shape, scan, particle=PARTICLE):
    """Matrix R[i, j]: normalised x-x response of voxel j with the FFP on voxel i, pair by pair."""
    voxels = [np.array(index) for index in np.ndindex(shape)]
    gradient = np.array(scan.gradient)[::-1]  # voxels are (z, y, x)
    r = np.eye(len(voxels))
    for i, a in enumerate(voxels):
        for j, b in enumerate(voxels):
            if i != j:
                field = particle.beta * gradient * (b - a) * scan.voxel_size
                h = np.linalg.norm(field)
                along = field[2] ** 2 / h**2
                transverse = (1 / np.tanh(h) - 1 / h) / h
                r[i, j] = 3 * (along * (1 / h**2 - 1 / np.sinh(h) ** 2) + (1 - along) * transverse)
    return r


def random_image(shape, seed=0):
    return torch.rand(2, 1, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("position", [(1, 2, 3), (2, 1, 4)])
def test_a_single_voxel_shows_at_its_place_with_nearly_its_concentration(position):
    """The peak is averaged over a voxel's width of samples: it loses a few percent, never gains."""
    c = torch.zeros(1, 1, 4, 4, 8, dtype=torch.float64)
    c[(0, 0, *position)] = 3e18
    image = reconstruct_xspace(simulate_scan(c, PARTICLE, SCAN), PARTICLE, SCAN, width=8)
    assert np.unravel_index(image.argmax().item(), image.shape)[2:] == position
    assert 0.9 * 3e18 < image.max().item() < 3e18


def test_the_native_image_is_the_phantom_seen_through_the_point_response():
    """Gridding averages over a voxel's width of samples: 1 % where the response varies slowly."""
    particle, scan, shape = Particle(15e-9), dataclasses.replace(SCAN, samples=256), (2, 3, 6)
    c = 1e18 * random_image(shape)
    image = reconstruct_xspace(simulate_scan(c, particle, scan), particle, scan, width=6)
    expected = (c.reshape(2, -1).numpy() @ dense_response(shape, scan, particle)).reshape(c.shape)
    np.testing.assert_allclose(image.numpy(), expected, rtol=0.01)


def test_gridding_is_the_average_weighted_by_closeness_and_squared_speed():
    """Sample by sample: u over the voltage of a unit concentration at the FFP, both ways of the sweep."""
    width, frequency, scan = 4, 20e3, dataclasses.replace(SCAN, samples=32)
    voltage = 1e-6 * random_image((1, 1, 32))[:1]
    image = reconstruct_xspace(ScanSignal(voltage, torch.tensor([frequency])), PARTICLE, scan, width)
    sweep, total, weights = scan.overscan * width * scan.voxel_size / 2, np.zeros(width), np.zeros(width)
    for sample, u in enumerate(voltage.flatten().tolist()):
        phase = 2 * np.pi * (sample + 0.5) / 32
        position, velocity = sweep * np.cos(phase), -2 * np.pi * frequency * sweep * np.sin(phase)
        per_unit = PARTICLE.moment * scan.voxel_size**3 * PARTICLE.beta / 3
        unit_voltage = -scan.coil_sensitivity * per_unit * scan.gradient[0] * -velocity
        for voxel in range(width):
            distance = abs((voxel - (width - 1) / 2) - position / scan.voxel_size)
            weight = max(1 - distance, 0) * velocity**2
            total[voxel] += weight * u / unit_voltage
            weights[voxel] += weight
    np.testing.assert_allclose(image.flatten().numpy(), total / weights, rtol=1e-10)


def test_the_native_image_does_not_depend_on_the_drive_frequency_drawn():
    c = 1e18 * random_image((2, 2, 4))
    images = [
        reconstruct_xspace(simulate_scan(c, PARTICLE, scan), PARTICLE, scan, width=4)
        for scan in (dataclasses.replace(SCAN, drive_frequency=(f, f)) for f in (1e3, 25e3))
    ]
    torch.testing.assert_close(images[0], images[1], rtol=1e-12, atol=0)


@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 1, 5), (4, 4, 2)])
@pytest.mark.parametrize("regularization", [0.1, 5.0])
def test_tikhonov_is_the_dense_solution_of_the_normal_equations(shape, regularization):
    native = random_image(shape)
    r = dense_response(shape, SCAN)
    right = r.T @ native.reshape(2, -1).numpy().T
    expected = np.linalg.solve(r.T @ r + regularization * np.eye(len(r)), right).T.reshape(2, 1, *shape)
    result = reconstruct_tikhonov(native, PARTICLE, SCAN, regularization=regularization)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-11)


def test_tikhonov_in_float32_agrees_with_float64():
    native = random_image((4, 3, 6))
    single = reconstruct_tikhonov(native.float(), PARTICLE, SCAN)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), reconstruct_tikhonov(native, PARTICLE, SCAN), rtol=0, atol=1e-5)


@pytest.mark.parametrize("change", [{"gradient": (1.0, 1.0, -2.0)}, {"voxel_size": 2e-3}, {"drive_axis": "y"}])
def test_tikhonov_of_another_scanner_is_its_own(change):
    native, other = random_image((2, 3, 4)), dataclasses.replace(SCAN, **change)
    first = reconstruct_tikhonov(native, PARTICLE, SCAN)
    assert not torch.allclose(reconstruct_tikhonov(native, PARTICLE, other), first)
    assert torch.equal(reconstruct_tikhonov(native, PARTICLE, SCAN), first)


def test_gradients_flow_back_through_both_reconstructions():
    scan = CartesianScan(samples=16, drive_frequency=(25e3, 25e3))
    relative = (0.5 + 0.5 * random_image((2, 1, 3))[:1]).requires_grad_()

    def reconstruct(c):
        native = reconstruct_xspace(simulate_scan(1e18 * c, PARTICLE, scan), PARTICLE, scan, width=3) / 1e18
        return reconstruct_tikhonov(native, PARTICLE, scan)

    assert torch.autograd.gradcheck(reconstruct, relative)


def scanned(**changes):
    return dataclasses.replace(simulate_scan(torch.ones(1, 1, 2, 2, 4), PARTICLE, SCAN), **changes)


@pytest.mark.parametrize(
    "voltage", [torch.ones(1, 2, 2, 64), torch.ones(1, 1, 2, 2, 32), torch.full((1, 1, 2, 2, 64), math.nan)]
)
def test_a_bad_voltage_is_refused_by_name(voltage):
    with pytest.raises(ValueError, match=r"^signal\.voltage: got"):
        reconstruct_xspace(scanned(voltage=voltage), PARTICLE, SCAN, width=4)


def test_more_voxels_than_the_samples_pass_are_refused():
    with pytest.raises(ValueError, match=r"^scan\.samples: got 64"):
        reconstruct_xspace(scanned(), PARTICLE, SCAN, width=500)


@pytest.mark.parametrize("width", [0, -1])
def test_a_width_without_voxels_is_refused_by_name(width):
    with pytest.raises(ValueError, match="^width: got"):
        reconstruct_xspace(scanned(), PARTICLE, SCAN, width=width)


@pytest.mark.parametrize("native", [torch.ones(1, 2, 2, 2), torch.full((1, 1, 2, 2, 2), math.inf)])
def test_a_bad_native_image_is_refused_by_name(native):
    with pytest.raises(ValueError, match="^native: got"):
        reconstruct_tikhonov(native, PARTICLE, SCAN)


@pytest.mark.parametrize("regularization", [0.0, -1.0, math.nan])
def test_a_regularization_that_is_not_above_zero_is_refused_by_name(regularization):
    with pytest.raises(ValueError, match="^regularization: got"):
        reconstruct_tikhonov(torch.ones(1, 1, 2, 2, 2), PARTICLE, SCAN, regularization=regularization)


@pytest.mark.parametrize("drive_axis, dim", [("y", -2), ("z", -3)])
def test_turning_scanner_and_phantom_turns_the_image(drive_axis, dim):
    c, gradient = 1e18 * random_image((3, 4, 5)), list(SCAN.gradient)
    gradient[0], gradient[-1 - dim] = gradient[-1 - dim], gradient[0]
    turned = dataclasses.replace(SCAN, gradient=tuple(gradient), drive_axis=drive_axis)
    images = []
    for volume, scan in ((c, SCAN), (c.transpose(-1, dim), turned)):
        native = reconstruct_xspace(simulate_scan(volume, PARTICLE, scan), PARTICLE, scan, width=5)
        images.append((native, reconstruct_tikhonov(native, PARTICLE, scan)))
    for image, other in zip(*images, strict=True):
        torch.testing.assert_close(other.transpose(-1, dim), image, rtol=1e-9, atol=1e9)


@pytest.mark.parametrize("regularization", [0.1, 5.0])
def test_tikhonov_is_what_scipys_least_squares_finds(regularization):
    shape = (3, 4, 5)
    native = random_image(shape)
    got = reconstruct_tikhonov(native, PARTICLE, SCAN, regularization=regularization)
    response, damp = dense_response(shape, SCAN), math.sqrt(regularization)
    for image, truth in zip(got.flatten(1).numpy(), native.flatten(1).numpy(), strict=True):
        expected = lsqr(response, truth, damp=damp, atol=1e-14, btol=1e-14, iter_lim=10_000)[0]
        np.testing.assert_allclose(image, expected, atol=1e-8)


def test_noise_based_regularization_is_the_variance_that_noise_leaves_in_the_image():
    """200 empty scans; five standard errors of a variance estimated from n values, 5 √(2/n)."""
    scan = dataclasses.replace(SCAN, noise=2e-6, drive_frequency=(25e3, 25e3))
    signal = simulate_scan(torch.zeros(200, 1, 2, 2, 8), PARTICLE, scan, generator=torch.Generator().manual_seed(0))
    variance = (reconstruct_xspace(signal, PARTICLE, scan, width=8) / 3e17).var().item()
    assert noise_regularization(PARTICLE, scan, 8, 3e17) == pytest.approx(variance, rel=5 * math.sqrt(2 / 6400))


def test_a_lost_fundamental_is_one_constant_per_line_and_comes_back_where_lines_end_empty():
    """A 1D line (no haze) with an empty rim: what a high-pass took is restored to the tail of L′."""
    scan = dataclasses.replace(SCAN, samples=256, drive_frequency=(25e3, 25e3))
    c = torch.zeros(1, 1, 1, 1, 41, dtype=torch.float64)
    c[..., 18:22] = 1e18

    def without_fundamental(frequency):
        return (frequency > 30e3).to(torch.complex128)

    full, lost = (
        reconstruct_xspace(simulate_scan(c, PARTICLE, scan, response=r), PARTICLE, scan, width=41)
        for r in (None, without_fundamental)
    )
    shift = (full - lost).flatten()
    assert shift.mean() > 0.02 * full.max() and shift.std() < 2e-3 * shift.mean()
    recovered = recover_fundamental(lost, scan)
    assert (recovered - full).abs().max() < 0.01 * full.max()


def test_a_concentration_of_zero_is_refused_by_name():
    with pytest.raises(ValueError, match="^concentration: got"):
        noise_regularization(PARTICLE, SCAN, 8, 0.0)


SIGNAL = simulate_scan(torch.ones(2, 1, 2, 2, 8), PARTICLE, SCAN, generator=torch.Generator().manual_seed(0))
VOLTAGE, FREQUENCY = SIGNAL.voltage, SIGNAL.drive_frequency


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (VOLTAGE, "signal: got Tensor, accepted is a ScanSignal"),
        (ScanSignal(VOLTAGE, FREQUENCY[:1]), "signal.drive_frequency: got 1, accepted is one per volume, 2"),
        (ScanSignal(VOLTAGE, FREQUENCY[0]), "signal.drive_frequency: got shape"),
        (ScanSignal(VOLTAGE, 25e3), "signal.drive_frequency: got float"),
        (ScanSignal(VOLTAGE, 0 * FREQUENCY), "signal.drive_frequency, the least: got 0.0"),
        (ScanSignal(VOLTAGE.half(), FREQUENCY), "signal.voltage.dtype: got torch.float16"),
        (ScanSignal(VOLTAGE.expand(2, 3, 2, 2, 64), FREQUENCY), "signal.voltage: got 3 channels of 64 samples"),
        (ScanSignal(VOLTAGE[..., :32], FREQUENCY), "signal.voltage: got 1 channels of 32 samples"),
    ],
)
def test_another_signal_than_that_of_the_scan_is_refused(signal, message):
    """A single drive frequency was taken for that of every volume, half precision made NaN."""
    for call in (
        lambda: reconstruct_xspace(signal, PARTICLE, SCAN, 8),
        lambda: harmonic_portraits(signal, PARTICLE, SCAN, 8, (2, 3)),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            call()


IMAGE = torch.ones(1, 1, 2, 2, 8)
CALLS = {
    "simulate_scan": lambda particle, scan: simulate_scan(IMAGE, particle, scan),
    "reconstruct_xspace": lambda particle, scan: reconstruct_xspace(SIGNAL, particle, scan, 8),
    "reconstruct_tikhonov": lambda particle, scan: reconstruct_tikhonov(IMAGE, particle, scan),
    "harmonic_portraits": lambda particle, scan: harmonic_portraits(SIGNAL, particle, scan, 8, (2,)),
    "native_model": lambda particle, scan: native_model(particle, scan, (2, 2, 8)),
    "harmonic_model": lambda particle, scan: harmonic_model(particle, scan, (2, 2, 8), (2,)),
    "noise_regularization": lambda particle, scan: noise_regularization(particle, scan, 8, 1e17),
    "recover_fundamental": lambda particle, scan: recover_fundamental(IMAGE, scan),
}


@pytest.mark.parametrize("name", CALLS)
def test_particles_and_scans_of_another_kind_are_refused(name):
    with pytest.raises(ValueError, match="^scan: got LissajousScan, accepted is a CartesianScan$"):
        CALLS[name](PARTICLE, LissajousScan())
    if name != "recover_fundamental":
        with pytest.raises(ValueError, match="^particle: got Mixture, accepted is a Particle$"):
            CALLS[name](Mixture((PARTICLE,), (1.0,)), SCAN)


@pytest.mark.parametrize("width", [0, -1, 8.0, None])
def test_a_width_is_a_count(width):
    with pytest.raises(ValueError, match=f"^width: got {width}, accepted is a whole number"):
        noise_regularization(PARTICLE, SCAN, width, 1e17)
