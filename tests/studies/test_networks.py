import json
import re
import shutil
from dataclasses import replace

import pytest
import torch

import mpinotes
from mpinotes.data import Vessels
from mpinotes.methods import METHODS
from mpinotes.pretrained import FOLDER
from mpinotes.studies import announce, get_profile, get_trained, networks
from mpinotes.studies.networks import find_trained

FULL = replace(get_profile("smoke"), name="full")


def test_outside_the_full_profile_networks_are_the_released_ones(tmp_path):
    found = get_trained(["sm_unet", "sm_aware"], get_profile("book"), tmp_path)
    assert list(found) == ["sm_unet", "sm_aware"] and not list(tmp_path.iterdir())
    assert all(one.card["profile"] == "full" for one in found.values())


def test_in_the_full_profile_they_are_trained_once_and_shared(tmp_path, capsys):
    first = get_trained(["sm_unet"], FULL, tmp_path)["sm_unet"]
    printed = capsys.readouterr().out
    assert re.match(r"to be trained here: U-Net regression, 12 steps, about [\d.]+ min", printed)
    assert first.card["training"]["steps"] == 12 and (tmp_path / "sm_unet" / "sm_unet.safetensors").is_file()
    again = get_trained(["sm_unet"], FULL, tmp_path)["sm_unet"]
    assert capsys.readouterr().out == ""
    weights = zip(first.model.state_dict().values(), again.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    with pytest.raises(ValueError, match=r"of another run \(seed 0, not 3\)"):
        get_trained(["sm_unet"], FULL, tmp_path, seed=3)


def test_a_network_of_another_version_is_refused(tmp_path):
    (tmp_path / "sm_unet").mkdir()
    for suffix in ("json", "safetensors"):
        shutil.copy(FOLDER / f"sm_unet.{suffix}", tmp_path / "sm_unet")
    with pytest.raises(ValueError, match=r"sm_unet is of another run \(version "):
        get_trained(["sm_unet"], FULL, tmp_path)


def test_a_network_of_other_data_is_refused(tmp_path, monkeypatch):
    """Trained on procedural vessels, before the real ones were there; or the other way round."""
    card = json.loads((FOLDER / "ddpm.json").read_text(encoding="utf-8"))
    card |= {"version": mpinotes.__version__, "data": {"source": "SYNTHETIC vessels stand in. No network"}}
    (tmp_path / "ddpm").mkdir()
    (tmp_path / "ddpm/ddpm.json").write_text(json.dumps(card), encoding="utf-8")
    shutil.copy(FOLDER / "ddpm.safetensors", tmp_path / "ddpm")
    vessels = Vessels(torch.zeros(1, 1, 8, 8, 8), True, "VesselMNIST3D, train split: 16 real volumes")
    monkeypatch.setattr(networks, "available_vessels", lambda split, count: vessels)
    with pytest.raises(ValueError, match=r"data SYNTHETIC vessels stand in, not VesselMNIST3D, train split"):
        get_trained(["ddpm"], FULL, tmp_path)
    vessels = replace(vessels, source="SYNTHETIC vessels stand in. The disk is full")  # for another reason
    assert list(get_trained(["ddpm"], FULL, tmp_path)) == ["ddpm"]


def test_the_time_is_that_of_all_steps(monkeypatch, capsys):
    monkeypatch.setattr(networks, "_seconds_per_step", lambda method: 1.5)
    announce(["dccdm"], get_profile("full"))
    assert capsys.readouterr().out == "to be trained here: DCCDM, 11,000 steps, about 275.0 min\n"


def test_what_is_not_trained_is_named_with_its_command(tmp_path, capsys):
    assert find_trained([METHODS["edsr"]], tmp_path) == {}
    assert f"python -m mpinotes train edsr --out {tmp_path / 'edsr'}" in capsys.readouterr().out
