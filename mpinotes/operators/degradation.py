"""The degradation operator D = U P₂ G₃ of Qiu et al. (2026), eq. (1), and its adjoint."""

from dataclasses import dataclass
from typing import Any

import torch

from mpinotes.checks import check_count, check_positive, check_range, check_tensor, make_plain
from mpinotes.numerics import full_precision


@dataclass(frozen=True)
class Degradation:
    """Blur, average down by `factor`, interpolate back: a linear map of volumes to volumes.

    All three steps are separable, so D is one small matrix per axis and its adjoint the transposed
    matrices. Averaging blocks and interpolating between block centres keeps the volume in place (no
    half-voxel shift). Outside the volume there is no tracer: the blur sees zeros.

    `sigma`: standard deviation of the Gaussian [voxels], one number or one per axis (z, y, x); 0 is
    no blur. `scale` multiplies the result: the gain of the imaging chain D stands for.

    >>> D = Degradation(sigma=1.0, factor=2)
    >>> x, y = torch.rand(2, 1, 1, 4, 4, 4)
    >>> torch.allclose((D(x) * y).sum(), (x * D.adjoint(y)).sum())
    True
    """

    sigma: float | tuple[float, float, float]
    factor: int = 2
    scale: float = 1.0

    def __post_init__(self) -> None:
        make_plain(self)
        if isinstance(self.sigma, tuple) and len(self.sigma) != 3:
            raise ValueError(f"sigma: got {len(self.sigma)} values, accepted are one or three (z, y, x)")
        for sigma in self.sigmas:
            check_range("sigma", sigma, 0.0)
        check_count("factor", self.factor)
        check_positive("scale", self.scale)

    @property
    def sigmas(self) -> tuple[float, float, float]:
        """Standard deviations along (z, y, x) [voxels]."""
        return self.sigma if isinstance(self.sigma, tuple) else (self.sigma,) * 3

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """D(x) for volumes (batch, channel, z, y, x); each side divisible by `factor`. Raises
        ``ValueError`` for others, and where values are not finite."""
        self._check("x", x)
        return self.apply(x)

    @full_precision
    def adjoint(self, y: torch.Tensor) -> torch.Tensor:
        """Dᵀ(y): ⟨D(x), y⟩ = ⟨x, Dᵀ(y)⟩ for all volumes x, y."""
        self._check("y", y)
        return apply_separable(y, [matrix.T for matrix in self._matrices(y)]) * self.scale

    @full_precision
    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """D(x) without a look at x: for training steps and samplers, which would wait for the GPU."""
        return apply_separable(x, self._matrices(x)) * self.scale

    def _check(self, name: str, volumes: torch.Tensor) -> None:
        check_tensor(name, volumes, 5, "(batch, channel, z, y, x)")
        check_sides(name, volumes.shape[-3:], self.factor)

    def _matrices(self, volumes: torch.Tensor) -> list[torch.Tensor]:
        options: dict[str, Any] = {"dtype": volumes.dtype, "device": volumes.device}
        return [
            upsampling_matrix(side, self.factor, **options)
            @ averaging_matrix(side, self.factor, **options)
            @ gaussian_matrix(side, torch.full((), sigma, **options))
            for side, sigma in zip(volumes.shape[-3:], self.sigmas, strict=True)
        ]


def check_sides(name: str, sides: torch.Size, factor: int) -> None:
    """Raise ``ValueError`` unless blocks of `factor` fill every side."""
    if any(side % factor for side in sides):
        raise ValueError(f"{name}: got sides {tuple(sides)}, accepted are multiples of factor {factor}")


def apply_separable(volume: torch.Tensor, matrices: list[torch.Tensor]) -> torch.Tensor:
    """Apply one matrix per axis (z, y, x) to volumes (batch, channel, z, y, x)."""
    for axis, matrix in zip((-3, -2, -1), matrices, strict=True):
        volume = (volume.movedim(axis, -1) @ matrix.T).movedim(-1, axis)
    return volume


def gaussian_matrix(side: int, sigma: torch.Tensor) -> torch.Tensor:
    """Blur along one axis, (side, side): a sampled Gaussian of unit sum, zeros outside.

    `sigma` is a scalar tensor [voxels]; the matrix is differentiable in it.
    """
    offset = torch.arange(1 - side, side, dtype=sigma.dtype, device=sigma.device)
    kernel = torch.exp(-(offset**2) / (2 * sigma**2).clamp_min(1e-6))
    index = torch.arange(side, device=sigma.device)
    return (kernel / kernel.sum())[index[:, None] - index + side - 1]


def averaging_matrix(side: int, factor: int, **options: Any) -> torch.Tensor:
    """Mean over blocks of `factor`, (side/factor, side)."""
    return torch.eye(side // factor, **options).repeat_interleave(factor, dim=1) / factor


def upsampling_matrix(side: int, factor: int, **options: Any) -> torch.Tensor:
    """Linear interpolation between block centres, held constant past the last, (side, side/factor)."""
    blocks = side // factor
    centre = ((torch.arange(side, **options) + 0.5) / factor - 0.5).clamp(0, blocks - 1)
    distance = (centre[:, None] - torch.arange(blocks, **options)).abs()
    return (1 - distance).clamp_min(0)
