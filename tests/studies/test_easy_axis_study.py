import pytest
import torch

from mpinotes.data import in_corner, particle_split
from mpinotes.evaluation import bootstrap_mean
from mpinotes.studies import load_record
from mpinotes.studies.easy_axis import ENDS, ERRORS, OPPONENTS, SPLIT
from mpinotes.studies.easy_axis_images import imaged_settings


@pytest.mark.parametrize("noise", ["clean", "noisy"])
def test_recorded_differences_are_those_of_the_recorded_settings(noise):
    record = load_record("easy_axis")
    ours = torch.tensor(record.values("sm_unet", "psnr", noise), dtype=torch.float64)
    assert len(ours) == record.settings["settings"] == len(particle_split(SPLIT).test)
    for opponent in OPPONENTS:
        theirs = torch.tensor(record.values(opponent, "psnr", noise), dtype=torch.float64)
        row = record.row("sm_unet", f"psnr_minus_{opponent}", noise)
        again = bootstrap_mean(ours - theirs)
        assert (row.mean, row.low, row.high) == pytest.approx((again.mean, again.low, again.high), abs=2e-3)


def test_the_first_and_the_last_refit_are_those_of_the_table():
    record = load_record("easy_axis")
    assert (ERRORS[0], ERRORS[-1]) == tuple(ENDS)
    for error, key in ENDS.items():
        for metric in ("psnr_lower", "psnr_median", "psnr_upper"):
            assert record.row("refit", metric, f"wrong/{error:g}").mean == record.row(key, metric, "noisy").mean


def test_one_setting_of_each_kind_and_place_is_imaged():
    settings = imaged_settings()
    assert sorted(settings) == ["fluid_between", "fluid_corner", "immobilised_between", "immobilised_corner"]
    for name, setting in settings.items():
        assert name == f"{setting.kind}_{'corner' if in_corner(setting) else 'between'}"
