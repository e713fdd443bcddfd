"""Mixing orders of files that do not name them."""

import math

import numpy as np


def lowest_orders(bins: np.ndarray, cycles: tuple[int, ...]) -> np.ndarray:
    """For every bin the n of smallest Σ|n_i| with Σ n_i cycles_i = bin, (bin, dims): of several that with fewest
    negative numbers, then the smallest n_1, n_2, … `cycles` have no common divisor, so every bin has one."""
    bins = np.asarray(bins, np.int64)
    if len(cycles) == 1:
        return bins[:, None] // cycles[0]
    if len(cycles) == 2:
        return _of_two(bins, cycles[0], cycles[1])[0]
    return _of_three(bins, cycles)


_NEVER = 2**40


def _of_two(bins: np.ndarray, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest (n, m) with n a + m b = bin, and Σ|n_i|, `_NEVER` where there is none."""
    divisor = math.gcd(a, b)
    a, b, whole = a // divisor, b // divisor, bins // divisor
    n = whole * pow(a, -1, b) % b if b > 1 else np.zeros_like(whole)
    m = (whole - n * a) // b
    # All solutions are (n + t b, m − t a); |n| + |m| is least next to the t where n or m passes zero.
    turns = [-n // b, -n // b + 1, m // a, m // a + 1]
    candidates = np.stack([np.stack([n + t * b, m - t * a], axis=-1) for t in turns])
    best = _lowest(candidates)
    return best, np.where(bins % divisor == 0, np.abs(best).sum(1), _NEVER)


def _of_three(bins: np.ndarray, cycles: tuple[int, ...]) -> np.ndarray:
    """The lowest of the best pairs for every order of the fastest drive, until no higher one can win."""
    axis = int(np.argmax(cycles))
    others = [cycle for i, cycle in enumerate(cycles) if i != axis]
    best = np.zeros((len(bins), 3), np.int64)
    least = np.full(len(bins), _NEVER)
    order = 0
    while True:
        for signed in (order, -order) if order else (0,):
            rest = bins - signed * cycles[axis]
            pair, total = _of_two(rest, others[0], others[1])
            candidate = np.insert(pair, axis, signed, axis=1)
            total = total + order
            rivals = _lowest(np.stack([best, candidate]))
            better = (total < least) | ((total == least) & (rivals == candidate).all(1))
            best = np.where(better[:, None], candidate, best)
            least = np.where(better, total, least)
        order += 1
        beyond = np.abs(order * cycles[axis] - np.abs(bins)) / max(others) + order
        if (order * cycles[axis] >= np.abs(bins)).all() and (beyond > least).all():
            return best


def _lowest(candidates: np.ndarray) -> np.ndarray:
    """The first by Σ|n_i|, number of negatives, n_1, n_2, … of (candidate, bin, dims)."""
    columns = [candidates[..., i] for i in reversed(range(candidates.shape[-1]))]
    keys = [*columns, (candidates < 0).sum(-1), np.abs(candidates).sum(-1)]
    first = np.lexsort(keys, axis=0)[0]
    return candidates[first, np.arange(candidates.shape[1])]
