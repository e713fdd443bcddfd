"""Files that are damaged, incomplete or no matrices of ours are refused by their path."""

import math

import numpy as np
import pytest

from mpinotes.scanner_files import load_matrix
from tests.scanner_files.matrices import assert_same_bits, change


def test_a_path_without_a_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.mdf: there is no such file, accepted is .* MDF 2.x"):
        load_matrix(tmp_path / "nowhere.mdf")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9])
def test_a_truncated_file_is_refused_by_its_path(saved, share):
    path, content = saved[1], saved[1].read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="matrix.mdf: damaged, or no HDF5 file"):
        load_matrix(path)


def test_a_file_that_is_no_hdf5_is_refused_by_its_path(tmp_path):
    (tmp_path / "notes.mdf").write_text("Not a system matrix. " * 500, encoding="utf-8")
    with pytest.raises(ValueError, match="notes.mdf: damaged, or no HDF5 file"):
        load_matrix(tmp_path / "notes.mdf")


@pytest.mark.parametrize(
    "name",
    [
        "version",
        "acquisition",
        "acquisition/drivefield",
        *(f"acquisition/drivefield/{name}" for name in ("numChannels", "strength", "phase", "divider", "waveform")),
        "acquisition/drivefield/baseFrequency",
        "acquisition/receiver",
        *(f"acquisition/receiver/{name}" for name in ("numChannels", "numSamplingPoints", "bandwidth")),
        "measurement",
        *(f"measurement/{name}" for name in ("data", "isFourierTransformed", "isBackgroundFrame")),
        *(f"measurement/{name}" for name in ("isFrequencySelection", "frequencySelection")),
        "calibration",
        *(f"calibration/{name}" for name in ("size", "fieldOfView")),
    ],
)
def test_a_missing_group_or_dataset_is_named(saved, name):
    change(saved[1], name, None)
    with pytest.raises(ValueError, match=f"matrix.mdf: '/{name}.*' is missing"):
        load_matrix(saved[1])


@pytest.mark.parametrize(
    "name", ["calibration/order", "calibration/fieldOfViewCenter", "acquisition/offsetField", "study"]
)
def test_what_a_system_matrix_does_not_need_may_be_missing(saved, name):
    change(saved[1], name, None)
    assert_same_bits(load_matrix(saved[1]).components, saved[0].components)


