"""What users of such files reported to other readers (MDF, OpenMPIData.jl, MPIReco.jl), each as a test of ours."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mpinotes.reconstruction import kaczmarz, kaczmarz_sweeps
from mpinotes.scanner_files import Drives, Measurement, load_matrix, load_measurement, pair_rows, save_measurement
from tests.scanner_files.scanners import PERIOD, Robot, calibration, phantom, voltage_of, write

ROBOT, LINES, SAMPLES = Robot((5, 4, 3), every=5), np.array([0, 16, 33, 49, 66]), PERIOD[2]
GENERATOR = np.random.default_rng(0)
CLEAN = GENERATOR.normal(size=(3, 5, 60, 2)) @ np.array([1, 1j])
START, SLOPE = 100 * (GENERATOR.normal(size=(2, 3, 5, 1, 2)) @ np.array([1, 1j]))
TIME = np.arange(len(ROBOT.voxel_times) + len(ROBOT.empty_times))
BACKGROUND = START + SLOPE * TIME / len(TIME)
PLANE = CLEAN.reshape(3, 5, 3, 4, 5)[:, :, 1]


def content(clean=CLEAN, background=BACKGROUND, **changes):
    return calibration(clean, background, LINES, ROBOT, SAMPLES, dtype=np.complex128) | changes


def assert_close(got, expected, tolerance=1e-9):
    np.testing.assert_allclose(got.numpy(), expected, rtol=0, atol=tolerance)


def measurement_of(matrix, image):
    """What a matrix would measure of an image (y, x)."""
    voltage = (matrix.components * image).sum((-2, -1))[None]
    return Measurement(voltage, matrix.frequencies, drives_of(matrix))


def drives_of(matrix, **changes):
    return replace(Drives.of(matrix.scan), **changes)


def test_background_frames_are_subtracted_as_they_drift_or_kept_when_told_to(tmp_path):
    """MDF #109: the voxels lie sorted in the file, the background goes by the time of the robot."""
    path = write(tmp_path / "matrix.mdf", content())
    assert_close(load_matrix(path).components, PLANE)
    behind = BACKGROUND[..., ROBOT.voxel_times].reshape(3, 5, 3, 4, 5)[:, :, 1]
    assert_close(load_matrix(path, background="keep").components, PLANE + behind)
    corrected = write(tmp_path / "corrected.mdf", content(**{"measurement/isBackgroundCorrected": 1}))
    assert_close(load_matrix(corrected).components, PLANE + behind)
    with pytest.raises(ValueError, match="^background: got 'ignore', accepted are 'subtract', 'keep'"):
        load_matrix(path, background="ignore")


def test_a_matrix_and_a_measurement_pair_without_reshaping_by_hand(tmp_path):
    """OpenMPIData.jl #11: x runs fastest through the voxels, lines are found by their frequencies."""
    image = np.arange(20.0).reshape(4, 5)
    spectrum = np.einsum("clyx,yx->cl", PLANE, image)
    others = np.array([*LINES, 100])  # the measurement has more lines than the matrix
    voltage = voltage_of(others, np.concatenate([spectrum.real + 0j, np.ones((3, 1))], axis=1), SAMPLES)
    path = write(tmp_path / "phantom.mdf", phantom(np.stack([voltage, 2 * voltage]), 2, [0, 0]))
    matrix = load_matrix(write(tmp_path / "matrix.mdf", content()))
    rows, measured = pair_rows(matrix, load_measurement(path))
    assert rows.shape == (15, 20) and measured.shape == (15, 2)
    assert_close(rows, PLANE.reshape(15, 20))
    assert_close(measured[:, 0], spectrum.real.ravel(), 1e-3 * np.abs(spectrum).max())
    assert_close(measured[:, 1], 2 * spectrum.real.ravel(), 1e-3 * np.abs(spectrum).max())


