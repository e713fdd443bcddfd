"""The classical opponents of the networks on images: tuned on validation volumes, tested beside Tikhonov."""

from dataclasses import dataclass
from pathlib import Path

import torch

from mpinotes.data import Imaging, available_vessels, reconstruct_images, scan_split
from mpinotes.methods import CLASSICAL_METHODS, ClassicalMethod
from mpinotes.methods.classical import STEPS
from mpinotes.physics import ScanSignal
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row, Series
from mpinotes.studies.rows import Subject, differences, image_scores

STUDY = "classical"


@dataclass(frozen=True)
class Scans:
    """The first scans of a split, drawn with all that the study "table" has of it: the noise of fewer is another."""

    signal: ScanSignal
    x_hr: torch.Tensor

    @classmethod
    def first(cls, split: str, count: int, drawn: int) -> "Scans":
        """`count` of as many as were `drawn`."""
        signal = scan_split(split, drawn)
        first = ScanSignal(signal.voltage[:count], signal.drive_frequency[:count])
        return cls(first, available_vessels(split, drawn).volumes[:count])

    def reconstruct(self, method: ClassicalMethod, value: float) -> torch.Tensor:
        """The images of a method with a value of its setting."""
        depth, height, width = self.x_hr.shape[2:]
        return method.reconstruct(self.signal, Imaging(), (depth, height, width), value)


def run(profile: Profile, runs: Path) -> Record:
    """Every classical reconstruction of the first test scans, those of the study "table", paired with Tikhonov's
    image, x_LR, volume by volume.

    Conditions: none for the test split; "validation/SETTING/…" for what was tried before.
    """
    tuning, tested = profile.classical_volumes
    validation, test = (Scans.first(split, n, profile.test_volumes) for split, n in (("val", tuning), ("test", tested)))
    x_lr = image_scores(reconstruct_images(test.signal, Imaging(), test.x_hr.shape[-1]), test.x_hr)
    rows = Subject(STUDY, "x_lr").means(x_lr)
    series = [Subject(STUDY, "x_lr").series("psnr", x_lr["psnr"].tolist(), 3)]
    for method in CLASSICAL_METHODS:
        tried = try_values(method, validation)
        value = max((row for row in tried if row.metric == "psnr"), key=lambda row: row.mean).level(method.setting)
        found, psnr = score_method(method, value, test, x_lr)
        rows += [*tried, *found]
        series.append(psnr)
        print(method.title, *(f"{row.metric} {row.mean:g}" for row in found[:2]), flush=True)
    return Record(
        STUDY,
        available_vessels("test", tested).source,
        {"x_lr": "x_LR (Tikhonov)"} | {method.name: method.title for method in CLASSICAL_METHODS},
        {"volumes": tested, "validation_volumes": tuning, "steps": STEPS},
        tuple(rows),
        tuple(series),
    )


def try_values(method: ClassicalMethod, validation: Scans) -> list[Row]:
    """Mean PSNR [dB] and SSIM by the value of the method's setting."""
    rows = []
    for value in method.values:
        scores = image_scores(validation.reconstruct(method, value), validation.x_hr)
        subject = Subject(STUDY, method.name, f"validation/{method.setting}/{value:g}")
        rows += [
            subject.number(metric, round(scores[metric].mean().item(), 4), len(validation.x_hr))
            for metric in ("psnr", "ssim")
        ]
    return rows


def score_method(
    method: ClassicalMethod, value: float, test: Scans, x_lr: dict[str, torch.Tensor]
) -> tuple[list[Row], Series]:
    """Scores of a method, and what they have before those of x_LR."""
    scores, subject = image_scores(test.reconstruct(method, value), test.x_hr), Subject(STUDY, method.name)
    rows = subject.means(scores | differences(scores, x_lr, "x_lr"))
    rows.append(subject.number(method.setting, value))
    return rows, subject.series("psnr", scores["psnr"].tolist(), 3)
