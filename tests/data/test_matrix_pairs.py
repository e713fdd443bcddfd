import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.data import (
    GRADIENT_RATIO,
    MatrixSetting,
    add_calibration_noise,
    matrix_pairs,
    mixing_subset,
    normalise_components,
)
from mpinotes.physics import (
    LissajousScan,
    Particle,
    brownian_time,
    debye_response,
    mixing_orders,
    simulate_system_matrix,
)

FIRST, SECOND = MatrixSetting(22e-9, 25e3, 9), MatrixSetting(26e-9, 10e3, 11)
ORDERS = torch.tensor([[2, 0], [1, 1], [0, 2], [3, 2], [1, 4]])
SHAPE = (6, 8)


def simulate(setting=FIRST, **options):
    """Pairs as the model gives them, with no receive chain unless the options say so."""
    settings = setting if isinstance(setting, list) else [setting]
    return matrix_pairs(settings, ORDERS, **{"shape": SHAPE, "phase_seed": None, **options})


def in_volts(pairs, side):
    return getattr(pairs, side).to(torch.complex128) * getattr(pairs, f"{side}_scale")[..., None, None]


def assert_same(first, second, tolerance=2e-6):
    """Relative to the largest modulus of each channel of each component."""
    assert ((first - second).abs().amax((-2, -1)) <= tolerance * second.abs().amax((-2, -1))).all()


@pytest.fixture(scope="module")
def pairs():
    return matrix_pairs([FIRST, SECOND], ORDERS, shape=SHAPE)


def test_the_default_orders_are_all_168():
    pairs = matrix_pairs([FIRST], shape=(2, 2))
    assert torch.equal(pairs.orders, mixing_orders(2, 17))
    assert len(pairs.low) == len(pairs.high) == 168


def test_samples_run_through_the_orders_of_each_setting(pairs):
    assert pairs.low.shape == pairs.high.shape == (10, 2, *SHAPE)
    assert pairs.low_scale.shape == pairs.high_scale.shape == (10, 2)
    assert pairs.setting.tolist() == [0] * 5 + [1] * 5
    assert torch.equal(pairs.orders, ORDERS.repeat(2, 1))


def test_every_channel_of_every_component_is_complex_and_reaches_modulus_one(pairs):
    for images in (pairs.low, pairs.high):
        assert images.dtype == torch.complex64
        torch.testing.assert_close(images.abs().amax((-2, -1)), torch.ones(10, 2), rtol=0, atol=2e-7)


@pytest.mark.parametrize("side, ratio", [("low", GRADIENT_RATIO), ("high", 1.0)])
def test_image_times_scale_is_the_simulated_component(side, ratio):
    scan = LissajousScan((ratio, ratio), (20e-3 * ratio, 20e-3 * ratio), 25e3, 9, SHAPE)
    expected = simulate_system_matrix(scan, Particle(22e-9), ORDERS).components.transpose(0, 1)
    assert_same(in_volts(simulate(), side), expected, 1e-4)


def test_without_a_receive_chain_equilibrium_is_purely_imaginary():
    pairs = simulate()
    assert (pairs.low.real == 0).all() and (pairs.high.real == 0).all()


def test_a_receive_chain_turns_every_line_by_one_phase_at_both_gradients(pairs):
    plain = simulate([FIRST, SECOND])
    turns = []
    for side in ("low", "high"):
        turned, straight = getattr(pairs, side), getattr(plain, side)
        turn = (turned * straight.conj()).sum((-2, -1))
        turns.append(turn / turn.abs())
        torch.testing.assert_close(turned, straight * turns[-1][..., None, None], rtol=0, atol=1e-6)
        torch.testing.assert_close(getattr(pairs, f"{side}_scale"), getattr(plain, f"{side}_scale"))
    torch.testing.assert_close(*turns, rtol=0, atol=1e-6)
    angles = turns[0].angle().flatten()
    assert len(angles.unique()) == 20 and angles.min() < -1 and angles.max() > 1


def test_the_phase_seed_makes_the_phases(pairs):
    again, other = (matrix_pairs([FIRST, SECOND], ORDERS, shape=SHAPE, phase_seed=seed) for seed in (0, 1))
    assert torch.equal(again.low, pairs.low) and torch.equal(again.high, pairs.high)
    assert ((other.low - pairs.low).abs().amax((-2, -1)) > 1e-3).all()


def test_settings_simulated_together_are_those_simulated_alone():
    """Of one core with one density twice, another density, and another core."""
    settings = [FIRST, replace(FIRST, base_frequency=10e3), replace(FIRST, density=2), SECOND]
    together = simulate(settings, relaxation="debye")
    for index, setting in enumerate(settings):
        alone, here = simulate(setting, relaxation="debye"), together.setting == index
        for name in ("low", "high", "low_scale", "high_scale"):
            assert torch.equal(getattr(together, name)[here], getattr(alone, name))


