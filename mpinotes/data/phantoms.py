"""Phantoms in two dimensions, concentrations in [0, 1]."""

from itertools import product

import torch

from mpinotes.checks import check_count, check_tensor
from mpinotes.numerics import ratio

BAR_WIDTHS = (1, 2, 3, 4)
"""Widths of the bars, and of the gaps between them, in pixels."""


SMALLEST = 32
"""Pixels of a side that the bars need."""


def resolution_bars(size: int = SMALLEST) -> torch.Tensor:
    """Four groups of three bars, one row per width in `BAR_WIDTHS`, (1, size, size).

    >>> bars = resolution_bars()
    >>> bars.shape, int(bars.sum())
    (torch.Size([1, 32, 32]), 150)
    """
    check_count("size", size, SMALLEST)
    image = torch.zeros(1, size, size, dtype=torch.float32, device="cpu")
    for place, width in enumerate(BAR_WIDTHS):
        top = 3 + 7 * place
        for bar in range(3):
            left = 6 + 2 * width * bar
            image[0, top : top + 5, left : left + width] = 1.0
    return image


def bar_modulation(image: torch.Tensor) -> list[float]:
    """How deep the gaps between the bars of `resolution_bars` are in an image (y, x), per width:
    (bar − gap) / (bar + gap) of the mean values there; 1 is perfect, 0 flat or empty, below 0 inverted. A sum near
    zero or below, as of noise, is taken for a millionth of the largest modulus. Each side is at least 32.

    >>> bars = resolution_bars()[0]
    >>> bar_modulation(bars), bar_modulation(torch.ones_like(bars))
    ([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0])
    """
    check_tensor("image", image, 2, "(y, x)")
    for side in image.shape:
        check_count("image, sides", side, SMALLEST)
    image = image.double()
    image = ratio(image, image.abs().amax())  # in whatever unit it came
    depths = []
    for place, width in enumerate(BAR_WIDTHS):
        row = image[4 + 7 * place : 7 + 7 * place].mean(0)
        spans = [row[6 + width * k : 6 + width * (k + 1)].mean() for k in range(5)]
        bar, gap = (spans[0] + spans[2] + spans[4]) / 3, (spans[1] + spans[3]) / 2
        depths.append(((bar - gap) / (bar + gap).clamp_min(1e-6)).item())
    return depths


def points(size: int = 32) -> torch.Tensor:
    """Nine single pixels, three by three, (1, size, size).

    >>> int(points().sum())
    9
    """
    check_count("size", size, 4)
    image = torch.zeros(1, size, size, dtype=torch.float32, device="cpu")
    places = [size // 5, size // 2, size - 1 - size // 5]
    for y, x in product(places, repeat=2):
        image[0, y, x] = 1.0
    return image
