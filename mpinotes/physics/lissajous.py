"""A Lissajous scan, its system matrix, and the names of the matrix's components."""

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from mpinotes.validation import check_count, check_plausible, check_positive, check_range

if TYPE_CHECKING:
    from mpinotes.physics.mdf import FilePath


@dataclass(frozen=True)
class LissajousScan:
    """A field-free point on a Lissajous figure: cosine drives at f_x, f_y = N_d/(N_d+1) f_x and, in
    three dimensions, f_z = N_d/(N_d+2) f_x. The number of gradients sets the dimensions, 1 to 3.

    `gradient`: selection field (G_x, G_y, …) [T/m]; three are divergence-free, fewer leave the rest
    to the axes that are not scanned. `amplitude`: drive field (A_x, A_y, …) [T].
    `base_frequency`: f_x [Hz]. `density`: N_d. `shape`: pixels (…, y, x). `field_of_view`:
    (x, y, …) [m]. `coil_sensitivity` [T/A] of all receive coils, or of each (p_x, p_y, …), ours.

    >>> scan = LissajousScan(base_frequency=25e3, density=99)
    >>> scan.cycles, scan.repetition_frequency
    ((100, 99), 250.0)
    >>> scan.bins(torch.tensor([2, 1]))
    tensor(299)
    """

    gradient: tuple[float, ...] = (1.0, 1.0)
    amplitude: tuple[float, ...] = (20e-3, 20e-3)
    base_frequency: float = 25e3
    density: int = 99
    shape: tuple[int, ...] = (32, 32)
    field_of_view: tuple[float, ...] = (40e-3, 40e-3)
    coil_sensitivity: float | tuple[float, ...] = 1e-3

    def __post_init__(self) -> None:
        if len(self.gradient) not in (1, 2, 3):
            raise ValueError(f"gradient: got {self.gradient}, accepted are one, two or three values")
        for name in ("gradient", "amplitude", "shape", "field_of_view"):
            values = getattr(self, name)
            if len(values) != self.dims or not all(math.isfinite(v) and v != 0 for v in values):
                raise ValueError(f"{name}: got {values}, accepted are {self.dims} finite values, none zero")
        if self.dims == 3 and abs(sum(self.gradient)) > 1e-9 * max(map(abs, self.gradient)):
            raise ValueError(f"gradient: got {self.gradient}, accepted is a divergence-free field (sum 0)")
        for value in self.gradient:
            check_plausible("gradient", abs(value), 100.0, "T/m", "mT/m")
        for value in self.amplitude:
            check_plausible("amplitude", value, 1.0, "T", "millitesla")
        for value in self.field_of_view:
            check_plausible("field_of_view", value, 1.0, "m", "millimetres")
        for pixels in self.shape:
            check_count("shape", pixels)
        check_positive("base_frequency", self.base_frequency)
        if len(self.sensitivities) != self.dims:
            raise ValueError(f"coil_sensitivity: got {self.coil_sensitivity}, accepted are one or {self.dims} values")
        for value in self.sensitivities:
            check_positive("coil_sensitivity", value)
        check_count("density", self.density)

    @property
    def dims(self) -> int:
        """Dimensions of the scan."""
        return len(self.gradient)

    @property
    def sensitivities(self) -> tuple[float, ...]:
        """Coil sensitivity of each channel [T/A]."""
        given = self.coil_sensitivity
        return given if isinstance(given, tuple) else (given,) * self.dims

    @property
    def cycles(self) -> tuple[int, ...]:
        """(N_x, N_y, …): periods of each drive within one of the figure; (N_d + 1, N_d) in 2D."""
        dividers = range(self.density, self.density + self.dims)
        return tuple(math.lcm(*dividers) // divider for divider in dividers)

    @property
    def repetition_frequency(self) -> float:
        """Δf = f_x / N_x [Hz]: the spacing of the lines of the spectrum."""
        return self.base_frequency / self.cycles[0]

    def bins(self, orders: torch.Tensor) -> torch.Tensor:
        """Line k = n N_x + m N_y + … that mixing orders (…, dims) fall on, (…,)."""
        return (orders * torch.tensor(self.cycles, device=orders.device)).sum(-1)

    def positions(self, samples: int) -> torch.Tensor:
        """FFP position (x, y, …) [m] at `samples` moments of one period, (samples, dims), float64."""
        phase = 2 * math.pi * torch.arange(samples, dtype=torch.float64)[:, None] / samples
        reach = torch.tensor([-a / g for a, g in zip(self.amplitude, self.gradient, strict=True)], dtype=torch.float64)
        return reach * torch.cos(phase * torch.tensor(self.cycles))


@dataclass(frozen=True)
class SystemMatrix:
    """System functions of a scan.

    `components`: complex Fourier coefficients of the receive voltage per particle [V], of
    u(t) = Σ_k û_k exp(i2πf_k t), shape (channel, component, …, y, x), channels x, y, ….
    `mixing_orders`: (component, dims), (n, m, …) of k = n N_x + m N_y + …. `frequencies`:
    (component,) [Hz]. `snr`: (channel, component), where it has been measured.

    >>> scan, orders = LissajousScan(shape=(4, 4)), mixing_orders(2, 3)
    >>> matrix = simulate_system_matrix(scan, Particle(20e-9), orders)
    >>> rows, kept = matrix.rows()
    >>> matrix.components.shape, rows.shape
    (torch.Size([2, 7, 4, 4]), torch.Size([14, 16]))
    """

    components: torch.Tensor
    mixing_orders: torch.Tensor
    frequencies: torch.Tensor
    scan: LissajousScan
    snr: torch.Tensor | None = None

    def rows(self, least_snr: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
        """The matrix as a reconstruction takes it: (row, voxel), of the lines whose SNR reaches
        `least_snr`, and which these are, a mask (channel, component) that picks them from a
        measurement. Raises ``ValueError`` where no SNR is known or none is high enough."""
        snr = self.snr
        if snr is None:
            check_range("least_snr of a matrix without a measured SNR", least_snr, 0.0, 0.0)
            snr = torch.zeros(self.components.shape[:2], device=self.components.device)
        check_range("least_snr", least_snr, 0.0, snr.max().item())
        kept = snr >= least_snr
        return self.components[kept].flatten(1), kept

    def save(self, path: "FilePath") -> None:
        """Write an MDF 2.1 file (HDF5) that other tools of the field read."""
        from mpinotes.physics.mdf import save_mdf  # it imports this module

        save_mdf(self, path)

    @staticmethod
    def load(path: "FilePath") -> "SystemMatrix":
        """Read an MDF 2.x file; a ``ValueError`` says what is wrong with it."""
        from mpinotes.physics.mdf import load_mdf

        return load_mdf(path)


def mixing_orders(lowest: int, highest: int, dims: int = 2) -> torch.Tensor:
    """All (n, m, …) ≥ 0 with `lowest` ≤ n + m + … ≤ `highest`, (count, dims), sorted by their sum,
    then by n.

    2 to 17 gives 168: our reading of the "168 harmonic components" of Wei et al. (2026).

    >>> mixing_orders(1, 2).tolist()
    [[0, 1], [1, 0], [0, 2], [1, 1], [2, 0]]
    >>> len(mixing_orders(2, 17))
    168
    """
    check_range("lowest", lowest, 0, highest)
    check_count("dims", dims, 1, 3)
    grid = itertools.product(range(highest + 1), repeat=dims)
    return torch.tensor(sorted((o for o in grid if lowest <= sum(o) <= highest), key=lambda o: (sum(o), o)))


def orders_in_band(scan: LissajousScan, low: float, high: float, highest: int) -> torch.Tensor:
    """One mixing order for every line of the spectrum from `low` to `high` [Hz] that an order of
    |n| + |m| + … ≤ `highest` reaches: the one of least sum. (count, dims), by frequency.

    >>> orders_in_band(LissajousScan(density=9), 45e3, 50e3, highest=4).tolist()
    [[0, 2], [1, 1], [2, 0]]
    """
    check_range("low", low, 0.0, high)
    check_count("highest", highest)
    grid = torch.cartesian_prod(*[torch.arange(-highest, highest + 1)] * scan.dims).view(-1, scan.dims)
    grid = grid[grid.abs().sum(1) <= highest]
    grid = grid[grid.abs().sum(1).argsort(stable=True)]
    bins = scan.bins(grid)
    frequency = bins * scan.repetition_frequency
    inside = (bins > 0) & (frequency >= low) & (frequency <= high)
    if not inside.any():
        raise ValueError(f"high: got {high} Hz, accepted is a band that holds a line of the spectrum")
    grid, bins = grid[inside], bins[inside]
    _, line = bins.unique(return_inverse=True)
    first = torch.full((int(line.max()) + 1,), len(bins)).scatter_reduce(0, line, torch.arange(len(bins)), "amin")
    return grid[first]
