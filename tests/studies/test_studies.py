"""Every study runs from the command line in the smoke profile, and what is recorded is whole and of the real data."""

import json

import pytest
import torch

from mpinotes.__main__ import main
from mpinotes.evaluation import bootstrap_mean
from mpinotes.studies import STUDIES, load_record


def shape_of(content):
    """The keys of a record, without those that depend on how much was run."""
    return set(content) - {"seconds", "command"}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_writes_a_record_of_the_released_shape(name, tmp_path):
    arguments = ["study", name, "--profile", "smoke", "--runs", str(tmp_path / "runs"), "--records", str(tmp_path)]
    assert main(arguments) == 0
    written = json.loads((tmp_path / f"{name}.json").read_text())
    released = load_record(name)
    assert shape_of(written) == shape_of(released)
    assert written["profile"] == "smoke" and released["profile"] == "full"
    assert written["command"] == f"python -m mpinotes study {name} --profile smoke"


@pytest.mark.parametrize("name", STUDIES)
def test_records_name_their_data(name):
    expected = "simulated matrices" if name in ("matrices", "decay") else "real volumes"
    assert expected in load_record(name)["test data"]


def test_the_table_agrees_with_its_own_volumes():
    record = load_record("table")
    assert record["volumes"] == 382
    for row in record["rows"].values():
        values = torch.tensor(row["psnr of each volume"], dtype=torch.float64)
        assert len(values) == 382
        assert bootstrap_mean(values).mean == pytest.approx(row["psnr"]["mean"], abs=1e-3)


def test_an_unknown_study_ends_with_one_clear_line(tmp_path, capsys):
    assert main(["study", "luck", "--records", str(tmp_path)]) == 1
    assert "study: got 'luck', accepted are 'table'" in capsys.readouterr().err
