import math
from itertools import islice

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from mpinotes.physics import CartesianScan, Particle
from mpinotes.reconstruction import (
    MatrixModel,
    denoise_total_variation,
    levelled,
    native_model,
    penalised_steps,
    reconstruct_penalised,
    spread_weights,
)

GENERATOR = torch.Generator().manual_seed(0)
MATRIX = torch.randn(30, 12, generator=GENERATOR, dtype=torch.float64)
SHAPE = (2, 2, 3)
DATA = torch.randn(3, 30, generator=GENERATOR, dtype=torch.float64)
COMPLEX = torch.complex(MATRIX, MATRIX.roll(1, 0) ** 2)
PENALTIES = ("ridge", "l1", "total_variation")


def stacked(matrix):
    return torch.cat([matrix.real, matrix.imag])


def test_ridge_is_the_non_negative_least_squares_of_scipy():
    """Of rows with the ridge below them, for a complex matrix and real c."""
    data = (COMPLEX @ DATA[:, :12].T.abs().to(COMPLEX.dtype)).T + DATA
    result = reconstruct_penalised(MatrixModel(COMPLEX, SHAPE), data, penalty="ridge", weight=2.0, steps=500)
    rows = torch.cat([stacked(COMPLEX), math.sqrt(2.0) * torch.eye(12, dtype=torch.float64)]).numpy()
    for frame, one in zip(data, result, strict=True):
        right = np.concatenate([stacked(frame).numpy(), np.zeros(12)])
        np.testing.assert_allclose(one.flatten(), nnls(rows, right)[0], atol=1e-6)


@pytest.mark.parametrize("weight", [0.3, 3.0, 1000.0])
def test_l1_meets_its_optimality_conditions(weight):
    """Aᵀ(d − Ac) = λ where c > 0, and no more where c = 0."""
    model = MatrixModel(MATRIX, SHAPE)
    result = reconstruct_penalised(model, DATA, penalty="l1", weight=weight, steps=500)
    slope = model.adjoint(DATA - model.apply(result))
    assert (slope <= weight + 1e-6).all()
    torch.testing.assert_close(slope[result > 0], torch.full_like(slope[result > 0], weight))
    assert weight < 1000 or not result.any()


def test_total_variation_of_the_identity_is_the_proximal_map():
    model = MatrixModel(torch.eye(12, dtype=torch.float64), SHAPE)
    result = reconstruct_penalised(model, DATA[:, :12], penalty="total_variation", weight=0.4, steps=100)
    expected = denoise_total_variation(DATA[:, :12].view(3, 1, *SHAPE), 0.4, steps=500)
    torch.testing.assert_close(result, expected, atol=1e-3, rtol=0)


