"""Reconstruction with a system matrix: the regularised Kaczmarz method."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from mpinotes.checks import check_count, check_range, check_tensor
from mpinotes.numerics import full_precision, power_of_two


@dataclass(frozen=True)
class KaczmarzState:
    """After a sweep: the real `solution`, (voxel, frame), and the `residual` ‖W(Sc − u)‖ over ‖Wu‖,
    (frame,).

    >>> measurement = torch.tensor([[2.0], [1.0]])
    >>> state = next(kaczmarz_sweeps(torch.eye(2), measurement, regularization=0))
    >>> state.solution.T, state.residual
    (tensor([[2., 1.]]), tensor([0.]))
    """

    solution: torch.Tensor
    residual: torch.Tensor


def kaczmarz(
    matrix: torch.Tensor,
    measurement: torch.Tensor,
    *,
    regularization: float = 1e-2,
    sweeps: int = 20,
    weighted: bool = True,
    real: bool = False,
    non_negative: bool = True,
) -> torch.Tensor:
    """The solution (voxel, frame) of `kaczmarz_sweeps` after a number of sweeps.

    :param matrix: S, (row, voxel), complex or real
    :param measurement: u, (row, frame)
    :param regularization: λ over the mean energy per voxel of the weighted matrix
    :param sweeps: how many times all rows are passed
    :param weighted: divide every row by its norm
    :param real: solve for real numbers alone
    :param non_negative: project the real part onto c ≥ 0 after every sweep

    >>> matrix, truth = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[2.0], [1.0]])
    >>> kaczmarz(matrix, matrix @ truth, regularization=0).T
    tensor([[2.0000, 1.0000]])
    """
    check_count("sweeps", sweeps)
    states = kaczmarz_sweeps(
        matrix, measurement, regularization=regularization, weighted=weighted, real=real, non_negative=non_negative
    )
    for _ in range(sweeps):
        state = next(states)
    return state.solution


@full_precision
def kaczmarz_sweeps(
    matrix: torch.Tensor,
    measurement: torch.Tensor,
    *,
    regularization: float = 1e-2,
    weighted: bool = True,
    real: bool = False,
    non_negative: bool = True,
) -> Iterator[KaczmarzState]:
    """Solve argmin_c ‖W(Sc − u)‖² + λ‖c‖² row by row, for all frames at once, without end: take as
    many sweeps as are wanted.

    Other weights than norms, as `spread_weights`, multiply rows and measurement before, with ``weighted=False``:
    ``kaczmarz(weights[:, None] * rows, weights[:, None] * measurement, weighted=False)``. Rows of zeros say
    nothing of c and change nothing. The arguments are left as they are. No gradients.

    Source: Knopp et al., Phys. Med. Biol. 55 (2010) 1577. Raises ``ValueError`` for wrong shapes,
    NaN, or a matrix of zeros.

    :param matrix: S, (row, voxel), complex or real
    :param measurement: u, (row, frame)
    :param regularization: λ over the mean energy per voxel, ‖WS‖²/voxels
    :param weighted: W divides every row by its norm and leaves rows of zeros out; else W = 1
    :param real: real and imaginary parts of each row are rows of their own, whose solution is real; otherwise
        that of complex rows is complex, and its real part is what is returned
    :param non_negative: project the real part onto c ≥ 0 after every sweep; without it, solutions
        converge to the least-squares one

    >>> matrix, truth = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[2.0], [1.0]])
    >>> sweeps = kaczmarz_sweeps(matrix, matrix @ truth, regularization=0)
    >>> [round(next(sweeps).residual.item(), 3) for _ in range(4)]
    [0.171, 0.086, 0.043, 0.021]
    """
    check_tensor("matrix", matrix, 2, "(row, voxel)", complex_too=True)
    check_tensor("measurement", measurement, 2, "(row, frame)", complex_too=True)
    if len(matrix) != len(measurement):
        raise ValueError(f"measurement: got {len(measurement)} rows, accepted is one per row of matrix, {len(matrix)}")
    check_range("regularization", regularization, 0.0)
    # Squares of volts per particle are no numbers of float32; a power of two changes no bit of all else.
    unit, datum = (power_of_two(values.abs().amax()) for values in (matrix, measurement))
    matrix, measurement = matrix.detach() / unit, measurement.detach() / datum
    energies = matrix.abs().square().sum(1)
    signal = energies > 0
    if not signal.any():
        raise ValueError("matrix: got zeros everywhere, accepted is at least one row with a signal")
    if weighted:
        norms = energies[signal, None].sqrt()
        matrix, measurement = matrix[signal] / norms, measurement[signal] / norms
        energies = torch.ones_like(energies[signal])
    dtype = torch.promote_types(matrix.dtype, measurement.dtype)  # a real matrix drops no imaginary part
    matrix, measurement = matrix.to(dtype), measurement.to(dtype)
    if real and dtype.is_complex:
        matrix, measurement = (torch.cat([part.real, part.imag]) for part in (matrix, measurement))
        energies = matrix.square().sum(1)
    shift = regularization * energies.sum().item() / matrix.shape[1]
    damped = energies + shift
    steps = torch.where(damped > 0, 1 / damped, 0)
    return _sweep(matrix, measurement, steps, math.sqrt(shift), non_negative, datum.double() / unit.double())


@full_precision
def _sweep(
    matrix: torch.Tensor,
    measurement: torch.Tensor,
    steps: torch.Tensor,
    root: float,
    non_negative: bool,
    unit: torch.Tensor,
) -> Iterator[KaczmarzState]:
    solution = matrix.new_zeros(matrix.shape[1], measurement.shape[1])
    slack = torch.zeros_like(measurement)
    size = measurement.abs().square().sum(0).sqrt().clamp_min(torch.finfo(matrix.dtype).tiny)
    while True:
        for row, target, step, rest in zip(matrix, measurement, steps, slack, strict=True):  # rest: a view
            update = step * (target - row @ solution - root * rest)
            solution += row.conj()[:, None] * update
            rest += root * update
        solution = solution.real.clamp_min(0).to(matrix.dtype) if non_negative else solution
        difference = (matrix @ solution - measurement).abs().square().sum(0).sqrt()
        yield KaczmarzState((solution.real if solution.is_complex() else solution) * unit, difference / size)
