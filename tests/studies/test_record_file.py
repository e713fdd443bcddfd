"""Records as files: they survive, they can be read in a diff, and a damaged one says what is wrong with it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from mpinotes.studies import STUDIES, Picture, Record, Row, Series, TrainingLog, load_record, save_record

RECORD = Record(
    "mine",
    "8 volumes",
    {"unet": "3D U-Net", "gamma/0.3": "γ = 0.3"},
    {"volumes": 8, "as_trained": "white/1", "widths": [1.25, 2.5]},
    (
        Row("mine", "unet", "gamma/0.3", "psnr", 30.0, 29.0, 31.0, 8),
        Row("mine", "unet", "", "calls", 1, None, None, 1),
        Row("mine", "unet", "", "psnr_median", float("inf"), None, None, 1),
    ),
    (Series("mine", "unet", "", "psnr", (29.0, 31.0)),),
    (Picture("mine", "unet", "", "z", "AID/QA=="),),
    (TrainingLog("unet", "", 0, 10, 80, 3.0, "cpu", (0.5, 0.25)),),
    "smoke",
    "python -m mpinotes study mine",
    "0.0",
    5,
)


def test_a_record_survives_the_file(tmp_path):
    path = save_record(RECORD, tmp_path)
    assert path == tmp_path / "mine.json"
    again = load_record("mine", str(tmp_path))
    assert again == RECORD and isinstance(again.rows[1].mean, float) and isinstance(again.rows[1].n, int)


@pytest.mark.parametrize("name", STUDIES)
def test_released_records_are_written_as_they_would_be_again(name, tmp_path):
    record = load_record(name)
    assert load_record(name, save_record(record, tmp_path).parent) == record


def test_a_changed_row_is_a_changed_line(tmp_path):
    lines = save_record(RECORD, tmp_path).read_text(encoding="utf-8").splitlines()
    assert '  ["unet", "gamma/0.3", "psnr", 30.0, 29.0, 31.0, 8],' in lines
    assert '  "gamma/0.3": "γ = 0.3"' in lines


def test_a_missing_record_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="python -m mpinotes study table"):
        load_record("table", tmp_path)


def damage(content, path, value):
    *path, last = path
    for key in path:
        content = content[key]
    if value is None and isinstance(last, str):
        del content[last]
    else:
        content[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["source"], None, "keys: got .*, accepted are .*'source'"),
        (["seconds"], "long", "seconds: got 'long', accepted is a number"),
        (["titles", "unet"], 3, r"titles\['unet'\]: got 3, accepted is text"),
        (["titles"], [], "titles: got \\[\\], accepted is names with values"),
        (["settings", "volumes"], {}, r"settings\['volumes'\]: got \{\}, accepted is text or a number or a list"),
        (["rows", "columns", 0], "model", "rows: accepted are columns \\['method', 'condition'"),
        (["rows", "lines", 0], ["unet", 30.0], r"rows.lines\[0\]: got 2 values, accepted are 7"),
        (["rows", "lines", 0, 3], "30", r"rows.lines\[0\].mean: got '30', accepted is a number"),
        (["rows", "lines", 0, 3], True, r"rows.lines\[0\].mean: got True, accepted is a number"),
        (["rows", "lines", 0, 4], 40.0, r"rows.lines\[0\]: low, high: got 40.0, 31.0, accepted are bounds in order"),
        (["rows", "lines", 0, 6], 8.5, r"rows.lines\[0\].n: got 8.5, accepted is a whole number"),
        (["rows", "lines", 0, 0], "gan", "titles: there is none for 'gan'"),
        (["series", "lines", 0, 3, 1], "x", r"series.lines\[0\].values\[1\]: got 'x', accepted is a number"),
        (["pictures", "lines", 0, 3], "AID/QAAA", r"pictures.lines\[0\]: data: got 6 pixels"),
        (["study"], "yours", "study: got 'yours', accepted is 'mine'"),
    ],
)
def test_a_damaged_record_names_the_file_and_what_is_wrong(tmp_path, path, value, message):
    file = save_record(RECORD, tmp_path)
    content = json.loads(file.read_text(encoding="utf-8"))
    damage(content, path, value)
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as raised:
        load_record("mine", tmp_path)
    assert str(raised.value).startswith(f"record {file} is damaged (")


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"study": "mi', b"\xff\xfe"])
def test_a_file_that_is_no_record_is_named(tmp_path, content):
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(ValueError, match="mine.json is damaged"):
        load_record("mine", tmp_path)


def test_records_are_utf_8_whatever_the_machine_prefers(tmp_path):
    code = "from mpinotes.studies import load_record; print(ascii(load_record('terms').titles['gamma/0.3']))"
    command = [sys.executable, "-X", "utf8=0", "-c", code]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=True, encoding="utf-8")
    assert done.stdout.strip() == ascii("γ = 0.3")


def test_numbers_of_numpy_can_be_written(tmp_path):
    rows = (Row("mine", "unet", "", "psnr", np.float32(30), np.float64(29), torch.tensor(31.0), n=np.int64(8)),)
    series = (Series("mine", "unet", "", "psnr", np.array([29.0, 31.0])),)
    record = Record("mine", "8 volumes", {"unet": "3D U-Net"}, {}, rows, series)
    save_record(record, tmp_path)
    assert load_record("mine", tmp_path) == record
