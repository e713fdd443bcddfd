"""Where measured data are found, and generated files that can stand in for them."""

import h5py
import numpy as np
import pytest

from mpinotes.data import available_scanner_data
from mpinotes.data.generated_scanner import PLACES, generate_scanner_data

NAMES = ["headscanner_matrix.h5", "headscanner_phantom.h5", "magnetisation_curve.txt", "selection_field_2Tpm.h5"]


def layout(folder):
    """Names, shapes and types of all that a chapter reads."""
    found = {"curve": np.loadtxt(folder / "magnetisation_curve.txt").shape}
    for name, datasets in (
        ("headscanner_matrix", ["matrix"]),
        ("headscanner_phantom", ["matrix"]),
        ("selection_field_2Tpm", ["fields", "fieldsError", "positions", "positionsCenter"]),
    ):
        with h5py.File(folder / f"{name}.h5") as file:
            found |= {(name, key): (file[key].shape, file[key].dtype) for key in datasets}
    return found


def read(folder, name="headscanner_matrix"):
    with h5py.File(folder / f"{name}.h5") as file:
        return file["matrix"][()]


@pytest.fixture
def files(tmp_path):
    generate_scanner_data(tmp_path)
    return tmp_path


def test_generated_files_have_the_layout_of_measured_ones(files, scanner_data):
    assert layout(files) == layout(scanner_data)


def test_the_seed_changes_the_noise_and_nothing_else_does(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        generate_scanner_data(tmp_path / name, seed)
    same, again, other = (read(tmp_path / name) for name in "abc")
    np.testing.assert_array_equal(same, again)
    assert not np.array_equal(same, other)


def test_generated_phantom_is_the_sum_of_two_places(files):
    """At the height where it is strongest, by least squares on the harmonics of the middle line."""
    matrix, phantom = (np.fft.rfft(read(files, f"headscanner_{name}"))[:, 2:11] for name in ("matrix", "phantom"))
    rows, voltage = (matrix[11:20] - matrix[20]).T, phantom[2] - matrix[20]
    image = np.linalg.lstsq(np.concatenate([rows.real, rows.imag]), np.concatenate([voltage.real, voltage.imag]))[0]
    assert sorted(image.argsort()[-2:]) == [3, 5] and len(PLACES) == 9


def test_generated_selection_field_has_no_divergence(files):
    with h5py.File(files / "selection_field_2Tpm.h5") as file:
        field, places = file["fields"][0], file["positions"][()]
    gradient = np.linalg.lstsq(np.c_[places, np.ones(36)], field)[0][:3].T
    assert np.trace(gradient) == pytest.approx(0, abs=0.01)
    np.testing.assert_allclose(np.diag(gradient), [-1, -1, 2], atol=0.05)


def test_generated_curve_is_odd_and_saturates(files):
    field, magnetisation, error = np.loadtxt(files / "magnetisation_curve.txt").T
    np.testing.assert_allclose(field, -field[::-1])
    np.testing.assert_allclose(magnetisation, -magnetisation[::-1], atol=8 * error.max())
    assert np.corrcoef(field[:10], magnetisation[:10])[0, 1] > 0.9


def test_the_named_folder_comes_before_the_one_beside_the_vessels(files, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path / "vessels"))
    generate_scanner_data(tmp_path / "vessels/scanner")
    monkeypatch.delenv("MPI_SCANNER_ROOT", raising=False)
    beside = available_scanner_data(tmp_path / "new")
    assert beside.measured and beside.folder == tmp_path / "vessels/scanner"
    monkeypatch.setenv("MPI_SCANNER_ROOT", str(files))
    assert available_scanner_data(tmp_path / "new").folder == files
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", NAMES)
def test_one_missing_file_means_generated_ones_and_is_named(files, tmp_path, monkeypatch, name):
    monkeypatch.setenv("MPI_SCANNER_ROOT", str(files))
    (files / name).unlink()
    data = available_scanner_data(tmp_path / "new")
    assert not data.measured and data.folder == tmp_path / "new"
    assert "GENERATED" in data.source and f"{name} in {files}" in data.source
    assert layout(data.folder)


def test_a_seed_that_is_no_count_is_refused(tmp_path):
    with pytest.raises(ValueError, match="seed: got -1"):
        available_scanner_data(tmp_path, seed=-1)
