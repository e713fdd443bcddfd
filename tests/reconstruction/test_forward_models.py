import math

import pytest
import torch

from mpinotes.physics import CartesianScan, Particle, simulate_scan
from mpinotes.reconstruction import (
    MatrixModel,
    harmonic_model,
    harmonic_portraits,
    levelled,
    native_model,
    reconstruct_xspace,
)

PARTICLE = Particle(25e-9)
SHAPE = (4, 5, 6)


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def scan_along(axis):
    return CartesianScan(gradient=(1.5, 0.7, -2.2), drive_axis=axis, samples=64)


def models(axis="x"):
    scan = scan_along(axis)
    real, complex_ = random(9, 120) - 0.5, torch.complex(random(9, 120), random(9, 120, seed=1))
    return {
        "real matrix": MatrixModel(real, SHAPE),
        "complex matrix": MatrixModel(complex_, SHAPE),
        "native": native_model(PARTICLE, scan, SHAPE),
        "harmonics": harmonic_model(PARTICLE, scan, SHAPE, (2, 3, 7)),
        "levelled native": levelled(native_model(PARTICLE, scan, SHAPE), floor=2.0),
        "levelled harmonics": levelled(harmonic_model(PARTICLE, scan, SHAPE, (2, 3, 7)), floor=2.0),
    }


every_model = pytest.mark.parametrize("name", models())


@every_model
@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_the_adjoint_is_one(name, axis):
    model, volumes = models(axis)[name], random(2, 1, *SHAPE)
    data = random(2, *model.data_shape, seed=2) - 0.5
    data = torch.complex(data, data.flip(1)) if name == "complex matrix" else data
    left = (model.apply(volumes) * data.conj()).real.sum()
    right = (volumes * model.adjoint(data)).sum()
    torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-9)


def dense(model):
    units = torch.eye(math.prod(SHAPE), dtype=torch.float64).view(-1, 1, *SHAPE)
    return model.apply(units).flatten(1).T


@every_model
def test_the_energy_bounds_the_largest_singular_value(name):
    model = models()[name]
    columns = dense(model)
    stacked = torch.cat([columns.real, columns.imag]) if columns.is_complex() else columns
    largest = torch.linalg.svdvals(stacked)[0].item() ** 2
    assert largest <= model.energy() <= 20 * largest  # on so small a grid most of the haze leaves it


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("subvoxels", [1, 2])
def test_native_model_and_harmonics_are_the_scan_that_is_simulated(axis, subvoxels):
    scan = CartesianScan(gradient=(1.5, 0.7, -2.2), drive_axis=axis, subvoxels=subvoxels)
    volumes, width = random(2, 1, *SHAPE), scan.swap_axes(torch.empty(SHAPE)).shape[-1]
    signal = simulate_scan(volumes, PARTICLE, scan)
    native = reconstruct_xspace(signal, PARTICLE, scan, width)
    torch.testing.assert_close(native_model(PARTICLE, scan, SHAPE).apply(volumes), native)
    portraits = harmonic_portraits(signal, PARTICLE, scan, width, (1, 2, 5, 64))
    torch.testing.assert_close(harmonic_model(PARTICLE, scan, SHAPE, (1, 2, 5, 64)).apply(volumes), portraits)


def test_a_matrix_model_is_its_matrix_product_and_its_grid():
    matrix = torch.complex(random(9, 120), random(9, 120, seed=1))
    model, volume = MatrixModel(matrix, SHAPE), random(1, 1, *SHAPE)
    torch.testing.assert_close(model.apply(volume)[0], matrix @ volume.flatten().to(matrix.dtype))
    columns = volume.flatten()[:, None]
    assert torch.equal(model.volumes(columns), volume)


def test_models_take_the_precision_of_their_data():
    for name, model in models().items():
        data = model.apply(random(1, 1, *SHAPE))
        single = data.to(torch.complex64 if data.is_complex() else torch.float32)
        volume = model.like(single).adjoint(single)
        assert volume.dtype == torch.float32, name
        expected = model.adjoint(data)
        assert (volume - expected).norm() < 1e-5 * expected.norm(), name


def test_a_real_matrix_meets_complex_data_with_their_real_part():
    model = MatrixModel(random(9, 120), SHAPE)
    data = torch.complex(random(2, 9), random(2, 9, seed=1))
    torch.testing.assert_close(model.adjoint(data), model.adjoint(data.real))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MatrixModel(random(3, 4), (1, 2, 3)), "^shape: got"),
        (lambda: MatrixModel(random(3, 4), 4), "^shape: got"),
        (lambda: MatrixModel(random(3, 4), (1, 2, 2.0)), "^shape: got"),
        (lambda: MatrixModel(torch.zeros(3, 4), (1, 2, 2)), "^matrix: got zeros"),
        (lambda: MatrixModel(random(3, 4) * math.nan, (1, 2, 2)), "^matrix: got NaN"),
        (lambda: native_model(PARTICLE, scan_along("x"), (4, 5)), "^shape: got"),
        (lambda: native_model(PARTICLE, scan_along("x"), (4, 5, 0)), "^shape: got"),
        (lambda: harmonic_model(PARTICLE, scan_along("x"), SHAPE, 3), "^harmonics: got"),
        (lambda: harmonic_model(PARTICLE, scan_along("x"), SHAPE, (0,)), "^harmonics: got"),
        (lambda: harmonic_model(PARTICLE, scan_along("x"), SHAPE, (33,)), "^harmonics: got"),
        (lambda: harmonic_model(PARTICLE, scan_along("x"), SHAPE, (3, 3)), "^harmonics: got"),
        (lambda: levelled(native_model(PARTICLE, scan_along("x"), SHAPE), floor=0.0), "^floor: got"),
        (lambda: levelled(MatrixModel(random(3, 4), (1, 2, 2)), floor=1.0), "^model: got MatrixModel"),
    ],
)
def test_bad_models_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@every_model
def test_volumes_of_another_grid_are_refused(name):
    with pytest.raises(ValueError, match="^volumes: got shape"):
        models()[name].apply(random(1, 1, 4, 6, 5))


@every_model
def test_data_of_another_scan_are_refused(name):
    model = models()[name]
    for data in (random(2, 3), random(2, *model.data_shape)[..., :-1], random(2, *model.data_shape).half(), [1.0]):
        with pytest.raises(ValueError, match="^data: got"):
            model.check_data(data)
    if "matrix" not in name:
        with pytest.raises(ValueError, match="^data: got dtype"):
            model.check_data(random(2, *model.data_shape) + 0j)


@pytest.mark.parametrize("volumes", [[1.0], torch.ones(2, 2, 2), torch.ones(1, 1, 1, 2, 4).half(), None])
def test_a_model_names_volumes_that_it_cannot_take(volumes):
    models = MatrixModel(torch.ones(2, 8), shape=(1, 2, 4)), native_model(Particle(25e-9), CartesianScan(), (1, 2, 4))
    for model in models:
        with pytest.raises(ValueError, match="^volumes: got"):
            model.apply(volumes)
