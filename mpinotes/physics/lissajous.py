"""A Lissajous scan: the drives, the selection field and the grid."""

import math
from dataclasses import dataclass

import torch

from mpinotes.checks import check_count, check_plausible, check_positive, check_several
from mpinotes.physics.selection_field import check_gradient


@dataclass(frozen=True)
class LissajousScan:
    """A field-free point on a Lissajous figure: cosine drives at f_x, f_y = N_d/(N_d+1) f_x and, in
    three dimensions, f_z = N_d/(N_d+2) f_x. The number of gradients sets the dimensions, 1 to 3.

    :param gradient: selection field (G_x, G_y, …) [T/m]; three are divergence-free, fewer leave the
        rest to the axes that are not scanned
    :param amplitude: drive field (A_x, A_y, …) [T]
    :param base_frequency: f_x [Hz]
    :param density: N_d
    :param shape: pixels (…, y, x)
    :param field_of_view: (x, y, …) [m]
    :param coil_sensitivity: of all receive coils, or of each (p_x, p_y, …), ours [T/A]

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
        check_several("gradient", self.gradient, (1, 2, 3), "one, two or three values (G_x, G_y, …)")
        for name in ("amplitude", "shape", "field_of_view"):
            accepted = f"{self.dims} values, as many as gradients"
            check_several(name, getattr(self, name), (self.dims,), accepted)
        check_gradient(self.gradient)
        for value in self.amplitude:
            check_plausible("amplitude", value, 1.0, "T", "millitesla")
        for pixels in self.shape:
            check_count("shape", pixels)
        for value in self.field_of_view:
            check_plausible("field_of_view", value, 1.0, "m", "millimetres")
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
        phase = 2 * math.pi * torch.arange(samples, dtype=torch.float64, device="cpu")[:, None] / samples
        reach = phase.new_tensor([-a / g for a, g in zip(self.amplitude, self.gradient, strict=True)])
        return reach * torch.cos(phase * phase.new_tensor(self.cycles))