def test_in_equilibrium_the_base_frequency_only_scales():
    slow, fast = (simulate(replace(FIRST, base_frequency=f)) for f in (10e3, 30e3))
    for side in ("low", "high"):
        torch.testing.assert_close(getattr(slow, side), getattr(fast, side), rtol=0, atol=2e-7)
        torch.testing.assert_close(3 * getattr(slow, f"{side}_scale"), getattr(fast, f"{side}_scale"))


def test_relaxation_is_a_gain_of_every_line():
    """Of f_k = (n N_x + m N_y) f_x / N_x: phase and scale change, the shape does not."""
    equilibrium, debye = simulate(), simulate(relaxation="debye")
    frequency = (ORDERS.double() @ torch.tensor([10.0, 9.0]).double()) * 25e3 / 10
    gain = debye_response(frequency, brownian_time(22e-9))[:, None, None, None]
    for side in ("low", "high"):
        assert_same(in_volts(debye, side), gain * in_volts(equilibrium, side))
        torch.testing.assert_close(getattr(debye, side).abs(), getattr(equilibrium, side).abs(), rtol=0, atol=1e-6)
    assert (debye.high_scale < 0.9 * equilibrium.high_scale).all()


@pytest.mark.parametrize("relaxation", ["equilibrium", "debye"])
def test_a_size_distribution_is_the_mean_over_its_diameters(relaxation):
    """Of a log-normal distribution, by Gauss-Hermite quadrature for the weight exp(−x²)."""
    nodes, weights = np.polynomial.hermite.hermgauss(5)
    mixed = simulate(replace(FIRST, size_spread=0.1), relaxation=relaxation)
    sizes = 22e-9 * np.exp(0.1 * math.sqrt(2) * nodes)
    single = [simulate(replace(FIRST, core_diameter=size), relaxation=relaxation) for size in sizes]
    for side in ("low", "high"):
        mean = sum(w / math.sqrt(math.pi) * in_volts(x, side) for w, x in zip(weights, single, strict=True))
        assert_same(in_volts(mixed, side), mean)


def test_a_narrow_size_distribution_comes_to_a_single_core():
    single, narrow, wide = (simulate(replace(FIRST, size_spread=s)) for s in (0.0, 1e-4, 0.2))
    torch.testing.assert_close(narrow.high, single.high, rtol=0, atol=1e-5)
    assert not torch.allclose(wide.high, single.high, rtol=0, atol=1e-3)


def test_the_low_matrix_of_a_core_is_the_high_matrix_of_one_0_464_times_as_large():
    """Field times moment is all that counts; the moment itself, ten times smaller, scales the voltage."""
    big = replace(FIRST, core_diameter=40e-9)
    of_big, of_small = (simulate(s) for s in (big, replace(big, core_diameter=40e-9 * 0.1 ** (1 / 3))))
    torch.testing.assert_close(of_big.low, of_small.high, rtol=0, atol=1e-6)
    torch.testing.assert_close(of_big.low_scale, 10 * of_small.high_scale)


def test_the_higher_gradient_shows_finer_structure(pairs):
    variation = [images.diff(dim=-1).abs().sum() for images in (pairs.low, pairs.high)]
    assert variation[0] < variation[1]


@pytest.fixture(scope="module")
def noise_in_volts():
    """Added by calibration, and the spread that is asked for, of two settings on 960 pixels each."""
    clean, noisy = (simulate([FIRST, SECOND], shape=(24, 40), noise=share) for share in (0.0, 0.02))
    assert torch.equal(clean.high, noisy.high) and torch.equal(clean.high_scale, noisy.high_scale)
    strongest = clean.high_scale.unflatten(0, (2, -1)).amax((1, 2))
    return (in_volts(noisy, "low") - in_volts(clean, "low")).unflatten(0, (2, -1)), 0.02 * strongest


def test_calibration_noise_is_a_share_of_the_settings_strongest_high_component(noise_in_volts):
    """5 · 2 · 960 = 9600 numbers per part and setting: four standard errors are 3 %."""
    noise, spread = noise_in_volts
    for part in (noise.real, noise.imag):
        torch.testing.assert_close(part.flatten(1).std(1), spread, rtol=0.03, atol=0)
        assert (part.flatten(1).mean(1).abs() < 4 * spread / math.sqrt(9600)).all()


def test_calibration_noise_is_white(noise_in_volts):
    noise, spread = noise_in_volts
    units = noise / spread.view(2, 1, 1, 1, 1)
    neighbours = [(units[..., 1:] * units[..., :-1].conj()), (units[..., 1:, :] * units[..., :-1, :].conj())]
    channels = [units[:, :, 0] * units[:, :, 1].conj(), units[0] * units[1].conj()]
    for product in (*neighbours, *channels, (units.real * units.imag).to(units.dtype)):
        assert product.mean().abs() < 6 * 2 / math.sqrt(product.numel())


