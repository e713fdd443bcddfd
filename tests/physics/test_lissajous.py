import math

import pytest
import torch

from mpinotes.physics import LissajousScan, SystemMatrix, mixing_orders, orders_in_band

THREE = {"gradient": (1.0, 1.0, -2.0), "amplitude": (12e-3,) * 3, "shape": (2, 3, 4), "field_of_view": (24e-3,) * 3}


def test_mixing_orders_2_to_17_are_the_168_of_the_paper():
    orders = mixing_orders(2, 17)
    assert orders.shape == (168, 2)
    assert len(orders.unique(dim=0)) == 168
    assert (orders >= 0).all()
    assert orders.sum(1).min() == 2 and orders.sum(1).max() == 17


def test_mixing_orders_in_three_dimensions_are_all_triples_of_their_sums():
    orders = mixing_orders(1, 3, 3)
    assert orders.shape == (3 + 6 + 10, 3)
    assert len(orders.unique(dim=0)) == 19 and (orders.sum(1).diff() >= 0).all()


def test_the_drives_of_three_dimensions_meet_again_after_one_period():
    scan = LissajousScan(density=8, **THREE)
    assert scan.cycles == (45, 40, 36)
    frequencies = [n * scan.repetition_frequency for n in scan.cycles]
    assert frequencies == pytest.approx([25e3, 25e3 * 8 / 9, 25e3 * 8 / 10])


def test_the_figure_starts_in_its_corner_and_has_the_drives_frequencies():
    scan = LissajousScan(gradient=(1.0, -0.5), density=4)
    positions = scan.positions(400)
    torch.testing.assert_close(positions[0], torch.tensor([-20e-3, 40e-3], dtype=torch.float64))
    for axis, cycles in enumerate(scan.cycles):
        spectrum = torch.fft.rfft(positions[:, axis]).abs()
        assert int(spectrum.argmax()) == cycles
        assert spectrum[cycles] == pytest.approx(spectrum.sum().item())


def test_a_band_holds_each_of_its_lines_once_by_the_lowest_order():
    scan = LissajousScan(density=9)
    orders = orders_in_band(scan, 40e3, 60e3, 6)
    bins = (orders * torch.tensor(scan.cycles)).sum(1)
    frequency = bins * scan.repetition_frequency
    assert frequency.min() >= 40e3 and frequency.max() <= 60e3 and (bins.diff() > 0).all()
    for order, line in zip(orders, bins.tolist(), strict=True):
        others = [(n, m) for n in range(-6, 7) for m in range(-6, 7) if n * 10 + m * 9 == line]
        assert int(order.abs().sum()) == min(abs(n) + abs(m) for n, m in others) <= 6
    every = {n * 10 + m * 9 for n in range(-6, 7) for m in range(-6, 7) if abs(n) + abs(m) <= 6}
    assert set(bins.tolist()) == {line for line in every if 16 <= line <= 24}


def test_a_band_without_a_line_is_refused():
    with pytest.raises(ValueError, match="^high: got"):
        orders_in_band(LissajousScan(density=9), 1.0, 2.0, 3)


def matrix(snr=None):
    scan, orders = LissajousScan(shape=(2, 3)), mixing_orders(1, 2)
    components = torch.arange(2 * 5 * 6.0).view(2, 5, 2, 3) * (1 + 1j)
    return SystemMatrix(components, orders, torch.ones(5), scan, snr)


def test_rows_are_the_lines_with_enough_snr_of_either_channel():
    snr = torch.tensor([[1.0, 5, 9, 2, 3], [7, 1, 1, 1, 8]])
    rows, kept = matrix(snr).rows(5)
    assert torch.equal(kept, snr >= 5)
    torch.testing.assert_close(rows, matrix().components.reshape(10, 6)[[1, 2, 5, 9]])
    assert matrix().rows()[0].shape == (10, 6)


@pytest.mark.parametrize("known, least", [(True, 10.0), (False, 1.0), (True, -1.0)])
def test_an_snr_that_no_line_reaches_or_that_is_unknown_is_refused(known, least):
    with pytest.raises(ValueError, match="^least_snr"):
        matrix(torch.full((2, 5), 9.0) if known else None).rows(least)


def test_three_gradients_must_be_free_of_divergence():
    with pytest.raises(ValueError, match="^gradient: got .* divergence-free"):
        LissajousScan(**THREE | {"gradient": (1.0, 1.0, 1.0)})


@pytest.mark.parametrize(
    "name, value",
    [
        ("gradient", (1.0, 0.0)),
        ("gradient", (1.0, 1.0, -1.0, -1.0)),
        ("gradient", ()),
        ("amplitude", (20e-3,)),
        ("amplitude", (20e-3, -20e-3)),
        ("amplitude", (math.nan, 20e-3)),
        ("shape", (0, 4)),
        ("shape", (4, -1)),
        ("shape", (2.5, 4)),
        ("field_of_view", (math.inf, 40e-3)),
        ("base_frequency", 0.0),
        ("coil_sensitivity", math.nan),
        ("coil_sensitivity", (1e-3,)),
        ("gradient", (1000.0, 1.0)),
        ("amplitude", (20.0, 20.0)),
        ("field_of_view", (40.0, 40.0)),
        ("density", 0),
        ("density", 2.5),
    ],
    ids=str,
)
def test_an_impossible_scan_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        LissajousScan(**{name: value})


@pytest.mark.parametrize("lowest, highest", [(-1, 3), (4, 3)])
def test_an_empty_range_of_orders_is_refused_by_name(lowest, highest):
    with pytest.raises(ValueError, match="^lowest: got"):
        mixing_orders(lowest, highest)
