import numpy as np
import pytest
import torch
from scipy.optimize import nnls
from scipy.sparse.linalg import lsqr

from mpinotes.physics import LissajousScan, Particle, mixing_orders, simulate_system_matrix
from mpinotes.reconstruction import kaczmarz, kaczmarz_sweeps

GENERATOR = torch.Generator().manual_seed(0)
MATRIX = torch.randn(30, 8, generator=GENERATOR, dtype=torch.float64)
FRAMES = torch.randn(30, 3, generator=GENERATOR, dtype=torch.float64)


def tikhonov(matrix, frames, regularization, weighted):
    if weighted:
        norm = matrix.norm(dim=1, keepdim=True)
        matrix, frames = matrix / norm, frames / norm
    shift = regularization * matrix.square().sum().item() / matrix.shape[1]
    matrix, frames = matrix.numpy(), frames.numpy()
    return np.linalg.solve(matrix.T @ matrix + shift * np.eye(matrix.shape[1]), matrix.T @ frames)


@pytest.mark.parametrize("weighted", [True, False])
def test_converges_to_the_tikhonov_solution(weighted):
    result = kaczmarz(MATRIX, FRAMES, regularization=0.5, sweeps=400, weighted=weighted, non_negative=False)
    np.testing.assert_allclose(result, tikhonov(MATRIX, FRAMES, 0.5, weighted), atol=1e-9)


def test_a_complex_system_converges_to_scipys_damped_least_squares():
    """lsqr on real and imaginary part stacked, for a complex solution."""
    matrix = torch.complex(MATRIX, MATRIX.roll(1, 0) ** 2)
    truth = torch.complex(FRAMES[:8, :1], FRAMES[8:16, :1])
    measurement = matrix @ truth + 0.1 * FRAMES[:, 1:2]
    got = kaczmarz(matrix, measurement, regularization=0.2, sweeps=600, weighted=False, non_negative=False)
    shift = 0.2 * matrix.abs().square().sum().item() / 8
    blocks = torch.cat([torch.cat([matrix.real, -matrix.imag], 1), torch.cat([matrix.imag, matrix.real], 1)])
    stacked = torch.cat([measurement.real, measurement.imag])[:, 0]
    expected = lsqr(blocks.numpy(), stacked.numpy(), damp=shift**0.5, atol=1e-14, btol=1e-14)[0][:8]
    np.testing.assert_allclose(got[:, 0], expected, atol=1e-8)


def test_each_sweep_reports_its_solution_and_residual():
    states = kaczmarz_sweeps(MATRIX, FRAMES, regularization=0.1)
    kept = [next(states) for _ in range(5)]
    norm = MATRIX.norm(dim=1, keepdim=True)
    for sweeps, state in enumerate(kept, start=1):
        torch.testing.assert_close(state.solution, kaczmarz(MATRIX, FRAMES, regularization=0.1, sweeps=sweeps))
        expected = ((MATRIX @ state.solution - FRAMES) / norm).norm(dim=0) / (FRAMES / norm).norm(dim=0)
        torch.testing.assert_close(state.residual, expected)


def test_the_residual_of_a_consistent_system_vanishes():
    states = kaczmarz_sweeps(MATRIX, MATRIX @ FRAMES[:8].abs(), regularization=0.0)
    residual = torch.stack([next(states).residual for _ in range(300)])
    assert residual[0].min() > 1e-3 and residual[-1].max() < 1e-8


def test_a_consistent_non_negative_system_is_solved_like_scipy_does():
    truth = torch.tensor([0.0, 1.0, 0.0, 2.0, 0.5, 0.0, 3.0, 0.0], dtype=torch.float64)[:, None]
    result = kaczmarz(MATRIX, MATRIX @ truth, regularization=0.0, sweeps=300)
    np.testing.assert_allclose(result[:, 0], nnls(MATRIX.numpy(), (MATRIX @ truth)[:, 0].numpy())[0], atol=1e-8)


def test_a_real_solution_of_complex_rows_is_that_of_their_parts():
    """lstsq on real and imaginary parts stacked; the real part of the complex solution is another."""
    matrix = torch.complex(MATRIX, MATRIX.roll(1, 0) ** 2)[:6]  # fewer rows than unknowns, more than enough parts
    measurement = torch.complex(FRAMES, FRAMES.roll(1, 0))[:6]
    setting = {"regularization": 0.0, "sweeps": 3000, "weighted": False, "non_negative": False}
    solution = kaczmarz(matrix, matrix @ FRAMES[:8].to(matrix.dtype), real=True, **setting)
    torch.testing.assert_close(solution, FRAMES[:8], atol=1e-6, rtol=0)
    parts = [torch.cat([x.real, x.imag]) for x in (matrix, measurement)]
    shift = 0.3 * parts[0].square().sum().item() / 8
    got = kaczmarz(matrix, measurement, real=True, **setting | {"regularization": 0.3, "sweeps": 500})
    expected = torch.linalg.solve(parts[0].T @ parts[0] + shift * torch.eye(8), parts[0].T @ parts[1])
    torch.testing.assert_close(got, expected, atol=1e-8, rtol=0)
    assert (kaczmarz(matrix, measurement, **setting | {"regularization": 0.3}) - expected).abs().max() > 1e-3


