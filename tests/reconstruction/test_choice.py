import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mpinotes.reconstruction import (
    LCurve,
    MatrixModel,
    discrepancy_regularization,
    kaczmarz,
    l_curve,
    reconstruct_penalised,
    residual_norm,
    spread_weights,
    total_variation,
)

GENERATOR = torch.Generator().manual_seed(0)
MATRIX = torch.rand(40, 12, generator=GENERATOR, dtype=torch.float64)
SHAPE = (1, 3, 4)
MODEL = MatrixModel(MATRIX, SHAPE)
TRUTH = torch.rand(2, 1, *SHAPE, generator=GENERATOR, dtype=torch.float64)
NOISE = 0.1 * torch.randn(2, 40, generator=GENERATOR, dtype=torch.float64)
DATA = MODEL.apply(TRUTH) + NOISE


def ridge(weight):
    """The Tikhonov solution by LAPACK, without a bound."""
    gram = MATRIX.T @ MATRIX + weight * torch.eye(12, dtype=torch.float64)
    return MODEL.volumes(torch.linalg.solve(gram, MATRIX.T @ DATA.T))


def total(residual):
    return residual.norm().item()


@settings(max_examples=10)
@given(share=st.floats(0.95, 6.0))
def test_the_rule_attains_the_discrepancy_that_is_asked(share):
    noise = share * NOISE.norm().item()
    weight = discrepancy_regularization(ridge, MODEL, DATA, noise, between=(1e-8, 1e8))
    assert total(residual_norm(MODEL, ridge(weight), DATA)) == pytest.approx(noise, rel=1e-3)


def test_whitened_complex_rows_have_a_noise_of_the_root_of_their_number():
    """What the docstring says to expect, on measured weights: within some percent of the residual at the truth."""
    generator = torch.Generator().manual_seed(1)
    strengths = torch.logspace(-3, 3, 400, dtype=torch.float64)
    frames = strengths * torch.randn(260, 400, generator=generator, dtype=torch.complex128)
    weights = spread_weights(frames[:256])
    rows = torch.randn(400, 12, generator=generator, dtype=torch.complex128) * strengths[:, None]
    model = MatrixModel(rows * weights[:, None], SHAPE)
    truth = torch.rand(4, 1, *SHAPE, generator=generator, dtype=torch.float64)
    data = model.apply(truth) + frames[256:] * weights
    assert total(residual_norm(model, truth, data)) == pytest.approx(math.sqrt(4 * 400), rel=0.05)


def test_a_noise_that_no_regularisation_leaves_is_named_with_what_there_is():
    least = total(residual_norm(MODEL, ridge(1e-6), DATA))
    for noise in (0.5 * least, 2 * DATA.norm().item()):
        with pytest.raises(ValueError, match=r"^noise: got .* accepted is from"):
            discrepancy_regularization(ridge, MODEL, DATA, noise)


SOLVERS = {
    "ridge without a bound": (ridge, None),
    "non-negative": (
        lambda weight: reconstruct_penalised(MODEL, DATA, penalty="ridge", weight=weight, steps=150),
        None,
    ),
    "total variation": (
        lambda weight: reconstruct_penalised(MODEL, DATA, penalty="total_variation", weight=weight, steps=150),
        total_variation,
    ),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_with_more_regularisation_the_residual_grows_and_the_size_falls(name):
    solve, size = SOLVERS[name]
    curve = l_curve(solve, MODEL, DATA, [0.3, 1.0, 3.0, 10.0], size=size)
    assert (curve.residual.diff() > 0).all() and (curve.size.diff() < 0).all()


def test_the_residual_is_that_of_the_data_and_not_of_the_solver():
    weights = torch.rand(40, generator=GENERATOR, dtype=torch.float64)
    solution = kaczmarz(weights[:, None] * MATRIX, weights[:, None] * DATA.T, weighted=False, sweeps=3)
    expected = (MATRIX @ solution - DATA.T).norm(dim=0)
    torch.testing.assert_close(residual_norm(MODEL, MODEL.volumes(solution), DATA), expected)


def test_the_residual_of_large_single_precision_data_is_a_number():
    data = DATA.float() * 1e30
    assert torch.isfinite(residual_norm(MODEL, torch.zeros(2, 1, *SHAPE), data)).all()


def test_the_corner_lies_where_an_l_bends():
    regularizations = tuple(10.0**k for k in range(-4, 5))
    residual = torch.tensor([1.0, 1.01, 1.02, 1.03, 1.1, 2.0, 4.0, 8.0, 16.0])
    size = torch.tensor([256.0, 64.0, 16.0, 4.0, 1.1, 1.03, 1.02, 1.01, 1.0])
    assert LCurve(regularizations, residual, size).corner == 4


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: residual_norm(MODEL, TRUTH[:1], DATA), "volumes"),
        (lambda: residual_norm(MODEL, TRUTH * math.nan, DATA), "volumes"),
        (lambda: residual_norm(MODEL, TRUTH, DATA[:, :3]), "data"),
        (lambda: discrepancy_regularization(ridge, MODEL, DATA, 0.0), "noise"),
        (lambda: discrepancy_regularization(ridge, MODEL, DATA, 1.0, between=(1.0, 0.1)), "between"),
        (lambda: discrepancy_regularization(ridge, MODEL, DATA, 1.0, between=1.0), "between"),
        (lambda: discrepancy_regularization(ridge, MODEL, DATA, 1.0, tolerance=0.0), "tolerance"),
        (lambda: l_curve(ridge, MODEL, DATA, (1.0, 2.0)), "regularizations"),
        (lambda: l_curve(ridge, MODEL, DATA, (1.0, 2.0, -1.0)), "regularizations"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        call()