@pytest.mark.parametrize("every_line", [True, False])
def test_a_transfer_function_for_the_lines_of_a_real_signal_is_applied(every_line, tmp_path):
    """OpenMPIData.jl #8: it has V/2 + 1 lines, or those that are stored; and a small f in these files."""
    gain = GENERATOR.normal(size=(3, SAMPLES // 2 + 1, 2)) @ np.array([1, 1j])
    at_lines = gain[:, LINES]
    name = "acquisition/receiver/" + ("transferFunction" if every_line else "transferfunction")
    stored = {name: gain if every_line else at_lines}
    path = write(tmp_path / "matrix.mdf", content(CLEAN * at_lines[:, :, None], **stored))
    assert_close(load_matrix(path).components, PLANE, 1e-8)
    assert_close(load_matrix(path, transfer="keep").components, PLANE * at_lines[:, :, None, None], 1e-8)
    corrected = write(tmp_path / "done.mdf", content(**stored, **{"measurement/isTransferFunctionCorrected": 1}))
    assert_close(load_matrix(corrected).components, PLANE, 1e-8)
    wrong = write(tmp_path / "wrong.mdf", content(**{name: gain[:, :7]}))
    with pytest.raises(ValueError, match="wrong.mdf: '/acquisition/receiver/transfer.unction' has shape"):
        load_matrix(wrong)


@pytest.mark.parametrize("lines", [LINES, LINES[1:], LINES[::-1]], ids=str)
def test_an_offset_of_the_digitiser_is_added_to_the_line_at_zero_wherever_that_is(lines, tmp_path):
    """u = a x + b: b belongs to the constant part, which a frequency selection moves or leaves out."""
    factors = np.array([[2.0, 5.0], [0.5, -3.0], [1.0, 0.0]])
    position = [LINES.tolist().index(line) for line in lines]
    part = calibration(CLEAN[:, position], 0 * BACKGROUND[:, position], lines, ROBOT, SAMPLES, dtype=np.complex128)
    part["acquisition/receiver/dataConversionFactor"] = factors
    loaded = load_matrix(write(tmp_path / "matrix.mdf", part), background="keep").components
    expected = PLANE[:, position] * factors[:, :1, None, None]
    expected[:, lines == 0] += factors[:, 1, None, None, None]
    assert_close(loaded, expected)


def test_one_background_frame_is_a_constant(tmp_path):
    data = content(background=START + 0 * BACKGROUND)
    frames = np.r_[:60, 60]
    data["measurement/data"] = data["measurement/data"][..., frames]
    data["measurement/isBackgroundFrame"] = data["measurement/isBackgroundFrame"][frames]
    data["measurement/framePermutation"] = np.arange(61) + 1
    assert_close(load_matrix(write(tmp_path / "matrix.mdf", data)).components, PLANE)


def test_without_background_frames_nothing_is_subtracted(tmp_path):
    data = content()
    for name in ("data", "isBackgroundFrame", "framePermutation"):
        data[f"measurement/{name}"] = data[f"measurement/{name}"][..., :60]
    data["measurement/framePermutation"] = np.arange(60) + 1
    loaded = load_matrix(write(tmp_path / "matrix.mdf", data)).components
    assert_close(loaded, PLANE + BACKGROUND[..., ROBOT.voxel_times].reshape(3, 5, 3, 4, 5)[:, :, 1])


def test_without_a_permutation_frames_lie_in_the_order_in_which_they_were_taken(tmp_path):
    """Here the robot's serpentines, the background in between."""
    data = content()
    order = np.argsort(data["measurement/framePermutation"])
    data["measurement/data"] = data["measurement/data"][..., order]
    data["measurement/isBackgroundFrame"] = data["measurement/isBackgroundFrame"][order]
    data["measurement/framePermutation"] = None
    data["measurement/isFramePermutation"] = 0
    data["calibration/isMeanderingGrid"] = 1
    path = write(tmp_path / "matrix.mdf", data)
    assert_close(load_matrix(path).components, PLANE)


def test_a_permutation_that_is_announced_but_missing_is_none(tmp_path):
    data = content(background=START + 0 * BACKGROUND, **{"measurement/framePermutation": None})
    assert_close(load_matrix(write(tmp_path / "matrix.mdf", data)).components, PLANE)


@pytest.mark.parametrize("line", [0, 2])
def test_a_line_that_the_receiver_does_not_pass_is_zero_and_leaves_the_others_alone(line, tmp_path):
    """The transfer function of a scanner with a high-pass is zero at DC."""
    gain = np.full((3, 5), 2.0 + 1j)
    gain[:, line] = 0
    path = write(tmp_path / "matrix.mdf", content(**{"acquisition/receiver/transferFunction": gain}))
    loaded = load_matrix(path).components
    assert (loaded[:, line] == 0).all()
    others = np.arange(5) != line
    assert_close(loaded[:, others], PLANE[:, others] / (2 + 1j))


@pytest.mark.parametrize("channels", [(0, 1, 2, 3), (3,), (-1,), (0, 0), (), 2, (1.0,)], ids=str)
def test_more_channels_than_there_are_and_other_impossible_ones_are_refused(channels, tmp_path):
    path = write(tmp_path / "matrix.mdf", content())
    for load in (load_matrix, load_measurement):
        with pytest.raises(ValueError, match=r"matrix.mdf: channels: got .*, accepted"):
            load(path, channels=channels)


def test_channels_come_in_the_order_that_was_asked_for(tmp_path):
    path = write(tmp_path / "matrix.mdf", content())
    assert_close(load_matrix(path, channels=(2, 0)).components, PLANE[[2, 0]])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"gradient": (-1.0, -1.5)}, r"got a gradient of \(-1.0, -1.5\) T/m, accepted is that of matrix"),
        ({"amplitude": (12e-3, 14e-3)}, r"got an amplitude of \(0.012, 0.014\) T, accepted is that of matrix"),
        ({"dividers": (96, 102)}, r"got dividers for \(17, 16\) cycles at .* Hz, accepted are those of matrix, \(16, "),
        ({"base_frequency": 25e3}, r"got dividers for \(16, 17\) cycles at 25000 Hz, accepted are those of matrix"),
        ({"phase": (0.0, math.pi / 2)}, "got drives of phase"),
        ({"amplitude": (12e-3,), "dividers": (102,)}, "got 1 drives, accepted are those of matrix, 2"),
    ],
    ids=str,
)
def test_a_measurement_of_another_scan_is_refused_by_what_differs(changes, message, tmp_path):
    matrix = load_matrix(write(tmp_path / "matrix.mdf", content()))
    measured = measurement_of(matrix, torch.ones(4, 5))
    pair_rows(matrix, measured)
    with pytest.raises(ValueError, match=f"^measurement: {message}"):
        pair_rows(matrix, replace(measured, drives=drives_of(matrix, **changes)))


