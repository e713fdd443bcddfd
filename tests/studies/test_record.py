"""A record: what a row may be, and what is found under which name."""

from dataclasses import replace

import pytest
import torch

from mpinotes.evaluation import Interval
from mpinotes.studies import Picture, Record, Row, Series, TrainingLog
from mpinotes.studies.record import encode_image, level_of


def row(method="unet", condition="", metric="psnr", mean=30.0, low=29.0, high=31.0, n=8):
    return Row("mine", method, condition, metric, mean, low, high, n)


RECORD = Record(
    "mine",
    "8 volumes",
    {"unet": "3D U-Net", "ddpm": "3D DDPM", "gamma/0.3": "γ = 0.3"},
    {"volumes": 8},
    (
        row(),
        row(metric="calls", mean=1, low=None, high=None, n=1),
        row("ddpm", "gamma/0.3"),
        row("ddpm", "gamma/1"),
        row("ddpm", "gamma/1", "ssim", 0.9, 0.8, 0.95),
        row("ddpm", "gammas"),
        row("", "gamma/1", "lines", 336, None, None, 1),
    ),
    (Series("mine", "unet", "", "psnr", (29.0, 31.0)),),
    (Picture("mine", "unet", "", "z", "AID/QA=="),),
    (TrainingLog("unet", "", 0, 10, 80, 3.0, "cpu (x86_64, 1 threads), torch 2.4.0", (0.5, 0.25)),),
)


def test_an_interval_comes_out_as_one():
    assert RECORD.interval("unet", "psnr") == Interval(30.0, 29.0, 31.0) == RECORD.row("unet", "psnr").interval
    with pytest.raises(ValueError, match="unet calls: this number was recorded without an interval"):
        RECORD.interval("unet", "calls")
    assert RECORD.value("unet", "calls") == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"low": None}, "low, high: got None, 31.0, accepted are two bounds or none"),
        ({"low": 32.0}, "accepted are bounds in order"),
        ({"mean": float("nan")}, "mean: got NaN"),
        ({"n": 0}, "n: got 0, accepted is 1 or more"),
    ],
)
def test_a_row_that_says_nothing_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        row(**changed)


def test_rows_are_selected_in_recorded_order():
    assert RECORD.select() == list(RECORD.rows)
    assert [r.metric for r in RECORD.select("unet")] == ["psnr", "calls"]
    assert [r.condition for r in RECORD.select(metric="psnr")] == ["", "gamma/0.3", "gamma/1", "gammas"]
    assert RECORD.methods == ["unet", "ddpm"]


def test_a_condition_takes_those_that_it_begins_along_and_none_takes_only_itself():
    assert [r.level("gamma") for r in RECORD.select("ddpm", "gamma", "psnr")] == [0.3, 1.0]
    assert {r.method for r in RECORD.select(condition="")} == {"unet"}
    with pytest.raises(ValueError, match="condition in record 'mine': got 'gamma'"):
        RECORD.row("ddpm", "psnr", "gamma")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("gan", "psnr"), "method in record 'mine': got 'gan', accepted are 'unet', 'ddpm', ''"),
        (("ddpm", "psnr"), "condition in record 'mine': got '', accepted are 'gamma/0.3', 'gamma/1', 'gammas'"),
        (("ddpm", "rmse", "gamma/1"), "metric or view in record 'mine': got 'rmse', accepted are 'psnr', 'ssim'"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(asked, message):
    with pytest.raises(ValueError, match=message):
        RECORD.row(*asked)
    method, metric, *condition = asked
    with pytest.raises(ValueError, match=message):
        RECORD.select(method, *condition or [""], metric)


def test_series_and_pictures_are_found_like_rows():
    assert RECORD.values("unet", "psnr") == (29.0, 31.0)
    assert (255 * RECORD.image("unet", "z")).tolist() == [[0, 128], [255, 64]]
    with pytest.raises(ValueError, match="method in record 'mine': got 'ddpm', accepted are 'unet'"):
        RECORD.values("ddpm", "psnr")
    with pytest.raises(ValueError, match="got 'y', accepted are 'z'"):
        RECORD.image("unet", "y")


def test_an_image_survives_text():
    image = torch.rand(8, 8, generator=torch.Generator().manual_seed(0))
    again = Picture("mine", "unet", "", "z", encode_image(image)).image
    torch.testing.assert_close(again, image, atol=0.5 / 255 + 1e-6, rtol=0)


@pytest.mark.parametrize("data", ["", "AID/QAAA", "no base64"])
def test_a_picture_that_is_none_is_refused(data):
    with pytest.raises(ValueError):
        Picture("mine", "unet", "", "z", data)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows": (*RECORD.rows, row(mean=30.5))}, "unet psnr: got it 2 times, accepted is once"),
        ({"rows": (row("gan"),)}, "titles: there is none for 'gan'"),
        ({"rows": (replace(row(), study="yours"),)}, "study: got 'yours' in a row"),
        ({"trainings": RECORD.trainings * 2}, "unet: got it 2 times"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        replace(RECORD, **changed)


def test_levels_follow_their_name():
    assert level_of("calls/1/steps/3", "calls") == 1 and level_of("calls/1/steps/3", "steps") == 3
    assert level_of("terms/1e-3", "terms") == 1e-3
    for name in ("core", "paper"):
        with pytest.raises(ValueError, match=f"name: got '{name}', accepted are names in 'paper/noisy'"):
            level_of("paper/noisy", name)
