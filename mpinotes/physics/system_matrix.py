"""System matrices: what they hold, and their simulation in equilibrium by Chebyshev expansion."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from mpinotes.checks import check_kind, check_range
from mpinotes.numerics import as_number, full_precision, wants_gradient
from mpinotes.physics.chebyshev import Axis
from mpinotes.physics.drive_integrals import DriveIntegrals
from mpinotes.physics.easy_axis import EasyAxis, FixedAxis, FluidAxis, check_easy_axis
from mpinotes.physics.lissajous import LissajousScan
from mpinotes.physics.local_expansion import LocalExpansion
from mpinotes.physics.mixing_orders import check_orders, mixing_orders
from mpinotes.physics.mixture import Mixture
from mpinotes.physics.particles import Particle, langevin_ratio
from mpinotes.physics.powder import powder_ratio

_LARGEST = 2**25  # numbers in one expansion, and in one block of components in flight: 256 MB


@dataclass(frozen=True)
class SystemMatrix:
    """System functions of a scan: u(t) = Σ_k û_k exp(i2πf_k t) is the receive voltage per particle.

    :param components: complex û_k [V], (channel, component, …, y, x), channels x, y, …
    :param mixing_orders: (n, m, …) of k = n N_x + m N_y + …, (component, dims)
    :param frequencies: f_k, (component,) [Hz]
    :param scan: what was scanned how
    :param snr: (channel, component), where it has been measured

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
        if self.snr is None:
            if least_snr != 0:
                raise ValueError(f"least_snr: got {least_snr}, accepted is 0 for a matrix without a measured SNR")
            kept = torch.ones(self.components.shape[:2], dtype=torch.bool, device=self.components.device)
        else:
            check_range("least_snr", least_snr, 0.0, self.snr.max().item())
            kept = self.snr >= least_snr
        return self.components[kept].flatten(1), kept


