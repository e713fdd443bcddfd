"""One scan, however a file lays it out."""

import math
import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dctn

from mpinotes.physics import LissajousScan, Particle, mixing_orders, simulate_system_matrix
from mpinotes.scanner_files import (
    Drives,
    Measurement,
    background,
    load_matrix,
    load_measurement,
    pair_rows,
    save_matrix,
    save_measurement,
    save_reconstruction,
    spectra,
)
from mpinotes.scanner_files.lowest_orders import lowest_orders
from tests.scanner_files.scanners import PERIOD, calibration, scanner, voltage_of, write
from tests.scanner_files.test_user_reports import BACKGROUND, CLEAN, LINES, PLANE, ROBOT, SAMPLES, assert_close, content

REAL = CLEAN * np.array([0, 1, 1, 1, 1])[:, None] + CLEAN.real * np.array([1, 0, 0, 0, 0])[:, None]
"""With a constant part that is real, as that of samples in time is."""


def in_time(volts, lines=LINES, samples=SAMPLES):
    """Samples (frame, 1, channel, sample) of a spectrum (channel, line, frame)."""
    return voltage_of(lines, np.moveaxis(volts, -1, 0), samples)[:, None]


@pytest.mark.parametrize("kind", [np.float64, np.int32, ">i2", ">f4"], ids=str)
@pytest.mark.parametrize("fast", [0, 1])
def test_samples_in_time_of_any_type(fast, kind, tmp_path):
    data = content(REAL)
    volts = data["measurement/data"][0] / SAMPLES
    raw = in_time(volts - BACKGROUND[..., :1].imag * 1j * (LINES == 0)[:, None])
    step = (
        1.0
        if "f" in np.dtype(kind).kind
        else np.abs(raw).max() / (2**31 - 2 if np.dtype(kind).itemsize == 4 else 2**15 - 2)
    )
    frames = raw / step
    frames = (frames if step == 1 else frames.round()).astype(kind)
    data |= {
        "measurement/data": np.moveaxis(frames, 0, -1) if fast else frames,
        "measurement/isTransposed": fast,
        "measurement/isFourierTransformed": 0,
        "measurement/isFrequencySelection": 0,
        "measurement/frequencySelection": None,
        "acquisition/receiver/dataConversionFactor": [[step, 0.0]] * 3,
    }
    loaded = load_matrix(write(tmp_path / "matrix.mdf", data))
    assert loaded.components.shape == (3, SAMPLES // 2 + 1, 4, 5)
    real = REAL.reshape(3, 5, 3, 4, 5)[:, :, 1]
    found = loaded.components[:, LINES]
    assert_close(found[:, 1:], real[:, 1:], 1e-9 if kind is np.float64 else 3 * max(step, 3e-5))
    assert_close(found[:, 0].real, real[:, 0].real, 1e-9 if kind is np.float64 else 3 * max(step, 3e-5))


@pytest.mark.parametrize("kind", ["<c8", ">c16", "pairs"])
@pytest.mark.parametrize("fast", [0, 1])
def test_spectra_of_any_type(fast, kind, tmp_path):
    data = content()
    frames = data["measurement/data"]
    if kind == "pairs":
        step = np.abs(frames).max() / 2**31
        stored = np.empty(frames.shape, [("r", "i4"), ("i", "i4")])
        stored["r"], stored["i"] = frames.real / step, frames.imag / step
        data["acquisition/receiver/dataConversionFactor"] = [[step, 0.0]] * 3
    else:
        stored = frames.astype(kind)
    data |= {"measurement/data": stored if fast else np.moveaxis(stored, -1, 0), "measurement/isTransposed": fast}
    loaded = load_matrix(write(tmp_path / "matrix.mdf", data)).components
    assert loaded.dtype == (torch.complex64 if kind == "<c8" else torch.complex128)
    assert_close(loaded, PLANE, 1e-4 if kind == "<c8" else 1e-6)


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(5, 4, 3), (5, 12, 1), (60, 1, 1)], ids=str)
def test_a_compressed_matrix_is_what_its_coefficients_make(kind, size, tmp_path):
    """All coefficients but those that are zero, in any order, with the background behind them."""
    grid = CLEAN.reshape(3, 5, *size[::-1])
    axes = [axis for axis in (2, 3, 4) if grid.shape[axis] > 1]
    coefficients = dctn(grid, type=kind, axes=axes, norm="ortho").reshape(3, 5, 60)
    order = np.argsort(-np.abs(coefficients), axis=-1)[..., :40]
    kept = np.take_along_axis(coefficients, order, axis=-1)
    rest = np.zeros_like(coefficients)
    np.put_along_axis(rest, order, kept, axis=-1)
    expected = dctn(rest.reshape(grid.shape), type={1: 1, 2: 3, 3: 2, 4: 4}[kind], axes=axes, norm="ortho")
    empty = np.zeros((3, 5, 13))
    data = content(background=0 * BACKGROUND) | {
        "measurement/data": SAMPLES * np.concatenate([kept, empty], axis=-1)[None],
        "measurement/isSparsityTransformed": np.int8(1),
        "measurement/sparsityTransformation": "DCT-" + ("I", "II", "III", "IV")[kind - 1],
        "measurement/subsamplingIndices": (order[None] + 1).astype(np.int32),
        "calibration/size": np.array(size),
    }
    path = write(tmp_path / "matrix.mdf", data)
    middle = expected[:, :, size[2] // 2]
    loaded = load_matrix(path).components
    assert_close(loaded, middle)
    data["measurement/subsamplingIndices"] = order[None]
    with pytest.raises(ValueError, match="subsamplingIndices' holds others than 1 to 60, each once"):
        load_matrix(write(tmp_path / "matrix.mdf", data))


def test_every_plane_of_a_cube_can_be_had(tmp_path):
    data = content(
        **{"calibration/fieldOfViewCenter": [1e-3, -2e-3, 4e-3], "calibration/fieldOfView": [0.05, 0.04, 0.03]}
    )
    path = write(tmp_path / "matrix.mdf", data)
    planes = CLEAN.reshape(3, 5, 3, 4, 5)
    for plane in range(3):
        matrix = load_matrix(path, plane=plane)
        assert_close(matrix.components, planes[:, :, plane])
        assert matrix.scan.field_of_view == (0.05, 0.04) and matrix.scan.centre == (1e-3, -2e-3)
        assert_close(load_matrix(path, plane=(plane,)).components, planes[:, :, plane])
    assert_close(load_matrix(path).components, planes[:, :, 1])  # its layers lie at -6, 4 and 14 mm
    for plane in (3, -1, 1.0, (1, 1), "middle"):
        with pytest.raises(ValueError, match=r"matrix.mdf: plane: got .*, accepted"):
            load_matrix(path, plane=plane)


def test_a_line_of_a_cube_is_named_by_two_numbers(tmp_path):
    """One drive, along x, in the same grid."""
    data = content() | scanner(1, PERIOD[1]) | {"measurement/frequencySelection": np.array([0, 1, 2, 3, 4]) + 1}
    path = write(tmp_path / "matrix.mdf", data)
    ratio = SAMPLES / PERIOD[1]
    matrix = load_matrix(path, plane=(3, 0))
    assert matrix.scan.shape == (5,) and matrix.mixing_orders.tolist() == [[0], [1], [2], [3], [4]]
    assert_close(matrix.components / ratio, CLEAN.reshape(3, 5, 3, 4, 5)[:, :, 0, 3])
    with pytest.raises(ValueError, match="plane: got .1,., accepted are numbers of voxels along y, z"):
        load_matrix(path, plane=1)


@pytest.mark.parametrize("with_size", [True, False])
def test_positions_say_where_each_frame_was_taken(with_size, tmp_path):
    data = content(**{"calibration/fieldOfView": np.array([10e-3, 8e-3, 6e-3])})
    z, y, x = np.meshgrid([-2e-3, 0, 2e-3], [-3e-3, -1e-3, 1e-3, 3e-3], np.arange(-4, 5, 2) * 1e-3, indexing="ij")
    places = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    shuffled = np.random.default_rng(3).permutation(60)
    frames = np.r_[shuffled, 60 : data["measurement/data"].shape[-1]]
    data["measurement/data"] = data["measurement/data"][..., frames]
    data["measurement/framePermutation"] = data["measurement/framePermutation"][frames]
    data["calibration/positions"] = places[shuffled] + 1e-8
    if not with_size:
        data |= {f"calibration/{name}": None for name in ("size", "fieldOfView", "fieldOfViewCenter")}
    matrix = load_matrix(write(tmp_path / "matrix.mdf", data))
    assert_close(matrix.components, PLANE)
    assert matrix.scan.field_of_view == pytest.approx((10e-3, 8e-3))
    data["calibration/positions"] = places[np.r_[0, 0, 2:60]]
    with pytest.raises(ValueError, match="positions' are not those of a grid|isBackgroundFrame' leaves"):
        load_matrix(write(tmp_path / "matrix.mdf", data))


def test_periods_of_a_frame_are_averaged(tmp_path):
    data = content()
    frames = data["measurement/data"]
    data |= {"measurement/data": np.concatenate([0.5 * frames, 1.5 * frames]), "acquisition/numPeriods": 2}
    assert_close(load_matrix(write(tmp_path / "matrix.mdf", data)).components, PLANE)


def test_a_period_that_counts_the_drive_at_rest_holds_several_figures(tmp_path):
    """lcm of all three dividers: 33 figures of the two drives, between whose lines there is noise."""
    lines = np.sort([*(33 * LINES), 5, 40])
    noisy = np.ones((3, 7, 60), complex)
    noisy[:, np.isin(lines, 33 * LINES)] = CLEAN
    data = calibration(noisy, np.zeros((3, 7, 73)), lines, ROBOT, PERIOD[3], dtype=np.complex128)
    data["acquisition/drivefield/strength"][0, 2] = 0
    matrix = load_matrix(write(tmp_path / "matrix.mdf", data))
    assert matrix.scan.cycles == (16, 17)
    assert_close(matrix.components, PLANE)
    plain = load_matrix(write(tmp_path / "plain.mdf", content()))
    torch.testing.assert_close(matrix.frequencies, plain.frequencies)


def test_drives_along_x_and_z_are_a_plane_of_their_own(tmp_path):
    """Dividers 102 and 99: 33 and 34 cycles."""
    data = content(**{"acquisition/receiver/numSamplingPoints": 3366}) | {
        "measurement/data": content()["measurement/data"] / SAMPLES * 3366
    }
    data["acquisition/drivefield/strength"] = np.array([12e-3, 0, 10e-3])[None, :, None]
    matrix = load_matrix(write(tmp_path / "matrix.mdf", data), plane=2)
    assert matrix.scan.cycles == (33, 34) and matrix.scan.gradient == (-1.0, 2.0)
    assert matrix.scan.shape == (3, 5) and matrix.scan.field_of_view == (38e-3, 19e-3)
    assert_close(matrix.components, CLEAN.reshape(3, 5, 3, 4, 5)[:, :, :, 2])


@pytest.mark.parametrize(
    "gradient", [[[-1.0, -1, 2]], np.diag([-1.0, -1, 2]), np.diag([-1.0, -1, 2])[None], [-1.0, -1, 2]], ids=str
)
def test_a_gradient_of_any_rank(gradient, tmp_path):
    data = content(**{"acquisition/gradient": np.array(gradient), "acquisition/offsetField": np.zeros((1, 3))})
    assert load_matrix(write(tmp_path / "matrix.mdf", data)).scan.gradient == (-1.0, -1.0)


def test_phases_and_cosines_are_told_apart(tmp_path):
    data = content(**{"acquisition/drivefield/phase": np.array([0.0, math.pi / 2, 0])[None, :, None]})
    assert load_matrix(write(tmp_path / "matrix.mdf", data)).scan.phase == pytest.approx((-math.pi / 2, 0.0))


def test_lines_are_chosen_by_snr_before_they_are_read(tmp_path):
    snr = np.array([[9.0, 1, 5, 1, math.nan], [1, 1, 1, 7, 1], [1, 1, 1, 1, 1]])
    path = write(tmp_path / "matrix.mdf", content(**{"calibration/snr": snr[None]}))
    matrix = load_matrix(path, least_snr=5.0)
    assert_close(matrix.components, PLANE[:, [0, 2, 3]])
    rows, kept = matrix.rows(5.0)
    assert_close(rows, PLANE.reshape(3, 5, 20)[[0, 0, 1], [0, 2, 3]])
    assert kept.tolist() == [[True, True, False], [False, False, True], [False, False, False]]
    assert load_matrix(path, least_snr=5.0, channels=(1,)).components.shape == (1, 1, 4, 5)
    with pytest.raises(ValueError, match=r"matrix.mdf: least_snr: got 10.0, accepted is \[0.0, 9.0\]"):
        load_matrix(path, least_snr=10.0)
    unknown = write(tmp_path / "unknown.mdf", content())
    with pytest.raises(ValueError, match="least_snr: got 5.0, accepted is 0 for a matrix without a measured SNR"):
        load_matrix(unknown, least_snr=5.0)


def test_the_empty_scanner_of_a_calibration_can_be_had_alone(tmp_path):
    path = write(tmp_path / "matrix.mdf", content())
    empty = load_measurement(path, background="only")
    assert_close(empty.voltage, np.moveaxis(BACKGROUND[..., ROBOT.empty_times], -1, 0))
    in_order = load_measurement(path)
    assert_close(in_order.voltage, np.moveaxis(CLEAN[..., ROBOT.visited], -1, 0))


@pytest.mark.parametrize("axes", [(0,), (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_a_measurement_comes_back_to_the_bit(axes, dtype, tmp_path):
    n = len(axes)
    drives = Drives(
        (1.0, 1.5, -2.5)[:n], (1e-2, 2e-2, 3e-2)[:n], 26041.2, (34, 32, 33)[-n:], (0.1, 2.0, -3.0)[:n], axes
    )
    lines = drives.repetition_frequency * torch.tensor([0.0, 3, 17], dtype=torch.float64)
    voltage = torch.randn(4, 2, 3, dtype=dtype, generator=torch.Generator().manual_seed(0))
    save_measurement(Measurement(voltage, lines, drives), tmp_path / "phantom.mdf")
    loaded = load_measurement(tmp_path / "phantom.mdf")
    assert torch.equal(loaded.voltage, voltage) and loaded.voltage.dtype == dtype
    torch.testing.assert_close(loaded.frequencies, lines, rtol=1e-12, atol=0)
    assert loaded.drives == drives


def test_a_matrix_of_any_figure_comes_back_to_the_bit(tmp_path):
    scan = LissajousScan(
        shape=(3, 4), cycles=(16, 17), phase=(0.3, -2.0), centre=(1e-3, 0.0), base_frequency=2.5e6 / 102
    )
    matrix = simulate_system_matrix(scan, Particle(20e-9), mixing_orders(1, 3))
    save_matrix(matrix, tmp_path / "matrix.mdf")
    loaded = load_matrix(tmp_path / "matrix.mdf")
    assert loaded.scan == scan and torch.equal(loaded.components, matrix.components)


def test_images_are_written_with_x_fastest_and_their_place(tmp_path):
    scan = LissajousScan(shape=(2, 3), field_of_view=(3e-2, 2e-2), centre=(1e-3, 2e-3))
    images = torch.arange(12.0).view(2, 2, 3)
    save_reconstruction(images, tmp_path / "images.mdf", scan)
    with h5py.File(tmp_path / "images.mdf") as file:
        assert file["version"].asstr()[()] == "2.1.0"
        assert np.array_equal(file["reconstruction/data"][..., 0], images.view(2, 6))
        assert file["reconstruction/size"][()].tolist() == [3, 2, 1]
        assert file["reconstruction/fieldOfView"][()].tolist() == pytest.approx([3e-2, 2e-2, 1e-2])
        assert file["reconstruction/fieldOfViewCenter"][()].tolist() == [1e-3, 2e-3, 0.0]
    save_reconstruction(images.bfloat16(), tmp_path / "images.mdf", scan)  # a type that neither NumPy nor HDF5 knows
    with h5py.File(tmp_path / "images.mdf") as file:
        assert np.array_equal(file["reconstruction/data"][..., 0], images.view(2, 6))
    with pytest.raises(ValueError, match="^scan: got PosixPath, accepted is a LissajousScan"):
        save_reconstruction(images, scan, tmp_path / "images.mdf")
    for wrong, name in ((images.mT, "images"), (images / 0, "images"), (images + 0j, "images")):
        with pytest.raises(ValueError, match=f"^{name}: got"):
            save_reconstruction(wrong, tmp_path / "images.mdf", scan)


@pytest.mark.parametrize(
    "name, change",
    [
        ("voltage", {"voltage": torch.full((1, 2, 3), math.nan + 0j)}),
        ("voltage", {"voltage": torch.ones(1, 2, 3)}),
        ("voltage", {"voltage": torch.ones(2, 3) + 0j}),
        ("frequencies", {"frequencies": torch.ones(2)}),
        ("frequencies", {"frequencies": torch.tensor([0.0, 1.0, 2.0])}),
        ("frequencies", {"frequencies": torch.tensor([0.0, 2500.0, 2500.0])}),
        ("frequencies", {"frequencies": torch.tensor([0.0, -2500.0, 2500.0])}),
    ],
    ids=str,
)
def test_an_impossible_measurement_is_not_written(name, change, tmp_path):
    lines = torch.tensor([0.0, 2500.0, 5000.0])
    good = Measurement(torch.ones(1, 2, 3) + 0j, lines, Drives.of(LissajousScan(density=9)))
    save_measurement(good, tmp_path / "good.mdf")
    with pytest.raises(ValueError, match=f"^{name}: got"):
        save_measurement(replace(good, **change), tmp_path / "bad.mdf")
    assert not (tmp_path / "bad.mdf").exists()


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=3).filter(lambda c: math.gcd(*c) == 1),
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
)
def test_lowest_orders_are_those_of_an_exhaustive_search(cycles, bins):
    """In their rank: Σ|n_i|, number of negatives, n_1, n_2, …"""
    reach = 31 if len(cycles) == 2 else 60 if len(cycles) == 1 else 14
    axis = np.arange(-reach, reach + 1)
    grid = np.stack(np.meshgrid(*[axis] * len(cycles), indexing="ij"), axis=-1).reshape(-1, len(cycles))
    total = np.abs(grid).sum(1)
    found = lowest_orders(np.array(bins), tuple(cycles))
    for line, order in zip(bins, found.tolist(), strict=True):
        hit = grid[(grid @ np.array(cycles) == line) & (total <= reach)]
        assert np.dot(order, cycles) == line
        if len(hit):
            best = min(hit.tolist(), key=lambda n: (sum(map(abs, n)), sum(i < 0 for i in n), n))
            assert order == best


def test_a_file_that_a_scanner_wrote_in_2018_is_read(scanner_data):
    """A robot's line of nine positions, time domain, off centre, of a gradient that the file does not tell."""
    path = scanner_data / "headscanner_2018.mdf"
    matrix, measurement = load_matrix(path), load_measurement(path)
    assert matrix.components.shape == (1, 77, 9) and matrix.scan.centre == pytest.approx(0.156)
    assert matrix.scan.base_frequency == pytest.approx(125e6 / 4864) and matrix.scan.amplitude == (5e-3,)
    assert matrix.scan.gradient == (0.0,) and matrix.scan.phase == pytest.approx(-math.pi / 2)
    with h5py.File(path) as file:
        volts = file["measurement/data"][:, 0, 0] * 0.00012957 + 0.01554888
    expected = np.fft.rfft(volts) / 152
    np.testing.assert_allclose(measurement.voltage[:, 0], expected, rtol=0, atol=1e-3 * np.abs(expected).max())
    np.testing.assert_array_equal(matrix.components[0].T, measurement.voltage[:, 0])


@pytest.mark.parametrize("fast", [0, 1])
def test_the_memory_at_most_is_that_of_the_lines_that_are_kept(fast, tmp_path, monkeypatch):
    """20 MB of spectra, of which a hundredth is kept and parts of 1 MB are in flight, in either order of the axes."""
    for module in (spectra, background):
        monkeypatch.setattr(module, "PART", 2**20)
    lines, frames = np.arange(600), 1400
    data = scanner() | {
        "measurement/isTransposed": fast,
        "measurement/isFourierTransformed": 1,
        "measurement/isFrequencySelection": 1,
        "measurement/frequencySelection": lines + 1,
        "measurement/isBackgroundFrame": np.arange(frames) % 35 == 0,
        "calibration/size": [40, 34, 1],
        "calibration/fieldOfView": [40e-3, 34e-3, 1e-3],
        "calibration/snr": np.broadcast_to(np.where(lines % 100 == 1, 10.0, 1.0), (1, 3, 600)),
    }
    path = write(tmp_path / "matrix.mdf", data)
    with h5py.File(path, "r+") as file:
        file.create_dataset("measurement/data", (1, 3, 600, frames) if fast else (frames, 1, 3, 600), "c8")[:] = 1
    tracemalloc.start()
    matrix = load_matrix(path, least_snr=9.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert matrix.components.shape == (3, 6, 34, 40) and matrix.components.nbytes < 2**18
    assert peak < 5 * 2**20 < path.stat().st_size / 3


def test_a_matrix_and_a_measurement_in_each_others_place_are_refused():
    scan = LissajousScan(shape=(2, 2), density=9)
    matrix = simulate_system_matrix(scan, Particle(20e-9), mixing_orders(2, 3))
    measured = Measurement(matrix.components.mean((-2, -1))[None], matrix.frequencies, Drives.of(scan))
    with pytest.raises(ValueError, match="^matrix: got Measurement, accepted is a SystemMatrix"):
        pair_rows(measured, matrix)
    with pytest.raises(ValueError, match="^measurement: got SystemMatrix, accepted is a Measurement"):
        pair_rows(matrix, matrix)
    with pytest.raises(ValueError, match="^drives: got LissajousScan, accepted is a Drives"):
        pair_rows(matrix, replace(measured, drives=scan))
