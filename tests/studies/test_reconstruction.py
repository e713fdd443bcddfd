import pytest
import torch

from mpinotes.data import MatrixSetting, matrix_pairs, points, resolution_bars
from mpinotes.physics import order_patterns
from mpinotes.studies import Record
from mpinotes.studies.reconstruction import ANCHORS, anchor_pixels, anchored, reconstruct_all
from mpinotes.studies.rows import Subject

SETTING = MatrixSetting(35e-9, 25e3, 99)


@pytest.fixture(scope="module")
def pairs():
    return matrix_pairs([SETTING])


def least_share(components, pixels):
    """The smallest mean energy of a component at the pixels, over that in the whole image; empty ones left out."""
    energy = components.abs().square().flatten(2).flatten(0, 1)
    energy = energy[energy.amax(1) > 1e-6 * energy.max()]
    return (energy[:, pixels].mean(1) / energy.mean(1)).min().item()


def reconstructed(images, pairs, *, noise, pictures):
    phantoms = {"vessels": resolution_bars(), "bars": resolution_bars(), "points": points()}
    case = Subject("reconstruction", "", "case")
    return reconstruct_all(
        images, pairs, pairs.low_voltage, phantoms, resolution_bars(), noise=noise, case=case, pictures=pictures
    )


def test_no_wave_of_an_order_is_small_at_all_anchors(pairs):
    """At least 0.64 of a wave's mean energy, and 0.25 of a component's at 35 nm; the regular grid of four by four
    that this replaced has 0.012 and 0.004: a wave of order 7 has zeros beside all of its places."""
    pixels = anchor_pixels(pairs.orders, (32, 32))
    waves = order_patterns(pairs.orders, (32, 32))
    assert len(pixels.unique()) == ANCHORS**2
    assert least_share(waves, pixels) > 0.5 and least_share(pairs.high, pixels) > 0.2
    four = torch.tensor([6, 12, 19, 25])
    grid = (32 * four[:, None] + four).flatten()
    assert max(least_share(waves, grid), least_share(pairs.high, grid)) < 0.02


def test_anchors_bring_back_the_volts_of_a_component_known_up_to_a_factor(pairs):
    high, pixels = pairs.high_voltage, anchor_pixels(pairs.orders, (32, 32))
    factor = torch.polar(torch.full((len(high), 2, 1, 1), 0.3), torch.randn(len(high), 2, 1, 1))
    restored = anchored(pairs.high * factor, pixels, high.flatten(2)[..., pixels])
    assert ((restored - high).abs().amax((-2, -1)) / high.abs().amax((-2, -1))).max() < 1e-4


def test_a_method_has_the_same_images_whatever_others_there_are(pairs):
    """Anchors and phantoms are measured once: a record of fewer methods holds the same rows."""
    images = {"other": pairs.high.flip(0), "turned": pairs.high * 1j}
    alone, both = (
        reconstructed({key: images[key] for key in keys}, pairs, noise=1e-3, pictures=False)
        for keys in (["turned"], ["other", "turned"])
    )
    assert alone.rows == [row for row in both.rows if row.method != "other"]


def test_the_true_matrix_reconstructs_and_one_like_it_as_well(pairs):
    """The components times any factor give the same images; those of other lines do not."""
    images = {"turned": pairs.high * 1j, "other_lines": pairs.high.flip(0)}
    found = reconstructed(images, pairs, noise=0.0, pictures=True)
    titles = {key: key for key in ("true_high", "low_own", "turned", "other_lines")}
    record = Record("reconstruction", "none", titles, {}, tuple(found.rows), tuple(found.series), tuple(found.pictures))
    assert record.value("", "lines", "case") == record.value("", "lines_total", "case") == 2 * 168
    assert record.methods == list(titles)
    means = {row.method: row.mean for row in record.select(condition="case/bars", metric="psnr")}
    assert means["turned"] == pytest.approx(means["true_high"], abs=0.05)
    assert max(means["other_lines"], means["low_own"]) < means["true_high"] - 1
    modulation = record.values("true_high", "modulation", "case/bars")
    assert modulation[-1] > 0.5 > modulation[0]
    assert record.image("turned", "z", "case/points").shape == points().shape[1:]


def test_lines_below_the_calibration_noise_are_left_out(pairs):
    found = reconstructed({}, pairs, noise=1e-2, pictures=False)
    lines = {row.metric: row.mean for row in found.rows if not row.method}
    assert 0 < lines["lines"] < lines["lines_total"] and not found.pictures
