"""Of nothing no direction is known: what divides by a norm or a modulus gives 0 for it, or refuses it by name."""

import pytest
import torch

from mpinotes.data import MatrixSetting, matrix_pairs, normalise_components
from mpinotes.evaluation import component_ssim, largest_correlation, phase_of_peak
from mpinotes.methods import dps, fit_pattern, fit_wiener, nearest_neighbour, refit_matrix
from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.methods.sm_synthesis import align_phase
from mpinotes.networks import UNetConfig, seeded_network
from mpinotes.physics import CartesianScan, Particle
from mpinotes.reconstruction import kaczmarz, reconstruct_tikhonov
from mpinotes.studies.reconstruction import anchored

SETTING, ORDERS = MatrixSetting(25e-9, 25e3, 9), torch.tensor([[2, 0], [1, 1]])
PAIRS = matrix_pairs([SETTING], ORDERS, shape=(8, 8))
ONE_EMPTY = PAIRS.low.clone()
ONE_EMPTY[0] = 0


def is_finite(x):
    return torch.isfinite(x.abs()).all()


def test_a_training_component_of_zeros_is_like_none():
    found = largest_correlation(PAIRS.low, torch.cat([0 * PAIRS.low[:1], PAIRS.low]))
    torch.testing.assert_close(found, torch.ones(4))
    assert torch.equal(largest_correlation(0 * PAIRS.low, PAIRS.low), torch.zeros(4))


def test_what_correlates_is_found_at_every_scale():
    torch.testing.assert_close(largest_correlation(1e-25 * PAIRS.low.to(torch.complex128), PAIRS.low_voltage),
                               torch.ones(4, dtype=torch.float64))  # fmt: skip


def test_the_neighbour_of_zeros_is_zero_and_zeros_are_no_neighbour():
    found = nearest_neighbour(ONE_EMPTY, PAIRS, components=2)
    assert not found[0].any()
    torch.testing.assert_close(found[1], PAIRS.high[1])
    both = matrix_pairs([MatrixSetting(50e-9, 25e3, 9), SETTING], ORDERS, shape=(8, 8))
    both.low[0] = 0  # of the first setting
    torch.testing.assert_close(nearest_neighbour(PAIRS.low, both, components=2), PAIRS.high)


def test_the_filter_for_a_component_without_training_passes_nothing():
    wiener = fit_wiener(ONE_EMPTY, PAIRS.high, components=2)
    assert is_finite(wiener.gain) and not wiener.gain[0].any() and wiener.gain[1].any()
    assert not wiener(PAIRS.low)[0].any()


@pytest.mark.parametrize("chain", ["unknown", "known"])
def test_refitted_physics_bears_a_component_of_zeros_and_refuses_nothing_else(chain):
    low = PAIRS.low_voltage
    low[0] = 0
    high, core_diameter = refit_matrix(low, SETTING, ORDERS, chain=chain)
    assert is_finite(high) and (chain == "known" or not high[0].any())
    assert core_diameter == pytest.approx(25e-9, rel=0.01) or chain == "known"
    with pytest.raises(ValueError, match="^low: .*zero everywhere"):
        refit_matrix(0 * low, SETTING, ORDERS, chain=chain)


def test_the_pattern_in_the_phase_of_zeros_is_zero_and_that_of_volts_has_modulus_one():
    assert not fit_pattern(ONE_EMPTY, ORDERS)[0].any()
    tiny = 1e-20 * PAIRS.low.to(torch.complex128)
    torch.testing.assert_close(fit_pattern(tiny, ORDERS).abs(), fit_pattern(1e20 * tiny, ORDERS).abs())


def test_a_component_of_zeros_keeps_its_phase():
    empty = torch.zeros(1, 1, 8, 8, dtype=torch.complex64)
    assert phase_of_peak(empty).item() == 1
    assert is_finite(align_phase(empty))


def test_an_estimate_is_not_like_zeros_whatever_its_phase():
    truth = torch.zeros(1, 1, 8, 8, dtype=torch.complex64)
    wave = torch.linspace(-1, 1, 8).expand(1, 1, 8, 8) * 1j
    assert component_ssim(wave, truth).item() < 0.5
    assert component_ssim(truth, truth).item() == 1


def test_a_component_of_zeros_is_refused_where_it_is_normalised():
    with pytest.raises(ValueError, match="^images: .*zero everywhere"):
        normalise_components(ONE_EMPTY)


def test_an_estimate_of_zeros_is_anchored_to_zeros():
    pixels = torch.arange(16)
    result = anchored(ONE_EMPTY, pixels, PAIRS.high_voltage.flatten(2)[..., pixels])
    assert is_finite(result) and not result[0].any()


def test_an_empty_scanner_shows_an_empty_image():
    assert not reconstruct_tikhonov(torch.zeros(1, 1, 4, 4, 4), Particle(25e-9), CartesianScan()).any()
    assert not kaczmarz(torch.eye(3), torch.zeros(3, 1)).any()


def test_a_measurement_that_is_met_exactly_gives_a_finite_slope():
    """The norm of its misfit is 0."""
    model = seeded_network(UNetConfig(widths=(8, 16)), seed=0)  # adds nothing to x_LR
    config = DCCDMConfig(network=model.config)
    assert is_finite(dps.enhance(model, torch.zeros(1, 1, 8, 8, 8), config, steps=2))
