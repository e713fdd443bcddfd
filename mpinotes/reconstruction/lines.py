"""Which lines of a system matrix a reconstruction takes, how much each counts, and frames averaged before."""

from collections.abc import Sequence

import torch

from mpinotes.checks import check_count, check_range, check_several, check_tensor
from mpinotes.numerics import ratio
from mpinotes.physics import SystemMatrix


def choose_lines(
    matrix: SystemMatrix,
    *,
    channels: Sequence[int] | None = None,
    orders: tuple[int, int] | None = None,
    band: tuple[float, float] | None = None,
    least_snr: float = 0.0,
) -> torch.Tensor:
    """The lines that pass every choice, a mask (channel, component): ``matrix.components[lines]`` are their
    rows, ``voltage[:, lines]`` of (frame, channel, component) their data.

    Raises ``ValueError`` where no line is left, and for a least SNR where none was measured.

    :param matrix: of which lines are chosen
    :param channels: numbers of receive channels, from 0; all by default
    :param orders: least and largest order Σ|n_i| of the mixing orders: (3, 10) leaves the drives themselves out
    :param band: lowest and highest frequency [Hz], the ends included
    :param least_snr: of the matrix's measured SNR

    >>> from mpinotes.physics import LissajousScan, Particle, mixing_orders, simulate_system_matrix
    >>> matrix = simulate_system_matrix(LissajousScan(shape=(4, 4)), Particle(20e-9), mixing_orders(2, 4))
    >>> lines = choose_lines(matrix, channels=[1], orders=(3, 4))
    >>> lines.shape, int(lines.sum())
    (torch.Size([2, 12]), 9)
    """
    count = len(matrix.components)
    kept = torch.ones(matrix.components.shape[:2], dtype=torch.bool, device=matrix.components.device)
    if channels is not None:
        channels = channels.tolist() if isinstance(channels, torch.Tensor) else channels
        check_several("channels", channels, range(1, count + 1), f"numbers of channels, 0 to {count - 1}")
        for channel in channels:
            check_count("channels", channel, 0, count - 1)
        chosen = torch.tensor(list(channels), dtype=torch.int64, device=kept.device)
        kept &= torch.isin(torch.arange(count, device=kept.device), chosen)[:, None]
    if orders is not None:
        low, high = _ends("orders", orders)
        order = matrix.mixing_orders.to(kept.device).abs().sum(1)
        kept &= (low <= order) & (order <= high)
    if band is not None:
        low, high = _ends("band", band)
        frequency = matrix.frequencies.to(kept.device)
        kept &= (low <= frequency) & (frequency <= high)
    check_range("least_snr", least_snr, 0.0)
    if matrix.snr is not None:
        kept &= matrix.snr.to(kept.device) >= least_snr
    elif least_snr > 0:
        raise ValueError(f"least_snr: got {least_snr}, accepted is 0 for a matrix without a measured SNR")
    if not kept.any():
        raise ValueError("channels, orders, band, least_snr: got choices that no line passes, accepted is one at least")
    return kept


def spread_weights(background: torch.Tensor) -> torch.Tensor:
    """1/σ of every line, for frames without a phantom, (frame, …), real or complex: (…), real.

    Rows and data times these weights have noise of variance 1, so least squares become the maximum of the
    likelihood for noise that is white in every line, of its own strength and independent. σ² is the mean
    square of the frames' distance to their mean, of complex numbers as a whole, with one frame less in the
    denominator. A line without spread was not measured: its weight is 0. Source: Knopp et al., Phys. Med.
    Biol. 55 (2010) 1577, on weighting; Bishop (2006), section 3.1, on whitening.

    >>> background = torch.tensor([[1.0, 10.0, 0.0], [3.0, 14.0, 0.0]])
    >>> spread_weights(background)
    tensor([0.7071, 0.3536, 0.0000])
    """
    check_tensor("background", background, 2, "(frame, …)", more=True, complex_too=True)
    check_count("background, frames", len(background), 2)
    largest = background.abs().amax()  # squares of voltages per particle are no numbers of float32
    difference = ratio(background - background.mean(0), largest)
    spread = (difference.abs().square().sum(0) / (len(background) - 1)).sqrt() * largest
    negligible = 4 * torch.finfo(spread.dtype).eps * background.abs().amax(0)  # rounding of the mean is no noise
    return torch.where(spread > negligible, ratio(torch.ones_like(spread), spread), 0)


def norm_weights(rows: torch.Tensor) -> torch.Tensor:
    """1/‖row‖ of every row, (row, voxel), complex or real: (row,), real; 0 for a row of zeros.

    What the Kaczmarz method does by default. Strong and weak lines then count alike, whatever their noise:
    take those with an SNR. Source: Knopp et al., Phys. Med. Biol. 55 (2010) 1577.

    >>> norm_weights(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([0.2000, 0.0000])
    """
    check_tensor("rows", rows, 2, "(row, voxel)", complex_too=True)
    largest = rows.abs().amax()
    norms = ratio(rows, largest).abs().square().sum(1).sqrt()
    return torch.where(norms > 0, ratio(torch.ones_like(norms), norms * largest), 0)


def average_blocks(frames: torch.Tensor, block: int) -> torch.Tensor:
    """Means of `block` frames in a row, (frame, …) -> (frame // block, …): noise falls by √block. Frames
    that fill no block at the end are left out. Raises ``ValueError`` for fewer frames than a block.

    >>> average_blocks(torch.tensor([[1.0], [3.0], [5.0], [7.0], [9.0]]), 2)
    tensor([[2.],
            [6.]])
    """
    check_tensor("frames", frames, 1, "(frame, …)", more=True, complex_too=True)
    check_count("block", block, 1, len(frames))
    whole = len(frames) // block
    return frames[: whole * block].unflatten(0, (whole, block)).mean(1)


def _ends(name: str, ends: tuple[float, float]) -> tuple[float, float]:
    check_several(name, ends, (2,), "the two ends (low, high)")
    low, high = ends
    check_range(name, low, 0.0)
    check_range(name, high, low)
    return low, high
