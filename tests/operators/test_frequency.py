import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.operators import frequency_alignment_loss, frequency_terms, spherical_masks
from tests.no_values import NoValues

shapes = st.tuples(*[st.integers(1, 7)] * 3)


def random_volumes(count, shape=(2, 2, 3, 4, 5)):
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(shape, generator=generator, dtype=torch.float64) for _ in range(count)]


def loss_by_hand(estimate, x_lr, x_hr, gamma, radius):
    """Eq. (2) with mean moduli, frequency by frequency."""
    depth, height, width = estimate.shape[-3:]
    transform = [np.fft.fftn(v.numpy(), axes=(-3, -2, -1), norm="ortho") for v in (estimate, x_lr, x_hr)]
    losses = np.zeros(len(estimate))
    for index in np.ndindex(depth, height, width):
        k = [2 * (i - n if 2 * i >= n else i) / n for i, n in zip(index, (depth, height, width), strict=True)]
        inside = k[0] ** 2 + k[1] ** 2 + k[2] ** 2 <= radius**2
        f_estimate, f_lr, f_hr = (f[(..., *index)] for f in transform)
        term = np.abs(f_estimate - f_lr) if inside else gamma * np.abs(f_estimate - f_hr)
        losses += term.mean(1) / (depth * height * width)
    return losses


@given(shape=shapes, radius=st.floats(0, math.sqrt(3)))
def test_masks_split_the_spectrum_in_two(shape, radius):
    low, high = spherical_masks(shape, radius)
    assert low.shape == high.shape == shape
    assert low.dtype == high.dtype == torch.bool
    assert torch.equal(low ^ high, torch.ones(shape, dtype=torch.bool))


@given(shape=shapes, radius=st.floats(0, math.sqrt(3)))
def test_masks_treat_opposite_frequencies_alike(shape, radius):
    low, _ = spherical_masks(shape, radius)
    opposite = low.flip((0, 1, 2)).roll((1, 1, 1), (0, 1, 2))
    assert torch.equal(low, opposite)


@given(shape=shapes, radius=st.floats(0, 1.7))
def test_a_larger_ball_contains_the_smaller(shape, radius):
    small, large = spherical_masks(shape, radius)[0], spherical_masks(shape, radius + 0.03)[0]
    assert not (small & ~large).any()


def test_radius_zero_keeps_the_mean_alone():
    low, _ = spherical_masks((4, 5, 6), 0.0)
    assert low[0, 0, 0] and low.sum() == 1


def test_radius_one_reaches_nyquist_on_every_axis_but_not_the_diagonals():
    low, _ = spherical_masks((8, 8, 8), 1.0)
    assert low[4, 0, 0] and low[0, 4, 0] and low[0, 0, 4]
    assert not low[4, 1, 0] and not low[4, 4, 4]


def test_the_largest_radius_keeps_everything():
    low, _ = spherical_masks((4, 6, 8), math.sqrt(3))
    assert low.all()


@pytest.mark.parametrize("radius", [-0.1, 2.0, math.nan])
def test_a_radius_outside_the_spectrum_is_refused_by_name(radius):
    with pytest.raises(ValueError, match="^radius: got"):
        spherical_masks((4, 4, 4), radius)


@pytest.mark.parametrize("shape", [(4, 0, 4), (4, 4, -1), (4, 4)], ids=str)
def test_a_shape_that_is_no_volume_is_refused_by_name(shape):
    with pytest.raises(ValueError, match="^shape: got"):
        spherical_masks(shape)


@pytest.mark.parametrize("gamma, radius", [(0.3, 0.25), (1.0, 0.7), (0.0, 1.1)])
def test_loss_is_the_equation_evaluated_frequency_by_frequency(gamma, radius):
    volumes = random_volumes(3)
    loss = frequency_alignment_loss(*volumes, gamma, radius)
    np.testing.assert_allclose(loss.numpy(), loss_by_hand(*volumes, gamma, radius), rtol=1e-12)


def test_gamma_weighs_the_high_band_linearly():
    volumes = random_volumes(3)
    low, high = frequency_terms(*volumes, 0.5)
    for gamma in (0.0, 0.3, 4.0):
        torch.testing.assert_close(frequency_alignment_loss(*volumes, gamma, 0.5), low + gamma * high)


def test_only_the_high_band_sees_the_high_resolution_image_and_only_the_low_band_the_other():
    x0_hat, x_lr, x_hr, other = random_volumes(4)
    low, high = frequency_terms(x0_hat, x_lr, x_hr)
    low_changed, high_changed = frequency_terms(x0_hat, x_lr, other)
    assert torch.equal(low, low_changed) and not torch.allclose(high, high_changed)
    low_changed, high_changed = frequency_terms(x0_hat, other, x_hr)
    assert torch.equal(high, high_changed) and not torch.allclose(low, low_changed)


def test_loss_of_a_perfect_estimate_is_zero_with_finite_gradients():
    """Zero up to the 1e-12 that keeps the modulus differentiable."""
    (x,) = random_volumes(1)
    estimate = x.clone().requires_grad_()
    loss = frequency_alignment_loss(estimate, x, x)
    (gradient,) = torch.autograd.grad(loss.sum(), estimate)
    assert loss.max() < 2e-12
    assert gradient.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_of_a_blank_estimate_are_finite(dtype):
    estimate = torch.zeros(1, 1, 4, 4, 4, dtype=dtype, requires_grad=True)
    target = torch.zeros(1, 1, 4, 4, 4, dtype=dtype)
    (gradient,) = torch.autograd.grad(frequency_alignment_loss(estimate, target, target).sum(), estimate)
    assert gradient.isfinite().all()


def test_gradients_agree_with_finite_differences():
    x0_hat, x_lr, x_hr = random_volumes(3, (1, 1, 2, 3, 2))
    assert torch.autograd.gradcheck(lambda x: frequency_alignment_loss(x, x_lr, x_hr), x0_hat.requires_grad_())


@pytest.mark.parametrize("gamma", [-0.1, math.nan, math.inf])
def test_a_gamma_that_is_no_weight_is_refused_by_name(gamma):
    with pytest.raises(ValueError, match="^gamma: got"):
        frequency_alignment_loss(*random_volumes(3), gamma)


@pytest.mark.parametrize("name, position", [("x0_hat", 0), ("x_lr", 1), ("x_hr", 2)])
def test_a_volume_of_another_shape_is_refused_by_name(name, position):
    volumes = random_volumes(3)
    volumes[position] = volumes[position][0] if name == "x0_hat" else volumes[position][:1]
    with pytest.raises(ValueError, match=f"^{name}: got"):
        frequency_alignment_loss(*volumes)


def test_the_loss_and_its_gradient_look_at_no_value():
    """A training step on a GPU would wait for all work in flight."""
    x0_hat, x_lr, x_hr = (x.requires_grad_(i == 0) for i, x in enumerate(random_volumes(3)))
    with NoValues():
        frequency_alignment_loss(x0_hat, x_lr, x_hr).sum().backward()
    assert frequency_alignment_loss(*(x.to("meta") for x in (x0_hat, x_lr, x_hr))).shape == (2,)
