"""The names of a system matrix's components: mixing orders of the drive frequencies."""

import itertools

import torch

from mpinotes.checks import check_count, check_range
from mpinotes.physics.lissajous import LissajousScan


def mixing_orders(lowest: int, highest: int, dims: int = 2) -> torch.Tensor:
    """All (n, m, …) ≥ 0 with `lowest` ≤ n + m + … ≤ `highest`, (count, dims), sorted by their sum,
    then by n.

    2 to 17 gives 168: our reading of the "168 harmonic components" of Wei et al. (2026).

    >>> mixing_orders(1, 2).tolist()
    [[0, 1], [1, 0], [0, 2], [1, 1], [2, 0]]
    >>> len(mixing_orders(2, 17))
    168
    """
    check_count("highest", highest, 0)
    check_count("lowest", lowest, 0, highest)
    check_count("dims", dims, 1, 3)
    grid = itertools.product(range(highest + 1), repeat=dims)
    found = sorted((o for o in grid if lowest <= sum(o) <= highest), key=lambda o: (sum(o), o))
    return torch.tensor(found, device="cpu")


def check_orders(orders: torch.Tensor, dims: int, name: str = "orders") -> None:
    """Raise ``ValueError`` unless these are mixing orders, whole numbers (component, dims), at least one.

    :meta private:
    """
    accepted = f"accepted are integers (component, {dims})"
    if not isinstance(orders, torch.Tensor):
        raise ValueError(f"{name}: got {type(orders).__name__}, {accepted}, as a torch tensor")
    whole = not (orders.is_floating_point() or orders.is_complex() or orders.dtype == torch.bool)
    if not whole or orders.ndim != 2 or orders.shape[1] != dims or len(orders) == 0:
        raise ValueError(f"{name}: got shape {tuple(orders.shape)} of {orders.dtype}, {accepted}")


def orders_in_band(scan: LissajousScan, low: float, high: float, highest: int) -> torch.Tensor:
    """One mixing order for every line of the spectrum from `low` to `high` [Hz] that an order of
    |n| + |m| + … ≤ `highest` reaches: the one of least sum. (count, dims), by frequency.

    >>> orders_in_band(LissajousScan(density=9), 45e3, 50e3, highest=4).tolist()
    [[0, 2], [1, 1], [2, 0]]
    """
    check_range("low", low, 0.0, high)
    check_count("highest", highest)
    grid = torch.cartesian_prod(*[torch.arange(-highest, highest + 1, device="cpu")] * scan.dims).view(-1, scan.dims)
    grid = grid[grid.abs().sum(1) <= highest]
    grid = grid[grid.abs().sum(1).argsort(stable=True)]
    bins = scan.bins(grid)
    frequency = bins * scan.repetition_frequency
    inside = (bins > 0) & (frequency >= low) & (frequency <= high)
    if not inside.any():
        raise ValueError(f"high: got {high} Hz, accepted is a band that holds a line of the spectrum")
    grid, bins = grid[inside], bins[inside]
    _, line = bins.unique(return_inverse=True)
    first = line.new_full((int(line.max()) + 1,), len(bins))
    first = first.scatter_reduce(0, line, torch.arange(len(bins), device="cpu"), "amin")
    return grid[first]
