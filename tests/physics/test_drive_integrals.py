from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import eval_chebyt

from mpinotes.physics import (
    DriveIntegrals,
    LissajousScan,
    Particle,
    drive_integrals,
    mixing_orders,
    simulate_system_matrix,
)
from mpinotes.physics.chebyshev import Axis

SCAN = LissajousScan(gradient=(1.0, -0.7), amplitude=(20e-3, 15e-3), shape=(3, 4), field_of_view=(30e-3, 40e-3))
ORDERS = mixing_orders(2, 5)
CORES = (20e-9, 30e-9, 40e-9, 20e-9)


def simulate(core, integrals=None, scan=SCAN):
    return simulate_system_matrix(scan, Particle(core), ORDERS, integrals=integrals).components


def test_a_core_that_is_changed_in_place_finds_no_table_of_its_old_self():
    core, integrals = torch.tensor(20e-9, dtype=torch.float64), DriveIntegrals()
    simulate(core, integrals)
    core.mul_(2)
    assert torch.equal(simulate(core, integrals), simulate(core)) and torch.equal(simulate(core), simulate(40e-9))


def test_shared_integrals_bear_a_second_backward_pass():
    core, integrals = torch.tensor(30e-9, dtype=torch.float64, requires_grad=True), DriveIntegrals()
    slopes = [torch.autograd.grad(simulate(core, integrals).abs().sum(), core)[0] for _ in range(2)]
    assert torch.equal(*slopes) and slopes[0] > 0


def test_tables_made_in_inference_mode_serve_a_gradient():
    core, integrals = torch.tensor(30e-9, dtype=torch.float64, requires_grad=True), DriveIntegrals()
    with torch.inference_mode():
        simulate(30e-9, integrals)
    assert len(integrals.tables) == 4
    (slope,) = torch.autograd.grad(simulate(core, integrals).abs().sum(), core)
    assert torch.equal(slope, torch.autograd.grad(simulate(core).abs().sum(), core)[0])


def test_scans_of_tensors_share_the_tables_of_their_numbers():
    tensors = {
        name: tuple(torch.tensor(value, dtype=torch.float64) for value in getattr(SCAN, name))
        for name in ("gradient", "amplitude", "field_of_view")
    }
    integrals = DriveIntegrals()
    plain, same = (simulate(20e-9, integrals, scan) for scan in (SCAN, replace(SCAN, **tensors)))
    assert torch.equal(plain, same) and len(integrals.tables) == 4
    assert all(isinstance(number, int | float) for key in integrals.tables for number in key)


@pytest.mark.parametrize("name", ["gradient", "amplitude", "field_of_view"])
def test_a_scan_that_wants_a_gradient_is_refused_as_it_would_get_none(name):
    values = tuple(torch.tensor(value, requires_grad=True) for value in getattr(SCAN, name))
    with pytest.raises(ValueError, match="^scan: .*want a gradient"):
        simulate(20e-9, scan=replace(SCAN, **{name: values}))


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("integrate", [False, True])
@pytest.mark.parametrize("pixels", [3, 4])
def test_a_table_holds_the_integrals(odd, integrate, pixels):
    """Against Gauss–Chebyshev quadrature over the drive and Gauss–Legendre quadrature over the pixel."""
    axis = Axis(reach=0.04, pixels=pixels, half_width=0.5 / pixels, swing=0.5, degree=12)
    table = DriveIntegrals().table(axis, odd, integrate).numpy()
    u = np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    nodes, weights = np.polynomial.legendre.leggauss(16) if integrate else (np.zeros(1), np.array([2.0]))
    for a in range(12):
        for pixel in range(pixels):
            centre = (2 * pixel - pixels + 1) * axis.half_width
            for column, p in enumerate(range(int(odd), 12, 2)):
                place = centre + axis.half_width * nodes[:, None] + axis.swing * u
                mean = (weights[:, None] / 2 * eval_chebyt(p, place)).sum(0)
                assert table[a, pixel, column] == pytest.approx((mean * eval_chebyt(a, u)).mean(), abs=1e-13)


def test_shared_tables_give_the_same_bits_as_those_of_each_call():
    integrals = DriveIntegrals()
    for core in CORES:
        assert torch.equal(simulate(core, integrals), simulate(core))


def test_similar_particles_and_equal_axes_share_tables(monkeypatch):
    made = []
    tabulate = drive_integrals._tabulate
    monkeypatch.setattr(drive_integrals, "_tabulate", lambda *key: made.append(key) or tabulate(*key))
    integrals, square = DriveIntegrals(), LissajousScan(shape=(4, 4))
    for core in (20e-9, 21e-9, 22e-9):
        simulate(core, integrals, square)
    assert len(made) == len(integrals.tables) == 2  # odd and even
    assert integrals.nbytes == sum(8 * table.numel() for table in integrals.tables.values())


def test_without_an_object_nothing_is_kept(monkeypatch):
    made = []
    tabulate = drive_integrals._tabulate
    monkeypatch.setattr(drive_integrals, "_tabulate", lambda *key: made.append(key) or tabulate(*key))
    simulate(20e-9)
    once = len(made)
    simulate(20e-9)
    assert len(made) == 2 * once


@pytest.mark.parametrize("capacity", [1, 4, 5])
def test_no_more_tables_than_its_capacity_are_kept_and_the_results_do_not_change(capacity):
    integrals = DriveIntegrals(capacity)
    for core in CORES:
        assert torch.equal(simulate(core, integrals), simulate(core))
        assert len(integrals.tables) <= capacity


def test_the_tables_used_last_are_kept():
    integrals = DriveIntegrals(capacity=2)
    first, second, third = (Axis(1.0, 2, 0.25, 0.5, degree) for degree in (8, 10, 12))
    kept = integrals.table(first, False, True)
    integrals.table(second, False, True)
    assert integrals.table(first, False, True) is kept
    integrals.table(third, False, True)
    assert integrals.table(first, False, True) is kept


@pytest.mark.parametrize("capacity", [0, -1, 2.5, None])
def test_a_capacity_that_is_no_count_is_refused_by_name(capacity):
    with pytest.raises(ValueError, match="^capacity: got"):
        DriveIntegrals(capacity)