@full_precision
def simulate_system_matrix(
    scan: LissajousScan,
    particle: Particle | Mixture,
    orders: torch.Tensor | None = None,
    *,
    easy_axis: EasyAxis | None = None,
    response: Callable[[torch.Tensor], torch.Tensor] | None = None,
    integrate_pixels: bool = True,
    tolerance: float = 1e-6,
    integrals: DriveIntegrals | None = None,
) -> SystemMatrix:
    """System matrix of the equilibrium model for every receive channel, complex128: of Langevin's for
    particles without anisotropy, else of `mean_moment` with the easy axes that `easy_axis` names.

    The mean moment is a smooth function m(H_x, H_y, …) of a few numbers, expanded once in Chebyshev
    polynomials. Its Fourier coefficients at every pixel then follow from products of 1D integrals,
    in two dimensions d_ab(r) = π⁻² ∬ m(Gr + (A_x u, A_y v)) T_a(u) T_b(v) / √((1−u²)(1−v²)) du dv,
    and the line k = n N_x + m N_y collects all d_|n+λN_y|,|m−λN_x| (Rahmer et al., BMC Med. Imaging 9
    (2009) 4), each turned by its order times the phases of the drives. One and three dimensions follow the same
    formula. Where axes differ from voxel to voxel, or differ from the field's, each voxel has an expansion of its
    own, with the axis of its centre.

    Differentiable in the particle's parameters. Raises ``ValueError`` for wrong orders, for a scan that wants
    a gradient or whose selection field is not known, for anisotropy without an easy axis, and where an expansion
    outgrows memory or numbers (large cores).

    :param scan: drives, selection field and grid
    :param particle: all particles are of this kind, or a `Mixture` of several
    :param orders: (component, dims), default ``mixing_orders(2, 17)`` in 2D; its device is used
    :param easy_axis: `FixedAxis` (immobilised, aligned), `FluidAxis` (aligned by the selection field) or `Powder`
        (immobilised, in all directions); particles without anisotropy need none
    :param response: complex gain at frequencies [Hz] of what follows the equilibrium, as
        ``Receiver.transfer`` or `debye_response`
    :param integrate_pixels: average over each pixel, exactly, instead of sampling its centre
    :param tolerance: relative to the largest d_ab; sets the length of the expansion
    :param integrals: what calls of similar scans and particles share; without it they are tabulated anew

    >>> scan = LissajousScan(base_frequency=25e3, density=99, shape=(8, 8))
    >>> matrix = simulate_system_matrix(scan, Particle(20e-9), torch.tensor([[3, 0], [2, 1]]))
    >>> matrix.components.shape, matrix.frequencies.tolist()
    (torch.Size([2, 2, 8, 8]), [75000.0, 74750.0])
    """
    check_kind("scan", scan, LissajousScan)
    orders = mixing_orders(2, 17, scan.dims) if orders is None else orders
    check_orders(orders, scan.dims)
    check_range("tolerance", tolerance, 0.0, 0.1, open_low=True)
    if any(wants_gradient(x) for x in (*scan.gradient, *scan.amplitude, *scan.field_of_view)):
        raise ValueError("scan: got numbers that want a gradient, accepted is one for the particle alone")
    if not all(scan.gradient):
        raise ValueError(f"scan: got a gradient of {scan.gradient} T/m, accepted is one with a known selection field")
    check_easy_axis(easy_axis)
    if not isinstance(particle, Particle | Mixture):
        raise ValueError(f"particle: got {particle!r}, accepted is a Particle or a Mixture")
    integrals = DriveIntegrals(2 * scan.dims) if integrals is None else integrals
    if isinstance(particle, Mixture):
        parts = [
            simulate_system_matrix(
                scan, part, orders, easy_axis=easy_axis, response=response, integrate_pixels=integrate_pixels,
                tolerance=tolerance, integrals=integrals,
            )
            for part in particle.particles
        ]  # fmt: skip
        weighted = [share * part.components for share, part in zip(particle.shares, parts, strict=True)]
        return replace(parts[0], components=torch.stack(weighted).sum(0))
    if particle.has_easy_axis and easy_axis is None:
        raise ValueError(
            f"easy_axis: got None for a particle with an anisotropy of {as_number(particle.anisotropy):g} J/m³, "
            "accepted are a FixedAxis, a FluidAxis or a Powder"
        )
    if particle.has_easy_axis and isinstance(easy_axis, FixedAxis | FluidAxis):
        if any(scan.phases) or any(scan.centres):
            raise ValueError(
                f"scan: got phases {scan.phases} and a centre {scan.centres}, accepted with a FixedAxis or a FluidAxis "
                "are drives as cosines and a field of view around the centre of the scanner"
            )
        expansion = LocalExpansion(scan, particle, easy_axis, tolerance, integrate_pixels)
        rings = _alias_rings(scan.cycles, expansion.highest + int(orders.abs().max()))
        shifts = torch.cat([torch.zeros(1, scan.dims, dtype=torch.int64, device="cpu"), *rings]).to(orders.device)
        total = expansion.lines(orders + shifts[:, None], integrals)
        return received(total, scan, particle, orders, response)
    axes = _axes(scan, particle, tolerance)
    tables = [
        [integrals.table(axis, i == channel, integrate_pixels) for i, axis in enumerate(axes)]
        for channel in range(scan.dims)
    ]
    expansions = [_expand(particle, axes, channel).to(orders.device) for channel in range(scan.dims)]

    phases = torch.tensor(scan.phases, dtype=torch.float64, device=orders.device)

    def lines(shifts: torch.Tensor) -> torch.Tensor:
        """Σ of d over orders + shifts, (channel, component, …, y, x)."""
        shifted = orders + shifts.to(orders.device)[:, None]
        turn = torch.exp(1j * (shifted * phases).sum(-1)) if any(scan.phases) else None
        return torch.stack(
            [_coefficients(axes, e, shifted.abs(), t, turn) for e, t in zip(expansions, tables, strict=True)]
        )

    total = lines(torch.zeros(1, scan.dims, dtype=torch.int64, device="cpu"))
    for aliases in _alias_rings(scan.cycles, max(axis.degree for axis in axes) + int(orders.abs().max())):
        shell = lines(aliases)
        total = total + shell
        if shell.abs().max() <= tolerance * total.abs().max():
            break
    return received(total, scan, particle, orders, response)


def received(
    total: torch.Tensor,
    scan: LissajousScan,
    particle: Particle,
    orders: torch.Tensor,
    response: Callable[[torch.Tensor], torch.Tensor] | None,
) -> SystemMatrix:
    """The matrix of Fourier coefficients `total` of the mean moment, (channel, component, …, y, x).

    :meta private:
    """
    frequencies = scan.bins(orders).double() * scan.repetition_frequency
    sensitivity = torch.tensor(scan.sensitivities, dtype=torch.float64, device=orders.device)
    factor = -2j * math.pi * frequencies * sensitivity[:, None] * particle.moment
    if response is not None:
        factor = factor * response(frequencies)
    return SystemMatrix(total * factor.view(*factor.shape, *[1] * scan.dims), orders, frequencies, scan)


