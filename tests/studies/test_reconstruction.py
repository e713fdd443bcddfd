import pytest
import torch

from mpinotes.data import MatrixSetting, matrix_pairs, points, resolution_bars
from mpinotes.studies.reconstruction import anchored, reconstruct_all

SETTING = MatrixSetting(35e-9, 25e3, 99)


@pytest.fixture(scope="module")
def pairs():
    return matrix_pairs([SETTING])


def test_anchors_bring_back_the_volts_of_a_component_known_up_to_a_factor(pairs):
    high = pairs.high_voltage
    factor = torch.polar(torch.full((len(high), 2, 1, 1), 0.3), torch.randn(len(high), 2, 1, 1))
    restored = anchored(pairs.high * factor, high, 0.0, torch.Generator().manual_seed(0))
    assert ((restored - high).abs().amax((-2, -1)) / high.abs().amax((-2, -1))).max() < 1e-4


def test_the_true_matrix_reconstructs_and_one_like_it_as_well(pairs):
    """The components times any factor give the same images; those of other lines do not."""
    images = {"low gradient": pairs.low, "turned": pairs.high * 1j, "other lines": pairs.high.flip(0)}
    phantoms = {"vessels": resolution_bars(), "bars": resolution_bars(), "points": points()}
    low = pairs.low_voltage
    result = reconstruct_all(images, pairs, low, phantoms, resolution_bars(), noise=0.0, pictures=True)
    assert result["lines"] == result["of"] == 2 * 168
    rows = result["rows"]
    assert list(rows) == ["true high gradient", "low gradient, own measurement", "turned", "other lines"]
    best = rows["true high gradient"]["bars"]["psnr"]["mean"]
    assert rows["turned"]["bars"]["psnr"]["mean"] == pytest.approx(best, abs=0.05)
    assert rows["other lines"]["bars"]["psnr"]["mean"] < best - 1
    assert rows["low gradient, own measurement"]["bars"]["psnr"]["mean"] < best - 1
    modulation = rows["true high gradient"]["bars"]["modulation"]
    assert modulation[-1] > 0.5 > modulation[0]


def test_lines_below_the_calibration_noise_are_left_out(pairs):
    phantoms = {"vessels": resolution_bars(), "bars": resolution_bars(), "points": points()}
    low = pairs.low_voltage
    result = reconstruct_all({}, pairs, low, phantoms, resolution_bars(), noise=1e-2, pictures=False)
    assert 0 < result["lines"] < result["of"]
