"""Metrics, intervals and tables."""

from mpinotes.evaluation.bootstrap import Interval, bootstrap_mean
from mpinotes.evaluation.coverage import coverage
from mpinotes.evaluation.metrics import psnr, rmse, ssim
from mpinotes.evaluation.table import component_scores, format_table, summarise

__all__ = [
    "Interval",
    "bootstrap_mean",
    "component_scores",
    "coverage",
    "format_table",
    "psnr",
    "rmse",
    "ssim",
    "summarise",
]
