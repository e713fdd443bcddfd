import os
from pathlib import Path

import numpy as np
import pytest
import torch

from mpinotes.data import VesselsUnavailable, available_vessels, load_vessels, synthetic_vessels

NAME = "vesselmnist3d.npz"


@pytest.fixture
def small_file(tmp_path):
    """A file laid out like the real one, with three volumes per split."""
    random = np.random.default_rng(0)
    arrays = {s: 255 * random.integers(0, 2, (3, 28, 28, 28), dtype=np.uint8) for s in ("train", "val", "test")}
    np.savez(tmp_path / NAME, **{f"{split}_images": array for split, array in arrays.items()})
    return tmp_path, arrays


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_volumes_are_the_files_own_padded_by_two_voxels(small_file, split):
    root, arrays = small_file
    volumes = load_vessels(split, root=root)
    assert volumes.shape == (3, 1, 32, 32, 32) and volumes.dtype == torch.float32
    assert torch.equal(volumes[:, 0, 2:-2, 2:-2, 2:-2], torch.from_numpy(arrays[split] // 255).float())
    assert volumes.sum() == arrays[split].sum() / 255


def test_the_folder_is_found_through_the_environment(small_file, monkeypatch):
    monkeypatch.setenv("MEDMNIST_ROOT", str(small_file[0]))
    assert torch.equal(load_vessels("val"), load_vessels("val", root=small_file[0]))


@pytest.mark.parametrize("split, count", [("train", 1335), ("val", 191), ("test", 382)])
def test_the_real_file_holds_its_published_number_of_binary_vessels(real_vessels, split, count):
    volumes = real_vessels if split == "test" else load_vessels(split)
    assert volumes.shape == (count, 1, 32, 32, 32)
    assert volumes.unique().tolist() == [0.0, 1.0]
    assert 0.01 < volumes.mean() < 0.03  # 2 % of 28³ voxels, 1.4 % once padded
    assert volumes.flatten(1).any(1).all()


def test_a_truncated_real_file_is_called_damaged(real_vessels, tmp_path):
    whole = (Path(os.environ["MEDMNIST_ROOT"]) / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged"):
        load_vessels("test", root=tmp_path)


@pytest.mark.parametrize("keep", [0, 10, 1000, -30])
def test_a_truncated_file_is_called_damaged_and_named(small_file, keep):
    path = small_file[0] / NAME
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{NAME} is damaged .*delete it"):
        load_vessels("test", root=small_file[0])


def test_a_file_without_the_split_is_called_damaged(tmp_path):
    np.savez(tmp_path / NAME, train_images=np.zeros((1, 28, 28, 28), np.uint8))
    with pytest.raises(ValueError, match="damaged"):
        load_vessels("test", root=tmp_path)


def test_a_file_of_other_images_is_called_damaged(tmp_path):
    np.savez(tmp_path / NAME, test_images=np.zeros((2, 28, 28), np.uint8))
    with pytest.raises(ValueError, match="damaged"):
        load_vessels("test", root=tmp_path)


def test_pickled_objects_are_never_opened(tmp_path):
    np.savez(tmp_path / NAME, test_images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="damaged"):
        load_vessels("test", root=tmp_path)


def test_without_file_and_download_the_reader_is_told_about_medmnist_root(tmp_path):
    with pytest.raises(VesselsUnavailable, match=f"{NAME}.*MEDMNIST_ROOT"):
        load_vessels("test", root=tmp_path)


def test_a_folder_named_by_the_environment_is_never_downloaded_into(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path))
    with pytest.raises(VesselsUnavailable, match="MEDMNIST_ROOT"):
        load_vessels("test")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_download_is_not_attempted(tmp_path, monkeypatch):
    monkeypatch.delenv("MEDMNIST_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(VesselsUnavailable, match="MEDMNIST_ROOT"):
        load_vessels("test", download=False)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_says_why_and_what_to_do(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise RuntimeError("no network here")

    monkeypatch.delenv("MEDMNIST_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("medmnist.VesselMNIST3D", no_network)
    with pytest.raises(VesselsUnavailable, match="no network here.*MEDMNIST_ROOT"):
        load_vessels("test")


def test_an_unknown_split_is_refused_by_name():
    with pytest.raises(ValueError, match="^split: got 'validation', accepted are 'train', 'val', 'test'"):
        load_vessels("validation")


def test_real_volumes_are_preferred_and_said_to_be_real(small_file, monkeypatch):
    monkeypatch.setenv("MEDMNIST_ROOT", str(small_file[0]))
    vessels = available_vessels("val", 2)
    assert torch.equal(vessels.volumes, load_vessels("val")[:2])
    assert vessels.real
    assert "2 real volumes" in vessels.source


def test_synthetic_volumes_step_in_and_are_said_to_be_synthetic(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path))
    train, test = (available_vessels(split, 2) for split in ("train", "test"))
    assert torch.equal(train.volumes, synthetic_vessels(2, seed=0))
    assert not torch.equal(train.volumes, test.volumes)
    assert not test.real
    assert "SYNTHETIC" in test.source
    assert "MEDMNIST_ROOT" in test.source


def test_a_damaged_file_is_never_silently_replaced_by_synthetic_volumes(tmp_path, monkeypatch):
    (tmp_path / NAME).write_bytes(b"not a zip file")
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path))
    with pytest.raises(ValueError, match="damaged"):
        available_vessels("test", 2)


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_without_volumes_is_refused_by_name(small_file, monkeypatch, count):
    monkeypatch.setenv("MEDMNIST_ROOT", str(small_file[0]))
    with pytest.raises(ValueError, match="^count: got"):
        available_vessels("test", count)
