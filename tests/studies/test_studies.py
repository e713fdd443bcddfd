"""Every study runs from the command line in the smoke profile, and what is recorded is whole and of the real data."""

import re
from dataclasses import asdict

import pytest
import torch

from mpinotes.__main__ import main
from mpinotes.data import RANGES
from mpinotes.evaluation import bootstrap_mean
from mpinotes.methods import METHODS
from mpinotes.pretrained import save_release
from mpinotes.studies import STUDIES, load_record


@pytest.fixture
def quick_particles(monkeypatch, tmp_path):
    """Particles with an easy axis are small, so that they are simulated at once, and three networks, of which two are
    not released, are there without a training, two of them twice."""
    monkeypatch.setitem(RANGES, "core_diameter", (12e-9, 14e-9))
    for name, folder in (
        ("sm_unet_mixed", "sm_unet_mixed"),
        ("sm_algorithm1_mixed", "sm_algorithm1_mixed"),
        ("sm_aware_mixed", "sm_aware_mixed"),
        ("sm_unet_mixed", "sm_unet_mixed_1"),
        ("sm_aware_mixed", "sm_aware_mixed_1"),
    ):
        method = METHODS[name]
        card = {"method": name, "config": asdict(method.config), "training": asdict(method.training)}
        save_release(name, method.build(seed=0), card, tmp_path / "runs" / folder)


@pytest.mark.usefixtures("quick_particles")
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_writes_a_record_of_the_released_shape(name, tmp_path):
    """The same settings, metrics and views, for methods and conditions that the released record has as well."""
    arguments = ["study", name, "--profile", "smoke", "--runs", str(tmp_path / "runs"), "--records", str(tmp_path)]
    assert main(arguments) == 0
    written, released = load_record(name, tmp_path), load_record(name)
    assert (written.profile, released.profile) == ("smoke", "full")
    assert written.command == f"python -m mpinotes study {name} --profile smoke"
    assert list(written.settings) == list(released.settings)
    for kind, measured in (("rows", "metric"), ("series", "metric"), ("pictures", "view")):
        ours, theirs = ({getattr(x, measured) for x in getattr(record, kind)} for record in (written, released))
        assert ours == theirs, kind
    assert set(written.methods) <= set(released.methods)
    assert bool(written.trainings) == bool(released.trainings)


@pytest.mark.parametrize("name", STUDIES)
def test_records_name_their_data(name):
    simulated = ("matrices", "decay", "dynamics", "easy_axis", "open_condition")
    assert ("simulated matrices" if name in simulated else "real volumes") in load_record(name).source


@pytest.mark.parametrize("name", STUDIES)
def test_released_numbers_have_a_count_and_intervals_hold_their_mean(name):
    record = load_record(name)
    assert record.study == name and len(record.rows) > 20
    for row in record.rows:
        assert row.n >= 1 and isinstance(row.mean, float)
        if row.low is not None:
            assert row.low <= row.mean <= row.high, row
            assert str(row.interval).startswith(f"{row.mean:.3f}")


@pytest.mark.parametrize("name", STUDIES)
def test_no_sentence_is_a_key(name):
    record = load_record(name)
    for item in (*record.rows, *record.series, *record.pictures):
        measured = getattr(item, "metric", None) or item.view
        for key in (item.method, item.condition, measured):
            assert re.fullmatch(r"[a-z0-9_./]*", key), key
    assert all(re.fullmatch(r"[A-Za-z_]+", key) for key in record.settings)


def test_the_table_agrees_with_its_own_volumes():
    record = load_record("table")
    assert record.settings["volumes"] == 382
    for row in record.select(condition="", metric="psnr"):
        values = torch.tensor(record.values(row.method, "psnr"), dtype=torch.float64)
        assert len(values) == row.n == 382
        assert bootstrap_mean(values).mean == pytest.approx(row.mean, abs=1e-3)


def test_the_matrices_agree_with_their_own_components():
    record = load_record("matrices")
    for series in record.series:
        row = record.row(series.method, "psnr_median", series.condition)
        assert len(series.values) == row.n
        median = torch.tensor(series.values, dtype=torch.float64).quantile(0.5, interpolation="nearest")
        assert median.item() == pytest.approx(row.mean, abs=0.0501)  # rounded to a tenth of a decibel


def test_an_unknown_study_ends_with_one_clear_line(tmp_path, capsys):
    assert main(["study", "luck", "--records", str(tmp_path)]) == 1
    assert "study: got 'luck', accepted are 'table'" in capsys.readouterr().err