def data_with(value):
    data = np.ones((1, 2, 4, 12), dtype=complex)
    data[0, 1, 2, 3] = value
    return data


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("version", "1.0.5", "'/version' is 1.0.5, accepted is 2.x"),
        ("version", "3.0.0", "'/version' is 3.0.0, accepted is 2.x"),
        ("measurement/isFourierTransformed", 0, "data' is complex128, accepted are real numbers where"),
        ("measurement/isSparsityTransformed", 1, "sparsityTransformation' is missing"),
        ("measurement/data", data_with(math.nan), "data' has NaN or infinite values"),
        ("measurement/data", data_with(complex(0, math.inf)), "data' has NaN or infinite values"),
        ("measurement/data", np.ones((1, 2, 4, 12)), "data' is float64, accepted are complex numbers"),
        ("measurement/data", np.ones((1, 2, 4, 11)) + 0j, "data' has shape .*11.*, accepted is .*12"),
        ("measurement/data", np.ones((1, 2, 3, 12)) + 0j, "data' has shape .*3, 12.*, accepted is .*4, 12"),
        ("measurement/data", np.ones((1, 3, 4, 12)) + 0j, "data' has shape .*3, 4.*, accepted is .*2, 4"),
        ("measurement/data", np.ones((12, 1, 2, 4)) + 0j, "data' has shape .*12, 1.*, accepted is .*1, 2"),
        ("measurement/isFastFrameAxis", 0, "data' has shape .*1, 2, 4, 12.*, accepted is .*12, 1, 2, 4"),
        ("measurement/isBackgroundFrame", np.zeros(13), "framePermutation' has shape .*12.*, accepted is .*13"),
        ("measurement/isBackgroundFrame", np.eye(12)[0], "isBackgroundFrame' leaves 11, accepted is 12"),
        ("measurement/frequencySelection", [0, 5, 6, 7], "frequencySelection' is .*, accepted are 1 to 33"),
        ("measurement/frequencySelection", [1, 5, 6, 34], "frequencySelection' is .*, accepted are 1 to 33"),
        ("measurement/_mixingOrders", np.ones((4, 2), int), "_mixingOrders' falls on other bins"),
        ("measurement/_mixingOrders", np.ones((4, 3), int), "_mixingOrders' has shape .*, accepted is .*4, 2"),
        ("acquisition/receiver/numChannels", 3, "snr' has shape"),
        ("acquisition/receiver/numSamplingPoints", 32, "bandwidth' is .* Hz, accepted is 16 bins of 3125.0 Hz"),
        ("acquisition/receiver/bandwidth", 1e6, "bandwidth' is 1000000.0 Hz, accepted is 32 bins of 3125.0 Hz"),
        ("acquisition/drivefield/divider", [[7], [9]], "bandwidth' is .* Hz, accepted is 32 bins of .* Hz"),
        ("acquisition/drivefield/divider", [[0], [7]], "divider' is .*0 7.*, accepted are whole numbers"),
        ("acquisition/drivefield/divider", [[7.5], [8]], "divider' is .*7.5.*, accepted are whole numbers"),
        ("acquisition/drivefield/divider", [7, 8, 9], "divider' has 3 numbers, accepted are 2, or rows"),
        ("acquisition/drivefield/phase", np.zeros((2, 2, 1)), "phase' has shape .*, accepted is .*1, 2, 1"),
        ("acquisition/drivefield/waveform", [["sine"], ["triangle"]], "waveform' is .*triangle.*, accepted are sines"),
        ("acquisition/drivefield/strength", np.zeros((1, 2, 1)), "strength' is .*, accepted are one to three"),
        (
            "acquisition/drivefield/strength",
            [[[0], [1e-2]]],
            "coil_sensitivity: got .*, accepted are one or 1 values",
        ),
        ("acquisition/drivefield/strength", np.full((2, 2, 1), 1e-2), "strength' has shape .*, accepted is .*1, 2, 1"),
        ("acquisition/gradient", np.ones((1, 1, 3, 3)), "gradient' is .*accepted are a diagonal"),
        ("acquisition/gradient", np.ones((2, 1, 3, 3)), "gradient' has shape .*, accepted is .*1, 1, 3, 3"),
        ("acquisition/gradient", "steep", "gradient' is object, accepted are real numbers"),
        ("acquisition/offsetField", [[[0, 1e-3, 0]]], "offsetField' is not zero"),
        ("calibration/fieldOfView", [-3e-2, 4e-2, 1e-3], "field_of_view: got -0.03, accepted is"),
        ("calibration/size", [5, 3, 1], "isBackgroundFrame' leaves 12, accepted is 15"),
        ("calibration/size", [0, 3, 4], "size' is .*, accepted are whole numbers of at least 1"),
        ("calibration/size", [2.5, 3, 1], "size' is .*, accepted are whole numbers of at least 1"),
        ("acquisition/gradient", [[[[1, 0.1, 0], [0.1, 1, 0], [0, 0, -2]]]], "accepted are a diagonal"),
        ("calibration/order", "zyx", "order' is zyx, accepted is xyz"),
        ("calibration/snr", np.ones((1, 4, 2)), "snr' has shape .*4, 2.*, accepted is .*2, 4"),
    ],
    ids=str,
)
def test_what_is_wrong_in_a_file_is_named_after_its_path(saved, name, value, message):
    change(saved[1], name, value)
    with pytest.raises(ValueError, match=f"matrix.mdf: .*{message}"):
        load_matrix(saved[1])
