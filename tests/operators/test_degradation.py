import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch.nn.functional import interpolate

from mpinotes.operators import Degradation
from tests.no_values import NoValues

SIGMAS = (0.6, 1.1, 1.7)


def random_volume(*shape, seed=0, dtype=torch.float64):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def degraded_by_others(volume, sigmas, factor):
    """scipy's Gaussian with zeros outside, block means, PyTorch's half-pixel trilinear interpolation."""
    radius = [side - 1 for side in volume.shape]
    blurred = gaussian_filter(volume.numpy(), sigmas, mode="constant", radius=radius)
    z, y, x = (side // factor for side in volume.shape)
    blocks = torch.from_numpy(blurred.reshape(z, factor, y, factor, x, factor).mean((1, 3, 5)))
    return interpolate(blocks[None, None], scale_factor=factor, mode="trilinear", align_corners=False)[0, 0]


@pytest.mark.parametrize("factor, shape", [(2, (8, 6, 10)), (3, (6, 9, 12)), (4, (8, 4, 12)), (1, (5, 4, 3))])
def test_degradation_is_blur_block_mean_and_trilinear_interpolation(factor, shape):
    volume = random_volume(*shape)
    result = Degradation(SIGMAS, factor)(volume[None, None])[0, 0]
    torch.testing.assert_close(result, degraded_by_others(volume, SIGMAS, factor), rtol=0, atol=1e-13)


def test_one_sigma_serves_all_axes_and_the_scale_multiplies():
    x = random_volume(2, 3, 4, 4, 6)
    expected = 2.5 * Degradation((0.8, 0.8, 0.8))(x)
    torch.testing.assert_close(Degradation(0.8, scale=2.5)(x), expected)


def test_without_blur_and_decimation_nothing_changes():
    x = random_volume(1, 1, 4, 5, 6)
    assert torch.equal(Degradation(0.0, factor=1)(x), x)


def test_channels_and_volumes_do_not_mix():
    x = random_volume(2, 3, 4, 4, 4)
    degradation = Degradation(SIGMAS)
    one_by_one = torch.stack([torch.cat([degradation(c[None, None])[0] for c in volume]) for volume in x])
    torch.testing.assert_close(degradation(x), one_by_one)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-6)])
@given(
    blocks=st.tuples(*[st.integers(1, 5)] * 3),
    factor=st.integers(1, 3),
    sigma=st.tuples(*[st.floats(0, 4)] * 3),
    seed=st.integers(0, 1000),
)
def test_adjoint_moves_the_operator_across_the_inner_product(dtype, tolerance, blocks, factor, sigma, seed):
    degradation, shape = Degradation(sigma, factor, scale=1.7), [2, 1, *(factor * n for n in blocks)]
    x, y = random_volume(*shape, seed=seed, dtype=dtype), random_volume(*shape, seed=seed + 1, dtype=dtype)
    left, right = (degradation(x).double() * y).sum().item(), (x * degradation.adjoint(y).double()).sum().item()
    assert left == pytest.approx(right, rel=tolerance)


def test_the_gradient_is_the_adjoint():
    degradation, x, y = Degradation(SIGMAS), random_volume(2, 1, 4, 6, 8), random_volume(2, 1, 4, 6, 8, seed=1)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(degradation(x), x, grad_outputs=y)
    torch.testing.assert_close(gradient, degradation.adjoint(y), rtol=0, atol=1e-14)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_smooth_blob_stays_where_it_is(factor):
    """Half a voxel would be 0.5; what is left comes from sampling a blob as wide as a block."""
    side, centre = 24, torch.tensor([10.3, 12.0, 13.4], dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(*[torch.arange(side, dtype=torch.float64)] * 3, indexing="ij"))
    blob = torch.exp(-(grid - centre[:, None, None, None]).square().sum(0) / (2 * 2.0**2))
    result = Degradation(0.7, factor)(blob[None, None])[0, 0]
    centre_of_mass = (grid * result).flatten(1).sum(1) / result.sum()
    torch.testing.assert_close(centre_of_mass, centre, rtol=0, atol=0.02)


@pytest.mark.parametrize(
    "name, values",
    [
        ("sigma", {"sigma": -0.1}),
        ("sigma", {"sigma": math.nan}),
        ("sigma", {"sigma": math.inf}),
        ("sigma", {"sigma": (1.0, 1.0)}),
        ("sigma", {"sigma": (1.0, -1.0, 1.0)}),
        ("factor", {"sigma": 1.0, "factor": 0}),
        ("factor", {"sigma": 1.0, "factor": 1.5}),
        ("scale", {"sigma": 1.0, "scale": 0.0}),
        ("scale", {"sigma": 1.0, "scale": math.inf}),
    ],
    ids=str,
)
def test_an_impossible_degradation_is_refused_by_name(name, values):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        Degradation(**values)


@pytest.mark.parametrize("method, name", [("__call__", "x"), ("adjoint", "y")])
@pytest.mark.parametrize(
    "volume", [torch.ones(1, 4, 4, 4), torch.ones(1, 1, 4, 4, 5), torch.full((1, 1, 2, 2, 2), np.nan)]
)
def test_a_bad_volume_is_refused_by_name(method, name, volume):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        getattr(Degradation(1.0), method)(volume)


def test_the_unchecked_map_is_the_same_and_looks_at_no_value():
    x, D = random_volume(2, 1, 4, 6, 8).requires_grad_(), Degradation(SIGMAS, scale=0.7)
    with NoValues():
        degraded = D.apply(x)
        degraded.square().sum().backward()
    assert torch.equal(degraded, D(x))
    assert D.apply(x.to("meta")).shape == x.shape
