"""Metrics of system-matrix components, complex and of modulus ≤ 1, and how much two sets share."""

import torch

from mpinotes.checks import check_same_shape, check_shape, check_tensor
from mpinotes.evaluation.metrics import SSIM_WINDOW, structural_similarities
from mpinotes.numerics import full_precision, power_of_two, ratio


def component_psnr(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio [dB] of complex components (n, channel, y, x), (n · channel,).

    Each channel of each component counts on its own, with the range 2 that real components in
    [-1, 1] have. It does not depend on the phase. Infinite where the two are equal.

    >>> truth = torch.ones(1, 2, 8, 8, dtype=torch.complex64)
    >>> component_psnr(0.8j * truth, 1.0j * truth)
    tensor([20.0000, 20.0000], dtype=torch.float64)
    """
    _check(estimate, truth)
    return -10 * torch.log10((estimate - truth).abs().double().square().mean((-2, -1)).flatten() / 4)


def component_ssim(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Structural similarity of complex components (n, channel, y, x), (n · channel,).

    Both are turned so that the truth, or the estimate of zeros, is real and positive where its modulus is
    largest; the real parts, which hold all of a component of our models, are compared after a move to [0, 1]. Each
    side at least 7.

    >>> wave = torch.linspace(-1, 1, 8).expand(1, 2, 8, 8) + 0j
    >>> component_ssim(1j * wave, 1j * wave), component_ssim(-wave, wave)
    (tensor([1., 1.], dtype=torch.float64), tensor([-0.9497, -0.9497], dtype=torch.float64))
    """
    _check(estimate, truth)
    if min(estimate.shape[2:]) < SSIM_WINDOW:
        raise ValueError(f"estimate: got shape {tuple(estimate.shape)}, accepted are sides of {SSIM_WINDOW} or more")
    empty = (truth == 0).all((-2, -1), keepdim=True)
    turn = phase_of_peak(torch.where(empty, estimate, truth))
    pair = [((images * turn).real.flatten(0, 1) + 1) / 2 for images in (estimate, truth)]
    return structural_similarities(*pair)


def phase_of_peak(components: torch.Tensor) -> torch.Tensor:
    """Factors, (…, 1, 1), of modulus 1 that make every component (…, y, x) real and positive where it is
    strongest; 1 for a component of zeros.

    >>> phase_of_peak(torch.tensor([[1.0, -3.0]])).flatten()
    tensor([-1.])
    """
    check_shape("components", components, 2, "(…, y, x)", more=True, complex_too=True)
    flat = components.flatten(-2)
    peak = flat.gather(-1, flat.abs().argmax(-1, keepdim=True))[..., None]
    return torch.where(peak == 0, 1, ratio(peak.conj(), peak.abs()))


@full_precision
def largest_correlation(test: torch.Tensor, train: torch.Tensor) -> torch.Tensor:
    """For every channel of every component of `test`, (n, channel, y, x), the largest normalised
    correlation |⟨a, b⟩| / (‖a‖ ‖b‖) with any of `train`, (n · channel,): 1 where a training
    component is the same up to a complex factor, 0 for zeros.

    >>> train = torch.eye(4).view(4, 1, 2, 2)
    >>> largest_correlation(torch.tensor([3.0, 4.0, 0.0, 0.0]).view(1, 1, 2, 2), train)
    tensor([0.8000])
    """
    for name, value in (("test", test), ("train", train)):
        check_tensor(name, value, 4, "(n, channel, y, x)", complex_too=True)
    if test.shape[2:] != train.shape[2:]:
        raise ValueError(f"train: got grid {tuple(train.shape[2:])}, accepted is that of test, {tuple(test.shape[2:])}")
    common = torch.promote_types(test.dtype, train.dtype)
    first, second = (x.to(common).flatten(2).flatten(0, 1) for x in (test, train))
    first, second = (x / power_of_two(x.abs().amax(1, keepdim=True)) for x in (first, second))
    first, second = (ratio(x, x.norm(dim=1, keepdim=True)) for x in (first, second))
    return torch.stack([(first @ part.mH).abs().amax(1) for part in second.split(4096)]).amax(0)


def _check(estimate: torch.Tensor, truth: torch.Tensor) -> None:
    for name, value in (("estimate", estimate), ("truth", truth)):
        check_tensor(name, value, 4, "(n, channel, y, x)", complex_too=True)
    check_same_shape("estimate", estimate, "truth", truth)
