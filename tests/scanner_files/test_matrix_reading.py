"""Our files come back to the bit, and those of others are understood."""

import itertools
import math

import h5py
import numpy as np
import pytest
import torch

from mpinotes.physics import LissajousScan, SystemMatrix
from mpinotes.scanner_files import load_matrix, save_matrix
from tests.scanner_files.matrices import CYCLES, ORDERS, SCANS, assert_same_bits, change, every_scan, matrix_of


@every_scan
@pytest.mark.parametrize("snr", [False, True])
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_what_was_saved_comes_back_to_the_bit(dims, snr, dtype, tmp_path):
    matrix = matrix_of(dims, snr=snr, dtype=dtype)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    loaded = load_matrix(tmp_path / "matrix.mdf")
    assert loaded.scan == matrix.scan
    assert type(loaded.scan.density) is int and all(type(n) is int for n in loaded.scan.shape)
    for name in ("components", "mixing_orders", "frequencies"):
        assert_same_bits(getattr(loaded, name), getattr(matrix, name))
    if snr:
        assert_same_bits(loaded.snr, matrix.snr)
    else:
        assert loaded.snr is None


def test_zeros_of_both_signs_and_the_smallest_and_largest_numbers_come_back_to_the_bit(tmp_path):
    parts = torch.tensor([-0.0, 0.0, 5e-324, -5e-324, 1e300, -1e300], dtype=torch.float64)
    pairs = torch.view_as_complex(torch.cartesian_prod(parts, parts))[:28].reshape(1, 4, 7)
    matrix = matrix_of(1, orders=[[1], [2], [3], [900]], components=pairs)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    assert_same_bits(load_matrix(tmp_path / "matrix.mdf").components, pairs)


def test_a_drive_frequency_that_its_clock_only_nearly_gives_comes_back_to_the_bit(tmp_path):
    frequency = 26041.2
    assert 13 * frequency / 13 != frequency
    matrix = matrix_of(1, scan=LissajousScan(**{**vars(SCANS[1]), "base_frequency": frequency, "density": 13}))
    save_matrix(matrix, tmp_path / "matrix.mdf")
    loaded = load_matrix(tmp_path / "matrix.mdf")
    assert loaded.scan == matrix.scan
    assert_same_bits(loaded.frequencies, matrix.frequencies)


def test_a_matrix_with_gradients_and_a_path_as_text_are_fine(tmp_path):
    matrix = matrix_of(2)
    matrix.components.requires_grad_()
    save_matrix(matrix, str(tmp_path / "matrix.mdf"))
    loaded = load_matrix(str(tmp_path / "matrix.mdf"))
    assert torch.equal(loaded.components, matrix.components) and not loaded.components.requires_grad


def write_foreign(path, **changes):
    """As another program may: version 2.0, older names, three drives of which one rests, frames slowest,
    a clock of our figure with density 2, all bins, big-endian single precision, background in between."""
    background = np.array([1, 0, 0, 0, 1, 1, 0, 0, 0, 1])
    parts = np.random.default_rng(0).normal(size=(2, 2, 9, 6))
    clean = (parts[0] + 1j * parts[1]).astype(np.complex64)  # (channel, line, voxel)
    frames = np.full((10, 1, 2, 9), 3 - 1j, dtype=">c8")
    frames[background == 0, 0] += np.moveaxis(clean, -1, 0)
    content = {
        "version": "2.0.1",
        "acquisition/gradient": np.diag([-1.0, -1.0, 2.0])[None],
        "acquisition/drivefield/numChannels": [3],
        "acquisition/drivefield/strength": [[12e-3], [14e-3], [0.0]],
        "acquisition/drivefield/phase": np.full((1, 3, 1), math.pi / 2 - 2 * math.pi),
        "acquisition/drivefield/divider": [[2], [3], [17]],
        "acquisition/drivefield/waveform": "sine",
        "acquisition/drivefield/baseFrequency": 60e3,
        "acquisition/receiver/numChannels": 2,
        "acquisition/receiver/numSamplingPoints": 17,
        "acquisition/receiver/bandwidth": 80e3,
        "measurement/data": frames,
        "measurement/isFourierTransformed": np.int8(1),
        "measurement/isTransposed": np.int8(0),
        "measurement/isFrequencySelection": np.int8(0),
        "measurement/isFramePermutation": np.int8(1),
        "measurement/isBackgroundFrame": background.astype(np.int8),
        "calibration/method": "robot",
        "calibration/size": np.array([3, 2, 1]),
        "calibration/fieldOfView": np.array([30e-3, 20e-3, 1e-3]),
    } | changes
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            if value is not None:
                file[name] = value
    return clean / np.float32(17)


