"""Figures and widgets: pictures where people look rather than read."""

from mpinotes.display.architecture import draw_dccdm
from mpinotes.display.explore import Explorer, Slider, explore_curves, explore_frames
from mpinotes.display.figures import IMAGE_MAP, show_components, show_l_curve, show_projections
from mpinotes.display.page import explore_turn, show_source, show_table
from mpinotes.display.scanner import draw_scanner

__all__ = [
    "IMAGE_MAP",
    "Explorer",
    "Slider",
    "draw_dccdm",
    "draw_scanner",
    "explore_curves",
    "explore_frames",
    "explore_turn",
    "show_components",
    "show_l_curve",
    "show_projections",
    "show_source",
    "show_table",
]
