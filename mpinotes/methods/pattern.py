"""What the mixing order alone says of a component: the opponent that needs no calibration at all."""

import torch

from mpinotes.checks import check_tensor
from mpinotes.numerics import ratio
from mpinotes.physics import order_patterns


def fit_pattern(low: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """The patterns of mixing `orders` (component, 2), see `order_patterns`, of modulus ≤ 1, in the phase of
    the low-gradient components `low`, complex (component, 2, y, x), from which nothing else is taken; zeros
    for zeros, which have no phase.

    >>> from mpinotes.physics import order_patterns
    >>> orders = torch.tensor([[2, 1]])
    >>> low = 1j * order_patterns(orders, (8, 8)).to(torch.complex64)
    >>> fit_pattern(low, orders).real.abs().max() < 1e-6
    tensor(True)
    """
    check_tensor("low", low, 4, "(component, 2, y, x)", complex_too=True)
    waves = order_patterns(orders, (low.shape[-2], low.shape[-1])).to(low)
    if waves.shape != low.shape:
        raise ValueError(f"low: got shape {tuple(low.shape)}, accepted is that of the patterns, {tuple(waves.shape)}")
    waves = waves / waves.abs().amax((-2, -1), keepdim=True).clamp_min(1e-6)  # that of n = 0 is empty
    phase = (waves * low).sum((-2, -1), keepdim=True)
    return ratio(waves * phase, phase.abs())
