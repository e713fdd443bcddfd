"""Tikhonov deconvolution of native x-space images."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import torch

from mpinotes.checks import check_kind, check_positive, check_tensor
from mpinotes.numerics import full_precision, ratio, wants_gradient
from mpinotes.physics import CartesianScan, Particle, point_response

_CHUNK = 2**20  # voxels in flight, 32 volumes of 32³: bounds the memory to some 130 MB
_STEPS = 1000  # ten times the most seen at λ = 1e-3, for particles of 10 to 40 nm at 24³


@full_precision
def reconstruct_tikhonov(
    native: torch.Tensor, particle: Particle, scan: CartesianScan, *, regularization: float = 3.0
) -> torch.Tensor:
    """Tikhonov deconvolution of native x-space images: argmin_c ‖Rc − n‖² + λ‖c‖².

    R sums the point response (peak 1) over the field of view. It is symmetric, so the minimiser
    R(R² + λ)⁻¹n is the real part of (R + i√λ)⁻¹n. Cosines along the three axes nearly diagonalise R,
    1/r haze included: conjugate gradients that start from its diagonal there take some 20 steps.
    They end when ‖error‖ is surely below 1e-6 ‖c‖ (float32) or 1e-10 ‖c‖ (float64).

    `native`: (batch, 1, z, y, x), keeps shape, unit, dtype and device; it alone gets a gradient.
    `regularization`: λ, the variance of the native image's noise over the concentration's mean square.
    Raises ``ValueError`` if λ is so small that the steps run out, and for a particle or a gradient field
    that wants a gradient.

    >>> from mpinotes.physics import CartesianScan, Particle, simulate_scan
    >>> particle, scan = Particle(25e-9), CartesianScan()
    >>> volume = torch.zeros(1, 1, 5, 5, 5)
    >>> volume[0, 0, 2, 2, 2] = 1e18
    >>> signal = simulate_scan(volume, particle, scan)
    >>> native = reconstruct_xspace(signal, particle, scan, width=5)
    >>> image = reconstruct_tikhonov(native, particle, scan, regularization=1e-3) / 1e18
    >>> native[0, 0, 2, 2] / 1e18, image[0, 0, 2, 2].round(decimals=2)
    (tensor([0.3712, 0.7020, 0.9401, 0.7020, 0.3712]), tensor([-0.0500,  0.0900,  0.5300,  0.0900, -0.0500]))
    """
    check_tensor("native", native, 5, "(batch, 1, z, y, x)")
    check_positive("regularization", regularization)
    check_kind("particle", particle, Particle)
    check_kind("scan", scan, CartesianScan)
    if any(wants_gradient(value) for value in (particle.beta, *scan.gradient)):
        raise ValueError("particle, scan: got numbers that want a gradient, accepted is one for native alone")
    lines = scan.swap_axes(native)
    table = _response_table(particle, scan.line_gradient, scan.voxel_size, lines.shape[-3:]).to(native.device)
    image = _Deconvolution.apply(lines.flatten(0, 1), _spectrum(table), math.sqrt(regularization))
    return scan.swap_axes(image.view(lines.shape))


class _Deconvolution(torch.autograd.Function):
    """Re (R + iσ)⁻¹ of volumes (batch, z, y, x). It is linear and symmetric: its own adjoint."""

    @staticmethod
    def forward(ctx: Any, volumes: torch.Tensor, spectrum: torch.Tensor, shift: float) -> torch.Tensor:
        ctx.system = spectrum, shift
        accuracy = max(8 * torch.finfo(volumes.dtype).eps, 1e-10)
        chunk = max(1, _CHUNK // spectrum.numel())
        result = torch.zeros_like(volumes, memory_format=torch.contiguous_format)
        for parity in itertools.product((0, 1), repeat=3):
            modes = [_cosines(n, odd, 2 * n, 2).to(spectrum) for n, odd in zip(spectrum.shape, parity, strict=True)]
            if any(basis.numel() == 0 for basis in modes):
                continue
            block = _block(spectrum, parity, modes)
            for part, total in zip(volumes.split(chunk), result.split(chunk), strict=True):
                right = torch.einsum("bzyx,az,cy,ex->aceb", part.double(), *modes)
                solved = _conjugate_gradients(block, right, shift, accuracy)
                total += torch.einsum("aceb,az,cy,ex->bzyx", solved, *modes).to(total.dtype)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return _Deconvolution.apply(gradient, *ctx.system), None, None


@dataclass(frozen=True)
class _Block:
    """R between the cosine modes of one mirror parity; it leaves the eight parities apart.

    `z`, `y`: what each mode holds of each wave, (wave, mode). `lines`: R along x at each pair of such
    waves, (z wave, y wave, mode, mode). `diagonal` of the whole block, (z mode, y mode, x mode, 1).
    """

    z: torch.Tensor
    y: torch.Tensor
    lines: torch.Tensor
    diagonal: torch.Tensor

    def product(self, vectors: torch.Tensor) -> torch.Tensor:
        """R times complex vectors, (z mode, y mode, x mode, batch)."""
        depth, height, width, batch = vectors.shape
        columns = torch.view_as_real(vectors).reshape(depth, -1)
        waves = self.y @ (self.z @ columns).view(-1, height, width * batch * 2)
        waves = self.lines @ waves.view(*self.lines.shape[:3], -1)
        columns = self.z.T @ (self.y.T @ waves.flatten(2)).flatten(1)
        return torch.view_as_complex(columns.view(*vectors.shape, 2))


def _block(spectrum: torch.Tensor, parity: tuple[int, ...], modes: list[torch.Tensor]) -> _Block:
    waves = [_cosines(n, odd, 2 * n - 1, 1).to(spectrum) for n, odd in zip(spectrum.shape, parity, strict=True)]
    z, y, x = (wave @ mode.T for wave, mode in zip(waves, modes, strict=True))
    weights = spectrum[tuple(slice(odd, None) for odd in parity)]
    lines = (x.T * weights[:, :, None]) @ x
    return _Block(z, y, lines, torch.einsum("zyx,za,yc,xe->ace", weights, z**2, y**2, x**2)[..., None])


def _conjugate_gradients(block: _Block, right: torch.Tensor, shift: float, accuracy: float) -> torch.Tensor:
    """Real part of (R + iσ)⁻¹`right`, preconditioned by the diagonal of R + iσ.

    R + iσ is symmetric, not Hermitian: all products are without conjugation, van der Vorst &
    Melissen, IEEE Trans. Magn. 26 (1990) 706. No eigenvalue is closer to zero than σ, so the error
    is at most ‖residual‖/σ.
    """
    scale = 1 / (block.diagonal + 1j * shift)
    residual = right + 0j
    solution, direction = torch.zeros_like(residual), torch.zeros_like(residual)
    before = torch.ones_like(residual[0, 0, 0])
    for _ in range(_STEPS):
        if (_norm(residual) <= accuracy * shift * _norm(solution.real)).all():
            return solution.real
        scaled = residual * scale
        now = _dot(residual, scaled)
        direction = torch.addcmul(scaled, ratio(now, before), direction)
        image = block.product(direction).add_(direction, alpha=1j * shift)
        step = ratio(now, _dot(direction, image))  # 0 for a column that is solved exactly, as one of zeros
        solution.addcmul_(step, direction)
        residual.addcmul_(step, image, value=-1)
        before = now
    raise ValueError(
        f"regularization: got {shift**2:g}, accepted is enough for a solution within {_STEPS} conjugate-gradient steps"
    )


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Σ a b of every column, without conjugation."""
    return (a * b).sum((0, 1, 2))


