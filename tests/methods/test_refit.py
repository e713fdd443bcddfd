import math
from dataclasses import replace

import pytest
import torch

from mpinotes.data import RANGES, MatrixSetting, matrix_pairs, particle_pairs, particle_split
from mpinotes.evaluation import component_psnr
from mpinotes.methods import refit_matrix, refit_pairs, refit_setting, refit_settings
from mpinotes.physics import mixing_orders

ORDERS = mixing_orders(2, 3)
GUESS = MatrixSetting(60e-9, 25e3, 9)  # frequency and density are known, the core is not


def truth(core_diameter, **options):
    """Pairs of one setting, and the low components in volts."""
    pairs = matrix_pairs([MatrixSetting(core_diameter, 25e3, 9)], ORDERS, shape=(6, 8), **options)
    return pairs, pairs.low * pairs.low_scale[..., None, None]


@pytest.mark.parametrize("core_diameter", [22e-9, 33e-9])
@pytest.mark.parametrize("chain, phase_seed", [("unknown", 0), ("unknown", None), ("known", None)])
def test_physics_finds_the_core_diameter_and_the_matrix(core_diameter, chain, phase_seed):
    pairs, low = truth(core_diameter, phase_seed=phase_seed)
    high, found = refit_matrix(low, GUESS, ORDERS, chain=chain)
    assert found == pytest.approx(core_diameter, rel=1e-4)
    torch.testing.assert_close(high, pairs.high.to(high), rtol=0, atol=1e-4)


@pytest.mark.parametrize("chain, phase_seed", [("unknown", 0), ("known", None)])
def test_physics_finds_them_through_calibration_noise(chain, phase_seed):
    """0.1 % of the strongest high component, which is some 5 % of a weak low one."""
    pairs, low = truth(30e-9, phase_seed=phase_seed, noise=1e-3)
    high, found = refit_matrix(low, GUESS, ORDERS, chain=chain)
    assert found == pytest.approx(30e-9, rel=1e-3)
    torch.testing.assert_close(high, pairs.high.to(high), rtol=0, atol=0.02)


def test_a_known_chain_withstands_more_noise():
    """It fits one factor where an unknown one fits fourteen: in the mean over seeds it comes closer."""
    errors = {"known": 0.0, "unknown": 0.0}
    for seed in range(3):
        pairs, low = truth(24e-9, phase_seed=None, noise=3e-3, seed=seed)
        for chain in errors:
            high, _ = refit_matrix(low, GUESS, ORDERS, chain=chain)
            errors[chain] += (high - pairs.high).abs().square().mean().item()
    assert errors["known"] < 0.5 * errors["unknown"]


def test_only_an_unknown_chain_may_turn_and_weigh_lines():
    """A quarter turn of all, and one line five times too strong."""
    _, low = truth(30e-9, phase_seed=None)
    chain = torch.full((7, 1, 1, 1), 1j)
    chain[3] *= 5
    assert refit_matrix(chain * low, GUESS, ORDERS)[1] == pytest.approx(30e-9, rel=1e-4)
    weighed = chain.abs() * low
    assert refit_matrix(weighed, GUESS, ORDERS, chain="known")[1] != pytest.approx(30e-9, rel=1e-3)


def test_a_gain_and_phase_of_every_line_is_all_that_an_unknown_chain_may_have():
    """Also a relaxation: the components themselves, each normalised, give the same diameter."""
    pairs, _ = truth(30e-9, relaxation="debye")
    high, found = refit_matrix(pairs.low, GUESS, ORDERS)
    assert found == pytest.approx(30e-9, rel=1e-4)
    torch.testing.assert_close(high, pairs.high, rtol=0, atol=1e-4)
    assert high.dtype == torch.complex64


def test_the_unit_does_not_matter():
    _, low = truth(30e-9, phase_seed=None)
    first, second = (refit_matrix(scale * low, GUESS, ORDERS, chain="known") for scale in (1.0, 1e9))
    assert first[1] == pytest.approx(second[1], rel=1e-4)
    torch.testing.assert_close(first[0], second[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "low",
    [
        torch.ones(7, 2, 6, 8),
        torch.ones(6, 2, 6, 8, dtype=torch.complex64),
        torch.ones(7, 1, 6, 8, dtype=torch.complex64),
        torch.ones(2, 6, 8, dtype=torch.complex64),
        torch.full((7, 2, 6, 8), math.nan, dtype=torch.complex64),
    ],
    ids=["real", "six components", "one channel", "three dims", "nan"],
)
def test_low_components_that_are_none_are_refused_by_name(low):
    with pytest.raises(ValueError, match="^low: got"):
        refit_matrix(low, GUESS, ORDERS)


def test_an_unknown_chain_is_refused_by_name():
    with pytest.raises(ValueError, match="^chain: got 'none', accepted are 'unknown', 'known'"):
        refit_matrix(torch.ones(7, 2, 6, 8, dtype=torch.complex64), GUESS, ORDERS, chain="none")


def test_the_settings_of_test_pairs_are_fitted_one_by_one():
    settings = [MatrixSetting(core, 25e3, 9) for core in (24e-9, 33e-9)]
    pairs = matrix_pairs(settings, ORDERS, shape=(6, 8))
    assert component_psnr(refit_pairs(pairs, settings), pairs.high).min() > 60


@pytest.mark.parametrize("kind", ["fluid", "immobilised"])
def test_diameter_and_anisotropy_are_found_where_all_else_is_known(kind):
    (setting,) = [replace(particle_split(kind).test[0], free_share=0.3, diameter_spread=0.05, core_diameter=26e-9)]
    pairs = particle_pairs([setting], ORDERS, shape=(6, 8))
    high, found = refit_setting(pairs.low_voltage, setting, pairs.orders)
    assert found.core_diameter == pytest.approx(setting.core_diameter, rel=2e-3)
    assert found.anisotropy == pytest.approx(setting.anisotropy, rel=2e-2)
    torch.testing.assert_close(high, pairs.high.to(high), rtol=0, atol=0.02)
    assert torch.equal(refit_settings(pairs, [setting]), high.to(pairs.low.dtype))
    wrong, _ = refit_setting(pairs.low_voltage, replace(setting, gradient_x=1.1, drive_y=0.9), pairs.orders)
    assert (wrong - pairs.high).abs().max() > 0.05


def test_a_search_stays_in_the_ranges_of_the_splits():
    setting = replace(particle_split("fluid").test[0], core_diameter=15e-9)
    pairs = particle_pairs([setting], ORDERS, shape=(4, 4))
    _, found = refit_setting(pairs.low_voltage, setting, pairs.orders)
    assert found.core_diameter == pytest.approx(RANGES["core_diameter"][0], rel=1e-6)
