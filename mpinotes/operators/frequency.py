"""Spherical frequency masks and the frequency-alignment loss of Qiu et al. (2026), eq. (2)."""

import math

import torch

from mpinotes.checks import check_count, check_range, check_same_shape, check_several, check_shape
from mpinotes.numerics import full_precision


def spherical_masks(
    shape: tuple[int, ...], radius: float = 0.25, *, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Binary masks (M_low, M_high) of a volume's 3D spectrum, bool, laid out as ``torch.fft.fftn``.

    M_low is the ball |k| ≤ `radius`, with k in units of the Nyquist frequency (1 along each axis);
    M_high is the rest. The paper gives no radius: 0.25 is ours.

    >>> low, high = spherical_masks((8, 8, 8), radius=0.25)
    >>> low.sum().item(), high.sum().item()
    (7, 505)
    """
    check_range("radius", radius, 0.0, math.sqrt(3))
    check_several("shape", shape, (3,), "three sides (z, y, x)")
    for side in shape:
        check_count("shape", side)
    axes = [torch.fft.fftfreq(side, d=0.5, dtype=torch.float32, device=device) for side in shape]
    squared = torch.stack(torch.meshgrid(*axes, indexing="ij")).square().sum(0)
    low = squared <= radius**2
    return low, ~low


@full_precision
def frequency_alignment_loss(
    x0_hat: torch.Tensor,
    x_lr: torch.Tensor,
    x_hr: torch.Tensor,
    gamma: float = 0.3,
    radius: float = 0.25,
) -> torch.Tensor:
    """L_freq of eq. (2), one value per volume, (batch,).

    ‖M_low ⊙ (F x̂₀ − F x_LR)‖₁ + γ ‖M_high ⊙ (F x̂₀ − F x_HR)‖₁ with the orthonormal Fourier
    transform and the mean modulus over all frequencies in place of the sum, so that the value does
    not grow with the grid. Being part of every training step, it looks at shapes and at no values.

    :param x0_hat: the estimate, (batch, channel, z, y, x), any one intensity scale
    :param x_lr: what its low band is compared with, same shape and scale
    :param x_hr: what its high band is compared with, same shape and scale
    :param gamma: γ ≥ 0, weight of the high band
    :param radius: of the low band, see `spherical_masks`

    >>> x_lr, x_hr = torch.zeros(1, 1, 8, 8, 8), torch.ones(1, 1, 8, 8, 8)
    >>> frequency_alignment_loss(x_hr, x_lr, x_hr, gamma=0.3)
    tensor([0.0442])
    """
    low, high = frequency_terms(x0_hat, x_lr, x_hr, radius)
    check_range("gamma", gamma, 0.0)
    return low + gamma * high


@full_precision
def frequency_terms(
    x0_hat: torch.Tensor, x_lr: torch.Tensor, x_hr: torch.Tensor, radius: float = 0.25
) -> tuple[torch.Tensor, torch.Tensor]:
    """The two norms of eq. (2), before γ: low band against x_LR, high band against x_HR, (batch,).

    >>> x_lr, x_hr = torch.zeros(1, 1, 8, 8, 8), torch.ones(1, 1, 8, 8, 8)
    >>> [band.round(decimals=3) for band in frequency_terms(x_hr, x_lr, x_hr)]
    [tensor([0.0440]), tensor([0.])]
    """
    check_shape("x0_hat", x0_hat, 5, "(batch, channel, z, y, x)")
    check_same_shape("x_lr", x_lr, "x0_hat", x0_hat)
    check_same_shape("x_hr", x_hr, "x0_hat", x0_hat)
    low, high = spherical_masks(tuple(x0_hat.shape[-3:]), radius, device=x0_hat.device)

    def band(difference: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.fftn(difference, dim=(-3, -2, -1), norm="ortho")
        # |z| has no gradient at 0, where a perfect estimate is; √(|z|² + tiny) has.
        modulus = (spectrum.real**2 + spectrum.imag**2 + 1e-24).sqrt()
        return (modulus * mask).flatten(1).mean(1)

    return band(x0_hat - x_lr, low), band(x0_hat - x_hr, high)
