"""Metrics, intervals and tables."""

from mpinotes.evaluation.background import THRESHOLD, clear_background
from mpinotes.evaluation.bootstrap import Interval, bootstrap_mean
from mpinotes.evaluation.components import component_psnr, component_ssim, largest_correlation, phase_of_peak
from mpinotes.evaluation.conformal import (
    ConformalIntervals,
    calibrate_intervals,
    conformal_quantile,
    volume_means,
)
from mpinotes.evaluation.coverage import coverage
from mpinotes.evaluation.metrics import psnr, rmse, ssim
from mpinotes.evaluation.table import component_scores, format_table, summarise

__all__ = [
    "THRESHOLD",
    "ConformalIntervals",
    "Interval",
    "bootstrap_mean",
    "calibrate_intervals",
    "clear_background",
    "component_psnr",
    "component_scores",
    "component_ssim",
    "conformal_quantile",
    "coverage",
    "format_table",
    "largest_correlation",
    "phase_of_peak",
    "psnr",
    "rmse",
    "ssim",
    "summarise",
    "volume_means",
]
