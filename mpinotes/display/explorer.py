"""A figure that a reader moves: ipywidgets with a kernel, plain HTML in the static page.

One output carries both. A live front end picks the widget, the book's configuration the HTML, which
needs no kernel, no widget manager and no network.
"""

import base64
import html
import io
import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from mpinotes.display.controls import Choice, Slider


class Explorer:
    """A figure with controls, shown as a live widget or as self-contained HTML.

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


def live_figure(render: Callable[..., bytes], controls: Sequence[Slider | Choice]) -> ipywidgets.Widget:
    """Controls over the picture, a PNG, that `render` makes of their values by name."""
    widgets = [control.widget() for control in controls]
    picture = ipywidgets.Image(value=render(**{control.name: control.value for control in controls}), format="png")

    def update(_: Any) -> None:
        picture.value = render(**{c.name: w.value for c, w in zip(controls, widgets, strict=True)})

    for widget in widgets:
        widget.observe(update, "value")
    return ipywidgets.VBox([*widgets, picture])


def static_figure(
    controls: Sequence[Slider | Choice], body: str, still: bytes, scripts: Sequence[str], data: dict[str, Any], alt: str
) -> str:
    """Controls, body and scripts as one HTML fragment without outside references.

    :param controls: what the reader moves.
    :param body: HTML that the scripts fill.
    :param still: the PNG that stands there where no script runs, and on paper where `body` stays empty.
    :param scripts: names of files in ``page_scripts``; the last one defines ``start(root, specification)``, which
        returns what is called with the controls' values at each change.
    :param data: the specification that they get.
    :param alt: describes the figure in words.
    """
    specification = {"controls": [control.specification for control in controls], **data}
    source = "\n".join(page_script(name) for name in ("controls.js", *scripts))
    text = json.dumps(specification, ensure_ascii=False).replace("</", "<\\/")
    style = page_script("explorer.css")
    return (
        f'<div class="mpinotes-explorer"><style>{style}</style>'
        f'<div class="controls" hidden>{"".join(control.html for control in controls)}</div>'
        f'<div class="moving" hidden>{body}</div>'
        f'<figure class="still"><img alt="{html.escape(alt)}" src="{data_address(still)}">'
        "<figcaption>A still picture: it moves where scripts may run, in a browser of 2020 or later.</figcaption>"
        f"</figure><script>(function () {{\n{source}\nattach({text});\n}})();</script></div>"
    )


def page_script(name: str) -> str:
    """A file of ``page_scripts``."""
    return files("mpinotes.display").joinpath("page_scripts", name).read_text(encoding="utf-8")


def data_address(picture: bytes) -> str:
    """A PNG as an address."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    plt.close(figure)
    return buffer.getvalue()
