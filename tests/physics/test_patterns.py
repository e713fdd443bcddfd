import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.physics import LissajousScan, Particle, mixing_orders, order_patterns, simulate_system_matrix

ORDERS = mixing_orders(0, 6)
shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(shape=shapes)
def test_patterns_are_their_closed_form_at_the_centres_of_the_pixels(shape):
    y, x = (np.arccos((2 * np.arange(n) + 1 - n) / n) for n in shape)
    for (n, m), got in zip(ORDERS.tolist(), order_patterns(ORDERS, shape), strict=True):
        expected = np.outer(np.cos(m * y), np.sin(n * x)), np.outer(np.sin(m * y), np.cos(n * x))
        np.testing.assert_allclose(got.numpy(), expected, atol=5e-6)


@given(shape=shapes)
def test_patterns_have_the_parity_of_their_order(shape):
    """S^x(−x, y) = (−1)^(n+1) S^x and S^x(x, −y) = (−1)^m S^x; S^y the same with the axes exchanged."""
    x_channel, y_channel = order_patterns(ORDERS, shape).unbind(1)
    n_sign, m_sign = (1 - 2 * (ORDERS % 2)).T[..., None, None]
    for channel, axis, sign in [
        (x_channel, -1, -n_sign),
        (x_channel, -2, m_sign),
        (y_channel, -2, -m_sign),
        (y_channel, -1, n_sign),
    ]:
        torch.testing.assert_close(channel.flip(axis), sign * channel, rtol=0, atol=1e-5)


def test_the_channels_exchange_with_the_axes():
    x_channel, y_channel = order_patterns(ORDERS, (7, 7)).unbind(1)
    torch.testing.assert_close(order_patterns(ORDERS.flip(1), (7, 7))[:, 0].mT, y_channel)
    assert not torch.allclose(x_channel, y_channel)


def test_a_steep_particle_comes_close_to_its_pattern_and_to_no_other():
    orders = torch.tensor([[1, 1], [1, 2], [2, 1], [2, 2], [3, 1]])
    scan = LissajousScan(density=9, shape=(16, 20))
    simulated = simulate_system_matrix(scan, Particle(35e-9), orders).components
    patterns = order_patterns(orders, scan.shape).to(simulated).transpose(0, 1)
    first, second = (x.flatten(2) / x.flatten(2).norm(dim=-1, keepdim=True) for x in (patterns, simulated))
    correlation = (first @ second.mH).abs()  # (channel, pattern, component)
    own = correlation.diagonal(dim1=1, dim2=2)
    assert own.median() > 0.95 and own.min() > 0.8
    assert (correlation.argmax(1) == torch.arange(len(orders))).all()


@pytest.mark.parametrize("orders", [torch.tensor([2, 1]), torch.tensor([[2, 1, 0]]), torch.ones(1, 1, 2).long()])
def test_orders_that_are_no_pairs_are_refused_by_name(orders):
    with pytest.raises(ValueError, match="^orders: got shape"):
        order_patterns(orders, (4, 4))


@pytest.mark.parametrize("shape", [(0, 4), (4, -1), (4, 2.5)])
def test_an_impossible_shape_is_refused_by_name(shape):
    with pytest.raises(ValueError, match="^shape: got"):
        order_patterns(ORDERS, shape)


@pytest.mark.parametrize(
    "orders", [[[2, 0]], np.array([[2, 0]]), None, torch.tensor([[True, False]]), torch.zeros(0, 2, dtype=torch.int64)]
)
def test_orders_are_a_tensor_of_whole_numbers(orders):
    with pytest.raises(ValueError, match=r"^orders: got .*, accepted are integers \(component, 2\)"):
        order_patterns(orders, (4, 4))
    if orders is not None:  # all of a band
        with pytest.raises(ValueError, match=r"^orders: got .*, accepted are integers \(component, 2\)"):
            simulate_system_matrix(LissajousScan(shape=(4, 4)), Particle(20e-9), orders)
