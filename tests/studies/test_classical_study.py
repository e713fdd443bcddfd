import torch

from mpinotes.data import image_split
from mpinotes.methods import CLASSICAL_METHODS
from mpinotes.studies import load_record
from mpinotes.studies.classical import Scans, try_values


def test_scans_are_those_behind_the_images_of_the_table():
    scans, pairs = Scans.first("test", 2, drawn=3), image_split("test", 3).first(2)
    tikhonov = scans.x_hr, pairs.x_hr
    assert torch.equal(*tikhonov) and len(scans.signal.voltage) == 2


def test_every_value_that_is_tried_has_a_row_of_each_metric():
    method = CLASSICAL_METHODS[-1]
    rows = try_values(method, Scans.first("val", 1, drawn=1))
    assert [row.level("steps") for row in rows if row.metric == "psnr"] == list(method.values)
    assert len(rows) == 2 * len(method.values)


def test_the_recorded_setting_is_the_best_of_those_tried():
    record = load_record("classical")
    for method in CLASSICAL_METHODS:
        tried = {row.level(method.setting): row.mean for row in record.select(method.name, "validation", metric="psnr")}
        assert record.value(method.name, method.setting) == max(tried, key=tried.__getitem__)


def test_volumes_are_paired_with_those_of_the_table():
    """x_LR of both records, volume by volume: the same scans."""
    ours, table = load_record("classical").values("x_lr", "psnr"), load_record("table").values("x_lr", "psnr")
    torch.testing.assert_close(torch.tensor(ours), torch.tensor(table[: len(ours)]), atol=2e-3, rtol=0)
