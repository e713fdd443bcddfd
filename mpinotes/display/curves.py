"""Curves under several sliders."""

import base64
import html
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from mpinotes.checks import check_each_kind
from mpinotes.display.controls import Slider
from mpinotes.display.explorer import Explorer, live_figure, static_figure, to_png

Numbers = Callable[..., np.ndarray]


def explore_curves(
    draw: Callable[..., Mapping[str, np.ndarray]],
    sliders: Sequence[Slider],
    x: np.ndarray,
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    readouts: Mapping[str, Callable[..., float]] | None = None,
) -> Explorer:
    """Curves over `x` under several sliders.

    With a kernel they are computed when a slider moves. The static page holds them for all positions of the sliders
    that a curve depends on.

    :param draw: the sliders' values by name -> curves over `x` by label, none of them negative.
    :param sliders: at least one.
    :param x: abscissae, (n,), ascending.
    :param xlabel: with its unit.
    :param ylabel: with its unit.
    :param alt: describes the figure in words.
    :param readouts: numbers to show with the figure: by label, a function of the values.

    >>> import numpy as np
    >>> x, slope = np.linspace(0, 1, 5), Slider("a", "slope", low=1, high=3, step=1, value=2)
    >>> labels = {"xlabel": "x", "ylabel": "y", "alt": "A line"}
    >>> explorer = explore_curves(lambda a: {"line": a * x}, [slope], x, **labels)
    >>> '"label": "line"' in explorer.static
    True
    """
    check_each_kind("sliders", sliders, Slider)
    numbers = readouts or {}

    def render(**values: float) -> bytes:
        figure, axis = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        for (label, y), style in zip(draw(**values).items(), cycle(("-", "--", ":", "-.")), strict=False):
            axis.plot(x, y, style, label=label)
        axis.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
        axis.set_title(", ".join(f"{label}: {value(**values):.3g}" for label, value in numbers.items()))
        axis.grid(alpha=0.3)
        axis.legend()
        return to_png(figure)

    data = {
        "curves": tabulate_curves(draw, sliders, x, xlabel, ylabel),
        "readouts": [{"label": label, **_tabulate(_as_array(number), sliders)} for label, number in numbers.items()],
    }
    body = f'<p class="readouts" aria-live="polite"></p>{curves_html(alt)}'
    still = render(**{slider.name: slider.value for slider in sliders})
    static = static_figure(sliders, body, still, ["arrays.js", "curves.js", "explore_curves.js"], data, alt)
    return Explorer(live_figure(render, sliders), static)


def curves_html(alt: str, role: str = "curves") -> str:
    """Where ``curves.js`` draws; `role` is how a script finds it."""
    label = html.escape(alt)
    return f'<svg class="curves" data-role="{role}" role="img" aria-label="{label}" viewBox="0 0 640 340"></svg>'


def tabulate_curves(
    draw: Callable[..., Mapping[str, np.ndarray]], sliders: Sequence[Slider], x: np.ndarray, xlabel: str, ylabel: str
) -> dict[str, Any]:
    """Curves for ``curves.js``: see `explore_curves`."""

    def one(label: str) -> Numbers:
        def values_of(**values: float) -> np.ndarray:
            y = np.asarray(draw(**values)[label])
            if y.shape != np.shape(x):
                raise ValueError(f"draw: got shape {y.shape} of {label!r}, accepted is that of x, {np.shape(x)}")
            return y

        return values_of

    labels = draw(**{slider.name: slider.value for slider in sliders})
    return {
        "x": [round(float(value), 6) for value in x],
        "lines": [{"label": label, **_tabulate(one(label), sliders)} for label in labels],
        "xlabel": xlabel,
        "ylabel": ylabel,
    }


def _tabulate(numbers: Numbers, sliders: Sequence[Slider]) -> dict[str, Any]:
    """A function of the sliders at all positions of those that it depends on, as 16-bit shares of its largest value."""
    depends = [slider for slider in sliders if _depends(numbers, sliders, slider)]
    fixed = {slider.name: slider.value for slider in sliders}
    names = [slider.name for slider in depends]
    table = np.stack(
        [
            numbers(**{**fixed, **dict(zip(names, values, strict=True))})
            for values in product(*(slider.positions for slider in depends))
        ]
    )
    if not np.isfinite(table).all() or table.min() < 0:
        raise ValueError(
            f"draw: got values from {table.min():g} to {table.max():g}, accepted are finite ones from 0 on"
        )
    top = max(float(table.max()), 1e-30)
    shares = np.round(table / top * 65535).astype("<u2")
    return {"sliders": names, "top": top, "table": base64.b64encode(shares.tobytes()).decode()}


def _as_array(number: Callable[..., float]) -> Numbers:
    return lambda **values: np.array([number(**values)])


def _depends(numbers: Numbers, sliders: Sequence[Slider], moved: Slider) -> bool:
    """Whether a slider matters: at its ends, with the others at rest and at random places."""
    generator = np.random.default_rng(0)
    others = [{slider.name: slider.value for slider in sliders}]
    others += [{slider.name: generator.choice(slider.positions) for slider in sliders} for _ in range(8)]
    ends = [moved.positions[0], moved.positions[-1], moved.positions[len(moved.positions) // 2]]
    return any(len({numbers(**{**other, moved.name: end}).tobytes() for end in ends}) > 1 for other in others)
