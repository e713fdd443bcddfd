"""One slider and a picture for each of its positions."""

import html
from collections.abc import Callable

from matplotlib.figure import Figure

from mpinotes.checks import check_kind
from mpinotes.display.controls import Slider
from mpinotes.display.explorer import Explorer, data_address, live_figure, static_figure, to_png


def explore_frames(draw: Callable[[float], Figure], slider: Slider, *, alt: str, around: bool = False) -> Explorer:
    """One slider and the figure ``draw(value)``; the static page holds one picture per position.

    :param draw: the slider's value -> figure.
    :param slider: what is moved; in the page the picture can be dragged, too.
    :param alt: describes the figure in words.
    :param around: whether the first picture follows the last where it is dragged, as for an angle.

    >>> import matplotlib.pyplot as plt
    >>> def draw(width):
    ...     return plt.figure(figsize=(width, 1))
    >>> slider = Slider("width", "width [in]", low=1, high=3, step=1, value=2)
    >>> explore_frames(draw, slider, alt="An empty figure").static.count('class="frame"')
    3
    """
    check_kind("slider", slider, Slider)
    frames = [to_png(draw(value)) for value in slider.positions]
    lookup = dict(zip(slider.positions, frames, strict=True))
    pictures = "".join(
        f'<img class="frame" alt="{html.escape(alt)}, {html.escape(slider.label)} = {value:g}" draggable="false" '
        f'src="{data_address(frame)}" hidden>'
        for value, frame in lookup.items()
    )

    def pick(**values: float) -> bytes:
        return lookup[min(lookup, key=lambda position: abs(position - values[slider.name]))]

    static = static_figure(
        [slider], pictures, pick(**{slider.name: slider.value}), ["frames.js"], {"around": around}, alt
    )
    return Explorer(live_figure(pick, [slider]), static)
