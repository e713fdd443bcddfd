import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mpinotes import __main__ as command_line
from mpinotes.__main__ import main
from mpinotes.methods import load
from mpinotes.pretrained import package_hash
from mpinotes.studies import get_profile, train_method


def test_trains_a_method_and_writes_weights_and_card(tmp_path):
    assert main(["train", "sm_algorithm1", "--profile", "smoke", "--out", str(tmp_path), "--device", "cpu"]) == 0
    trained = load("sm_algorithm1", tmp_path)
    card = json.loads((tmp_path / "sm_algorithm1.json").read_text(encoding="utf-8"))
    assert card == trained.card and card["code"] == package_hash() and card["profile"] == "smoke"
    assert torch.isfinite(torch.tensor(card["metrics"]["noisy"]["synthesised"]["psnr"]["median"]))
    before = (tmp_path / "sm_algorithm1.safetensors").read_bytes()
    assert main(["train", "sm_algorithm1", "--profile", "smoke", "--out", str(tmp_path), "--device", "cpu"]) == 0
    assert (tmp_path / "sm_algorithm1.safetensors").read_bytes() == before


def test_a_folder_of_another_run_is_refused(tmp_path, capsys):
    """The DDPM's weights came out under DCCDM's card."""
    arguments = ["--profile", "smoke", "--out", str(tmp_path), "--device", "cpu"]
    assert main(["train", "sm_unet", *arguments]) == 0
    before = sorted(os.listdir(tmp_path))
    assert main(["train", "sm_algorithm1", *arguments]) == 1
    said = capsys.readouterr().err
    assert "of another run" in said and "method sm_unet instead of sm_algorithm1" in said
    assert sorted(os.listdir(tmp_path)) == before


def test_nothing_that_is_printed_can_cost_a_release(tmp_path, monkeypatch):
    """A terminal that is gone, or cannot take what is printed, ends neither training nor evaluation."""

    def gone(*_, **__):
        raise BrokenPipeError("nobody reads this")

    monkeypatch.setattr("builtins.print", gone)
    with pytest.raises(BrokenPipeError):
        train_method("sm_unet", get_profile("smoke"), str(tmp_path), 0, torch.device("cpu"))
    assert load("sm_unet", str(tmp_path)).card["metrics"]


@pytest.fixture
def no_training(monkeypatch):
    def training(*_):
        raise AssertionError("began to train")

    monkeypatch.setattr(command_line, "train_method", training)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there_is_said_at_once(tmp_path, capsys, no_training, device):
    assert main(["train", "ddpm", "--out", str(tmp_path), f"--device={device}"]) == 1
    said = capsys.readouterr().err
    assert (
        said.startswith(f"mpinotes: device: got '{device}', accepted are on this machine cpu") and said.count("\n") == 1
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="Asks for a GPU where there is none.")
def test_a_gpu_that_is_not_there_is_said_at_once(tmp_path, capsys, no_training):
    assert main(["train", "ddpm", "--out", str(tmp_path), "--device", "cuda"]) == 1
    assert capsys.readouterr().err == "mpinotes: device: got 'cuda', accepted are on this machine cpu\n"


def test_a_scheduler_that_sets_the_world_size_alone_is_said_at_once(tmp_path, capsys, no_training, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert main(["train", "ddpm", "--out", str(tmp_path)]) == 1
    assert "WORLD_SIZE is 4, but there is no RANK, LOCAL_RANK" in capsys.readouterr().err


def test_ctrl_c_ends_with_one_line(tmp_path):
    # A shell that runs the tests in the background lets them ignore the signal.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    long = "from mpinotes.studies.profiles import PROFILES as p; p['smoke'] = replace(p['smoke'], most_steps=6000)"
    command = "import sys; from mpinotes.__main__ import main; sys.exit(main(sys.argv[1:]))"
    code = f"{heard}; from dataclasses import replace; {long}; {command}"
    arguments = ["train", "sm_unet", "--profile", "smoke", "--out", str(tmp_path), "--device", "cpu"]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, encoding="utf-8")
    while not (tmp_path / ".lock").exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "Traceback" not in said
    assert said.splitlines()[-1] == "mpinotes: stopped; the same command goes on from the last checkpoint"


def test_a_terminal_without_greek_letters_is_enough():
    code = "from mpinotes.__main__ import main; main(['study', 'none']); print(chr(947))"
    machine = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    ended = subprocess.run([sys.executable, "-c", code], env=machine, capture_output=True, encoding="ascii")
    assert (ended.returncode, ended.stdout) == (0, "\\u03b3\n"), ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gan", "--profile", "smoke"], "method: got 'gan', accepted are 'edsr'"),
        (["ddpm", "--profile", "huge"], "profile: got 'huge', accepted are 'smoke'"),
    ],
)
def test_unknown_names_end_with_one_clear_line(tmp_path, capsys, arguments, message):
    assert main(["train", *arguments, "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_used_is_said_before_training(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert main(["train", "ddpm", "--profile", "smoke", "--out", str(tmp_path / "file" / "out")]) == 1
    assert "another output folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["file"]


def test_a_tilde_is_the_home():
    options = command_line.parse(["study", "table", "--runs=~/runs", "--records=~/records"])
    assert (options.runs, options.records) == (Path.home() / "runs", Path.home() / "records")
    assert command_line.parse(["train", "ddpm", "--out=~/runs"]).out == Path.home() / "runs"