def test_the_seed_makes_the_noise():
    first, again, other = (simulate(noise=0.01, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.low, again.low)
    assert not torch.allclose(first.low, other.low, rtol=0, atol=1e-3)


def test_noise_takes_no_part_in_the_phases(pairs):
    noisy = matrix_pairs([FIRST, SECOND], ORDERS, shape=SHAPE, noise=0.01)
    assert torch.equal(noisy.high, pairs.high)


@given(shape=st.tuples(*[st.integers(1, 4)] * 4), dtype=st.sampled_from([torch.complex64, torch.complex128]))
def test_components_over_their_largest_moduli_reach_one_and_come_back(shape, dtype):
    images = torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape)))
    normalised, scale = normalise_components(images)
    assert normalised.dtype == dtype and scale.shape == shape[:2]
    torch.testing.assert_close(normalised.abs().amax((-2, -1)), torch.ones_like(scale))
    torch.testing.assert_close(normalised * scale[..., None, None], images)


@pytest.mark.parametrize("count", [1, 2, 12, 168])
def test_a_subset_of_orders_is_spread_over_all_of_them(count):
    subset, orders = mixing_subset(count), mixing_orders(2, 17)
    places = [(orders == order).all(1).nonzero().item() for order in subset]
    gaps = torch.tensor(places).diff()
    assert len(subset) == count
    assert places[0] == 0
    assert places[-1] == (167 if count > 1 else 0)
    assert (gaps >= 1).all()
    assert len(gaps.unique()) <= 2  # evenly: two neighbouring gap widths at most


@pytest.mark.parametrize("count", [0, 169, 2.5])
def test_more_or_fewer_orders_than_there_are_are_refused_by_name(count):
    with pytest.raises(ValueError, match="^count: got"):
        mixing_subset(count)


def test_no_settings_are_refused_by_name():
    with pytest.raises(ValueError, match="^settings: got none"):
        matrix_pairs([])


@pytest.mark.parametrize(
    "name, value",
    [("relaxation", "neel"), ("noise", -0.1), ("noise", math.nan), ("noise", math.inf), ("shape", (0, 8))],
)
def test_an_impossible_option_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        simulate(**{name: value})


@pytest.mark.parametrize(
    "name, value",
    [
        ("density", 0),
        ("core_diameter", 22.0),
        ("core_diameter", -22e-9),
        *[("size_spread", value) for value in (-0.1, 1.1, math.nan)],
    ],
)
def test_an_impossible_setting_is_refused_by_the_name_of_its_value(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        simulate(replace(FIRST, **{name: value}))


def test_orders_that_are_no_pairs_are_refused_by_name():
    with pytest.raises(ValueError, match="^orders: got"):
        matrix_pairs([FIRST], torch.tensor([[1, 1, 1]]), shape=SHAPE)


def test_an_order_without_signal_is_refused():
    with pytest.raises(ValueError, match="^images: got a component that is zero everywhere"):
        matrix_pairs([FIRST], torch.tensor([[0, 0], [1, 1]]), shape=(2, 2))


def test_components_that_are_not_finite_are_refused_by_name():
    with pytest.raises(ValueError, match="^images: got NaN"):
        normalise_components(torch.full((1, 2, 3, 3), math.nan))


def some_of(pairs, rows):
    return replace(pairs, **{field.name: getattr(pairs, field.name)[rows] for field in fields(pairs)})


@pytest.mark.parametrize("rows", [[0, 2, 1, 3], [0, 1, 2], [0, 1, 1, 3], [2, 0, 3, 1]])
def test_noise_is_refused_to_pairs_whose_settings_do_not_stand_together(rows):
    """It was a share of another setting's strongest component."""
    settings = [MatrixSetting(core, 25e3, 9) for core in (25e-9, 40e-9)]
    pairs = matrix_pairs(settings, torch.tensor([[2, 0], [1, 1]]), shape=(4, 4))
    add_calibration_noise(some_of(pairs, [2, 3, 0, 1]), 1e-3)
    with pytest.raises(ValueError, match="^pairs: got runs of .* accepted is one run for each setting"):
        add_calibration_noise(some_of(pairs, rows), 1e-3)


@pytest.mark.parametrize("settings", [MatrixSetting(25e-9, 25e3, 9), "paper", (x for x in ()), [25e-9], None])
def test_settings_are_a_list_or_tuple_of_settings(settings):
    with pytest.raises(ValueError, match="^settings: got .* accepted is a list or tuple of at least one MatrixSetting"):
        matrix_pairs(settings, torch.tensor([[2, 0]]), shape=(4, 4))
