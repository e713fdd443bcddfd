"""Random numbers that a page can draw, too: the same seed gives the same ones in Python and in the browser."""

import numpy as np
import torch


def portable_normal(shape: tuple[int, ...], seed: int, stream: int) -> torch.Tensor:
    """Standard normal numbers of a shape, float32, from a seed and one of its independent streams.

    Mulberry32, a generator of 32 bits that is as easily written in JavaScript (``normal.js``), and the transform of
    Box and Muller (1958). It is good enough for pictures; the package draws all else from a `torch.Generator`.

    >>> from mpinotes.display.portable import portable_normal
    >>> portable_normal((2, 2), seed=0, stream=0).shape
    torch.Size([2, 2])
    """
    count = int(np.prod(shape))
    start = (seed * 0x9E3779B1 + stream * 0x85EBCA6B) % 2**32
    counter = np.arange(1, 2 * ((count + 1) // 2) + 1, dtype=np.uint64)
    state = ((start + counter * 0x6D2B79F5) % 2**32).astype(np.uint32)
    mixed = (state ^ (state >> 15)) * (state | 1)
    mixed ^= mixed + (mixed ^ (mixed >> 7)) * (mixed | 61)
    first, second = (mixed ^ (mixed >> 14)).astype(np.float64).reshape(-1, 2).T
    radius, angle = np.sqrt(-2 * np.log((first + 0.5) / 2**32)), 2 * np.pi * second / 2**32
    numbers = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()[:count]
    return torch.from_numpy(numbers.astype(np.float32).reshape(shape))
