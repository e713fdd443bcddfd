"""Sliders that move everywhere: ipywidgets with a kernel, plain HTML in the static page.

One output carries both. A live front end picks the widget, the book's configuration the HTML, which
needs no kernel, no widget manager and no network.
"""

import base64
import html
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Slider:
    """A named number to move.

    :param name: of the parameter it moves.
    :param label: plain text (Greek letters, no TeX).
    :param low: smallest value.
    :param high: largest value.
    :param step: between two values.
    :param value: at first.

    >>> Slider("diameter", "core diameter [nm]", low=15, high=35, step=5, value=25).positions
    [15, 20, 25, 30, 35]
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float

    def __post_init__(self) -> None:
        if not (self.low <= self.value <= self.high and 0 < self.step <= self.high - self.low):
            raise ValueError(f"{self.name}: got {self}, accepted is low ≤ value ≤ high and a step that fits")

    @property
    def positions(self) -> list[float]:
        """All values the slider can take."""
        count = round((self.high - self.low) / self.step)
        return [round(self.low + i * self.step, 10) for i in range(count + 1)]


class Explorer:
    """A figure with sliders, shown as a live widget or as self-contained HTML.

    >>> import ipywidgets
    >>> explorer = Explorer(ipywidgets.HTML("live"), "<p>static</p>")
    >>> explorer._repr_mimebundle_()["text/html"]
    '<p>static</p>'
    """

    def __init__(self, live: ipywidgets.Widget, static: str):
        self.live, self.static = live, static

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        # ipywidgets itself makes this bundle only since version 8; Colab has 7.7.
        view = {"version_major": 2, "version_minor": 0, "model_id": self.live.model_id}
        return {
            "text/plain": "A figure with sliders",
            "text/html": self.static,
            "application/vnd.jupyter.widget-view+json": view,
        }


def explore_frames(draw: Callable[[float], Figure], slider: Slider, *, alt: str) -> Explorer:
    """One slider and the figure ``draw(value)``; the static page holds one picture per position.

    `alt` describes the figure in words.

    >>> import matplotlib.pyplot as plt
    >>> def draw(width):
    ...     return plt.figure(figsize=(width, 1))
    >>> slider = Slider("width", "width [in]", low=1, high=3, step=1, value=2)
    >>> explore_frames(draw, slider, alt="An empty figure").static.count("<img")
    3
    """
    frames = [_png(draw(value)) for value in slider.positions]
    pictures = "".join(
        f'<img class="frame" alt="{html.escape(alt)}, {slider.label} = {value:g}" '
        f'src="data:image/png;base64,{base64.b64encode(frame).decode()}"{"" if value == slider.value else " hidden"}>'
        for value, frame in zip(slider.positions, frames, strict=True)
    )
    lookup = dict(zip(slider.positions, frames, strict=True))

    def pick(**values: float) -> bytes:
        return lookup[min(lookup, key=lambda position: abs(position - values[slider.name]))]

    return Explorer(_live(pick, [slider]), _page({"sliders": [asdict(slider)]}, pictures))


def explore_curves(
    draw: Callable[..., Mapping[str, np.ndarray]],
    sliders: list[Slider],
    x: np.ndarray,
    expressions: Mapping[str, str],
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    readouts: Mapping[str, tuple[Callable[..., float], str]] | None = None,
) -> Explorer:
    """Curves over `x` under several sliders, computed where they are shown.

    With a kernel the curves come from Python; the static page evaluates the same in JavaScript.

    :param draw: the sliders' values by name -> curves over `x` by label.
    :param sliders: at least one.
    :param x: abscissae, (n,).
    :param expressions: the same curves by label, as formulas of x and the sliders' names in JavaScript.
    :param xlabel: with its unit.
    :param ylabel: with its unit.
    :param alt: describes the figure in words.
    :param readouts: numbers to show with the figure: by label, a function of the values and the same in JavaScript.

    >>> import numpy as np
    >>> x, slope = np.linspace(0, 1, 5), Slider("a", "slope", low=1, high=3, step=1, value=2)
    >>> lines, formulas = (lambda a: {"line": a * x}), {"line": "a * x"}
    >>> options = {"xlabel": "x", "ylabel": "y", "alt": "A line"}
    >>> explorer = explore_curves(lines, [slope], x, formulas, **options)
    >>> '"formula": "a * x"' in explorer.static
    True
    """
    numbers = readouts or {}

    def render(**values: float) -> bytes:
        figure, axis = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        for (label, y), style in zip(draw(**values).items(), ("-", "--", ":", "-."), strict=False):
            axis.plot(x, y, style, label=label)
        axis.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
        axis.set_title(", ".join(f"{label}: {value(**values):.3g}" for label, (value, _) in numbers.items()))
        axis.grid(alpha=0.3)
        axis.legend()
        return _png(figure)

    specification = {
        "sliders": [asdict(slider) for slider in sliders],
        "x": [round(float(value), 6) for value in x],
        "curves": [{"label": label, "formula": formula} for label, formula in expressions.items()],
        "readouts": [{"label": label, "formula": formula} for label, (_, formula) in numbers.items()],
        "xlabel": xlabel,
        "ylabel": ylabel,
    }
    drawing = f'<svg class="curves" role="img" aria-label="{html.escape(alt)}" viewBox="0 0 640 340"></svg>'
    return Explorer(_live(render, sliders), _page(specification, f'<p class="readouts"></p>{drawing}'))


def _live(render: Callable[..., bytes], sliders: list[Slider]) -> ipywidgets.Widget:
    controls = [
        ipywidgets.FloatSlider(s.value, min=s.low, max=s.high, step=s.step, description=s.label) for s in sliders
    ]
    picture = ipywidgets.Image(value=render(**{s.name: s.value for s in sliders}), format="png")

    def update(_: Any) -> None:
        picture.value = render(**{s.name: c.value for s, c in zip(sliders, controls, strict=True)})

    for control in controls:
        control.observe(update, "value")
    return ipywidgets.VBox([*controls, picture])


def _page(specification: dict[str, Any], body: str) -> str:
    """Sliders, body and script as one HTML fragment without outside references."""
    controls = "".join(
        f'<label style="display:flex;gap:.6em;align-items:center">'
        f'<span style="min-width:7em">{html.escape(s["label"])}</span>'
        f'<input type="range" style="flex:1;max-width:22em" name="{s["name"]}" min="{s["low"]}" max="{s["high"]}" '
        f'step="{s["step"]}" value="{s["value"]}"><output>{s["value"]:g}</output></label>'
        for s in specification["sliders"]
    )
    script = files("mpinotes.display").joinpath("explore.js").read_text(encoding="utf-8")
    data = json.dumps(specification).replace("</", "<\\/")
    return f'<div class="mpinotes-explorer">{controls}{body}<script>{script}({data});</script></div>'


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    plt.close(figure)
    return buffer.getvalue()
