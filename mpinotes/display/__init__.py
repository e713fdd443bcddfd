"""Figures and widgets: pictures where people look rather than read."""

from mpinotes.display.architecture import draw_dccdm
from mpinotes.display.controls import Choice, Slider
from mpinotes.display.curves import explore_curves
from mpinotes.display.explorer import Explorer
from mpinotes.display.figures import IMAGE_MAP, show_components, show_l_curve, show_projections
from mpinotes.display.frames import explore_frames
from mpinotes.display.network_file import network_file
from mpinotes.display.page import explore_turn, show_source, show_table
from mpinotes.display.sampling import DECAY_SLIDERS, decay_curves, explore_sampling
from mpinotes.display.scanner import draw_scanner

__all__ = [
    "DECAY_SLIDERS",
    "IMAGE_MAP",
    "Choice",
    "Explorer",
    "Slider",
    "decay_curves",
    "draw_dccdm",
    "draw_scanner",
    "explore_curves",
    "explore_frames",
    "explore_sampling",
    "explore_turn",
    "network_file",
    "show_components",
    "show_l_curve",
    "show_projections",
    "show_source",
    "show_table",
]