def test_a_measurement_with_other_channels_or_lines_is_refused_by_what_differs(tmp_path):
    matrix = load_matrix(write(tmp_path / "matrix.mdf", content()))
    measured = measurement_of(matrix, torch.ones(4, 5))
    with pytest.raises(ValueError, match="^measurement: got 2 channels, accepted are those of matrix, 3"):
        pair_rows(matrix, replace(measured, voltage=measured.voltage[:, :2]))
    fewer = replace(measured, voltage=measured.voltage[..., :3], frequencies=measured.frequencies[:3])
    with pytest.raises(
        ValueError, match="^measurement: got 3 lines from 0 to .* Hz, accepted .* 2 lack, as 75061.3 Hz"
    ):
        pair_rows(matrix, fewer)


@pytest.mark.parametrize(
    "name, change",
    [
        ("voltage", {"voltage": torch.ones(1, 3, 5)}),
        ("voltage", {"voltage": torch.full((1, 3, 5), math.nan + 0j)}),
        ("voltage", {"voltage": torch.ones(3, 5) + 0j}),
        ("frequencies", {"frequencies": torch.ones(4)}),
    ],
    ids=str,
)
def test_a_measurement_that_does_not_fit_itself_is_refused(name, change, tmp_path):
    matrix = load_matrix(write(tmp_path / "matrix.mdf", content()))
    with pytest.raises(ValueError, match=f"^{name}: got"):
        pair_rows(matrix, replace(measurement_of(matrix, torch.ones(4, 5)), **change))


def test_a_gradient_that_a_file_does_not_tell_is_not_compared(tmp_path):
    known = load_matrix(write(tmp_path / "matrix.mdf", content()))
    for changes in ({"acquisition/gradient": None}, {"acquisition/gradient": np.zeros((1, 3))}):
        silent = load_matrix(write(tmp_path / "silent.mdf", content(**changes)))
        assert silent.scan.gradient == (0.0, 0.0)
        pair_rows(silent, measurement_of(known, torch.ones(4, 5)))
        pair_rows(known, measurement_of(silent, torch.ones(4, 5)))


