import pytest
import torch

from mpinotes.data import MatrixSetting, matrix_pairs, points, resolution_bars
from mpinotes.studies import Record
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
    images = {"turned": pairs.high * 1j, "other_lines": pairs.high.flip(0)}
    phantoms = {"vessels": resolution_bars(), "bars": resolution_bars(), "points": points()}
    found = reconstruct_all(
        images, pairs, pairs.low_voltage, phantoms, resolution_bars(), noise=0.0, condition="case", pictures=True
    )
    titles = {key: key for key in ("true_high", "low_own", "turned", "other_lines")}
    record = Record("reconstruction", "none", titles, {}, tuple(found.rows), tuple(found.series), tuple(found.pictures))
    assert record.value("", "lines", "case") == record.value("", "lines_total", "case") == 2 * 168
    assert record.methods == list(titles)
    means = {row.method: row.mean for row in record.select(condition="case/bars", metric="psnr")}
    assert means["turned"] == pytest.approx(means["true_high"], abs=0.05)
    assert max(means["other_lines"], means["low_own"]) < means["true_high"] - 1
    modulation = record.values("true_high", "modulation", "case/bars")
    assert modulation[-1] > 0.5 > modulation[0]
    assert record.image("turned", "z", "case/points").shape == phantoms["points"].shape[1:]


def test_lines_below_the_calibration_noise_are_left_out(pairs):
    phantoms = {"vessels": resolution_bars(), "bars": resolution_bars(), "points": points()}
    found = reconstruct_all(
        {}, pairs, pairs.low_voltage, phantoms, resolution_bars(), noise=1e-2, condition="case", pictures=False
    )
    lines = {row.metric: row.mean for row in found.rows if not row.method}
    assert 0 < lines["lines"] < lines["lines_total"] and not found.pictures
