import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import mpinotes.data.vessels
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


GREY = "test_images of values other than 0 and 1, or 0 and 255"


def volumes(side=28, dtype=np.uint8, occupied=1):
    return (occupied * np.random.default_rng(0).integers(0, 2, (2, side, side, side))).astype(dtype)


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"train_images": volumes()}, "no test_images"),
        ({"test_images": volumes()[0]}, r"test_images of shape \(28, 28, 28\)"),
        ({"test_images": volumes(side=64)}, r"test_images of shape \(2, 64, 64, 64\)"),
        ({"test_images": volumes()[:0]}, r"test_images of shape \(0, 28, 28, 28\)"),
        ({"test_images": volumes(occupied=128)}, GREY),
        ({"test_images": volumes() + 254 * volumes()[::-1]}, GREY),
        ({"test_images": np.full((1, 28, 28, 28), np.nan)}, GREY),
    ],
    ids=["split", "one volume", "64³", "no volumes", "128", "grey", "nan"],
)
def test_a_whole_file_of_something_else_is_called_what_it_is(tmp_path, arrays, found):
    np.savez(tmp_path / NAME, **arrays)
    with pytest.raises(ValueError, match=f"{NAME} is whole but holds {found}: accepted is VesselMNIST3D in 28³"):
        load_vessels("test", root=tmp_path)


@pytest.mark.parametrize("occupied", [1, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_occupied_voxels_are_1_however_the_file_writes_them(tmp_path, dtype, occupied):
    np.savez(tmp_path / NAME, test_images=volumes(dtype=dtype, occupied=occupied))
    assert torch.equal(load_vessels("test", root=tmp_path)[:, 0, 2:-2, 2:-2, 2:-2], torch.tensor(volumes()).float())


def test_a_tilde_is_the_home(small_file, monkeypatch):
    monkeypatch.setenv("HOME", str(small_file[0].parent))
    monkeypatch.setenv("MEDMNIST_ROOT", f"~/{small_file[0].name}")
    assert len(load_vessels("val")) == 3


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


@pytest.fixture
def server(small_file, tmp_path, monkeypatch):
    """medmnist downloads the small file into an empty home; keeps the folders it was asked to fill."""
    content, folders = (small_file[0] / NAME).read_bytes(), []
    monkeypatch.delenv("MEDMNIST_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(mpinotes.data.vessels, "FILE_MD5", hashlib.md5(content).hexdigest())

    def download(split, download, root):
        folders.append(root)
        (Path(root) / NAME).write_bytes(content)

    monkeypatch.setattr("medmnist.VesselMNIST3D", download)
    return folders


def test_a_download_is_moved_into_place_once(server, tmp_path):
    assert len(load_vessels("val")) == len(load_vessels("test")) == 3
    assert len(server) == 1 and server[0] != str(tmp_path / "home/.medmnist")
    assert sorted(os.listdir(tmp_path / "home/.medmnist")) == [".lock", NAME]


def test_half_a_file_of_an_interrupted_download_is_downloaded_again(server, small_file, tmp_path):
    (tmp_path / "home/.medmnist").mkdir(parents=True)
    (tmp_path / "home/.medmnist" / NAME).write_bytes((small_file[0] / NAME).read_bytes()[:1000])
    assert len(load_vessels("val")) == 3 and len(server) == 1


def test_a_download_of_something_else_is_not_kept(server, tmp_path, monkeypatch):
    monkeypatch.setattr(mpinotes.data.vessels, "FILE_MD5", "0" * 32)
    with pytest.raises(VesselsUnavailable, match="MD5 is .*, not 000.*MEDMNIST_ROOT"):
        load_vessels("val")
    assert os.listdir(tmp_path / "home/.medmnist") == [".lock"]


DOWNLOADER = """
import sys, time
import medmnist
import mpinotes.data.vessels as vessels

source, vessels.FILE_MD5, log = sys.argv[1:]


def download(split, download, root):
    with open(log, "a", encoding="utf-8") as file:
        file.write("one\\n")
    content = open(source, "rb").read()
    with open(f"{root}/vesselmnist3d.npz", "wb") as file:
        file.write(content[:1000])
        file.flush()
        time.sleep(2)  # half a file is there
        file.write(content[1000:])


medmnist.VesselMNIST3D = download
assert len(vessels.load_vessels("val")) == 3
"""


def test_of_two_processes_one_downloads_and_the_other_waits(small_file, tmp_path):
    pytest.importorskip("fcntl", reason="Needs a system with locks on files.")
    file, log = small_file[0] / NAME, tmp_path / "log"
    home = {name: value for name, value in os.environ.items() if name != "MEDMNIST_ROOT"} | {
        "HOME": str(tmp_path / "home")
    }
    command = [sys.executable, "-c", DOWNLOADER, file, hashlib.md5(file.read_bytes()).hexdigest(), log]
    processes = [subprocess.Popen(command, env=home) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert log.read_text(encoding="utf-8") == "one\n"


@pytest.mark.parametrize("home", ["in the way", "read-only", "nobody's"])
def test_without_a_home_to_write_to_synthetic_volumes_step_in(server, tmp_path, monkeypatch, home):
    def refuse(*_, **__):
        raise RuntimeError("Could not determine home directory.") if home == "nobody's" else PermissionError(13, "no")

    if home == "in the way":
        (tmp_path / "home").write_text("a file", encoding="utf-8")
    else:
        monkeypatch.setattr(Path, "expanduser" if home == "nobody's" else "mkdir", refuse)
    vessels = available_vessels("test", 2)
    assert not vessels.real and "SYNTHETIC" in vessels.source and "MEDMNIST_ROOT" in vessels.source


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
