import os
import signal
import subprocess
import sys
import time

import pytest

from mpinotes.__main__ import main
from mpinotes.files import alone_in
from mpinotes.methods import load
from mpinotes.studies import get_profile, train_all

SMOKE = get_profile("smoke")


def test_trainings_side_by_side_are_all_there_and_a_second_command_repeats_none(tmp_path, capsys):
    names = ["sm_unet", "sm_algorithm1"]
    assert train_all(names, SMOKE, tmp_path, at_once=2, device="cpu", seed=3) == []
    assert [load(name, tmp_path / name).card["seed"] for name in names] == [3, 3]
    said = capsys.readouterr().out
    assert "in training: sm_unet; left: sm_algorithm1" in said
    assert set(said.rstrip().split("done: ")[-1].split(", ")) == set(names)
    before = [(tmp_path / name / f"{name}.json").stat().st_mtime_ns for name in names]
    assert train_all(names, SMOKE, str(tmp_path), device="cpu") == []
    assert [(tmp_path / name / f"{name}.json").stat().st_mtime_ns for name in names] == before


def test_one_that_fails_is_named_and_the_others_go_on(tmp_path, capsys):
    (tmp_path / "sm_aware").mkdir()
    (tmp_path / "sm_aware" / "checkpoint.pt").write_bytes(b"damaged")
    assert train_all(["sm_aware", "sm_unet"], SMOKE, tmp_path, device="cpu") == ["sm_aware"]
    assert "sm_aware failed: mpinotes: " in (said := capsys.readouterr().out) and "is damaged" in said
    assert load("sm_unet", tmp_path / "sm_unet").card["profile"] == "smoke"


def test_what_another_process_trains_is_left_to_it(tmp_path, capsys):
    pytest.importorskip("fcntl", reason="Needs a system with locks on files.")
    with alone_in(tmp_path / "sm_unet"):
        assert main(["train-all", "sm_unet", "--profile", "smoke", "--runs", str(tmp_path), "--device", "cpu"]) == 0
    assert "sm_unet is trained by another process" in capsys.readouterr().out
    assert not (tmp_path / "sm_unet" / "sm_unet.json").exists()


def test_an_unknown_method_is_named_before_anything_is_trained(tmp_path, capsys):
    assert main(["train-all", "sm_unet", "unknown", "--runs", str(tmp_path)]) == 1
    assert "method: got 'unknown', accepted are" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_ending_the_command_ends_its_trainings(tmp_path):
    """A scheduler sends SIGTERM, a user Ctrl-C."""
    command = [sys.executable, "-m", "mpinotes", "train-all", "dccdm", "--runs", str(tmp_path), "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log, deadline = tmp_path / "dccdm" / "log.txt", time.monotonic() + 120
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) != 0
    with alone_in(tmp_path / "dccdm", wait=False):  # nobody is left in it
        pass
