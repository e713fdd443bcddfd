"""A Lissajous scan: the drives, the selection field and the grid."""

import math
from dataclasses import dataclass

import torch

from mpinotes.checks import check_count, check_plausible, check_positive, check_range, check_several
from mpinotes.physics.selection_field import check_gradient


class _OfDensity(tuple[int, ...]):
    """Cycles that follow from the density: a copy of the scan with another density gets its own."""


@dataclass(frozen=True)
class LissajousScan:
    """A field-free point on a Lissajous figure: drives A_i cos(2π N_i t/T + φ_i) that make whole numbers
    N_i of periods (`cycles`) in one repetition T of the figure. By default these are the drives of our papers,
    f_x, f_y = N_d/(N_d+1) f_x and, in three dimensions, f_z = N_d/(N_d+2) f_x. The number of gradients sets the
    dimensions, 1 to 3.

    :param gradient: selection field (G_x, G_y, …) [T/m]; three are divergence-free, fewer leave the
        rest to the axes that are not scanned; all zero where it is not known
    :param amplitude: drive field (A_x, A_y, …) [T]
    :param base_frequency: f_x [Hz]
    :param density: N_d; where `cycles` are given it follows from them, and is None for another figure than that of
        the papers
    :param shape: pixels (…, y, x)
    :param field_of_view: (x, y, …) [m]
    :param coil_sensitivity: of all receive coils, or of each (p_x, p_y, …), ours [T/A]
    :param cycles: (N_x, N_y, …), without a common divisor; empty for those of `density`
    :param phase: φ of all drives, or of each (φ_x, φ_y, …) [rad]
    :param centre: of the field of view, one number for all axes or each (x, y, …), from the centre of the figure [m]

    >>> scan = LissajousScan(base_frequency=25e3, density=99)
    >>> scan.cycles, scan.repetition_frequency
    ((100, 99), 250.0)
    >>> scan.bins(torch.tensor([2, 1]))
    tensor(299)
    >>> LissajousScan(cycles=(16, 17)).density, LissajousScan(cycles=(8, 7)).density  # dividers 102/96, and 7/8
    (None, 7)
    """

    gradient: tuple[float, ...] = (1.0, 1.0)
    amplitude: tuple[float, ...] = (20e-3, 20e-3)
    base_frequency: float = 25e3
    density: int | None = 99
    shape: tuple[int, ...] = (32, 32)
    field_of_view: tuple[float, ...] = (40e-3, 40e-3)
    coil_sensitivity: float | tuple[float, ...] = 1e-3
    cycles: tuple[int, ...] = ()
    phase: float | tuple[float, ...] = 0.0
    centre: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        check_several("gradient", self.gradient, (1, 2, 3), "one, two or three values (G_x, G_y, …)")
        for name in ("amplitude", "shape", "field_of_view"):
            accepted = f"{self.dims} values, as many as gradients"
            check_several(name, getattr(self, name), (self.dims,), accepted)
        if any(self.gradient):
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
        self._set_cycles()
        for name, unit, highest in (("phase", "rad", 4 * math.pi), ("centre", "m", 1.0)):
            self._set_one_or_each(name, unit, highest)

    def _set_cycles(self) -> None:
        if isinstance(self.cycles, _OfDensity) or (isinstance(self.cycles, tuple) and not self.cycles):
            check_count("density", self.density)  # type: ignore[arg-type]
            first: int = self.density  # type: ignore[assignment]
            dividers = list(range(first, first + self.dims))
            cycles, density = tuple(math.lcm(*dividers) // divider for divider in dividers), self.density
        else:
            cycles = self.cycles
            check_several("cycles", cycles, (self.dims,), f"{self.dims} whole numbers, as many as gradients")
            for count in cycles:
                check_count("cycles", count)
            if math.gcd(*cycles) > 1:
                raise ValueError(f"cycles: got {cycles}, accepted are numbers without a common divisor")
            dividers = [math.lcm(*cycles) // count for count in cycles]
            consecutive = dividers == list(range(dividers[0], dividers[0] + self.dims))
            density = dividers[0] if consecutive else None
        object.__setattr__(self, "density", density)
        object.__setattr__(self, "cycles", tuple(map(int, cycles)) if density is None else _OfDensity(map(int, cycles)))

    def _set_one_or_each(self, name: str, unit: str, highest: float) -> None:
        given = getattr(self, name)
        values = tuple(given) if isinstance(given, tuple | list) else (given,) * self.dims
        check_several(name, values, (self.dims,), f"one or {self.dims} values")
        for value in values:
            check_range(name, value, -highest, highest)
        object.__setattr__(self, name, values[0] if len(set(values)) == 1 else values)

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
    def phases(self) -> tuple[float, ...]:
        """Phase of each drive [rad]."""
        return self.phase if isinstance(self.phase, tuple) else (self.phase,) * self.dims

    @property
    def centres(self) -> tuple[float, ...]:
        """Centre of the field of view (x, y, …) [m]."""
        return self.centre if isinstance(self.centre, tuple) else (self.centre,) * self.dims

    @property
    def repetition_frequency(self) -> float:
        """Δf = f_x / N_x [Hz]: the spacing of the lines of the spectrum."""
        return self.base_frequency / self.cycles[0]

    def bins(self, orders: torch.Tensor) -> torch.Tensor:
        """Line k = n N_x + m N_y + … that mixing orders (…, dims) fall on, (…,)."""
        return (orders * torch.tensor(self.cycles, device=orders.device)).sum(-1)

    def positions(self, samples: int) -> torch.Tensor:
        """FFP position (x, y, …) [m] at `samples` moments of one period, (samples, dims), float64."""
        if not all(self.gradient):
            raise ValueError(f"gradient: got {self.gradient}, accepted is a known one: without it there is no path")
        phase = 2 * math.pi * torch.arange(samples, dtype=torch.float64, device="cpu")[:, None] / samples
        reach = phase.new_tensor([-a / g for a, g in zip(self.amplitude, self.gradient, strict=True)])
        return reach * torch.cos(phase * phase.new_tensor(self.cycles) + phase.new_tensor(self.phases))
