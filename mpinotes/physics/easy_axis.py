"""Where the easy axes of the particles of a scan point, and how strong their anisotropy is."""

import math
from dataclasses import dataclass

import torch

from mpinotes.checks import check_positive, check_range, check_several
from mpinotes.numerics import as_number
from mpinotes.physics.lissajous import LissajousScan


@dataclass(frozen=True)
class FixedAxis:
    """One axis for all particles: immobilised in a strong field, which aligned them.

    `direction`: (x, y, z), of any length and either sign.

    >>> FixedAxis((-1.0, 1.0, 0.0)).direction
    (-1.0, 1.0, 0.0)
    """

    direction: tuple[float, float, float] = (1.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        check_direction("direction", self.direction)

    def at(self, scan: LissajousScan) -> tuple[torch.Tensor, torch.Tensor]:
        """The axis and the share of the particle's anisotropy at every voxel, (voxel, 3) and (voxel,), float64.

        :meta private:
        """
        voxels = math.prod(scan.shape)
        axis = torch.tensor([*map(as_number, self.direction)], dtype=torch.float64, device="cpu")
        return (axis / axis.norm()).expand(voxels, 3), axis.new_ones(voxels)


@dataclass(frozen=True)
class FluidAxis:
    """Axes along the selection field, in a liquid whose particles it aligns in part: the anisotropy grows
    as |r|^`exponent` from the centre and is the particle's at the corners of the field of view.

    Source: Maass et al., IEEE Trans. Comput. Imaging 10 (2024) 1588, who scale it by the farthest voxel.

    >>> axis, share = FluidAxis().at(LissajousScan(shape=(1, 2)))
    >>> axis.tolist(), share.round(decimals=3).tolist()
    ([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], [0.125, 0.125])
    """

    exponent: float = 2.0

    def __post_init__(self) -> None:
        check_positive("exponent", self.exponent)

    def at(self, scan: LissajousScan) -> tuple[torch.Tensor, torch.Tensor]:
        """As `FixedAxis.at`.

        :meta private:
        """
        places = voxel_places(scan)
        corner = math.hypot(*(as_number(view) / 2 for view in scan.field_of_view))
        field = places.new_zeros(len(places), 3)
        field[:, : scan.dims] = places * places.new_tensor([as_number(g) for g in scan.gradient])
        length = field.norm(dim=1, keepdim=True)
        # At the very centre there is no anisotropy, and any axis will do.
        axis = torch.where(length > 0, field / length, field.new_tensor([1.0, 0.0, 0.0]))
        return axis, (places.norm(dim=1) / corner) ** as_number(self.exponent)


@dataclass(frozen=True)
class Powder:
    """Axes in all directions alike: immobilised without a field.

    >>> scan, orders, hard = LissajousScan(shape=(4, 4)), mixing_orders(2, 3), Particle(20e-9, anisotropy=5e3)
    >>> simulate_system_matrix(scan, hard, orders, easy_axis=Powder()).components.shape
    torch.Size([2, 7, 4, 4])
    """


EasyAxis = FixedAxis | FluidAxis | Powder


def check_direction(name: str, direction: tuple[float, float, float]) -> None:
    """Raise ``ValueError`` unless this is a direction of a length above zero, and whose square is no more nor less
    than numbers can be.

    :meta private:
    """
    check_several(name, direction, (3,), "three values (x, y, z)")
    for value in direction:
        check_range(name, value, -1e100, 1e100)
    if not math.hypot(*map(as_number, direction)) >= 1e-100:
        raise ValueError(f"{name}: got {direction}, accepted is a direction of a length above zero, 1e-100 at least")


def check_easy_axis(easy_axis: EasyAxis | None) -> None:
    """Raise ``ValueError`` unless this is one of the three kinds, or none.

    :meta private:
    """
    if not (easy_axis is None or isinstance(easy_axis, EasyAxis)):
        raise ValueError(f"easy_axis: got {easy_axis!r}, accepted are a FixedAxis, a FluidAxis or a Powder")


def voxel_places(scan: LissajousScan) -> torch.Tensor:
    """Centres (x, y, …) [m] of all voxels, row by row, (voxel, dims), float64.

    :meta private:
    """
    centres = [
        ((torch.arange(pixels, dtype=torch.float64, device="cpu") + 0.5) / pixels - 0.5) * as_number(view)
        for pixels, view in zip(scan.shape, reversed(scan.field_of_view), strict=True)
    ]
    return torch.cartesian_prod(*centres).view(-1, scan.dims).flip(1)
