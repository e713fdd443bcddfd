"""Wiener deconvolution: the best linear, shift-invariant map from low- to high-gradient components."""

from dataclasses import dataclass

import torch

from mpinotes.checks import check_count, check_same_shape, check_tensor
from mpinotes.numerics import ratio


@dataclass(frozen=True)
class WienerFilter:
    """`gain` (component, channel, k_y, k_x): one filter for every mixing order and receive channel, on
    a grid twice as fine as the images', which are padded with zeros.

    >>> from mpinotes.methods.wiener import WienerFilter
    >>> keep = WienerFilter(torch.ones(3, 2, 8, 8))
    >>> keep(torch.ones(3, 2, 4, 4) + 0j).shape
    torch.Size([3, 2, 4, 4])
    """

    gain: torch.Tensor

    def __call__(self, low: torch.Tensor) -> torch.Tensor:
        """Estimate of the high-gradient components, complex (setting · component, channel, y, x), modulus ≤ 1."""
        check_tensor("low", low, 4, "(setting · component, channel, y, x)", complex_too=True)
        components, channels, height, width = self.gain.shape
        if len(low) % components or low.shape[1:] != (channels, height // 2, width // 2):
            raise ValueError(
                f"low: got shape {tuple(low.shape)}, accepted are multiples of {components} components of shape "
                f"{(channels, height // 2, width // 2)}"
            )
        parts = low.unflatten(0, (-1, components))
        filtered = torch.fft.ifft2(_spectrum(parts) * self.gain)[..., : low.shape[-2], : low.shape[-1]].flatten(0, 1)
        return (filtered / filtered.abs().amax((-2, -1), keepdim=True).clamp_min(1)).to(low.dtype)


def fit_wiener(low: torch.Tensor, high: torch.Tensor, components: int) -> WienerFilter:
    """Least squares over training pairs, complex (setting · component, channel, y, x), with `components`
    mixing orders per setting: ⟨H L*⟩ / ⟨|L|²⟩ at every spatial frequency.

    What noise the training components have is in ⟨|L|²⟩: they say how much to trust a frequency.
    Source: Wiener (1949); Gonzalez & Woods, Digital Image Processing, section 5.8.

    >>> from mpinotes.methods.wiener import fit_wiener
    >>> low = torch.rand(6, 2, 4, 4) + 0j
    >>> fit_wiener(low, low / 2, components=3).gain.shape
    torch.Size([3, 2, 8, 8])
    """
    check_tensor("low", low, 4, "(setting · component, channel, y, x)", complex_too=True)
    check_same_shape("high", high, "low", low)
    check_count("components", components)
    if len(low) % components:
        raise ValueError(f"components: got {components}, accepted is a divisor of the {len(low)} rows of low")
    spectra = ((_spectrum(a), _spectrum(b)) for a, b in zip(low.split(components), high.split(components), strict=True))
    first = next(spectra)
    cross, power = first[1] * first[0].conj(), first[0].abs().square()
    for weak, strong in spectra:
        cross += strong * weak.conj()
        power += weak.abs().square()
    # The floor keeps frequencies that hold nothing but rounding from being amplified.
    return WienerFilter(ratio(cross, power + 1e-6 * power.amax((-2, -1), keepdim=True)))


def _spectrum(images: torch.Tensor) -> torch.Tensor:
    return torch.fft.fft2(images.to(torch.complex128), s=[2 * side for side in images.shape[-2:]])
