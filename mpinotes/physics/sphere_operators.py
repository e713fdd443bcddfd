"""Operators on real functions on the unit sphere, as sparse matrices in spherical harmonics up to a degree."""

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

_ROUNDING = 1e-12  # of the largest entry: what sums of products leave where there is nothing


def directions(degree: int) -> list[sparse.csr_matrix]:
    """Multiplication by u_x, u_y and u_z (Arfken & Weber, Mathematical Methods for Physicists, 12.9)."""
    z = _shift(degree, 1, 0, lambda n, m: np.sqrt(((n + 1) ** 2 - m**2) / ((2 * n + 1) * (2 * n + 3))))
    up = _shift(degree, 1, 1, lambda n, m: -np.sqrt((n + m + 1) * (n + m + 2) / ((2 * n + 1) * (2 * n + 3))))
    down = _shift(degree, 1, -1, lambda n, m: np.sqrt((n - m + 1) * (n - m + 2) / ((2 * n + 1) * (2 * n + 3))))
    plus = up + down.conj().T  # u_x + i u_y
    minus = plus.conj().T
    return [_real(part) for part in ((plus + minus) / 2, (plus - minus) / 2j, z + z.conj().T)]


def rotations(degree: int) -> list[sparse.csr_matrix]:
    """The components of u × ∇, by which a function turns; i times the angular momentum of quantum mechanics."""
    plus = _shift(degree, 0, 1, lambda n, m: np.sqrt(n * (n + 1) - m * (m + 1)))
    minus = plus.conj().T
    turn = _shift(degree, 0, 0, lambda n, m: m)
    return [_real(1j * part) for part in ((plus + minus) / 2, (plus - minus) / 2j, turn)]


def laplacian(degree: int) -> sparse.csr_matrix:
    """−n(n + 1) for degree n."""
    return _real(_shift(degree, 0, 0, lambda n, m: -n * (n + 1)))


def reached(operator: sparse.csr_matrix) -> np.ndarray:
    """Mask of the coefficients that the first one is joined with by the entries of an operator: symmetry leaves half
    of them or, around an axis, very few."""
    size = abs(operator)
    _, label = connected_components(size > _ROUNDING * size.max(), directed=False)
    return label == label[0]


def _indices(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Degree n and order m of every harmonic; (n, m) stands at n² + n + m."""
    n = np.repeat(np.arange(degree + 1), 2 * np.arange(degree + 1) + 1)
    return n, np.arange(len(n)) - n**2 - n


def _shift(
    degree: int, up: int, turn: int, factor: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> sparse.csr_matrix:
    """From the complex Y_nm to `factor`(n, m) times Y_(n + up)(m + turn), where there is one."""
    n, m = _indices(degree)
    there = (n + up <= degree) & (np.abs(m + turn) <= n + up)
    column, n, m = np.flatnonzero(there), n[there], m[there]
    row = (n + up) ** 2 + n + up + m + turn
    return sparse.csr_matrix((factor(n, m).astype(complex), (row, column)), shape=((degree + 1) ** 2,) * 2)


def _real(operator: sparse.csr_matrix) -> sparse.csr_matrix:
    """The same in the real harmonics √2 Re Y_nm and √2 Im Y_nm, of which m and −m tell: what is made of real
    functions is real."""
    n, m = _indices(int(operator.shape[0] ** 0.5) - 1)
    place, mirror = n**2 + n + m, n**2 + n - m
    sign = np.where(m % 2 == 0, 1.0, -1.0)
    own = np.select([m > 0, m < 0], [np.full(len(m), 1 / np.sqrt(2)), 1j * sign / np.sqrt(2)], 1.0)
    other = np.select([m > 0, m < 0], [sign / np.sqrt(2), np.full(len(m), -1j / np.sqrt(2))], 0.0)
    rows, columns = np.concatenate([place, mirror]), np.concatenate([place, place])
    change = sparse.csr_matrix((np.concatenate([own, other]), (rows, columns)), shape=operator.shape)
    return sparse.csr_matrix((change.conj().T @ operator @ change).real)
