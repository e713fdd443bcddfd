"""One row of a table of results: the metrics of one method over a set of volumes."""

from dataclasses import asdict

import torch

from mpinotes.evaluation.bootstrap import Interval, bootstrap_mean
from mpinotes.evaluation.components import component_psnr, component_ssim
from mpinotes.evaluation.metrics import psnr, rmse, ssim

QUARTILES = {"lower": 0.25, "median": 0.5, "upper": 0.75}
"""Of `component_scores`."""


def summarise(estimate: torch.Tensor, truth: torch.Tensor) -> dict[str, dict[str, float]]:
    """Mean and 95 % bootstrap interval of "psnr" [dB], "ssim" and "rmse255" (RMSE × 255) over volumes.

    >>> truth = torch.linspace(0, 1, 8).expand(4, 1, 8, 8, 8)
    >>> row = summarise(0.9 * truth, truth)
    >>> {metric: round(value["mean"], 3) for metric, value in row.items()}
    {'psnr': 24.472, 'ssim': 0.989, 'rmse255': 15.239}
    """
    metrics = {"psnr": psnr, "ssim": ssim, "rmse255": lambda a, b: 255 * rmse(a, b)}
    return {name: asdict(bootstrap_mean(metric(estimate, truth))) for name, metric in metrics.items()}


def component_scores(estimate: torch.Tensor, truth: torch.Tensor) -> dict[str, dict[str, float]]:
    """Quartiles of "psnr" [dB] and "ssim" over complex components (n, channel, y, x), see `component_psnr`.

    The nearest value stands for a quartile, so that an infinite PSNR (an exact component) stays
    infinite and poisons nothing.

    >>> truth = torch.ones(4, 2, 8, 8, dtype=torch.complex64)
    >>> round(component_scores(0.8 * truth, truth)["psnr"]["median"], 2)
    20.0
    """
    return {
        name: {
            quartile: values.quantile(level, interpolation="nearest").item() for quartile, level in QUARTILES.items()
        }
        for name, values in (("psnr", component_psnr(estimate, truth)), ("ssim", component_ssim(estimate, truth)))
    }


def format_table(rows: dict[str, dict[str, dict[str, float]]]) -> str:
    """Aligned text table of `summarise` results by method.

    >>> truth = torch.linspace(0, 1, 8).expand(4, 1, 8, 8, 8)
    >>> print(format_table({"x_LR": summarise(0.9 * truth, truth)}))
                           PSNR [dB]                      SSIM                RMSE × 255
    x_LR     24.472 [24.472, 24.472]      0.989 [0.989, 0.989]   15.239 [15.239, 15.239]
    """
    width = max(map(len, rows), default=0) + 2
    columns = {"psnr": "PSNR [dB]", "ssim": "SSIM", "rmse255": "RMSE × 255"}
    lines = [" " * width + "".join(f"{title:>26}" for title in columns.values())]
    for method, row in rows.items():
        lines.append(f"{method:<{width}}" + "".join(f"{Interval(**row[name])!s:>26}" for name in columns))
    return "\n".join(lines)
