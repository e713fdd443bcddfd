"""Drives as scanners have them: cycles in any order, phases, a field of view off the centre."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from mpinotes.physics import (
    LissajousScan,
    Particle,
    mixing_orders,
    order_patterns,
    orders_in_band,
    simulate_system_matrix,
)

BRUKER = LissajousScan(gradient=(-1.0, -1.0), amplitude=(12e-3, 12e-3), base_frequency=2.5e6 / 102, cycles=(16, 17))


def in_the_time_domain(scan, particle, orders, samples):
    """û_k from the Fourier transform of one period, at the centres of the pixels, (channel, component, pixel)."""
    axes = [
        centre + ((np.arange(n) + 0.5) / n - 0.5) * view
        for centre, n, view in zip(scan.centres, scan.shape[::-1], scan.field_of_view, strict=True)
    ]
    places = [axis.ravel() for axis in np.meshgrid(*axes[::-1], indexing="ij")][::-1]
    t = np.arange(samples) / samples
    drives = zip(scan.gradient, places, scan.amplitude, scan.cycles, scan.phases, strict=True)
    field = np.stack([g * r[:, None] + a * np.cos(2 * np.pi * n * t + phi) for g, r, a, n, phi in drives])
    x = np.maximum(particle.beta * np.linalg.norm(field, axis=0), 1e-6)
    moment = particle.moment * particle.beta * field * ((1 / np.tanh(x) - 1 / x) / x)
    bins = orders.numpy() @ np.array(scan.cycles)
    spectrum = np.fft.fft(moment, axis=-1)[..., bins] / samples
    voltage = -2j * np.pi * bins * scan.repetition_frequency * np.array(scan.sensitivities)[:, None, None] * spectrum
    return voltage.transpose(0, 2, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"cycles": (16, 17)},
        {"cycles": (16, 17), "phase": (0.3, -1.2)},
        {"cycles": (3, 7), "phase": -math.pi / 2, "centre": (4e-3, -7e-3)},
        {"density": 9, "centre": (0.0, 11e-3)},
        {"gradient": (2.0,), "amplitude": (20e-3,), "field_of_view": (30e-3,), "shape": (5,), "phase": 0.7},
        {
            "gradient": (-1.0, -1.0, 2.0),
            "amplitude": (6e-3, 7e-3, 8e-3),
            "field_of_view": (12e-3, 14e-3, 8e-3),
            "shape": (2, 1, 3),
            "cycles": (12, 15, 10),
            "phase": (0.4, 0.0, 2.0),
            "centre": (0.0, 2e-3, -1e-3),
        },
    ],
    ids=str,
)
def test_any_figure_agrees_with_the_time_domain(changes):
    plain = {"gradient": (1.0, -0.7), "amplitude": (12e-3, 9e-3), "shape": (3, 4), "field_of_view": (24e-3, 20e-3)}
    scan, particle = LissajousScan(**plain | changes), Particle(18e-9)
    orders = mixing_orders(1, 3, scan.dims)
    got = simulate_system_matrix(scan, particle, orders, integrate_pixels=False, tolerance=1e-10).components
    expected = in_the_time_domain(scan, particle, orders, 1 << 13)
    np.testing.assert_allclose(got.flatten(2).numpy(), expected, rtol=0, atol=1e-7 * np.abs(expected).max())


def test_a_pixel_off_the_centre_is_averaged_as_many_small_ones_are():
    scan = LissajousScan(shape=(1, 2), field_of_view=(4e-3, 3e-3), centre=(5e-3, -2e-3), cycles=(7, 6))
    fine = replace(scan, shape=(24, 48))
    orders = torch.tensor([[2, 0], [1, 1], [0, 3]])
    whole = simulate_system_matrix(scan, Particle(25e-9), orders).components
    parts = simulate_system_matrix(fine, Particle(25e-9), orders, integrate_pixels=False).components
    mean = parts.unflatten(-1, (2, 24)).mean((-3, -1))[..., None, :]
    torch.testing.assert_close(whole, mean, rtol=0, atol=2e-3 * whole.abs().max().item())


def test_the_figure_of_the_papers_is_the_default_however_it_is_said():
    for dims, cycles, density in ((1, (1,), 1), (2, (8, 7), 7), (3, (45, 40, 36), 8)):
        kind = {"gradient": (1.0, 1.0, -2.0)[-dims:], "amplitude": (1e-2,) * dims}
        kind |= {"shape": (2,) * dims, "field_of_view": (1e-2,) * dims}
        named, given = LissajousScan(**kind, density=density), LissajousScan(**kind, cycles=cycles)
        assert named == given and hash(named) == hash(given)
        assert given.density == density and given.cycles == cycles
    assert LissajousScan().cycles == (100, 99) and LissajousScan().density == 99
    assert BRUKER.cycles == (16, 17) and BRUKER.density is None


def test_a_copy_of_a_scan_keeps_what_was_not_changed():
    assert replace(LissajousScan(), density=9) == LissajousScan(density=9)
    assert replace(LissajousScan(), cycles=(16, 17)).cycles == (16, 17)
    assert replace(BRUKER, shape=(4, 4)).cycles == (16, 17)
    assert pickle.loads(pickle.dumps(replace(LissajousScan(), density=9))) == LissajousScan(density=9)
    assert LissajousScan(phase=(1.0, 1.0), centre=(0.0, 0.0)) == LissajousScan(phase=1.0)


def test_lines_and_path_of_a_figure_in_another_order():
    """Dividers 102 and 96: 24.5 kHz and 26.0 kHz, every 1531.9 Hz a line."""
    assert BRUKER.repetition_frequency == pytest.approx(2.5e6 / math.lcm(102, 96))
    assert BRUKER.bins(torch.tensor([[1, 0], [0, 1], [-1, 2]])).tolist() == [16, 17, 18]
    path = replace(BRUKER, phase=(0.0, math.pi / 2)).positions(1632)
    spectrum = torch.fft.rfft(path, dim=0)
    assert spectrum.abs().argmax(0).tolist() == [16, 17]
    assert spectrum[17, 1].angle().item() == pytest.approx(math.pi / 2)  # −A/G is above zero here
    orders = orders_in_band(BRUKER, 47e3, 55e3, 6)
    assert (BRUKER.bins(orders).diff() == 1).all()
    assert {(2, 0), (1, 1), (0, 2)} <= set(map(tuple, orders.tolist()))


def test_patterns_belong_to_the_orders_of_any_figure():
    scan = replace(BRUKER, gradient=(1.0, 1.0), shape=(16, 20), field_of_view=(24e-3, 24e-3), phase=(0.5, 1.0))
    orders = torch.tensor([[1, 1], [1, 2], [2, 1], [2, 2], [3, 1]])
    simulated = simulate_system_matrix(scan, Particle(40e-9), orders).components
    patterns = order_patterns(orders, scan.shape).to(simulated).transpose(0, 1)
    first, second = (x.flatten(2) / x.flatten(2).norm(dim=-1, keepdim=True) for x in (patterns, simulated))
    assert ((first @ second.mH).abs().argmax(1) == torch.arange(len(orders))).all()


@pytest.mark.parametrize(
    "name, value",
    [
        ("cycles", (16, 18)),
        ("cycles", (16, 17, 18)),
        ("cycles", (16, -17)),
        ("cycles", (16.0, 17)),
        ("cycles", 16),
        ("phase", (0.0, math.nan)),
        ("phase", (0.0,)),
        ("phase", 90.0),
        ("centre", (0.0, math.inf)),
        ("centre", (0.0, 0.0, 0.0)),
        ("centre", 12.0),
        ("density", None),
        ("gradient", (0.0, 1.0)),
    ],
    ids=str,
)
def test_an_impossible_figure_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        LissajousScan(**{name: value})


def test_a_scan_without_a_known_gradient_has_no_path_and_no_simulation():
    scan = LissajousScan(gradient=(0.0, 0.0))
    with pytest.raises(ValueError, match="^gradient: got"):
        scan.positions(8)
    with pytest.raises(ValueError, match="^scan: got a gradient"):
        simulate_system_matrix(scan, Particle(20e-9))