@pytest.mark.parametrize("regularization", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("real", [True, False])
def test_rows_of_zeros_change_nothing(regularization, weighted, real):
    setting = {"regularization": regularization, "weighted": weighted, "real": real, "sweeps": 5}
    matrix, frames = torch.complex(MATRIX, MATRIX.roll(1, 0)), torch.complex(FRAMES, FRAMES.roll(1, 0))
    with_zeros = kaczmarz(torch.cat([matrix, 0 * matrix[:2]]), torch.cat([frames, frames[:2]]), **setting)
    torch.testing.assert_close(with_zeros, kaczmarz(matrix, frames, **setting))


def test_a_measurement_in_rows_of_zeros_is_residual_where_rows_are_not_weighted():
    states = kaczmarz_sweeps(torch.eye(2)[:1], torch.ones(1, 1), weighted=False, regularization=0)
    assert next(states).residual == 0
    rows = torch.cat([torch.eye(2)[:1], torch.zeros(1, 2)])
    states = kaczmarz_sweeps(rows, torch.ones(2, 1), weighted=False, regularization=0)
    torch.testing.assert_close(next(states).residual, torch.tensor([0.5**0.5]))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("real", [True, False])
def test_nothing_is_changed_in_place(weighted, real):
    matrix, frames = torch.complex(MATRIX, MATRIX), torch.complex(FRAMES, FRAMES)
    before = matrix.clone(), frames.clone()
    kaczmarz(matrix, frames, weighted=weighted, real=real, sweeps=2)
    assert torch.equal(matrix, before[0]) and torch.equal(frames, before[1])


def test_frames_do_not_disturb_each_other():
    together = kaczmarz(MATRIX, FRAMES)
    apart = torch.cat([kaczmarz(MATRIX, frame[:, None]) for frame in FRAMES.T], dim=1)
    torch.testing.assert_close(together, apart)


def test_a_simulated_system_matrix_reconstructs_its_phantom():
    scan = LissajousScan(shape=(8, 8), density=9)
    components = simulate_system_matrix(scan, Particle(30e-9), mixing_orders(2, 10)).components
    matrix = components.flatten(2).flatten(0, 1)
    matrix = matrix[matrix.abs().amax(1) > 1e-3 * matrix.abs().max()]
    phantom = torch.zeros(8, 8, dtype=torch.float64)
    phantom[2:4, 3:6], phantom[5, 2] = 1.0, 2.0
    voltage = matrix @ phantom.flatten()[:, None].to(matrix.dtype)
    result = kaczmarz(matrix, voltage, regularization=1e-6, sweeps=300).view(8, 8)
    assert (result - phantom).norm() < 0.1 * phantom.norm()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"matrix": MATRIX[0]}, "matrix"),
        ({"matrix": MATRIX * torch.tensor(float("nan"))}, "matrix"),
        ({"matrix": torch.zeros_like(MATRIX)}, "matrix"),
        ({"measurement": FRAMES[:5]}, "measurement"),
        ({"regularization": -1.0}, "regularization"),
        ({"sweeps": 0}, "sweeps"),
    ],
)
def test_bad_input_is_named(change, name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        kaczmarz(**({"matrix": MATRIX, "measurement": FRAMES} | change))


@pytest.mark.parametrize("scale", [1e-36, 1e-22, 1e22, 1e36])
@pytest.mark.parametrize("options", [{}, {"weighted": False}, {"real": True}])
def test_the_scale_of_the_numbers_does_not_matter_in_single_precision_either(scale, options):
    """Squares of volts per particle are no numbers of float32; 1e22 times the solution is one."""
    matrix = torch.complex(MATRIX, MATRIX.roll(1, 0)).to(torch.complex64)
    frames = torch.complex(FRAMES, FRAMES.roll(1, 0)).to(torch.complex64)
    for state, scaled, tall in zip(
        kaczmarz_sweeps(matrix, frames, **options),
        kaczmarz_sweeps(scale * matrix, scale * frames, **options),
        kaczmarz_sweeps(matrix, scale * frames, **options),
        strict=True,
    ):
        torch.testing.assert_close(scaled.solution, state.solution, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(tall.solution / scale, state.solution, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(scaled.residual, state.residual, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(tall.residual, state.residual, atol=1e-6, rtol=1e-5)
        break


@pytest.mark.parametrize("graph", [0, 1])
def test_a_matrix_or_measurement_that_wants_a_gradient_is_solved_without_one(graph):
    arguments = [MATRIX, FRAMES]
    arguments[graph] = arguments[graph].clone().requires_grad_()
    solution = kaczmarz(*arguments, sweeps=2)
    assert not solution.requires_grad and torch.equal(solution, kaczmarz(MATRIX, FRAMES, sweeps=2))