def test_a_file_of_others_is_understood_and_its_background_subtracted(tmp_path):
    clean = write_foreign(tmp_path / "other.mdf")
    matrix = load_matrix(tmp_path / "other.mdf")
    assert matrix.components.dtype == torch.complex64
    np.testing.assert_allclose(matrix.components.numpy(), clean.reshape(2, 9, 2, 3), rtol=0, atol=1e-6)
    assert matrix.scan == LissajousScan(
        gradient=(-1.0, -1.0),
        amplitude=(12e-3, 14e-3),
        base_frequency=30e3,
        density=2,
        shape=(2, 3),
        field_of_view=(30e-3, 20e-3),
        coil_sensitivity=1.0,
    )
    np.testing.assert_allclose(matrix.frequencies, 10e3 * np.arange(9), rtol=1e-12)
    lowest = [[0, 0], [1, -1], [0, 1], [1, 0], [0, 2], [1, 1], [2, 0], [1, 2], [2, 1]]
    assert matrix.mixing_orders.tolist() == lowest
    assert matrix.snr is None


def test_frames_that_run_fastest_load_alike_whatever_the_flag_is_called(tmp_path):
    write_foreign(tmp_path / "slow.mdf")
    expected = load_matrix(tmp_path / "slow.mdf").components
    with h5py.File(tmp_path / "slow.mdf") as file:
        fast = np.moveaxis(file["measurement/data"][()], 0, -1)
    for flag in ("isTransposed", "isFastFrameAxis"):
        changes = {"measurement/data": fast, "measurement/isTransposed": None, f"measurement/{flag}": np.int8(1)}
        write_foreign(tmp_path / f"{flag}.mdf", **changes)
        assert_same_bits(load_matrix(tmp_path / f"{flag}.mdf").components, expected)


def test_the_newer_name_of_the_flag_wins(tmp_path):
    clean = write_foreign(
        tmp_path / "both.mdf", **{"measurement/isTransposed": np.int8(1), "measurement/isFastFrameAxis": np.int8(0)}
    )
    loaded = load_matrix(tmp_path / "both.mdf").components
    np.testing.assert_allclose(loaded.numpy(), clean.reshape(2, 9, 2, 3), rtol=0, atol=1e-6)


@every_scan
def test_mixing_orders_that_a_file_lacks_are_the_lowest_of_their_bin(dims, tmp_path):
    """Against every combination up to a sum of moduli of 12."""
    orders = ORDERS[dims]
    save_matrix(matrix_of(dims), tmp_path / "matrix.mdf")
    change(tmp_path / "matrix.mdf", "measurement/_mixingOrders", None)
    found = load_matrix(tmp_path / "matrix.mdf").mixing_orders
    assert found.dtype == torch.int64 and found.shape == (len(orders), dims)
    candidates = np.array([o for o in itertools.product(range(-12, 13), repeat=dims) if sum(map(abs, o)) <= 12])
    for order, got in zip(orders, found.tolist(), strict=True):
        rivals = candidates[candidates @ CYCLES[dims] == np.dot(order, CYCLES[dims])]
        rivals = rivals[np.abs(rivals).sum(1) == np.abs(rivals).sum(1).min()]
        assert got in rivals.tolist()
        assert (np.array(got) < 0).sum() == (rivals < 0).sum(1).min()


def test_of_equally_low_orders_the_one_without_negative_numbers_is_taken(tmp_path):
    """Of dividers 1, 2, 3: in bin 4 both (1, 0, -1) and (0, 0, 2) have two as the sum of moduli."""
    scan = LissajousScan(**{**vars(SCANS[3]), "density": 1})
    assert scan.cycles == (6, 3, 2)
    components = torch.ones(3, 1, *scan.shape, dtype=torch.complex128)
    frequencies = torch.tensor([4 * scan.repetition_frequency], dtype=torch.float64)
    matrix = SystemMatrix(components, torch.tensor([[1, 0, -1]]), frequencies, scan)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    assert load_matrix(tmp_path / "matrix.mdf").mixing_orders.tolist() == [[1, 0, -1]]
    change(tmp_path / "matrix.mdf", "measurement/_mixingOrders", None)
    assert load_matrix(tmp_path / "matrix.mdf").mixing_orders.tolist() == [[0, 0, 2]]


def test_lines_of_ours_are_chosen_by_their_snr(saved):
    matrix, path = saved
    least = matrix.snr.flatten().sort().values[-2].item()
    kept = (matrix.snr >= least).any(0)
    assert 0 < kept.sum() < len(kept)
    loaded = load_matrix(path, least_snr=least)
    assert_same_bits(loaded.components, matrix.components[:, kept])
    assert_same_bits(loaded.mixing_orders, matrix.mixing_orders[kept])
    assert_same_bits(loaded.snr, matrix.snr[:, kept])
    assert_same_bits(loaded.rows(least)[0], matrix.rows(least)[0])
