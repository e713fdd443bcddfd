import pytest
import torch

from mpinotes.physics import CartesianScan, Particle
from mpinotes.reconstruction import harmonic_model, levelled, native_model

PARTICLE, SCAN, SHAPE = Particle(25e-9), CartesianScan(samples=64), (6, 5, 8)
MODELS = {
    "native": native_model(PARTICLE, SCAN, SHAPE),
    "harmonics": harmonic_model(PARTICLE, SCAN, SHAPE, (2, 3, 4, 5)),
}


def matrix_of(apply, shape):
    units = torch.eye(torch.Size(shape).numel(), dtype=torch.float64).view(-1, *shape)
    return apply(units).flatten(1).T


@pytest.mark.parametrize("name", MODELS)
def test_the_filter_is_symmetric_and_positive(name):
    model = MODELS[name]
    filter_ = matrix_of(levelled(model, floor=3.0).level, model.data_shape)
    torch.testing.assert_close(filter_, filter_.T)
    values = torch.linalg.eigvalsh(filter_)
    assert values[0] > 0 and values[-1] <= 3**-0.5 + 1e-9  # what gives nothing is divided by the floor's root


@pytest.mark.parametrize("name", MODELS)
def test_levelled_data_are_the_levelled_models(name):
    model = MODELS[name]
    level = levelled(model, floor=3.0)
    volumes = torch.rand(2, 1, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(level.level(model.apply(volumes)), level.apply(volumes))


@pytest.mark.parametrize("name", MODELS)
def test_what_spreads_wide_no_longer_outweighs_detail(name):
    """The singular values span a far smaller range."""
    model = MODELS[name]
    before = torch.linalg.svdvals(matrix_of(model.apply, (1, *SHAPE)))
    after = torch.linalg.svdvals(matrix_of(levelled(model, floor=5.0).apply, (1, *SHAPE)))
    middle = len(before) // 2
    assert after[0] / after[middle] < before[0] / before[middle] / 5


def test_a_large_floor_leaves_least_squares():
    model = MODELS["native"]
    data = torch.rand(1, 1, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(levelled(model, floor=1e12).level(data) * 1e6, data, rtol=1e-6, atol=1e-6)
