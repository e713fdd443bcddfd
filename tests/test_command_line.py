import json
import os

import pytest
import torch

from mpinotes.__main__ import main
from mpinotes.methods import load
from mpinotes.pretrained import package_hash


def test_trains_a_method_and_writes_weights_and_card(tmp_path):
    assert main(["train", "sm_algorithm1", "--profile", "smoke", "--out", str(tmp_path), "--device", "cpu"]) == 0
    trained = load("sm_algorithm1", tmp_path)
    card = json.loads((tmp_path / "sm_algorithm1.json").read_text(encoding="utf-8"))
    assert card == trained.card and card["code"] == package_hash() and card["profile"] == "smoke"
    assert torch.isfinite(torch.tensor(card["metrics"]["noisy"]["synthesised"]["psnr"]["median"]))
    before = (tmp_path / "sm_algorithm1.safetensors").read_bytes()
    assert main(["train", "sm_algorithm1", "--profile", "smoke", "--out", str(tmp_path), "--device", "cpu"]) == 0
    assert (tmp_path / "sm_algorithm1.safetensors").read_bytes() == before


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
