"""The scanner drawn: coils, field-free point, what the tracer does around it, and the lines of a scan."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mpinotes.checks import check_count, check_kind
from mpinotes.numerics import as_number
from mpinotes.physics import CartesianScan, Particle

_COILS = {
    "selection coils": ("#4f7cac", "", 2.35, 1.25, 0.5, 0.34),
    "drive coils": ("#e0a458", "///", 1.25, 2.3, 0.24, 0.6),
    "receive coils": ("#79b791", "...", 0.95, 1.85, 0.2, 0.4),
}
"""Of each pair: colour, hatch, and a section's height and place across, its width and its own height."""


def draw_scanner(particle: Particle, scan: CartesianScan, voxels: int = 32) -> Figure:
    """Three views of a scanner: its coils and selection field, moments close to the FFP, and one layer of lines.

    Coils are not to scale; fields, moments (drawn by chance from the Boltzmann distribution) and the lines of
    a field of view of `voxels` are those of `particle` and `scan`.

    >>> from mpinotes.physics import CartesianScan, Particle
    >>> draw_scanner(Particle(25e-9), CartesianScan()).get_size_inches().tolist()
    [9.4, 4.0]
    """
    check_kind("particle", particle, Particle)
    check_kind("scan", scan, CartesianScan)
    check_count("voxels", voxels)
    figure, (coils, moments, lines) = plt.subplots(1, 3, figsize=(9.4, 4.0), layout="constrained")
    names = ["x", "y", "z"]
    drive = names.index(scan.drive_axis)
    names[0], names[drive] = names[drive], names[0]
    gradient = as_number(scan.line_gradient[0]), as_number(scan.line_gradient[2])
    _draw_coils(coils, gradient)
    coils.set_title(f"coils and selection field, {names[0]}–{names[2]} plane", fontsize=11)
    _draw_moments(moments, as_number(particle.beta), gradient)
    moments.set(xlabel=f"{names[0]} [mm]", ylabel=f"{names[2]} [mm]")
    moments.set_title("moments close to the FFP", fontsize=11)
    _draw_lines(lines, voxels * scan.voxel_size * 1e3, scan.sweep_amplitude(voxels) * 1e3)
    lines.text(0.5, 0.93, f"field of view, 8 of {voxels} lines", ha="center", transform=lines.transAxes, fontsize=10)
    lines.set(xlabel=f"{names[0]} [mm]", ylabel=f"{names[1]} [mm]")
    lines.set_title("lines of one layer", fontsize=11)
    return figure


def _draw_coils(axis: Axes, gradient: tuple[float, float]) -> None:
    for name, (colour, hatch, up, across, width, height) in _COILS.items():
        for x, z in ((across, up), (-across, up), (across, -up), (-across, -up)):
            corner = x - width / 2, z - height / 2
            axis.add_patch(
                plt.Rectangle(corner, width, height, facecolor=colour, hatch=hatch, edgecolor="#333333", label=name)
            )
            name = "_"  # one entry of the legend for the four sections of a pair
    places = np.meshgrid(np.linspace(-1.2, 1.2, 7), np.linspace(-1.2, 1.2, 7))
    steepest = max(map(abs, gradient))
    arrows = [slope * place / steepest for slope, place in zip(gradient, places, strict=True)]
    axis.quiver(*places, *arrows, color="#555555", pivot="mid", scale=14, width=0.009)
    axis.plot(0, 0, "o", color="#c1121f", ms=7, label="field-free point (FFP)")
    axis.annotate("", (1.1, -0.2), (-1.1, -0.2), arrowprops={"arrowstyle": "<->", "color": "#c1121f", "lw": 1.5})
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axis.text(0, -0.5, "drive", color="#c1121f", ha="center", fontsize=11, bbox=paper)
    axis.set(xlim=(-2.7, 2.7), ylim=(-2.8, 2.8), aspect="equal")
    axis.axis("off")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=2, fontsize=10, frameon=False)


def _draw_moments(axis: Axes, beta: float, gradient: tuple[float, float]) -> None:
    """Directions from the Boltzmann distribution in three dimensions, seen along the third axis."""
    generator = np.random.default_rng(0)
    x, z = np.meshgrid(np.linspace(-4.5, 4.5, 15), np.linspace(-4.5, 4.5, 15))
    field = np.stack([gradient[0] * x, gradient[1] * z]) * 1e-3
    strength = np.hypot(*field)
    along = field / np.maximum(strength, 1e-12)
    ratio = np.maximum(beta * strength, 1e-6)
    chance, azimuth = generator.random(x.shape), 2 * np.pi * generator.random(x.shape)
    cosine = 1 + np.log(chance + (1 - chance) * np.exp(-2 * ratio)) / ratio
    side = np.sqrt(np.maximum(1 - cosine**2, 0)) * np.cos(azimuth)
    moment = cosine * along + side * np.stack([-along[1], along[0]])
    axis.quiver(x, z, *moment, color="#333333", pivot="mid", scale=18, width=0.007)
    axis.plot(0, 0, "o", color="#c1121f", ms=7)
    axis.set(xlim=(-5, 5), ylim=(-5, 5), aspect="equal")


def _draw_lines(axis: Axes, side: float, sweep: float) -> None:
    axis.add_patch(plt.Rectangle((-side / 2, -side / 2), side, side, facecolor="#eeeeee", edgecolor="#333333"))
    steps = (np.arange(8) - 3.5) * side / 8
    for y in steps:
        axis.plot((-sweep, sweep), (y, y), "-", color="#555555", lw=1)
    axis.annotate("", (sweep, steps[4]), (-sweep, steps[4]), arrowprops={"arrowstyle": "<->", "color": "#c1121f"})
    axis.plot(0.3 * side, steps[4], "o", color="#c1121f", ms=7)
    axis.set(xlim=(-1.25 * sweep, 1.25 * sweep), ylim=(-1.25 * sweep, 1.25 * sweep), aspect="equal")
