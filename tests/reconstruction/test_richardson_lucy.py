import math
from itertools import islice

import pytest
import torch

from mpinotes.physics import CartesianScan, Particle
from mpinotes.reconstruction import MatrixModel, harmonic_model, native_model, richardson_lucy, richardson_lucy_steps

PARTICLE, SCAN, SHAPE = Particle(25e-9), CartesianScan(), (4, 5, 6)
MODEL = native_model(PARTICLE, SCAN, SHAPE)


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_native_kernel_is_nowhere_negative():
    units = torch.eye(120, dtype=torch.float64).view(-1, 1, *SHAPE)
    images = MODEL.apply(units)
    assert images.min() > -1e-12 * images.max()


def test_every_step_keeps_the_flux_and_lowers_the_divergence():
    data = MODEL.apply(random(2, 1, *SHAPE)) * (0.5 + random(2, 1, *SHAPE, seed=1))
    states = list(islice(richardson_lucy_steps(MODEL, data), 40))
    for state in states:
        flux = MODEL.apply(state.volumes).flatten(1).sum(1)
        torch.testing.assert_close(flux, data.flatten(1).sum(1))
        assert state.volumes.min() >= 0
    divergence = torch.stack([state.divergence for state in states])
    assert (divergence.diff(dim=0) < 0).all() and (divergence >= 0).all()


def test_the_truth_is_a_fixed_point():
    """From another start the steps go towards it: the divergence falls to nothing."""
    truth = random(1, 1, *SHAPE) + 0.5
    data = MODEL.apply(truth)
    step = truth * MODEL.adjoint(data / MODEL.apply(truth)) / MODEL.adjoint(torch.ones_like(data))
    torch.testing.assert_close(step, truth)
    first, *_, last = islice(richardson_lucy_steps(MODEL, data), 300)
    assert last.divergence < first.divergence / 20
    assert (last.volumes - truth).norm() < (first.volumes - truth).norm()


def test_one_step_is_the_formula():
    matrix, data = random(7, 4), random(2, 7, seed=1)
    model = MatrixModel(matrix, (1, 2, 2))
    start = data.sum(1, keepdim=True) / matrix.sum()
    expected = start * (data / (start * matrix.sum(1))) @ matrix / matrix.sum(0)
    torch.testing.assert_close(richardson_lucy(model, data, steps=1).flatten(1), expected)


def test_what_is_below_zero_counts_as_zero_and_nothing_gives_nothing():
    data = MODEL.apply(random(3, 1, *SHAPE))
    data[1] = -1
    data[2, ..., 0] = -1
    result = richardson_lucy(MODEL, data, steps=5)
    assert torch.isfinite(result).all() and not result[1].any() and result[2].any()
    torch.testing.assert_close(result, richardson_lucy(MODEL, data.clamp_min(0), steps=5))


def test_units_batches_and_inputs_do_not_matter():
    data = MODEL.apply(random(3, 1, *SHAPE)).float()
    before = data.clone()
    together = richardson_lucy(MODEL, data, steps=10)
    assert torch.equal(data, before) and together.dtype == torch.float32
    torch.testing.assert_close(torch.cat([richardson_lucy(MODEL, one, steps=10) for one in data.split(1)]), together)
    torch.testing.assert_close(richardson_lucy(MODEL, 1e30 * data, steps=10) / 1e30, together)


def test_voxels_that_no_row_sees_and_rows_that_see_none_stay_empty():
    matrix = torch.tensor([[1.0, 2.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    result = richardson_lucy(MatrixModel(matrix, (1, 2, 2)), torch.tensor([[4.0, 5.0, 0.0]]), steps=300).flatten()
    torch.testing.assert_close(result, torch.tensor([2.0, 1.0, 0.0, 0.0]), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"model": random(4, 4)}, "model"),
        ({"model": harmonic_model(PARTICLE, SCAN, SHAPE, (2, 3))}, "model"),
        ({"model": MatrixModel(torch.tensor([[1.0, -1.0]]), (1, 1, 2))}, "model"),
        ({"model": MatrixModel(torch.tensor([[1.0, 1j]]), (1, 1, 2))}, "model"),
        ({"data": random(1, 1, 4, 5, 7)}, "data"),
        ({"data": random(1, 1, *SHAPE) * math.nan}, "data"),
        ({"data": random(1, 1, *SHAPE) + 0j}, "data"),
        ({"steps": 0}, "steps"),
    ],
)
def test_bad_input_is_named(change, name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        richardson_lucy(**({"model": MODEL, "data": random(1, 1, *SHAPE)} | change))
