"""Figures used by more than one chapter."""

import math
from collections.abc import Mapping

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure

from mpinotes.checks import check_kind, check_plausible, check_several, check_shape
from mpinotes.evaluation import phase_of_peak
from mpinotes.reconstruction import LCurve

IMAGE_MAP = "magma"
"""The one colour map for images: perceptually uniform, safe for colour blindness and print."""

WIDEST = 7.3
"""The width of a figure of many columns [inch]: a wider one is shrunk on the page, and its labels with it."""


def show_projections(volumes: Mapping[str, torch.Tensor], *, voxel_size: float = 1e-3, unit: str = "1") -> Figure:
    """Maximum projections along z and y of volumes (z, y, x), one column each, on one colour scale.

    `voxel_size` [m] scales the axes, drawn in mm; `unit` is that of the values.

    >>> figure = show_projections({"x_HR": torch.rand(8, 8, 8), "x_LR": torch.rand(8, 8, 8)})
    >>> len(figure.axes)  # two projections each, and the colour bar
    5
    """
    volumes = as_pictures("volumes", volumes, "(z, y, x)")
    check_plausible("voxel_size", voxel_size, 0.1, "m", "millimetres")
    top = largest_shown(volumes)
    side = min(2.3, (WIDEST - 0.8) / len(volumes))
    size = side * len(volumes) + 0.8, 2 * side + 0.4
    figure, axes = plt.subplots(
        2, len(volumes), figsize=size, sharex=True, sharey="row", squeeze=False, layout="constrained"
    )
    for column, (title, volume) in zip(axes.T, volumes.items(), strict=True):
        for axis, dim, label in zip(column, (0, 1), ("y", "z"), strict=True):
            image = volume.amax(dim)
            extent = (0, image.shape[1] * voxel_size * 1e3, 0, image.shape[0] * voxel_size * 1e3)
            artist = axis.imshow(image, origin="lower", vmin=0, vmax=top, cmap=IMAGE_MAP, extent=extent)
            axis.set(
                ylabel=f"{label} [mm]" if axis in axes[:, 0] else "", yticks=(0, 10, 20, 30), xticks=(0, 10, 20, 30)
            )
        column[0].set_title(title if side > 1.3 else title.replace(", ", ",\n"), fontsize=10)
        column[1].set_xlabel("x [mm]")
    figure.colorbar(artist, ax=axes, label=f"largest value along the ray [{unit}]", shrink=0.8)
    return figure


def show_components(rows: Mapping[str, torch.Tensor], titles: list[str], *, field_of_view: float = 40e-3) -> Figure:
    """System-matrix components in [-1, 1], one row per method, (column, y, x) each, on one colour scale.

    Complex ones are shown by their real parts, every column turned so that the first row is real and
    positive where it is strongest.

    >>> figure = show_components({"truth": torch.rand(2, 8, 8)}, ["(2, 0)", "(1, 1)"])
    >>> len(figure.axes)  # one for each component, and the colour bar
    3
    """
    rows = as_pictures("rows", rows, "(column, y, x)", complex_too=True)
    first = next(iter(rows.values()))
    check_several("titles", titles, (len(first),), f"as many as the first of rows has columns, {len(first)}")
    for name, images in rows.items():
        if len(images) != len(titles):
            raise ValueError(f"rows: got {len(images)} columns of {name!r}, accepted are {len(titles)}, one per title")
    check_plausible("field_of_view", field_of_view, 1.0, "m", "millimetres")
    turn = phase_of_peak(first) if first.is_complex() else 1
    half = field_of_view * 1e3 / 2
    side = min(1.7, (WIDEST - 1.2) / len(titles))
    size = side * len(titles) + 1.2, (side + 0.05) * len(rows) + 0.4
    figure, axes = plt.subplots(len(rows), len(titles), figsize=size, squeeze=False, layout="constrained")
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for axis, image in zip(line, (images * turn).real, strict=True):
            artist = axis.imshow(
                image, origin="lower", vmin=-1, vmax=1, cmap=IMAGE_MAP, extent=(-half, half, -half, half)
            )
            axis.set(xticks=(), yticks=())
        line[0].set_ylabel(f"{name}\ny", fontsize=9)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel(f"x, ±{half:.0f} mm", fontsize=9)
    figure.colorbar(artist, ax=axes, label="component / its largest modulus [1]", shrink=0.8)
    return figure


def show_l_curve(curve: LCurve, *, residual: str = "‖Ac − d‖", size: str = "‖c‖") -> Figure:
    """The size of the solutions over their residual, both logarithmic, with λ beside every point and a ring
    around the corner. `residual` and `size` name the axes, with their units.

    >>> from mpinotes.reconstruction import LCurve
    >>> curve = LCurve((0.1, 1.0, 10.0), torch.tensor([0.10, 0.11, 1.0]), torch.tensor([9.0, 1.1, 1.0]))
    >>> show_l_curve(curve).axes[0].get_xlabel()
    'residual ‖Ac − d‖'
    """
    check_kind("curve", curve, LCurve)
    figure, axis = plt.subplots(figsize=(5, 3.6), layout="constrained")
    across, up = curve.residual.detach().cpu(), curve.size.detach().cpu()
    axis.loglog(across, up, "o-", markersize=4)
    axis.plot(across[curve.corner], up[curve.corner], "o", markersize=11, fillstyle="none", color="C1")
    for regularization, x, y in zip(curve.regularizations, across.tolist(), up.tolist(), strict=True):
        axis.annotate(f" λ = {regularization:.2g}", (x, y), fontsize=8, va="bottom")
    axis.set(xlabel=f"residual {residual}", ylabel=f"size {size}")
    return figure


def as_pictures(
    name: str, tensors: Mapping[str, torch.Tensor], layout: str, *, complex_too: bool = False
) -> dict[str, torch.Tensor]:
    """Tensors with three axes, by title, as matplotlib takes them: on the CPU, without a graph, masks and
    whole numbers as floats, and no precision that NumPy lacks. Raises ``ValueError`` for others, and for none."""
    if not isinstance(tensors, Mapping) or not tensors:
        came = "none" if isinstance(tensors, Mapping) else type(tensors).__name__
        raise ValueError(f"{name}: got {came}, accepted are tensors {layout} by title, at least one")
    pictures = {}
    for title, tensor in tensors.items():
        if isinstance(tensor, torch.Tensor):
            kept = tensor.dtype in (torch.float32, torch.float64) or tensor.is_complex()
            tensor = tensor.detach().cpu() if kept else tensor.detach().cpu().float()
        check_shape(f"{name}, {title}", tensor, 3, layout, complex_too=complex_too)
        pictures[title] = tensor
    return pictures


def largest_shown(volumes: Mapping[str, torch.Tensor]) -> float:
    """The top of a colour scale from 0, 1 where no value is above it. Raises ``ValueError`` for NaN and infinity, which
    would be the top."""
    tops = {title: volume.max().item() for title, volume in volumes.items()}
    for title, top in tops.items():
        if not math.isfinite(top):
            raise ValueError(f"volumes, {title}: got NaN or infinite values, accepted are finite numbers")
    return max(tops.values()) if max(tops.values()) > 0 else 1.0