def test_a_piecewise_constant_phantom_comes_back_from_few_noiseless_rows():
    """Fewer rows than voxels: least squares alone cannot."""
    phantom = torch.full((1, 1, 1, 8, 8), 1.0, dtype=torch.float64)  # nowhere 0: the bound must not help
    phantom[..., 2:6, 2:6] = 3.0
    matrix = torch.randn(48, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model = MatrixModel(matrix, (1, 8, 8))
    data = model.apply(phantom)
    errors = {
        penalty: (reconstruct_penalised(model, data, penalty=penalty, weight=0.1, steps=400) - phantom).abs().max()
        for penalty in ("ridge", "total_variation")
    }
    assert errors["total_variation"] < 0.05 < 0.5 < errors["ridge"]


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("matrix", [MATRIX, COMPLEX], ids=["real", "complex"])
def test_no_step_raises_the_objective_and_volumes_stay_non_negative(penalty, matrix):
    model, data = MatrixModel(matrix, SHAPE), DATA.to(matrix.dtype)
    states = list(islice(penalised_steps(model, data, penalty=penalty, weight=0.5), 60))
    objective = torch.stack([state.objective for state in states])
    assert (objective.diff(dim=0) <= 0).all() and (objective <= 1).all()
    assert all(state.volumes.min() >= 0 for state in states)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_volumes_keep_apart_from_their_batch_and_from_their_unit(penalty):
    """Frames of particles per cubic metre, whose squares float32 does not hold, beside frames of one."""
    model = MatrixModel(MATRIX, SHAPE)
    together = reconstruct_penalised(model, DATA, penalty=penalty, weight=0.5)
    alone = torch.cat([reconstruct_penalised(model, one, penalty=penalty, weight=0.5) for one in DATA.split(1)])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)
    large = reconstruct_penalised(
        model, 1e25 * DATA.float(), penalty=penalty, weight=0.5 * (1 if penalty == "ridge" else 1e25)
    )
    torch.testing.assert_close(large.double() / 1e25, together, atol=1e-3, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_nothing_is_changed_in_place_and_the_precision_is_kept(dtype, penalty):
    matrix, data = MATRIX.to(dtype), DATA.to(dtype)
    kept = matrix.clone(), data.clone()
    result = reconstruct_penalised(MatrixModel(matrix, SHAPE), data, penalty=penalty, weight=0.5, steps=5)
    assert torch.equal(matrix, kept[0]) and torch.equal(data, kept[1])
    assert result.dtype == torch.empty(0, dtype=dtype).real.dtype and result.shape == (3, 1, *SHAPE)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_rows_of_zeros_and_frames_of_zeros_are_harmless(penalty):
    rows, data = torch.cat([MATRIX, torch.zeros(2, 12)]), torch.cat([DATA, torch.ones(3, 2)], dim=1)
    with_zeros = reconstruct_penalised(MatrixModel(rows, SHAPE), data, penalty=penalty, weight=0.5, steps=200)
    without = reconstruct_penalised(MatrixModel(MATRIX, SHAPE), DATA, penalty=penalty, weight=0.5, steps=200)
    torch.testing.assert_close(with_zeros, without, atol=1e-4, rtol=0)
    assert not reconstruct_penalised(MatrixModel(MATRIX, SHAPE), 0 * DATA, penalty=penalty, weight=0.5).any()


@pytest.mark.parametrize("penalty", PENALTIES)
def test_volts_per_particle_are_no_trouble_in_single_precision(penalty):
    """Rows of 1e-25, whose squares float32 does not hold: the same volumes, 1e25 times as large."""
    weight = {"ridge": 0.5e-50, "l1": 0.5e-25, "total_variation": 0.5e-25}[penalty]
    result = reconstruct_penalised(
        MatrixModel(MATRIX.float() * 1e-25, SHAPE), DATA.float(), penalty=penalty, weight=weight
    )
    expected = reconstruct_penalised(MatrixModel(MATRIX, SHAPE), DATA, penalty=penalty, weight=0.5)
    torch.testing.assert_close(result.double() * 1e-25, expected, atol=1e-3, rtol=0)


def test_whitened_rows_give_the_weighted_least_squares_of_lapack():
    """Lines of very different noise; a truth so far above it that c ≥ 0 does not bind."""
    strengths = torch.logspace(-2, 1, 30, dtype=torch.float64)
    noise = torch.randn(400, 30, generator=torch.Generator().manual_seed(2), dtype=torch.complex128) * strengths
    weights = spread_weights(noise[:200])
    truth = torch.linspace(20, 30, 12, dtype=torch.float64)
    data = (COMPLEX @ truth.to(COMPLEX.dtype))[None] + noise[200:203]
    model = MatrixModel(COMPLEX * weights[:, None], SHAPE)
    result = reconstruct_penalised(model, data * weights, penalty="ridge", weight=0.0, steps=1000)
    rows = stacked(COMPLEX * weights[:, None])
    expected = torch.linalg.lstsq(rows, torch.cat([(data * weights).real, (data * weights).imag], dim=1).T).solution
    torch.testing.assert_close(result.flatten(1).T, expected, atol=5e-3, rtol=0)


def test_levelled_scans_find_two_points_that_the_haze_hides():
    particle, scan, shape = Particle(25e-9), CartesianScan(), (9, 9, 12)
    truth = torch.zeros(1, 1, *shape)
    truth[0, 0, 4, 4, 3], truth[0, 0, 4, 4, 8] = 1.0, 0.5
    model = native_model(particle, scan, shape)
    level = levelled(model, floor=1e-2)
    data = level.level(model.like(truth).apply(truth))
    result = reconstruct_penalised(level, data, penalty="l1", weight=1e-4, steps=300)
    torch.testing.assert_close(result, truth, atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"model": MATRIX}, "model"),
        ({"penalty": "l2"}, "penalty"),
        ({"weight": -1.0}, "weight"),
        ({"weight": math.nan}, "weight"),
        ({"steps": 0}, "steps"),
        ({"data": DATA[:, :5]}, "data"),
        ({"data": DATA * math.inf}, "data"),
        ({"data": DATA.half()}, "data"),
        ({"data": DATA[:0]}, "data"),
    ],
)
def test_bad_input_is_named(change, name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        reconstruct_penalised(
            **({"model": MatrixModel(MATRIX, SHAPE), "data": DATA, "penalty": "l1", "weight": 1.0} | change)
        )
