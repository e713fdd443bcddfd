"""Bootstrap confidence intervals over volumes."""

from dataclasses import dataclass

import torch

from mpinotes import draw
from mpinotes.checks import check_count, check_range, check_tensor


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds of its confidence interval.

    >>> print(Interval(29.5, 29.1, 29.9))
    29.500 [29.100, 29.900]
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap_mean(values: torch.Tensor, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0) -> Interval:
    """Percentile bootstrap of the mean of `values`, (n,). Source: Efron & Tibshirani (1993), ch. 13.

    Raises ``ValueError`` for infinite values: a PSNR of identical volumes must be dealt with first.

    >>> print(bootstrap_mean(torch.linspace(0, 1, 101)))
    0.500 [0.445, 0.559]
    """
    check_tensor("values", values, 1, "(n,)", instead="take real and imaginary parts, or moduli")
    check_range("confidence", confidence, 0.0, 1.0)
    check_count("resamples", resamples)
    rows = draw.integers(0, len(values), (resamples, len(values)), draw.seeded_generator(seed))
    means = values.double().cpu()[rows].mean(1)
    tail = (1 - confidence) / 2
    low, high = means.quantile(means.new_tensor([tail, 1 - tail])).tolist()
    return Interval(values.double().mean().item(), low, high)
