import errno
import json
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import mpinotes
from mpinotes.studies import load_record, workplace

MODULE = sys.modules["mpinotes.studies.workplace"]
CARDS = Path(mpinotes.__file__).parent / "pretrained"


def on_cpu(monkeypatch):
    monkeypatch.setattr(MODULE, "best_device", lambda: torch.device("cpu"))


def test_a_machine_without_a_gpu_says_so_and_keeps_results_beside_the_notebook(monkeypatch, tmp_path, capsys):
    on_cpu(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert workplace("full") == Path("runs")
    device, costs, results = capsys.readouterr().out.splitlines()
    assert device.startswith("device: CPU (no GPU), ") and torch.__version__ in device
    assert all(name in costs for name in ("smoke", "book", "full")) and "GPU" not in costs
    assert results == "results: runs, in the folder of the notebook"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("profile", ["smoke", "book"])
def test_a_profile_that_saves_nothing_names_no_folder(profile, capsys):
    workplace(profile)
    assert "results" not in capsys.readouterr().out


def test_a_gpu_is_named_and_what_was_measured_on_one_is_said(monkeypatch, capsys):
    monkeypatch.setattr(MODULE, "best_device", lambda: torch.device("cuda"))
    properties = SimpleNamespace(name="Tesla T4", total_memory=15 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    workplace("book")
    device, costs = capsys.readouterr().out.splitlines()
    assert device.startswith("device: GPU Tesla T4, 15 GiB")
    assert costs.endswith("full on an H100 that trained others, too: 8")


def test_results_go_to_a_mounted_drive(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(MODULE, "DRIVE", tmp_path)
    assert workplace("full") == tmp_path / "mpinotes"
    assert "outlives this machine" in capsys.readouterr().out


@pytest.mark.parametrize("profile", ["smoke", "book", "full"])
def test_a_drive_whose_mount_died_is_said_and_results_stay_beside_the_notebook(monkeypatch, capsys, profile):
    class Dead(type(Path())):
        def stat(self, **_):
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(MODULE, "DRIVE", Dead("/content/drive/MyDrive"))
    assert workplace(profile) == Path("runs")
    said = "results: runs, in the folder of the notebook: Google Drive does not answer (Transport endpoint"
    assert (said in capsys.readouterr().out) == (profile == "full")


def test_colab_without_a_drive_is_told_how_to_keep_results(monkeypatch, capsys):
    monkeypatch.setattr(MODULE, "find_spec", lambda name: True)
    assert workplace("full") == Path("runs")
    assert "drive.mount('/content/drive')" in capsys.readouterr().out


def test_an_unknown_profile_is_named():
    with pytest.raises(ValueError, match="profile: got 'huge'"):
        workplace("huge")


def test_the_longest_full_chapter_takes_as_long_as_the_longest_training():
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in CARDS.glob("*.json")]
    logs = [asdict(log) for log in load_record("seeds").trainings]
    for place, trainings, minutes in (
        ("cpu", logs, MODULE.MINUTES["full"]),
        ("cuda (NVIDIA H100", cards, MODULE.GPU_MINUTES),
    ):
        longest = max(log["seconds"] for log in trainings if log["device"].startswith(place)) / 60
        assert longest <= minutes < longest + 10
