"""From the files of a scanner to the image of its phantom, in the layout of OpenMPIData."""

import numpy as np
import pytest
import torch

from mpinotes.reconstruction import kaczmarz
from mpinotes.scanner_files import load_matrix, load_measurement, pair_rows
from tests.scanner_files.scanners import PERIOD, Robot, calibration, phantom, voltage_of, write

ROBOT = Robot((19, 19, 19), every=19)
BETA, GRADIENT, DRIVE, VIEW = 2e3, np.array([-1.0, -1.0, 2.0]), 12e-3, (24e-3, 24e-3, 19e-3)


def places(size, view):
    """Centres of the voxels, x fastest, (voxel, 3)."""
    axes = [((np.arange(n) + 0.5) / n - 0.5) * edge for n, edge in zip(size, view, strict=True)]
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)


def driven_in_a_plane(lines, samples):
    """Voltage of a Langevin particle in every voxel, in the time domain, (channel, line, voxel)."""
    t = np.arange(samples) / samples
    drive = np.stack([DRIVE * np.cos(2 * np.pi * 16 * t), DRIVE * np.cos(2 * np.pi * 17 * t), 0 * t]).astype(np.float32)
    static = (GRADIENT * places(ROBOT.size, VIEW)).astype(np.float32)
    spectra = []
    for part in np.array_split(static, 40):
        field = BETA * (part[:, :, None] + drive)
        strength = np.maximum(np.sqrt((field**2).sum(1)), 1e-2)
        moment = field * ((1 / np.tanh(strength) - 1 / strength) / strength)[:, None]
        spectra.append(np.fft.rfft(moment)[..., lines] * lines * -1j)
    return np.concatenate(spectra).transpose(1, 2, 0) * 1e-6 / samples


def drifting(channels, lines, frames, level, generator):
    """A background that walks slowly, (channel, line, time)."""
    start, slope, wave = generator.normal(size=(3, channels, lines, 1, 2)) @ np.array([1, 1j])
    time = np.linspace(0, 1, frames)
    return level * (3 * start + slope * time + wave * np.sin(9 * time))


def test_a_plane_of_a_cube_is_calibrated_measured_and_reconstructed(tmp_path):
    """Raw counts of a 2D sequence over a 19³ grid, with 362 frames of a drifting background."""
    samples, generator = PERIOD[2], np.random.default_rng(0)
    orders = [(n, m) for n in range(13) for m in range(13) if 2 <= n + m <= 12]
    lines = np.unique([16 * n + 17 * m for n, m in orders])
    clean = driven_in_a_plane(lines, samples)
    loudest = np.abs(clean).max()
    frames = len(ROBOT.voxel_times) + len(ROBOT.empty_times)
    assert len(ROBOT.empty_times) == 362 and frames == 19**3 + 362
    background = drifting(3, len(lines), frames, 0.3 * loudest, generator)
    noise = 1e-4 * loudest * (generator.normal(size=(*background.shape, 2)) @ np.array([1, 1j]))
    snr = np.abs(clean).mean(-1) / (1e-4 * loudest)
    content = calibration(clean, background + noise, lines, ROBOT, samples, view=VIEW)
    write(tmp_path / "matrix.mdf", content | {"calibration/snr": snr[None]})

    truth = np.zeros((19, 19))
    truth[5:9, 4:7], truth[12, 9:15] = 1.0, 2.0
    centre = clean.reshape(3, len(lines), 19, 19, 19)[:, :, 9]
    spectrum = np.einsum("clyx,yx->cl", centre, truth)
    empty = 0.3 * loudest * (generator.normal(size=spectrum.shape) + 1j)
    over_time = np.stack([spectrum * (i in (1, 2, 3)) + empty * (1 + 0.1 * i) for i in range(5)])
    voltage = voltage_of(lines, over_time, samples)
    write(tmp_path / "phantom.mdf", phantom(voltage, 2, [1, 0, 0, 0, 1]))

    in_plane = {"channels": (0, 1)}  # the field along z, and so the third coil, is silent in the plane of the figure
    matrix = load_matrix(tmp_path / "matrix.mdf", least_snr=5.0, **in_plane)
    measurement = load_measurement(tmp_path / "phantom.mdf", **in_plane)
    assert matrix.scan.cycles == (16, 17) and matrix.scan.shape == (19, 19)
    assert matrix.components.dtype == torch.complex64
    np.testing.assert_allclose(matrix.components, centre[:2], rtol=0, atol=2e-3 * loudest)
    assert measurement.voltage.shape == (3, 2, samples // 2 + 1)
    image = reconstruct(matrix, measurement)
    assert (image - torch.tensor(truth)).norm() < 0.4 * np.linalg.norm(truth)
    kept = load_matrix(tmp_path / "matrix.mdf", least_snr=5.0, background="keep", **in_plane)
    assert (reconstruct(kept, measurement) - torch.tensor(truth)).norm() > 0.6 * np.linalg.norm(truth)


def reconstruct(matrix, measurement):
    rows, measured = pair_rows(matrix, measurement, least_snr=5.0)
    return kaczmarz(rows, measured.mean(1, keepdim=True), regularization=1e-4, sweeps=120).view(19, 19)


def test_a_cube_is_calibrated_measured_and_reconstructed(tmp_path):
    """Few lines of a 3D sequence: waves of the right orders, so that points come back to their places."""
    samples, generator, size = PERIOD[3], np.random.default_rng(1), (19, 19, 19)
    orders = np.array([(n, m, p) for n in range(6) for m in range(6) for p in range(6) if 2 <= n + m + p <= 6])
    lines = orders @ np.array([528, 561, 544])
    order = np.argsort(lines)
    orders, lines = orders[order], lines[order]
    angles = np.arccos(places(size, (2.0, 2.0, 2.0)))
    waves = np.stack([np.cos(orders @ angles.T + 0.3 * channel) for channel in range(3)])
    clean = 1e-8 * lines[:, None] / lines.max() * waves * 1j
    frames = len(ROBOT.voxel_times) + len(ROBOT.empty_times)
    background = drifting(3, len(lines), frames, 1e-8, generator)
    content = calibration(clean, background, lines, ROBOT, samples, drives=3)
    write(tmp_path / "matrix.mdf", content)
    truth = np.zeros(19**3)
    points = [(4, 5, 13), (14, 10, 6)]
    for z, y, x in points:
        truth[(z * 19 + y) * 19 + x] = 20.0
    voltage = voltage_of(lines, (clean @ truth)[None] * np.array([1, 0])[:, None, None], samples)
    write(tmp_path / "phantom.mdf", phantom(voltage, 3, [0, 1]))

    matrix, measurement = load_matrix(tmp_path / "matrix.mdf"), load_measurement(tmp_path / "phantom.mdf")
    assert matrix.scan.cycles == (528, 561, 544) and matrix.scan.shape == size
    assert matrix.mixing_orders.tolist() == orders.tolist()
    rows, measured = pair_rows(matrix, measurement)
    image = kaczmarz(rows, measured, regularization=1e-3, sweeps=30).view(size)
    for z, y, x in points:
        near = image[z - 3 : z + 4, y - 3 : y + 4, x - 3 : x + 4]
        assert np.unravel_index(int(near.argmax()), near.shape) == (3, 3, 3)
        assert image[z, y, x] > 0.8 * image.max()
    one = load_matrix(tmp_path / "matrix.mdf", plane=4)
    assert one.scan.shape == (1, 19, 19) and one.scan.centre == pytest.approx((0, 0, -5e-3))
    torch.testing.assert_close(one.components, matrix.components[:, :, 4:5])