def _norm(a: torch.Tensor) -> torch.Tensor:
    return _dot(a, a.conj()).real.sqrt()


def _response_table(
    particle: Particle, gradient: tuple[float, float, float], voxel_size: float, shape: torch.Size
) -> torch.Tensor:
    """Point response (peak 1) at every distance in voxels, with the shape of the volume."""
    z, y, x = torch.meshgrid(
        *(torch.arange(n, dtype=torch.float64, device="cpu") * voxel_size for n in shape), indexing="ij"
    )
    return point_response(torch.stack([x, y, z], dim=-1), particle, gradient) * 3 / particle.beta


def _spectrum(table: torch.Tensor) -> torch.Tensor:
    """Fourier coefficients 0 … n − 1 of the table, continued evenly to a period of 2n − 1 voxels per axis.

    On that period R is a circular convolution, of the volume padded with zeros.
    """
    for axis, n in enumerate(table.shape):
        table = torch.fft.hfft(table, n=2 * n - 1, dim=axis).narrow(axis, 0, n)
    return table


def _cosines(n: int, odd: int, period: int, step: int) -> torch.Tensor:
    """Every `step`-th cosine about the centre of n voxels or, if `odd`, sine, (wave, n).

    Those of period 2n − 1 [voxels] and step 1 are the waves of `_spectrum`, orthonormal over that
    period; those of period 2n and step 2 the modes of the discrete cosine transform, orthonormal
    over the n voxels: Strang, SIAM Rev. 41 (1999) 135, DCT-2.
    """
    number = torch.arange(odd, n, step, dtype=torch.float64, device="cpu")[:, None]
    position = torch.arange(n, dtype=torch.float64, device="cpu") - (n - 1) / 2
    phase = 2 * math.pi / period * number * position
    weight = (1 + (number > 0).double()) * step / period
    return (torch.sin(phase) if odd else torch.cos(phase)) * weight.sqrt()
