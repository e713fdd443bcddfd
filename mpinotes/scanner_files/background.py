"""What the empty scanner shows, and how it is taken away."""

import numpy as np

from mpinotes.scanner_files.spectra import PART

SUBTRACT, KEEP, ONLY = "subtract", "keep", "only"


def subtract_background(spectra: np.ndarray, empty: np.ndarray, time: np.ndarray, empty_time: np.ndarray) -> None:
    """Subtract from `spectra`, in place, what the empty scanner showed at their times.

    Frames of the empty scanner that follow each other are averaged; between these means the background runs
    straight, before the first and after the last it stays.

    :param spectra: (channel, line, frame)
    :param empty: of the empty scanner, (channel, line, its frame)
    :param time: when the frames were taken, (frame,)
    :param empty_time: when those of the empty scanner were taken
    """
    order = np.argsort(empty_time)
    empty, empty_time = empty[..., order], empty_time[order]
    starts = np.concatenate([[0], np.nonzero(np.diff(empty_time) > 1)[0] + 1])
    counts = np.diff([*starts, len(empty_time)])
    middles = np.add.reduceat(empty_time.astype(float), starts) / counts
    means = np.add.reduceat(empty.astype(np.complex128), starts, axis=-1) / counts
    after = np.clip(np.searchsorted(middles, time), 1, max(len(middles) - 1, 1))
    if len(middles) == 1:
        spectra -= means
        return
    before = after - 1
    share = np.clip((time - middles[before]) / (middles[after] - middles[before]), 0.0, 1.0)
    step = max(1, PART // (16 * spectra.shape[0] * len(time)))
    for first in range(0, spectra.shape[1], step):
        lines = slice(first, first + step)
        level, rise = means[:, lines], np.diff(means[:, lines], axis=-1)
        spectra[:, lines] -= level[..., before] + share * rise[..., before]
