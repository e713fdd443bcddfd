"""System matrices of a two-dimensional Lissajous scan, by Chebyshev expansion."""

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from mpinotes.physics.particles import Particle, langevin_ratio
from mpinotes.validation import check_count, check_positive, check_range


@dataclass(frozen=True)
class LissajousScan:
    """A field-free point on a 2D Lissajous figure: cosine drives at f_x and f_y = N_d/(N_d+1) f_x.

    `gradient`: selection field (G_x, G_y) [T/m]. `amplitude`: drive field (A_x, A_y) [T].
    `base_frequency`: f_x [Hz]. `density`: N_d. `shape`: pixels (y, x). `field_of_view`: (x, y) [m].
    `coil_sensitivity` of both receive coils [T/A], ours.
    """

    gradient: tuple[float, float] = (1.0, 1.0)
    amplitude: tuple[float, float] = (20e-3, 20e-3)
    base_frequency: float = 25e3
    density: int = 99
    shape: tuple[int, int] = (32, 32)
    field_of_view: tuple[float, float] = (40e-3, 40e-3)
    coil_sensitivity: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("gradient", "amplitude", "shape", "field_of_view"):
            values = getattr(self, name)
            if len(values) != 2 or not all(math.isfinite(v) and v != 0 for v in values):
                raise ValueError(f"{name}: got {values}, accepted are two finite values, none zero")
        for name in ("amplitude", "field_of_view"):
            for value in getattr(self, name):
                check_positive(name, value)
        for pixels in self.shape:
            check_count("shape", pixels)
        check_positive("base_frequency", self.base_frequency)
        check_positive("coil_sensitivity", self.coil_sensitivity)
        check_count("density", self.density)

    @property
    def cycles(self) -> tuple[int, int]:
        """(N_x, N_y) = (N_d + 1, N_d): periods of each drive within one period of the figure."""
        return self.density + 1, self.density

    @property
    def repetition_frequency(self) -> float:
        """Δf = f_x / (N_d + 1) [Hz]: the spacing of the lines of the spectrum."""
        return self.base_frequency / (self.density + 1)


@dataclass(frozen=True)
class SystemMatrix:
    """System functions of a scan.

    `components`: complex Fourier coefficients of the receive voltage per particle [V], of
    u(t) = Σ_k û_k exp(i2πf_k t), shape (channel, component, y, x), channels x and y.
    `mixing_orders`: (component, 2), (n, m) of k = n N_x + m N_y. `frequencies`: (component,) [Hz].
    """

    components: torch.Tensor
    mixing_orders: torch.Tensor
    frequencies: torch.Tensor


def mixing_orders(lowest: int, highest: int) -> torch.Tensor:
    """All (n, m) with n, m ≥ 0 and `lowest` ≤ n + m ≤ `highest`, (count, 2), sorted by n + m, then n.

    2 to 17 gives 168: our reading of the "168 harmonic components" of Wei et al. (2026).
    """
    check_range("lowest", lowest, 0, highest)
    return torch.tensor([(n, s - n) for s in range(lowest, highest + 1) for n in range(s + 1)])


def simulate_system_matrix(
    scan: LissajousScan,
    particle: Particle,
    orders: torch.Tensor | None = None,
    *,
    integrate_pixels: bool = True,
    tolerance: float = 1e-6,
) -> SystemMatrix:
    """System matrix of the equilibrium (Langevin) model for both receive channels, complex128.

    The mean moment is a smooth function m(H_x, H_y) of two numbers, expanded once in Chebyshev
    polynomials. Its Fourier coefficients at every pixel then follow from products of 1D integrals,
    d_ab(r) = π⁻² ∬ m(Gr + (A_x u, A_y v)) T_a(u) T_b(v) / √((1−u²)(1−v²)) du dv, and the line
    k = n N_x + m N_y collects all d_|n+λN_y|,|m−λN_x| (Rahmer et al., BMC Med. Imaging 9 (2009) 4).

    `orders`: (component, 2), default ``mixing_orders(2, 17)``. `integrate_pixels`: average over each
    pixel, exactly, instead of sampling its centre. `tolerance`: relative to the largest d_ab; sets
    the length of the expansion.
    """
    orders = mixing_orders(2, 17) if orders is None else orders
    if orders.ndim != 2 or orders.shape[1] != 2 or len(orders) == 0 or orders.is_floating_point():
        raise ValueError(f"orders: got shape {tuple(orders.shape)}, accepted are integers (component, 2)")
    check_range("tolerance", tolerance, 0.0, 0.1, open_low=True)

    x_axis, y_axis = (_Axis.of(scan, particle, axis, tolerance) for axis in (0, 1))
    strength = particle.beta * torch.stack(torch.meshgrid(y_axis.nodes, x_axis.nodes, indexing="ij"))
    ratio = langevin_ratio(strength.square().sum(0).sqrt())
    n, row = orders[:, 0].unique(return_inverse=True)
    m, column = orders[:, 1].unique(return_inverse=True)

    def coefficients(channel: int, alias: int) -> torch.Tensor:
        """d at (n + λN_y, m − λN_x) for all pixels, (component, y, x)."""
        a, b = (n + alias * scan.cycles[1]).abs(), (m - alias * scan.cycles[0]).abs()
        along_x, along_y = (
            x_axis.moments(channel == 0, integrate_pixels),
            y_axis.moments(channel == 1, integrate_pixels),
        )
        if a.min() >= len(along_x) or b.min() >= len(along_y):
            return torch.zeros(len(orders), *scan.shape, dtype=torch.float64)
        along_x, along_y = (_rows(t, i) for t, i in ((along_x, a), (along_y, b)))
        blocks = torch.einsum("myq,nxq->mnyx", along_y @ expansion[channel], along_x)
        return blocks[column, row]

    # m_x is odd in H_x and even in H_y, m_y the other way round.
    expansion = [
        y_axis.transform(channel == 1) @ (strength[1 - channel] * ratio) @ x_axis.transform(channel == 0).T
        for channel in (0, 1)
    ]
    total = torch.stack([coefficients(channel, 0) for channel in (0, 1)])
    for alias in itertools.count(1):
        shell = torch.stack([coefficients(c, alias) + coefficients(c, -alias) for c in (0, 1)])
        total += shell
        if shell.abs().max() <= tolerance * total.abs().max():
            break
    bins = orders[:, 0] * scan.cycles[0] + orders[:, 1] * scan.cycles[1]
    frequencies = bins.double() * scan.repetition_frequency
    factor = -2j * math.pi * frequencies * scan.coil_sensitivity * particle.moment
    return SystemMatrix(total * factor[:, None, None], orders, frequencies)


