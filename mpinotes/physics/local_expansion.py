"""Fourier coefficients of the mean moment where every voxel has an easy axis of its own."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from mpinotes.numerics import as_number
from mpinotes.physics.anisotropy import gauss_legendre, nearest_pole
from mpinotes.physics.chebyshev import Axis
from mpinotes.physics.drive_integrals import DriveIntegrals
from mpinotes.physics.easy_axis import FixedAxis, FluidAxis, voxel_places
from mpinotes.physics.lissajous import LissajousScan
from mpinotes.physics.particles import Particle

_LARGEST = 2**23  # numbers in flight: 64 MB
_LARGEST_EXPONENT = 700.0  # e⁷⁰⁰ is the last power of ten or two before float64 overflows


@dataclass(frozen=True)
class LocalExpansion:
    """The mean moment around every voxel, with the easy axis and the anisotropy of its centre.

    A moment in the direction u has the Boltzmann factor exp(β B·u + α (n·u)²), and for directions u_i all
    over a sphere the first part is a product over the axes of the field: on a grid of drives B_k, B_l
    around the voxel at r, Σ_i exp(β B_k u_ix) ω_i exp(β B_l u_iy) is the product of two matrices that all
    voxels share, around the weights ω_i = w_i exp(β Gr·u_i + α (n·u_i)²) of one. The grid is that of a
    Chebyshev expansion, whose integrals over drive and voxel are those of `DriveIntegrals` for one pixel.

    :meta private:
    """

    scan: LissajousScan
    particle: Particle
    easy_axis: FixedAxis | FluidAxis
    tolerance: float
    integrate: bool

    @property
    def axes(self) -> list[Axis]:
        """Of the fields of one voxel, around that of its centre."""
        scan, pole = self.scan, nearest_pole(as_number(self.particle.alpha))
        axes = []
        for i, pixels in enumerate(reversed(scan.shape)):
            gradient, amplitude, view = (as_number(x[i]) for x in (scan.gradient, scan.amplitude, scan.field_of_view))
            half_width = abs(gradient) * view / 2 / pixels
            reach = amplitude + (half_width if self.integrate else 0.0)
            decay = math.asinh(pole / (as_number(self.particle.beta) * reach))
            # As a quadrature over the drive N nodes err by the coefficient of order 2N − a, and the averages over
            # a voxel are nearly one.
            degree = 2 * math.ceil((16 - 0.7 * math.log(self.tolerance) / decay) / 2)
            axes.append(Axis(reach, 1, math.copysign(half_width / reach, gradient), amplitude / reach, degree))
        return axes

    @property
    def highest(self) -> int:
        """Number of orders of the longest expansion."""
        return max(axis.degree for axis in self.axes)

    def lines(self, shifted: torch.Tensor, integrals: DriveIntegrals) -> torch.Tensor:
        """Sums of d_ab… over the rows of orders `shifted`, (row, component, dims): (channel, component, …, y, x)."""
        axes, dims, count = self.axes, self.scan.dims, shifted.shape[1]
        directions = self._directions(axes)
        orders = shifted.abs().flatten(0, 1)
        # A mirror image has the sign of its orders: lines of one parity are summed before they are mirrored.
        parity = (orders % 2 * orders.new_tensor([2**i for i in range(dims)])).sum(1)
        slot = parity * count + torch.arange(count, device=orders.device).repeat(len(shifted))
        kept = torch.stack([order < axis.degree for order, axis in zip(orders.T, axes, strict=True)]).all(0)
        slot = slot[kept]
        used, place = zip(*(order.unique(return_inverse=True) for order in orders[kept].T), strict=True)
        matrices = [
            _to_orders(axis, self.integrate, integrals)[rows.cpu()].to(orders.device)
            for axis, rows in zip(axes, used, strict=True)
        ]
        parts = []
        for moments in self._moments(axes, directions, orders.device):
            for i, matrix in enumerate(matrices):
                moments = (moments.movedim(2 + i, -1) @ matrix.T).movedim(-1, 2 + i)
            found = moments[(slice(None), slice(None), *place)].permute(2, 1, 0)
            parts.append(found.new_zeros(2**dims * count, *found.shape[1:]).index_add(0, slot, found))
        sums = torch.cat(parts, dim=2).view(*[2] * dims, count, dims, -1)
        return self._mirrored(sums).flatten(0, dims - 1).sum(0).transpose(0, 1)

    def _moments(
        self, axes: list[Axis], sphere: tuple[torch.Tensor, torch.Tensor], device: torch.device
    ) -> Iterator[torch.Tensor]:
        """Mean moments at the drives of the voxels that are no mirror images, (voxel, channel, x, y, …)."""
        dims, beta, alpha = self.scan.dims, self.particle.beta, self.particle.alpha
        kept = self._unmirrored_voxels()
        axis, share = self.easy_axis.at(self.scan)
        offset, axis, share = (x[kept].to(device) for x in (self._offsets(), axis, share))
        directions, weights = (x.to(device) for x in sphere)
        drives = [torch.cat([a.nodes, -a.nodes]).to(device) for a in axes]
        # What all directions have in common leaves the mean as it is: without it no exponent is above 0.
        factors = [torch.exp(beta * (b[:, None] * directions[:, i] - b[:, None].abs())) for i, b in enumerate(drives)]
        right = factors.pop() if dims > 1 else torch.ones_like(weights)[None]
        left = factors[0] if dims < 3 else (factors[0][:, None] * factors[1]).flatten(0, 1)
        summed = torch.cat([torch.ones_like(weights)[None], directions.T[:dims]])  # 1, u_x, u_y, …
        other_half = directions * directions.new_tensor([1.0] * dims + [-1.0] * (3 - dims))
        for r, n, s in zip(
            *(x.split(max(1, _LARGEST // (4 * left.numel()))) for x in (offset, axis, share)), strict=True
        ):
            barriers = torch.stack([(n @ half.T).square() for half in (directions, other_half)])
            exponent = torch.logsumexp(alpha * s[:, None] * barriers, 0) + beta * r @ directions.T[:dims]
            own = weights * torch.exp(exponent - exponent.detach().amax(1, keepdim=True))
            sums = (left * (own[:, None] * summed)[:, :, None]) @ right.T
            sums = sums.view(len(r), dims + 1, *map(len, drives))
            yield sums[:, 1:] / sums[:, :1]

    def _offsets(self) -> torch.Tensor:
        """Selection field at the voxels, (voxel, dims) [T]."""
        places = voxel_places(self.scan)
        return places * places.new_tensor([as_number(g) for g in self.scan.gradient])

    def _directions(self, axes: list[Axis]) -> tuple[torch.Tensor, torch.Tensor]:
        """Directions on the half sphere z > 0 (on all of it in 3D) and weights, as many as resolve the sharpest
        Boltzmann factor."""
        beta, alpha, offset = as_number(self.particle.beta), as_number(self.particle.alpha), self._offsets()
        reaches = offset.new_tensor([axis.reach for axis in axes])
        strongest = beta * (offset.abs() + reaches).norm(dim=1).max().item()
        exponent = beta * (offset.norm(dim=1).max() + reaches.sum()).item() + alpha
        if exponent > _LARGEST_EXPONENT:
            raise ValueError(
                f"particle: got a core of {as_number(self.particle.core_diameter):.3g} m, whose Boltzmann factors "
                f"reach e^{exponent:.0f} here, accepted are e^{_LARGEST_EXPONENT:.0f} (less core, K or field)"
            )
        # exp(κ cos φ) holds the harmonic n with exp(−n²/2κ), and on the half sphere half as many rings will do.
        digits = -math.log(self.tolerance)
        count = math.ceil(math.sqrt(2 * digits * (strongest + 2 * alpha)) + 0.6 * digits)
        polar = 2 * math.ceil(count / 4)
        z, weights = (torch.from_numpy(x) for x in gauss_legendre(polar))
        if self.scan.dims < 3:
            z, weights = z[polar // 2 :], weights[polar // 2 :]
        angle = 2 * math.pi * (torch.arange(count, dtype=torch.float64, device="cpu") + 0.5) / count
        ring = torch.stack([angle.cos(), angle.sin(), torch.ones_like(angle)], dim=1)
        radius = (1 - z.square()).sqrt()
        directions = torch.stack([radius, radius, z], dim=1)[:, None] * ring
        return directions.flatten(0, 1), weights.repeat_interleave(count)

    def _unmirrored_voxels(self) -> torch.Tensor:
        """Indices of the voxels that are no mirror image of an earlier one."""
        voxels = torch.arange(math.prod(self.scan.shape), device="cpu")
        if isinstance(self.easy_axis, FixedAxis):
            return voxels[: (len(voxels) + 1) // 2]
        voxels = voxels.view(self.scan.shape)
        for i, pixels in enumerate(self.scan.shape):
            voxels = voxels.narrow(i, 0, (pixels + 1) // 2)
        return voxels.flatten()

    def _mirrored(self, sums: torch.Tensor) -> torch.Tensor:
        """From sums (parity, …, component, channel, voxel) over the voxels that are no mirror images to all,
        (parity, …, component, channel, …, y, x).

        With a fixed axis the moment is odd in the field, so that opposite voxels have −(−1)^(a+b+…) times
        the same d_ab…. Axes along the selection field turn with the voxels, and d_ab… of x and −x differ by
        (−1)^a, in the channel x by −(−1)^a.
        """
        dims, shape = self.scan.dims, self.scan.shape
        if isinstance(self.easy_axis, FixedAxis):
            opposite = sums[..., : math.prod(shape) // 2].flip(-1)
            for i in range(dims):
                opposite = _negated(opposite, i)
            return torch.cat([sums, -opposite], dim=-1).unflatten(-1, shape)
        sums = sums.unflatten(-1, [(pixels + 1) // 2 for pixels in shape])
        for i in range(dims):
            mirrored = sums.narrow(-1 - i, 0, shape[-1 - i] // 2).flip(-1 - i)
            mirrored = _negated(mirrored, dims - 1 - i)  # parities stand in the order …, y, x, as voxels do
            sign = mirrored.new_tensor([-1.0 if channel == i else 1.0 for channel in range(dims)])
            sums = torch.cat([sums, mirrored * sign.view(-1, *[1] * dims)], dim=-1 - i)
        return sums


def _negated(sums: torch.Tensor, axis: int) -> torch.Tensor:
    """The sums with the odd ones of one axis of parities negated."""
    even, odd = sums.unbind(axis)
    return torch.stack([even, -odd], dim=axis)


def _to_orders(axis: Axis, integrate: bool, integrals: DriveIntegrals) -> torch.Tensor:
    """From values at the nodes, the positive and then the negative ones, to π⁻¹ ∫ f T_a(u)/√(1−u²) du, (a, node)."""
    even, odd = (integrals.table(axis, odd, integrate)[:, 0] @ axis.transform(odd) for odd in (False, True))
    return torch.cat([even + odd, even - odd], dim=1) / 2
