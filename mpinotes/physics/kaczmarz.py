"""Reconstruction with a system matrix: the regularised Kaczmarz method."""

import math

import torch

from mpinotes.validation import check_count, check_range, check_tensor


def kaczmarz(
    matrix: torch.Tensor,
    measurement: torch.Tensor,
    *,
    regularization: float = 1e-2,
    sweeps: int = 20,
    weighted: bool = True,
    non_negative: bool = True,
) -> torch.Tensor:
    """Solve argmin_c ‖W(Sc − u)‖² + λ‖c‖² row by row, for all frames at once.

    `matrix` S: (row, voxel), complex or real; `measurement` u: (row, frame). Returns the real
    concentrations (voxel, frame). `weighted` divides every row by its norm (else W = 1). λ is
    `regularization` times the mean energy per voxel, ‖WS‖²/voxels. `non_negative` projects the real
    part onto c ≥ 0 after every sweep; without it, real solutions converge to the least-squares one.
    Source: Knopp et al., Phys. Med. Biol. 55 (2010) 1577. Raises ``ValueError`` for wrong shapes,
    NaN or empty rows.
    """
    check_tensor("matrix", matrix, 2, "(row, voxel)")
    check_tensor("measurement", measurement, 2, "(row, frame)")
    if len(matrix) != len(measurement):
        raise ValueError(f"measurement: got {len(measurement)} rows, accepted is one per row of matrix, {len(matrix)}")
    check_range("regularization", regularization, 0.0, math.inf)
    check_count("sweeps", sweeps)
    norms = matrix.abs().square().sum(1).sqrt()
    if (norms == 0).any():
        raise ValueError("matrix: got rows that are zero, accepted are rows with a signal")
    if weighted:
        matrix, measurement = matrix / norms[:, None], measurement / norms[:, None]
        norms = torch.ones_like(norms)
    shift = regularization * norms.square().sum().item() / matrix.shape[1]
    measurement = measurement.to(matrix.dtype)
    solution = matrix.new_zeros(matrix.shape[1], measurement.shape[1])
    slack = torch.zeros_like(measurement)
    steps = 1 / (norms.square() + shift)
    for _ in range(sweeps):
        for row, target, step, rest in zip(matrix, measurement, steps, slack, strict=True):  # rest: a view
            update = step * (target - row @ solution - math.sqrt(shift) * rest)
            solution += row.conj()[:, None] * update
            rest += math.sqrt(shift) * update
        solution = solution.real.clamp_min(0).to(matrix.dtype) if non_negative else solution
    return solution.real if solution.is_complex() else solution
