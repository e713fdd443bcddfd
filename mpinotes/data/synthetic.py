"""Procedural vessels, for those who have neither the real file nor a network."""

import math

import torch
from torch.nn.functional import normalize

from mpinotes import draw
from mpinotes.checks import check_count, check_range

_BRANCHES = 4
_POINTS = 48
_CHUNK = 16  # volumes in flight: bounds the memory of voxel-to-point distances


def synthetic_vessels(count: int, side: int = 32, *, aneurysm_probability: float = 0.3, seed: int = 0) -> torch.Tensor:
    """Branching tubes of varying radius, some with an aneurysm, (`count`, 1, `side`, `side`, `side`).

    Values in [0, 1]: the antialiased occupancy of each voxel. A trunk crosses the volume; each
    further branch leaves an earlier one, thinner. The same seed gives the same vessels.

    >>> vessels = synthetic_vessels(2, side=16, seed=0)
    >>> vessels.shape, torch.equal(vessels, synthetic_vessels(2, side=16, seed=0))
    (torch.Size([2, 1, 16, 16, 16]), True)
    """
    check_count("count", count)
    check_count("side", side)
    check_range("aneurysm_probability", aneurysm_probability, 0.0, 1.0)
    generator = draw.seeded_generator(seed)
    points, radii = _skeletons(count, aneurysm_probability, generator)
    centres = (torch.arange(side, dtype=torch.float32, device="cpu") + 0.5) / side
    voxels = torch.cartesian_prod(centres, centres, centres)
    parts = [
        (0.5 - side * (torch.cdist(voxels, p) - r[:, None]).amin(-1)).clamp(0, 1)
        for p, r in zip(points.split(_CHUNK), radii.split(_CHUNK), strict=True)
    ]
    return torch.cat(parts).view(count, 1, side, side, side)


def _skeletons(count: int, aneurysm_probability: float, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Points on the centre lines, (count, points, 3), and the radii there, for a unit cube."""

    like = torch.empty(0, dtype=torch.float32, device="cpu")

    def normal(*shape: int) -> torch.Tensor:
        return draw.normal((count, *shape), like, generator)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * draw.uniform((count, *shape), generator)

    rows = torch.arange(count, device="cpu")
    heading = normalize(normal(3), dim=-1)
    start = 0.5 - 0.55 * heading + 0.1 * normal(3)
    width = uniform(0.03, 0.07, 1)
    points: list[torch.Tensor] = []
    radii: list[torch.Tensor] = []
    for branch in range(_BRANCHES):
        if branch:
            at = draw.integers(_POINTS // 6, _POINTS * 2 // 3, (count,), generator)
            parent = draw.integers(0, branch, (count,), generator)
            start = torch.stack(points)[parent, rows, at]
            width = torch.stack(radii)[parent, rows, at, None] * uniform(0.55, 0.85, 1)
            heading = normalize(heading + normal(3), dim=-1)
        bend = normal(_POINTS, 3).cumsum(1) * 0.12
        step = uniform(0.018, 0.026, 1, 1) * normalize(heading[:, None] + bend, dim=-1)
        points.append(start[:, None] + step.cumsum(1))
        along, thinning = (
            torch.linspace(*ends, _POINTS, dtype=torch.float32, device="cpu") for ends in ((0, 2 * math.pi), (1, 0.7))
        )
        ripple = 1 + 0.2 * torch.sin(uniform(0.5, 2, 1) * along + uniform(0, 2 * math.pi, 1))
        radii.append(width * ripple * thinning)
    at = draw.integers(_POINTS // 4, _POINTS // 2, (count,), generator)
    sac = radii[0][rows, at, None] * uniform(1.8, 2.8, 1)
    has_sac = draw.uniform((count, 1), generator) < aneurysm_probability
    points.append((points[0][rows, at] + sac * normalize(normal(3), dim=-1))[:, None])
    radii.append(torch.where(has_sac, sac, -1.0))
    return torch.cat(points, dim=1), torch.cat(radii, dim=1)
