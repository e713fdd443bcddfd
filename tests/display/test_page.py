import pytest
import torch

from mpinotes.diffusion import sampler
from mpinotes.display import explore_turn, show_source, show_table
from mpinotes.display.page import rotate
from mpinotes.evaluation import bootstrap_mean


def test_a_table_marks_the_best_of_a_column_and_leaves_missing_values_empty():
    rows = {"a": {"PSNR [dB]": 30.25, "RMSE": 8.0}, "b": {"PSNR [dB]": 29.75, "RMSE": 9.0}, "c": {"RMSE": 7.5}}
    html = show_table(rows, formats="{:.1f}", best={"PSNR [dB]": "highest", "RMSE": "lowest"}).to_html()
    bold = html.split("font-weight")[0].split("#T_")[-2:]
    assert html.count("font-weight: bold") == 1  # one rule
    assert "row0_col0" in "".join(bold) and "row2_col1" in "".join(bold)
    assert ">30.2<" in html and "nan" not in html.lower().replace("nance", "")


def test_a_table_takes_intervals_by_their_means():
    near, far = (bootstrap_mean(torch.tensor([value, value + 1.0])) for value in (1.0, 3.0))
    html = show_table({"near": {"gain": near}, "far": {"gain": far}}, best={"gain": "lowest"}).to_html()
    assert "1.500 [1.000,\N{NO-BREAK SPACE}2.000]" in html and "row0_col0" in html.split("font-weight")[0]


def test_a_table_refuses_another_kind_of_best():
    with pytest.raises(ValueError, match="best: got 'largest', accepted are 'highest', 'lowest'"):
        show_table({"a": {"x": 1.0}}, best={"x": "largest"})


def test_source_is_that_of_the_package_without_its_docstrings():
    shown = show_source(sampler.ReverseStep, sampler._slope).data
    code = shown.removeprefix("```python\n").removesuffix("\n```")
    compile(code, "shown", "exec")
    assert '"""' not in code and "normal_like(x, generator) if spread > 0" in code and "torch.autograd.grad(" in code


def test_a_turned_volume_is_seen_from_the_side_at_90_degrees():
    volume = torch.zeros(8, 8, 8)
    volume[3, 4, 1:7] = 1  # a vessel along x
    ahead, aside = (rotate(volume.numpy(), angle, axes=(1, 2), reshape=False, order=1).max(1) for angle in (0, 90))
    assert (ahead > 0.5).sum() == 6 and (aside > 0.5).sum() == 1
    assert explore_turn({"x": volume}, alt="A line").static.count("angle of view [°] = 90") == 1


def test_a_best_column_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="^best, columns: got 'SSIM', accepted are 'PSNR'"):
        show_table({"U-Net": {"PSNR": 30.0}}, best={"SSIM": "highest"})