def test_neither_weighting_nor_loading_changes_what_went_in(tmp_path):
    path = write(tmp_path / "matrix.mdf", content())
    before = path.read_bytes()
    matrix = load_matrix(path)
    measured = measurement_of(matrix, torch.ones(4, 5))
    copies = matrix.components.clone(), measured.voltage.clone()
    rows, voltages = pair_rows(matrix, measured)
    paired = rows.clone(), voltages.clone()
    kaczmarz(rows, voltages, weighted=True)
    save_measurement(measured, tmp_path / "phantom.mdf")
    assert torch.equal(rows, paired[0]) and torch.equal(voltages, paired[1])
    assert torch.equal(matrix.components, copies[0]) and torch.equal(measured.voltage, copies[1])
    assert path.read_bytes() == before


def test_rows_without_a_signal_are_left_out_of_both(tmp_path):
    matrix = load_matrix(write(tmp_path / "matrix.mdf", content()))
    matrix.components[1, 3] = 0
    rows, voltages = pair_rows(matrix, measurement_of(matrix, torch.ones(4, 5)))
    assert len(rows) == len(voltages) == 14
    assert torch.isfinite(kaczmarz(rows, voltages)).all()
    matrix.components.zero_()
    with pytest.raises(ValueError, match="^matrix: got no row with a signal"):
        pair_rows(matrix, measurement_of(matrix, torch.ones(4, 5)))


def test_an_image_is_real_and_positive_where_that_is_asked_for(tmp_path):
    """A phantom with a hole below zero, which no tracer has."""
    matrix = load_matrix(write(tmp_path / "matrix.mdf", content()))
    image = torch.ones(4, 5, dtype=torch.float64)
    image[1, 1] = -3.0
    pair = pair_rows(matrix, measurement_of(matrix, image))
    positive, free = (kaczmarz(*pair, regularization=1e-9, non_negative=flag) for flag in (True, False))
    assert positive.dtype == torch.float64 and (positive >= 0).all()
    assert free.dtype == torch.float64 and free.argmin() == 6 and free.min() < -1


def test_the_residual_is_that_of_the_image_which_is_returned(tmp_path):
    """Recomputed after the projection onto positive numbers, not carried along."""
    matrix = load_matrix(write(tmp_path / "matrix.mdf", content()))
    image = torch.ones(4, 5, dtype=torch.float64)
    image[2] = -1.0
    rows, voltages = pair_rows(matrix, measurement_of(matrix, image))
    state = next(kaczmarz_sweeps(rows, voltages, weighted=False))
    expected = (rows @ state.solution.to(rows.dtype) - voltages).norm() / voltages.norm()
    assert state.residual.item() == pytest.approx(expected.item())


STRENGTHS = np.zeros((1, 3, 2))
STRENGTHS[0, 0], STRENGTHS[0, 1, 0] = 5e-3, 12e-3


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {
                "acquisition/drivefield/divider": np.array([[102, 51], [96, 48], [99, 99]]),
                "acquisition/drivefield/strength": STRENGTHS,
                "acquisition/drivefield/phase": np.full((1, 3, 2), math.pi / 2),
            },
            "strength' is .*, accepted is one frequency per channel",
        ),
        (
            {"acquisition/numPeriods": 2, "acquisition/offsetField": [[[0, 0, 0.0]], [[0, 0, 1e-3]]]},
            "offsetField' changes during a frame, accepted is one figure",
        ),
        ({"acquisition/offsetField": [[[0, 1e-3, 0]]]}, "offsetField' is not zero"),
        ({"acquisition/offsetField": [[[0, 0, 1e-3]]]}, "offsetField' is not zero"),
        (
            {
                "acquisition/numPeriods": 2,
                "acquisition/gradient": np.stack([np.diag([-1.0, -1, 2])] * 2)[:, None] * [[[[1]]], [[[2]]]],
            },
            "gradient' changes during a frame, accepted is one figure",
        ),
        ({"acquisition/drivefield/waveform": "triangle"}, "waveform' is .*triangle.*, accepted are sines"),
        ({"acquisition/gradient": [[[[1, 0.2, 0], [0.2, 1, 0], [0, 0, -2.0]]]]}, "gradient' is .*accepted are a diag"),
        ({"calibration/order": "zyx"}, "order' is zyx, accepted is xyz"),
        (
            {"measurement/isSparsityTransformed": 1, "measurement/sparsityTransformation": "DB4"},
            "is DB4, accepted are D",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_described_is_refused_by_name(changes, message, tmp_path):
    path = write(tmp_path / "matrix.mdf", content(**changes))
    with pytest.raises(ValueError, match=f"matrix.mdf: '/.*{message}"):
        load_matrix(path)
