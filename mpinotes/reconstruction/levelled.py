"""The data of a Cartesian scan behind a filter that levels how strongly they answer: what deconvolution needs."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from scipy.fft import dct

from mpinotes.checks import check_positive
from mpinotes.draw import normal
from mpinotes.numerics import full_precision
from mpinotes.reconstruction.forward_models import ForwardModel, HarmonicModel

_POWER_STEPS = 40
_MARGIN = 1.1  # the power method comes from below, here by less than a twentieth


@dataclass(frozen=True)
class LevelledModel(ForwardModel):
    """WA for a `model` A of a Cartesian scan and a filter W of its data, see `levelled`, which makes it.

    `filters`: W between the cosine modes across the lines, (z mode, y mode, value, value). Take data
    through `level` first.

    >>> from mpinotes.physics import CartesianScan, Particle
    >>> model = levelled(native_model(Particle(25e-9), CartesianScan(), (3, 4, 5)), floor=5.0)
    >>> model.filters.shape
    torch.Size([3, 4, 5, 5])
    """

    model: HarmonicModel
    filters: torch.Tensor

    @property
    def shape(self) -> tuple[int, int, int]:  # type: ignore[override]
        return self.model.shape

    @property
    def data_shape(self) -> tuple[int, ...]:
        return self.model.line_shape

    @property
    def positive(self) -> bool:
        return False

    def like(self, data: torch.Tensor) -> Self:
        return replace(self, model=self.model.like(data), filters=self.filters.to(data.device, data.dtype))

    @full_precision
    def level(self, data: torch.Tensor) -> torch.Tensor:
        """Wd of the data d of the model: with the lines as the last axes, (batch, 1, z, y, value)."""
        self.model.check_data(data)
        return self.like(data)._filter(self.model.to_lines(data))

    @full_precision
    def apply(self, volumes: torch.Tensor) -> torch.Tensor:
        return self._filter(self.model.line_data(volumes))

    @full_precision
    def adjoint(self, data: torch.Tensor) -> torch.Tensor:
        return self.model.line_adjoint(self._filter(data))

    def energy(self) -> float:
        """Of the power method, with a margin."""
        generator = torch.Generator().manual_seed(0)
        volume = normal((1, 1, *self.shape), self.filters, generator)
        for _ in range(_POWER_STEPS):
            volume = self.adjoint(self.apply(volume / torch.linalg.vector_norm(volume)))
        return _MARGIN * torch.linalg.vector_norm(volume).item()

    def _filter(self, lines: torch.Tensor) -> torch.Tensor:
        depth, height = (_cosine_modes(side).to(lines) for side in self.filters.shape[:2])
        modes = torch.einsum("bzyv,az,cy->acvb", lines[:, 0], depth, height)
        return torch.einsum("acvb,az,cy->bzyv", self.filters.to(lines) @ modes, depth, height)[:, None]


@full_precision
def levelled(model: HarmonicModel, floor: float) -> LevelledModel:
    """The model with W = (BBᵀ + floor)^(−1/2), B what A makes of each cosine mode across the lines of itself.

    Tracer spread over many voxels gives thousands of times the signal of as much detail: that is the
    haze of 1/r. Least squares then spend all steps of a gradient method on the haze. After W every
    pattern that gives more than √`floor` gives about as much as the others, and what gives less keeps its
    place behind them. It is for scans what `norm_weights` are for the rows of a matrix: data are no longer
    weighted by their noise alone, in exchange for tens of steps instead of thousands. Cosines, other than
    waves, do not take the end of the field of view for an edge of the tracer.

    `floor`: of the energies that are levelled; the λ of `reconstruct_tikhonov` has its unit and is its size.

    >>> from mpinotes.physics import CartesianScan, Particle
    >>> model = native_model(Particle(25e-9), CartesianScan(), (6, 6, 6))
    >>> round(model.energy()), round(levelled(model, floor=5.0).energy())
    (47194, 3)
    """
    check_positive("floor", floor)
    if not isinstance(model, HarmonicModel):
        raise ValueError(f"model: got {type(model).__name__}, accepted is one of native_model or harmonic_model")
    spectrum = model.spectrum.double()
    shares = [torch.fft.fft(_cosine_modes(n), n=2 * n).abs().square() / (2 * n) for n in model.line_shape[1:3]]
    depth, height = shares[0].to(spectrum), shares[1].to(spectrum)
    folded = height[:, : spectrum.shape[1]].clone()
    folded[:, 1:-1] *= 2  # the waves that a real transform leaves out
    between = torch.einsum("cv,avhx->achx", folded, torch.einsum("aw,wvhx->avhx", depth, spectrum))
    values, vectors = torch.linalg.eigh(between @ between.mT)
    scaled = vectors * (values.clamp_min(0) + floor).rsqrt()[..., None, :]
    return LevelledModel(model, scaled @ vectors.mT)


def _cosine_modes(n: int) -> torch.Tensor:
    """Those of the discrete cosine transform, orthonormal, (mode, n), double precision."""
    return torch.from_numpy(dct(np.eye(n), axis=0, norm="ortho"))