def _axes(scan: LissajousScan, particle: Particle, tolerance: float) -> list[Axis]:
    """The axes of the expansion, where it fits into the memory."""
    axes = [Axis.of(scan, particle, axis, tolerance) for axis in range(scan.dims)]
    size = math.prod(axis.degree // 2 for axis in axes)
    if size > _LARGEST:
        core = as_number(particle.core_diameter)
        raise ValueError(
            f"particle: got a core of {core:.3g} m, whose expansion takes {size:.1e} coefficients, "
            f"accepted are {_LARGEST:.1e} (a smaller core or drive field, or a larger tolerance)"
        )
    return axes


def _expand(particle: Particle, axes: list[Axis], channel: int) -> torch.Tensor:
    """Chebyshev coefficients (…, q, p) of the mean moment over its saturation, along `channel`: odd
    in that component of the field and even in the others."""
    nodes = torch.meshgrid(*[axis.nodes for axis in reversed(axes)], indexing="ij")[::-1]
    strength = particle.beta * torch.stack(nodes)
    length = strength.square().sum(0).sqrt()
    ratio = powder_ratio(length, particle) if particle.has_easy_axis else langevin_ratio(length)
    values = strength[channel] * ratio
    for i, axis in enumerate(axes):
        values = (values.movedim(-1 - i, -1) @ axis.transform(i == channel).T).movedim(-1, -1 - i)
    return values


def _coefficients(
    axes: list[Axis],
    expansion: torch.Tensor,
    lines: torch.Tensor,
    tables: list[torch.Tensor],
    turn: torch.Tensor | None,
) -> torch.Tensor:
    """d of the mean moment along one channel, summed over the rows of `lines`, (row, component, dims), each times
    its `turn`: (component, …, y, x)."""
    moments = [table.to(lines.device) for table in tables]
    component = torch.arange(lines.shape[1], device=lines.device).repeat(len(lines))
    lines = lines.flatten(0, 1)
    kept = torch.stack([line < axis.degree for line, axis in zip(lines.T, axes, strict=True)]).all(0)
    shape = [int(component.max()) + 1, *[axis.pixels for axis in reversed(axes)]]
    total = expansion.new_zeros(shape) if turn is None else turn.new_zeros(shape)
    turns = component if turn is None else turn.flatten()
    chunk = max(1, _LARGEST // (axes[0].pixels * math.prod(axis.degree // 2 for axis in axes[1:])))
    parts = (values[kept].split(chunk) for values in (lines, component, turns))
    for part, index, factor in zip(*parts, strict=True):
        first, inverse = part[:, 0].unique(return_inverse=True)
        block = torch.einsum("...p,nxp->nx...", expansion, moments[0][first])[inverse]
        for moment, line in zip(moments[1:], part.T[1:], strict=True):
            product = block.flatten(1, -2) @ moment[line].transpose(1, 2)
            block = product.unflatten(1, block.shape[1:-1]).movedim(-1, 1)
        if turn is not None:
            block = block * factor.view(-1, *[1] * len(axes))
        total = total.index_add(0, index, block)
    return total


def _alias_rings(cycles: tuple[int, ...], reach: int) -> Iterator[torch.Tensor]:
    """The orders λ ≠ 0 that fall into bin 0, Σ λ_i N_i = 0 with all |λ_i| ≤ `reach`, in rings of
    growing length, each (λ, dims): n and n + λ share a line."""
    if len(cycles) == 1:
        return
    span = torch.arange(-reach, reach + 1, device="cpu")
    free = torch.cartesian_prod(*[span] * (len(cycles) - 1)).view(-1, len(cycles) - 1)
    weight = (free * free.new_tensor(cycles[:-1])).sum(1)
    whole = weight % cycles[-1] == 0
    aliases = torch.cat([free[whole], -weight[whole, None] // cycles[-1]], dim=1)
    length = aliases.abs().sum(1)
    near = (length > 0) & (aliases.abs().amax(1) <= reach)
    if not near.any():
        return
    aliases, length = aliases[near], length[near]
    rings = length // length.min()
    for ring in rings.unique():
        yield aliases[rings == ring]
