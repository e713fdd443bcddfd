"""Mixing orders of files that do not name them."""

import itertools

import numpy as np


def lowest_orders(bins: list[int], cycles: tuple[int, ...]) -> np.ndarray:
    """For every bin the n of smallest Σ|n_i| with Σ n_i cycles_i = bin, with few negative n_i, (bin, dims)."""
    found: dict[int, tuple[int, ...]] = {}
    wanted = set(bins)
    for total in itertools.count():
        for order in sorted(_orders_of(total, len(cycles)), key=lambda order: sum(n < 0 for n in order)):
            line = sum(n * cycle for n, cycle in zip(order, cycles, strict=True))
            if line in wanted:
                found.setdefault(line, order)
        if len(found) == len(wanted):
            break
    return np.array([found[line] for line in bins])


def _orders_of(total: int, dims: int) -> list[tuple[int, ...]]:
    """All n of `dims` whole numbers with Σ|n_i| = `total`."""
    if dims == 1:
        return [(total,), (-total,)] if total else [(0,)]
    return [(n, *others) for n in range(-total, total + 1) for others in _orders_of(total - abs(n), dims - 1)]
