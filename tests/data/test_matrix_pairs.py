import pytest
import torch

from mpinotes.data import PAPER_SETTINGS, PAPER_TEST, MatrixSetting, matrix_pairs, mixing_subset
from mpinotes.data.matrix_pairs import GRADIENT_RATIO, simulate_setting
from mpinotes.physics import mixing_orders

SETTING = MatrixSetting(30e-9, 25e3, 49)
ORDERS = torch.tensor([[2, 0], [1, 1], [0, 2], [3, 2], [4, 5]])
SHAPE = (6, 8)


@pytest.fixture(scope="module")
def pairs():
    return matrix_pairs([SETTING, MatrixSetting(40e-9, 10e3, 59)], ORDERS, shape=SHAPE)


def test_the_papers_settings_make_its_9072_samples():
    assert len(set(PAPER_SETTINGS)) == len(PAPER_SETTINGS) == 54
    assert len(mixing_orders(2, 17)) == 168
    assert len(PAPER_SETTINGS) * len(mixing_orders(2, 17)) == 9072
    assert PAPER_TEST not in PAPER_SETTINGS


def test_the_default_orders_are_all_168():
    pairs = matrix_pairs([SETTING], shape=(2, 2))
    assert torch.equal(pairs.orders, mixing_orders(2, 17))
    assert len(pairs.low) == len(pairs.high) == 168


def test_samples_run_through_the_orders_of_each_setting(pairs):
    assert pairs.low.shape == pairs.high.shape == (10, 2, *SHAPE)
    assert pairs.low_scale.shape == pairs.high_scale.shape == (10, 2)
    assert pairs.setting.tolist() == [0] * 5 + [1] * 5
    assert torch.equal(pairs.orders, ORDERS.repeat(2, 1))


def test_every_channel_of_every_component_reaches_modulus_one(pairs):
    for images in (pairs.low, pairs.high):
        assert images.dtype == torch.float32
        assert torch.equal(images.abs().amax((-2, -1)), torch.ones(10, 2))


@pytest.mark.parametrize("side, ratio", [("low", GRADIENT_RATIO), ("high", 1.0)])
def test_image_times_scale_is_the_simulated_component(pairs, side, ratio):
    images, scale = getattr(pairs, side)[:5], getattr(pairs, f"{side}_scale")[:5]
    components = simulate_setting(SETTING, ratio, ORDERS, SHAPE).components
    restored = 1j * (images * scale[..., None, None]).transpose(0, 1)
    largest = components.abs().amax((-2, -1), keepdim=True)
    assert ((restored - components).abs() / largest).max() < 1e-6


def test_the_low_matrix_of_a_core_is_the_high_matrix_of_one_0_464_times_as_large():
    """Field times moment is all that counts; the moment itself, ten times smaller, scales the voltage."""
    small = MatrixSetting(SETTING.core_diameter * GRADIENT_RATIO ** (1 / 3), SETTING.base_frequency, SETTING.density)
    of_big, of_small = (matrix_pairs([setting], ORDERS, shape=SHAPE) for setting in (SETTING, small))
    torch.testing.assert_close(of_big.low, of_small.high, rtol=0, atol=1e-6)
    torch.testing.assert_close(of_big.low_scale, 10 * of_small.high_scale, rtol=1e-6, atol=0)
    assert pytest.approx(0.464, abs=5e-4) == GRADIENT_RATIO ** (1 / 3)


def test_the_higher_gradient_shows_finer_structure(pairs):
    """Total variation: more sign changes across the same pixels."""
    variation = [images.diff(dim=-1).abs().sum() for images in (pairs.low, pairs.high)]
    assert variation[0] < variation[1]


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


@pytest.mark.parametrize("count", [0, 169])
def test_more_or_fewer_orders_than_there_are_are_refused_by_name(count):
    with pytest.raises(ValueError, match="^count: got"):
        mixing_subset(count)


def test_no_settings_are_refused_by_name():
    with pytest.raises(ValueError, match="^settings: got none"):
        matrix_pairs([])


def test_an_order_without_signal_is_refused_by_name():
    with pytest.raises(ValueError, match="^orders: got one"):
        matrix_pairs([SETTING], torch.tensor([[0, 0], [1, 1]]), shape=(2, 2))


def test_an_impossible_setting_is_refused_by_the_name_of_its_value():
    with pytest.raises(ValueError, match="^density: got 0"):
        matrix_pairs([MatrixSetting(30e-9, 25e3, 0)], ORDERS, shape=SHAPE)


def test_an_impossible_shape_is_refused_by_name():
    with pytest.raises(ValueError, match="^shape: got"):
        matrix_pairs([SETTING], ORDERS, shape=(0, 8))
