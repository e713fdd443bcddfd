"""Total variation of volumes, and the non-negative volume that lowers it at the least distance."""

import torch

from mpinotes.checks import check_count, check_range
from mpinotes.numerics import full_precision, power_of_two
from mpinotes.reconstruction.forward_models import check_volumes


@full_precision
def total_variation(volumes: torch.Tensor) -> torch.Tensor:
    """Σ of the lengths of the gradients, differences to the next voxel along z, y, x, of volumes
    (batch, 1, z, y, x): (batch,) in their unit. Source: Rudin, Osher & Fatemi, Physica D 60 (1992) 259.

    >>> cube = torch.zeros(1, 1, 4, 4, 4)
    >>> cube[..., 2:] = 1  # a face of 16 voxels
    >>> total_variation(cube)
    tensor([16.])
    """
    check_volumes("volumes", volumes)
    unit = _unit(volumes)
    return variation(volumes / unit) * unit.flatten()


@full_precision
def denoise_total_variation(volumes: torch.Tensor, weight: float, *, steps: int = 100) -> torch.Tensor:
    """argmin of ‖c − v‖²/2 + weight · TV(c) over c ≥ 0, for volumes v, (batch, 1, z, y, x); `weight` in their unit.

    The fast gradient projection of Beck & Teboulle, IEEE Trans. Image Process. 18 (2009) 2419, section 4.

    >>> noisy = torch.tensor([0.0, 0.2, 1.0, 1.2]).view(1, 1, 1, 1, 4)
    >>> denoise_total_variation(noisy, 0.1).flatten()
    tensor([0.1000, 0.2000, 1.0000, 1.1000])
    """
    check_volumes("volumes", volumes)
    check_range("weight", weight, 0.0)
    check_count("steps", steps)
    unit = _unit(volumes)
    image, _ = descend(volumes / unit, weight / unit, steps)
    return image * unit


def descend(
    volumes: torch.Tensor, weight: torch.Tensor, steps: int, dual: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """`denoise_total_variation` with a weight per volume, (batch, 1, 1, 1, 1), from a `dual` field,
    (batch, 3, z, y, x) of vectors no longer than 1, that a similar problem had; and the field it ends with.

    At the minimum −weight · Dᵀdual moves the volumes to the image, and the dual is the direction of the
    image's gradient: their difference, weight · (TV(c) − ⟨dual, Dc⟩), is the duality gap, no less than the
    distance of the objective to its minimum.
    """
    dual = torch.zeros_like(gradient(volumes)) if dual is None else dual
    ahead, momentum = dual, 1.0
    step = 1 / (12 * weight.clamp_min(torch.finfo(weight.dtype).tiny))  # ‖D‖² ≤ 4 for each axis
    for _ in range(steps):
        image = (volumes - weight * gradient_adjoint(ahead)).clamp_min(0)
        moved = ahead + step * gradient(image)
        after = moved / _lengths(moved).clamp_min(1)
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = after + (momentum - 1) / following * (after - dual)
        dual, momentum = after, following
    return (volumes - weight * gradient_adjoint(dual)).clamp_min(0), dual


def variation(volumes: torch.Tensor) -> torch.Tensor:
    """`total_variation` without checks."""
    return _lengths(gradient(volumes)).flatten(1).sum(1)


def gradient(volumes: torch.Tensor) -> torch.Tensor:
    """D: differences to the next voxel along z, y, x, 0 at the last, (batch, 3, z, y, x)."""
    field = volumes.new_zeros(len(volumes), 3, *volumes.shape[2:])
    for axis in range(3):
        inner = volumes.shape[2 + axis] - 1
        difference = volumes.narrow(2 + axis, 1, inner) - volumes.narrow(2 + axis, 0, inner)
        field[:, axis : axis + 1].narrow(2 + axis, 0, inner).copy_(difference)
    return field


def gradient_adjoint(field: torch.Tensor) -> torch.Tensor:
    """Dᵀ, minus a divergence."""
    volumes = field.new_zeros(len(field), 1, *field.shape[2:])
    for axis in range(3):
        inner = field.shape[2 + axis] - 1
        part = field[:, axis : axis + 1].narrow(2 + axis, 0, inner)
        volumes.narrow(2 + axis, 1, inner).add_(part)
        volumes.narrow(2 + axis, 0, inner).sub_(part)
    return volumes


def _lengths(field: torch.Tensor) -> torch.Tensor:
    return field.square().sum(1, keepdim=True).sqrt()


def _unit(volumes: torch.Tensor) -> torch.Tensor:
    """Of each volume, (batch, 1, 1, 1, 1): squares of particles per cubic metre are no numbers of float32."""
    return power_of_two(volumes.abs().amax((1, 2, 3, 4), keepdim=True))