@dataclass(frozen=True)
class _Axis:
    """One axis of the expansion f(H) = Σ_p c_p T_p(H / reach) on |H| ≤ reach.

    In units of the reach: `half_width` of a pixel, `swing` of the drive. `degree`: number of p.
    """

    reach: float
    pixels: int
    half_width: float
    swing: float
    degree: int

    @classmethod
    def of(cls, scan: LissajousScan, particle: Particle, axis: int, tolerance: float) -> "_Axis":
        gradient, amplitude = abs(scan.gradient[axis]), scan.amplitude[axis]
        half_view = gradient * scan.field_of_view[axis] / 2
        reach = half_view + amplitude
        # Coefficients fall as exp(−p·asinh(π/(β reach))), from the pole of L at iπ. The singularity
        # touches only the line H_y = 0, which is worth e⁵ at least (measured, 30 to 70 nm).
        decay = math.asinh(math.pi / (particle.beta * reach))
        degree = 2 * math.ceil(max(128.0, (-math.log(tolerance) - 5) / decay) / 2)
        pixels = scan.shape[1 - axis]
        return cls(
            reach, pixels, math.copysign(half_view / pixels / reach, scan.gradient[axis]), amplitude / reach, degree
        )

    @property
    def nodes(self) -> torch.Tensor:
        """The positive Chebyshev nodes [T], (degree/2,)."""
        return self.reach * torch.cos(_node_angles(self.degree))

    def transform(self, odd: bool) -> torch.Tensor:
        """From values at the nodes to the coefficients c_p of an odd or even f, (p, node)."""
        p = _parity(self.degree, odd)
        return torch.cos(p[:, None] * _node_angles(self.degree)) * torch.where(p == 0, 2.0, 4.0)[:, None] / self.degree

    def moments(self, odd: bool, integrate: bool) -> torch.Tensor:
        """π⁻¹ ∫ T_p(pixel + swing·u) T_a(u)/√(1−u²) du for every order a < degree, (a, pixel, p)."""
        return _moments(self.pixels, self.half_width, self.swing, self.degree, odd, integrate)


@lru_cache(maxsize=4)  # they depend on the geometry alone: a data set of many particles shares them
def _moments(pixels: int, half_width: float, swing: float, degree: int, odd: bool, integrate: bool) -> torch.Tensor:
    p = _parity(degree, odd)
    drive = swing * torch.cos(math.pi * torch.arange(degree + 1, dtype=torch.float64) / degree)
    columns = []
    for index in range(pixels):  # one column of pixels at a time: bounds the memory
        field = drive + (2 * index - pixels + 1) * half_width
        if integrate:
            difference = _antiderivative(p, field + half_width) - _antiderivative(p, field - half_width)
            values = difference / (2 * half_width)
        else:
            values = _chebyshev(p, field)
        columns.append(torch.fft.hfft(values, n=2 * degree, dim=0)[:degree] / (2 * degree))
    return torch.stack(columns, dim=1)


def _rows(moments: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """Moments of the given orders; those past the expansion are zero."""
    return moments[orders.clamp_max(len(moments) - 1)] * (orders < len(moments))[:, None, None]


def _parity(degree: int, odd: bool) -> torch.Tensor:
    return torch.arange(int(odd), degree, 2, dtype=torch.float64)


def _node_angles(degree: int) -> torch.Tensor:
    return math.pi * (torch.arange(degree // 2, dtype=torch.float64) + 0.5) / degree


def _chebyshev(p: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    return torch.cos(p * torch.acos(s.clamp(-1, 1))[:, None])


def _antiderivative(p: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """∫ T_p ds = (T_{p+1}/(p+1) − T_{p−1}/(p−1))/2; for p = 1, s²/2."""
    below = torch.where(p == 1, torch.zeros_like(p), 1 / (p - 1))
    return (_chebyshev(p + 1, s) / (p + 1) - _chebyshev((p - 1).abs(), s) * below) / 2
