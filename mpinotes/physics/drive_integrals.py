"""Integrals of Chebyshev polynomials over pixel and drive, the costly part of a small system matrix."""

import math

import torch

from mpinotes.checks import check_count
from mpinotes.physics.chebyshev import Axis, parity

_Key = tuple[int, float, float, int, float, bool, bool]


class DriveIntegrals:
    """Tables of integrals that simulations of system matrices share when they are given the same object.

    A table depends on one axis of a scan (pixels, drive and centre over field of view) and on the length of the
    expansion, a power of √2 that grows with β times the field: particles of similar size share one. A 2D
    scan takes two or four of 4 · pixels · length² bytes each: on 32 pixels and 20 mT 8 MB for a core
    of 30 nm, 0.13 GB for one of 50 nm, 1 GB for one of 70 nm. Of the tables, the `capacity` last used are
    kept, for as long as the object lives.

    >>> scan, orders, integrals = LissajousScan(shape=(4, 4)), mixing_orders(2, 3), DriveIntegrals()
    >>> for core in (20e-9, 21e-9):
    ...     matrix = simulate_system_matrix(scan, Particle(core), orders, integrals=integrals)
    >>> len(integrals.tables), integrals.nbytes
    (2, 524288)
    """

    def __init__(self, capacity: int = 8):
        check_count("capacity", capacity)
        self.capacity = capacity
        self.tables: dict[_Key, torch.Tensor] = {}

    @property
    def nbytes(self) -> int:
        """Memory that the tables take."""
        return sum(table.nbytes for table in self.tables.values())

    def table(self, axis: Axis, odd: bool, integrate: bool) -> torch.Tensor:
        """π⁻¹ ∫ T_p(pixel + swing·u) T_a(u)/√(1−u²) du, (a, pixel, p), for every order a < degree and
        the odd or even p, averaged over each pixel (`integrate`) or at its centre.

        :meta private:
        """
        key = (axis.pixels, axis.half_width, axis.swing, axis.degree, axis.offset, odd, integrate)
        with torch.inference_mode(False):  # a table is kept: made for inference alone, it would serve no gradient
            table = self.tables.pop(key) if key in self.tables else _tabulate(*key)
        while len(self.tables) >= self.capacity:
            self.tables.pop(next(iter(self.tables)))  # the one not used for longest
        self.tables[key] = table
        return table


def _tabulate(
    pixels: int, half_width: float, swing: float, degree: int, offset: float, odd: bool, integrate: bool
) -> torch.Tensor:
    p = parity(degree, odd)
    drive = swing * torch.cos(math.pi * torch.arange(degree + 1, dtype=torch.float64, device="cpu") / degree) + offset
    # On the other side of a centre at rest, T_p(−s) = (−1)^p T_p(s) and T_a(−u) likewise.
    sign = (-1.0) ** (torch.arange(degree, dtype=torch.float64, device="cpu") + int(odd))
    table = p.new_empty(degree, pixels, len(p))

    def orders_of(values: torch.Tensor) -> torch.Tensor:
        return torch.fft.hfft(values, n=2 * degree, dim=0)[:degree] / (2 * degree)

    def up_to(edge: int) -> torch.Tensor:
        """The integral over the field of view from its centre to an edge of pixels."""
        return orders_of(_antiderivative(p, drive + (2 * edge - pixels) * half_width))

    left = up_to(0) if integrate else table[:, 0]
    for index in range(pixels if offset else (pixels + 1) // 2):  # one column at a time: bounds the memory
        if integrate:
            right = up_to(index + 1)
            column, left = (right - left) / (2 * half_width), right
        else:
            column = orders_of(_chebyshev(p, drive + (2 * index - pixels + 1) * half_width))
        if not offset:
            table[:, -1 - index] = column * sign[:, None]
        table[:, index] = column
    return table


def _chebyshev(p: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    return torch.cos(p * torch.acos(s.clamp(-1, 1))[:, None])


def _antiderivative(p: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """∫ T_p ds = (T_{p+1}/(p+1) − T_{p−1}/(p−1))/2; for p = 1, s²/2."""
    below = torch.where(p == 1, torch.zeros_like(p), 1 / (p - 1))
    values = _chebyshev(torch.cat([p[:1] - 1, p + 1]), s)  # p comes in steps of two
    return (values[:, 1:] / (p + 1) - values[:, :-1] * below) / 2
