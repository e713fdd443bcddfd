"""From what was measured to rows, the same way in every study."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from mpinotes.evaluation import bootstrap_mean, clear_background, component_scores, largest_correlation, psnr, ssim
from mpinotes.studies.record import Picture, Row, Series, TrainingLog, encode_image

SPLITS = {"paper": "paper", "grid": "grid", "held-out diameters": "held_out", "continuous": "continuous"}
"""Name of a split of the matrices in conditions, by its name in `mpinotes.data`."""


@dataclass(frozen=True)
class Subject:
    """What rows are about: a `method` of a `study` under a `condition`.

    >>> from mpinotes.studies.rows import Subject
    >>> subject = Subject("table", "ddpm")
    >>> subject.number("calls", 2)
    Row(study='table', method='ddpm', condition='', metric='calls', mean=2, low=None, high=None, n=1)
    >>> subject.means({"psnr": torch.tensor([29.0, 31.0])})[0].interval.mean
    30.0
    """

    study: str
    method: str
    condition: str = ""

    def number(self, metric: str, value: float, n: int = 1) -> Row:
        """A number without an interval, taken over `n` volumes or components; 1 for a property of the method."""
        return Row(self.study, self.method, self.condition, metric, value, None, None, n)

    def means(self, scores: dict[str, torch.Tensor]) -> list[Row]:
        """The mean of each metric's values, (n,), with its bootstrap interval, rounded to what means something."""
        return [
            Row(self.study, self.method, self.condition, metric, **_rounded(values), n=len(values))
            for metric, values in scores.items()
        ]

    def quartiles(self, estimate: torch.Tensor, truth: torch.Tensor) -> list[Row]:
        """`component_scores` of components (n, channel, y, x): "psnr_lower" [dB], "psnr_median", …, "ssim_upper"."""
        images = len(truth) * truth.shape[1]
        return [
            self.number(f"{metric}_{quartile}", round(value, 4), images)
            for metric, quartiles in component_scores(estimate, truth).items()
            for quartile, value in quartiles.items()
        ]

    def leak(self, test: torch.Tensor, train: torch.Tensor, digits: int) -> list[Row]:
        """Quartiles of the `largest_correlation` of test with training components, "correlation_lowest", …,
        "correlation_upper", rounded to `digits` decimals."""
        values = largest_correlation(test, train).double().clamp(max=1.0)
        levels = {"lowest": 0.0, "lower": 0.25, "median": 0.5, "upper": 0.75}
        return [
            self.number(f"correlation_{name}", round(values.quantile(level).item(), digits), len(values))
            for name, level in levels.items()
        ]

    def series(self, metric: str, values: Iterable[float], digits: int) -> Series:
        """A list of numbers, rounded to `digits` decimals."""
        return Series(self.study, self.method, self.condition, metric, tuple(round(x, digits) for x in values))

    def picture(self, view: str, image: torch.Tensor) -> Picture:
        """An image (y, x) in [0, 1]."""
        return Picture(self.study, self.method, self.condition, view, encode_image(image))

    def projections(self, volume: torch.Tensor, before: str = "") -> list[Picture]:
        """Largest values of a volume (z, y, x) in [0, 1] along z and along y: views "z" and "y" behind `before`."""
        return [self.picture(before + axis, volume.amax(dim)) for axis, dim in (("z", 0), ("y", 1))]


def _rounded(values: torch.Tensor) -> dict[str, float]:
    return {name: round(number, 5) for name, number in asdict(bootstrap_mean(values)).items()}


def image_scores(estimate: torch.Tensor, truth: torch.Tensor) -> dict[str, torch.Tensor]:
    """PSNR [dB] and SSIM of each volume, both (batch, 1, z, y, x), by metric; and those of the estimate with its
    background cleared, "cleared_psnr" and "cleared_ssim"."""
    cleared = clear_background(estimate)
    return {
        "psnr": psnr(estimate, truth),
        "ssim": ssim(estimate, truth),
        "cleared_psnr": psnr(cleared, truth),
        "cleared_ssim": ssim(cleared, truth),
    }


def differences(
    scores: dict[str, torch.Tensor], reference: dict[str, torch.Tensor], name: str
) -> dict[str, torch.Tensor]:
    """Each score minus that of the reference, volume by volume, as METRIC_minus_`name`."""
    return {f"{metric}_minus_{name}": values - reference[metric] for metric, values in scores.items()}


def training_log(card: dict[str, Any], condition: str = "") -> TrainingLog:
    """What the card of a trained method says of its training."""
    training = card["training"]
    return TrainingLog(
        card["method"],
        condition,
        card["seed"],
        training["steps"],
        training["steps"] * training["batch"],
        card["seconds"],
        card["device"],
        tuple(card.get("loss", ())),
    )
