"""What a page shows besides figures: tables, code of the package, a volume that can be turned."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import pandas
import torch
from IPython.display import Markdown
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler
from scipy.ndimage import rotate

from mpinotes.checks import check_choice, check_plausible
from mpinotes.display.controls import Slider
from mpinotes.display.explorer import Explorer
from mpinotes.display.figures import IMAGE_MAP, as_pictures, largest_shown
from mpinotes.display.frames import explore_frames


def show_table(
    rows: Mapping[str, Mapping[str, Any]],
    *,
    formats: str | Mapping[str, str] = "{}",
    best: Mapping[str, str] | None = None,
) -> Styler:
    """A table with one line for each of `rows`, by title, and one column for each of its values, by header.

    `formats`: how values are written, for all columns or by header, as ``"{:.2f}"``; texts and intervals are
    written as they are, and stay on one line within brackets. `best`: columns whose "highest" or "lowest" value
    is set in bold. A value that a row does not have leaves its place empty.

    >>> rows = {"U-Net": {"PSNR [dB]": 30.07, "calls": 1}, "DDPM": {"PSNR [dB]": 29.98, "calls": 2}}
    >>> html = show_table(rows, formats={"PSNR [dB]": "{:.1f}"}, best={"PSNR [dB]": "highest"}).to_html()
    >>> "30.1" in html, html.count("font-weight")
    (True, 1)
    """
    frame = pandas.DataFrame.from_dict({title: dict(row) for title, row in rows.items()}, orient="index", dtype=object)

    def write(column: str) -> Callable[[Any], str]:
        pattern = formats if isinstance(formats, str) else formats.get(column, "{}")
        return lambda value: pattern.format(value) if isinstance(value, int | float) else _hold_together(str(value))

    styler = frame.style.format({column: write(column) for column in frame}, na_rep="")
    styler = styler.set_table_styles([{"selector": "th, td", "props": "padding: 0.2em 0.7em"}])
    for column, which in (best or {}).items():
        check_choice("best, columns", column, list(frame))
        check_choice("best", which, ("highest", "lowest"))
        numbers = frame[column].dropna().map(lambda value: getattr(value, "mean", value))
        winner = numbers.astype(float).idxmax() if which == "highest" else numbers.astype(float).idxmin()
        styler = styler.set_properties(subset=pandas.IndexSlice[[winner], [column]], **{"font-weight": "bold"})
    return styler


def _hold_together(text: str) -> str:
    return re.sub(r"\[.*?\]|\(.*?\)", lambda bracket: bracket.group().replace(" ", "\N{NO-BREAK SPACE}"), text)


def show_source(*parts: Callable[..., Any] | type) -> Markdown:
    """The code of functions, methods and classes as it stands in the package, without their docstrings.

    >>> from mpinotes.diffusion import add_noise
    >>> print(show_source(add_noise).data)
    ```python
    def add_noise(x0: torch.Tensor, noise: torch.Tensor, t: torch.Tensor, schedule: Schedule) -> torch.Tensor:
        alpha_bar = schedule.at(t, x0)
        return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise
    ```
    """
    return Markdown("```python\n" + "\n\n\n".join(_without_docstrings(part) for part in parts) + "\n```")


def _without_docstrings(part: Callable[..., Any] | type) -> str:
    source = textwrap.dedent(inspect.getsource(part))
    lines = source.rstrip().split("\n")
    documented = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            text = node.body[0]
            for number in range(text.lineno - 1, text.end_lineno or text.lineno):
                lines[number] = "\0"
    return "\n".join(line for line in lines if line != "\0").replace(":\n\n", ":\n")


def explore_turn(volumes: Mapping[str, torch.Tensor], *, voxel_size: float = 1e-3, alt: str) -> Explorer:
    """Volumes (z, y, x) side by side, turned together around their z axis by slider, mouse or finger: maximum
    projections.

    `voxel_size` [m] scales the axes; `alt` describes the figure in words.

    >>> explorer = explore_turn({"x_HR": torch.rand(4, 4, 4)}, alt="A cube of noise from all sides")
    >>> explorer.static.count('class="frame"')
    36
    """
    volumes = as_pictures("volumes", volumes, "(z, y, x)")
    check_plausible("voxel_size", voxel_size, 0.1, "m", "millimetres")
    top = largest_shown(volumes)

    def draw(angle: float) -> Figure:
        figure, axes = plt.subplots(
            1, len(volumes), figsize=(2.6 * len(volumes) + 0.8, 2.6), squeeze=False, layout="constrained"
        )
        for axis, (title, volume) in zip(axes[0], volumes.items(), strict=True):
            turned = rotate(volume.double().numpy(), angle, axes=(1, 2), reshape=False, order=1)
            depth, _, width = (1e3 * voxel_size * side for side in volume.shape)
            artist = axis.imshow(
                turned.max(1), origin="lower", vmin=0, vmax=top, cmap=IMAGE_MAP, extent=(0, width, 0, depth)
            )
            axis.set(title=title, xlabel="across [mm]")
        axes[0, 0].set_ylabel("z [mm]")
        figure.colorbar(artist, ax=axes, label="largest value along the ray [1]")
        return figure

    return explore_frames(draw, Slider("angle", "angle of view [°]", 0, 350, 10, 30), alt=alt, around=True)
