"""Image metrics per volume, in [0, 1]: PSNR, SSIM and RMSE of scikit-image."""

import torch
from skimage.metrics import structural_similarity

from mpinotes.checks import check_same_shape, check_tensor

SSIM_WINDOW = 7
"""Voxels per axis of SSIM's windows."""

FOR_COMPLEX = "component_psnr and component_ssim compare complex ones"


def psnr(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio with data range 1 [dB], one value per item of the batch.

    Infinite where the two are equal.

    >>> psnr(torch.full((1, 1, 8, 8, 8), 0.1), torch.zeros(1, 1, 8, 8, 8))
    tensor([20.0000], dtype=torch.float64)
    """
    return -10 * torch.log10(_mean_square(estimate, truth))


def rmse(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Root mean squared error, one value per item of the batch, in the unit of the data.

    >>> rmse(torch.full((1, 1, 8, 8, 8), 0.1), torch.zeros(1, 1, 8, 8, 8))
    tensor([0.1000], dtype=torch.float64)
    """
    return _mean_square(estimate, truth).sqrt()


def ssim(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Structural similarity with data range 1, one value per item of the batch.

    scikit-image's windows of 7 voxels per axis over (batch, 1, …), in 2D or 3D; each side at least 7.

    >>> truth = torch.linspace(0, 1, 8).expand(1, 1, 8, 8, 8)
    >>> ssim(truth, truth), ssim(1 - truth, truth).round(decimals=2)
    (tensor([1.], dtype=torch.float64), tensor([-0.9500], dtype=torch.float64))
    """
    _check(estimate, truth)
    if estimate.ndim not in (4, 5) or estimate.shape[1] != 1 or min(estimate.shape[2:]) < SSIM_WINDOW:
        raise ValueError(
            f"estimate: got shape {tuple(estimate.shape)}, "
            f"accepted is (batch, 1, two or three sides of {SSIM_WINDOW} or more)"
        )
    return structural_similarities(estimate[:, 0], truth[:, 0])


def structural_similarities(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """SSIM of images (batch, y, x) or volumes (batch, z, y, x) that have been checked, (batch,)."""
    pairs = zip(*(images.detach().double().cpu().numpy() for images in (estimate, truth)), strict=True)
    scores = [structural_similarity(a, b, data_range=1.0, win_size=SSIM_WINDOW) for a, b in pairs]
    return torch.tensor(scores, dtype=torch.float64, device="cpu")


def _check(estimate: torch.Tensor, truth: torch.Tensor) -> None:
    for name, value in (("estimate", estimate), ("truth", truth)):
        check_tensor(name, value, 2, "(batch, …)", more=True, instead=FOR_COMPLEX)
    check_same_shape("estimate", estimate, "truth", truth)


def _mean_square(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    _check(estimate, truth)
    return (estimate.double() - truth.double()).square().flatten(1).mean(1)
