"""Whether intervals from samples hold what they promise."""

import torch

from mpinotes.checks import check_range, check_shape


def coverage(samples: torch.Tensor, truth: torch.Tensor, level: float) -> torch.Tensor:
    """Share of the `truth`, (n,), inside the central interval of probability `level` of the `samples`, (k, n).

    Exact for calibrated samples whatever their number: the truth's rank among k samples is uniform
    over 0 … k, ties are shared in halves, and ranks at the interval's ends count by the part that
    lies inside. A level within 1/(k + 1) of 1 needs more than k samples. Infinite values have their
    place; NaN has none and raises ``ValueError``. Source: Hamill, Mon. Weather Rev. 129 (2001) 550.

    >>> samples = torch.arange(99.0)[:, None].expand(99, 100)
    >>> coverage(samples, torch.arange(100) - 0.5, level=0.9)
    tensor(0.9000, dtype=torch.float64)
    """
    check_range("level", level, 0.0, 1.0)
    check_shape("samples", samples, 2, "(k, n)")
    check_shape("truth", truth, 1, "(n,)")
    for name, values in (("samples", samples), ("truth", truth)):
        if values.isnan().any():
            raise ValueError(f"{name}: got NaN, accepted are numbers: a rank among others is asked for")
    if samples.shape[1:] != truth.shape:
        raise ValueError(f"samples: got shape {tuple(samples.shape)}, accepted is (k, {truth.shape[0]})")
    below, equal = (samples < truth).sum(0), (samples == truth).sum(0)
    # The rank is a bin of width 1/(k + 1) on [0, 1], wider where samples tie with the truth.
    low = below.double() / (len(samples) + 1)
    high = (below + equal + 1).double() / (len(samples) + 1)
    inside = (high.clamp(max=(1 + level) / 2) - low.clamp(min=(1 - level) / 2)).clamp_min(0)
    return (inside / (high - low)).mean()
