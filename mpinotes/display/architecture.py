"""DCCDM drawn: what goes where in one training step, as in Figure 1 of Qiu et al. (2026)."""

from itertools import pairwise

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpinotes.checks import check_count, check_kind
from mpinotes.networks import UNetConfig


def draw_dccdm(network: UNetConfig, side: int = 32) -> Figure:
    """The data flow of one training step around a U-Net of this shape, for volumes of `side`³.

    >>> from mpinotes.networks import UNetConfig
    >>> draw_dccdm(UNetConfig(widths=(32, 64)), side=32).get_size_inches().tolist()
    [9.0, 3.8]
    """
    check_kind("network", network, UNetConfig)
    check_count("side", side)
    figure, axis = plt.subplots(figsize=(9, 3.8), layout="constrained")
    axis.set(xlim=(-0.6, 10.3), ylim=(0.5, 4.9))
    axis.axis("off")
    for y, text in ((4.4, "noise ε,\nstep t"), (3.2, "$x_{HR}$"), (1.2, "$x_{LR}$")):
        _box(axis, 0.3, y, text)
    _box(axis, 1.75, 3.2, "noisy\n$x_t$")
    _arrow(axis, (0.7, 4.1), (1.4, 3.5))
    _arrow(axis, (0.87, 3.2), (1.17, 3.2))
    _arrow(axis, (0.88, 4.4), (2.75, 3.5))
    axis.text(1.95, 4.05, "t", fontsize=8)
    levels = [f"{width} ch, {side // 2 ** (level + 1)}³" for level, width in enumerate(network.widths)]
    places = [(3.2, 3.2 - 0.8 * level) for level in range(len(levels))]
    for (x, y), text in zip(places, levels, strict=True):
        deepest = y == places[-1][1]
        _box(axis, 4.05 if deepest else x, y, text, width=1.3, fill="#d9e6f2")
        if not deepest:
            _box(axis, x + 1.7, y, text, width=1.3, fill="#d9e6f2")
            _arrow(axis, (x + 0.67, y), (x + 1.03, y), style=":")
    for (x, y), (_, below) in pairwise(places):
        _arrow(axis, (x + 0.1, y - 0.27), (x + 0.3, below + 0.29))
        _arrow(axis, (x + 1.4, below + 0.29), (x + 1.6, y - 0.27))
    axis.text(4.2, 4.05, "U-Net, cells of 2³ folded into channels", ha="center", fontsize=11)
    _arrow(axis, (2.31, 3.2), (2.56, 3.2))
    _arrow(axis, (0.9, 1.2), (2.75, 2.85))
    _box(axis, 6.6, 3.2, "$\\hat x_0$")
    _arrow(axis, (5.6, 3.2), (6.05, 3.2))
    terms = (
        (4.4, "$w_t\\,\\Vert \\hat x_0 - x_{HR}\\Vert^2$", "diffusion"),
        (3.2, "$\\Vert D(\\hat x_0) - x_{LR}\\Vert^2$", "degradation consistency"),
        (1.8, "low band to $x_{LR}$,\nγ · high band to $x_{HR}$", "frequency alignment"),
    )
    for y, text, name in terms:
        _box(axis, 8.9, y, text, width=2.4, fill="#f7e3c8")
        axis.text(8.9, y - 0.5, name, ha="center", fontsize=10)
        _arrow(axis, (7.15, 3.2), (7.7, y))
    _arrow(axis, (0.9, 0.95), (7.7, 1.55), style="--")
    _arrow(axis, (7.0, 1.49), (7.68, 2.98), style="--")
    axis.text(4.5, 0.85, "$x_{LR}$ is also what two of the terms pull to", ha="center", fontsize=10)
    return figure


def _box(axis: Axes, x: float, y: float, text: str, *, width: float = 1.1, fill: str = "#eeeeee") -> None:
    axis.add_patch(plt.Rectangle((x - width / 2, y - 0.27), width, 0.54, facecolor=fill, edgecolor="#333333"))
    axis.text(x, y, text, ha="center", va="center", fontsize=10)


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], style: str = "-") -> None:
    axis.annotate("", end, start, arrowprops={"arrowstyle": "->", "linestyle": style, "color": "#333333"})
