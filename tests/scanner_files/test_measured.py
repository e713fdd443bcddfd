"""On data that a human-head scanner measured in 2018: raw counts, put into a file as a scanner would."""

import h5py
import numpy as np
import pytest
import torch

from mpinotes.reconstruction import kaczmarz
from mpinotes.scanner_files import load_matrix, load_measurement, pair_rows
from tests.scanner_files.scanners import write

HEAD = {
    "version": "2.0",
    "acquisition/numPeriods": 1,
    "acquisition/gradient": np.zeros((1, 3)),
    "acquisition/drivefield/numChannels": 1,
    "acquisition/drivefield/strength": [[[5e-3]]],
    "acquisition/drivefield/phase": [[[0.0]]],
    "acquisition/drivefield/divider": [[4864]],
    "acquisition/drivefield/waveform": "sine",
    "acquisition/drivefield/baseFrequency": 125e6,
    "acquisition/receiver/numChannels": 1,
    "acquisition/receiver/numSamplingPoints": 152,
    "acquisition/receiver/bandwidth": 125e6 / 4864 * 76,
    "measurement/isFourierTransformed": 0,
    "measurement/isFrequencySelection": 0,
}


def frames(counts, is_background):
    return HEAD | {"measurement/data": counts[:, None, None], "measurement/isBackgroundFrame": is_background}


@pytest.fixture
def head(scanner_data, tmp_path):
    """A calibration on 9 × 3 positions with three frames of the empty scanner, and the phantom at nine heights."""
    raw, phantom = (h5py.File(scanner_data / f"headscanner_{name}.h5")["matrix"][()] for name in ("matrix", "phantom"))
    grid = {
        "calibration/size": [9, 3, 1],
        "calibration/fieldOfView": [90e-3, 30e-3, 10e-3],
        "calibration/fieldOfViewCenter": [156e-3, -11.2e-3, 71e-3],
    }
    is_background = np.isin(np.arange(30), (0, 10, 20))
    write(tmp_path / "matrix.mdf", frames(raw, is_background) | grid)
    write(tmp_path / "phantom.mdf", frames(np.concatenate([raw[is_background], phantom]), np.arange(12) < 3))
    return tmp_path / "matrix.mdf", tmp_path / "phantom.mdf"


def test_the_background_of_a_line_is_that_of_its_time(head):
    """By hand: the frames of the middle line between the second and the third empty one."""
    with h5py.File(head[0]) as file:
        spectra = np.fft.rfft(file["measurement/data"][:, 0, 0]) / 152
    share = np.arange(1, 10)[:, None] / 10
    expected = spectra[11:20] - (1 - share) * spectra[10] - share * spectra[20]
    matrix = load_matrix(head[0], plane=(1, 0))
    np.testing.assert_allclose(matrix.components[0].T, expected, rtol=0, atol=1e-12 * np.abs(spectra).max())


def test_harmonics_two_to_eleven_of_the_middle_line_can_be_inverted(head):
    rows = load_matrix(head[0], plane=(1, 0)).components[0, 2:12]
    rows = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    assert torch.linalg.cond(rows).item() == pytest.approx(14, abs=1)  # what the data's README names


def test_the_phantom_has_two_bars_twenty_millimetres_apart(head):
    """On a pitch of 10 mm, where the scanner met the middle of the phantom."""
    rows, measured = pair_rows(load_matrix(head[0], plane=(1, 0)), load_measurement(head[1]))
    image = kaczmarz(rows[2:12], measured[2:12], regularization=1e-3, sweeps=200)
    for frame in image.T[2:4]:
        assert sorted(frame.topk(2).indices.tolist()) == [3, 5]
        assert frame[4] < 0.6 * frame[[3, 5]].min()
