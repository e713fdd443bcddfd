"""The analog receive chain between a coil and the digitiser."""

import cmath
import math
from dataclasses import dataclass

import torch

from mpinotes.checks import check_count, check_positive, check_range, check_several


@dataclass(frozen=True)
class Receiver:
    """A Butterworth band-pass and a delay. All values are ours: the papers give none.

    `band`: corner frequencies (low, high) [Hz]; `order` of either slope. A low corner above the
    drive frequency suppresses the fundamental, as real scanners must. `delay` [s].

    >>> receiver = Receiver(band=(50e3, 1e6))
    >>> receiver.transfer(torch.tensor([0.0, 25e3, 50e3, 250e3])).abs()
    tensor([0.0000, 0.2425, 0.7071, 0.9973])
    """

    band: tuple[float, float]
    order: int = 2
    delay: float = 0.0

    def __post_init__(self) -> None:
        check_several("band", self.band, (2,), "two corner frequencies (low, high)")
        check_positive("band", self.band[0])
        check_range("band", self.band[1], self.band[0], 1e12, open_low=True)
        check_count("order", self.order)
        check_range("delay", self.delay, 0.0)

    def transfer(self, frequency: torch.Tensor) -> torch.Tensor:
        """Complex gain at frequencies [Hz], any shape; 0 at 0, 1 in the middle of a wide band.

        Source: Butterworth, Wireless Engineer 7 (1930) 536; poles exp(iπ(2k + n − 1)/(2n)).
        """
        low, high = (1j * frequency / corner for corner in self.band)
        gain = low**self.order * torch.exp(-2j * math.pi * frequency * self.delay)
        for k in range(1, self.order + 1):
            pole = cmath.exp(1j * math.pi * (2 * k + self.order - 1) / (2 * self.order))
            gain = gain / ((high - pole) * (1 - pole * low))
        return gain
