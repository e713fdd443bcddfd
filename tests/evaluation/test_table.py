import math

import pytest
import torch

from mpinotes.evaluation import bootstrap_mean, component_scores, format_table, psnr, rmse, ssim, summarise


def volumes():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(4, 1, 7, 8, 9, generator=generator) for _ in range(2)]


def test_a_summary_is_the_bootstrapped_mean_of_each_metric():
    estimate, truth = volumes()
    summary = summarise(estimate, truth)
    values = {"psnr": psnr(estimate, truth), "ssim": ssim(estimate, truth), "rmse255": 255 * rmse(estimate, truth)}
    assert list(summary) == list(values)
    for name, value in values.items():
        interval = bootstrap_mean(value)
        assert summary[name] == {"mean": interval.mean, "low": interval.low, "high": interval.high}


def test_a_perfect_volume_cannot_be_summarised():
    estimate, truth = volumes()
    estimate[1] = truth[1]
    with pytest.raises(ValueError, match="^values: got .*infinite"):
        summarise(estimate, truth)


def test_a_table_has_a_head_and_one_aligned_row_per_method():
    row = summarise(*volumes())
    head, *rows = format_table({"x-space": row, "DCCDM": row}).splitlines()
    assert [line.split()[0] for line in rows] == ["x-space", "DCCDM"]
    assert {len(line) for line in rows} == {len(head)}
    for unit in ("PSNR [dB]", "SSIM", "RMSE"):
        assert unit in head


def test_a_table_shows_every_mean_with_its_bounds_under_its_own_head():
    row = {
        "psnr": {"mean": 20.0, "low": 19.0, "high": 21.0},
        "ssim": {"mean": 0.5, "low": 0.4, "high": 0.6},
        "rmse255": {"mean": 25.5, "low": 25.0, "high": 26.0},
    }
    head, line = format_table({"m": row}).splitlines()
    psnr_end, ssim_end = head.index("PSNR [dB]") + len("PSNR [dB]"), head.index("SSIM") + len("SSIM")
    assert line[:psnr_end].endswith("20.000 [19.000, 21.000]")
    assert line[psnr_end:ssim_end].strip() == "0.500 [0.400, 0.600]"
    assert line[ssim_end:].strip() == "25.500 [25.000, 26.000]"


def test_a_table_puts_each_metric_in_its_column_whatever_the_order_of_the_row():
    row = summarise(*volumes())
    backwards = dict(reversed(row.items()))
    assert format_table({"m": backwards}) == format_table({"m": row})


def test_a_long_name_does_not_push_its_row_out_of_line():
    row = summarise(*volumes())
    lines = format_table({"a method with quite a long name": row, "short": row}).splitlines()
    assert len({len(line) for line in lines}) == 1


def components(count=11):
    generator = torch.Generator().manual_seed(0)
    return [2 * torch.rand(count, 2, 8, 9, generator=generator) - 1 for _ in range(2)]


def test_exact_components_leave_the_other_quartiles_finite():
    estimate, truth = components()
    estimate[-4:] = truth[-4:]
    scores = component_scores(estimate, truth)["psnr"]
    assert math.isfinite(scores["lower"])
    assert math.isfinite(scores["median"])
    assert scores["upper"] == math.inf
