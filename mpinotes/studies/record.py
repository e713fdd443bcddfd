"""Recorded results: JSON that a command rewrites and the chapters read."""

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from mpinotes.evaluation import bootstrap_mean, clear_background, psnr, ssim
from mpinotes.files import save_atomically

FOLDER = Path(__file__).parent / "records"


def save_record(name: str, content: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Write a record, replaced atomically; returns its path.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = save_record("mine", {"psnr": 30.0}, Path(folder))
    ...     load_record("mine", Path(folder))
    {'psnr': 30.0}
    """
    path = folder / f"{name}.json"
    save_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def load_record(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """A record by name. Raises ``FileNotFoundError`` with the command that makes it.

    >>> load_record("table")["study"]
    'table'
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no record {path}: write it with `python -m mpinotes study {name}`")
    return json.loads(path.read_text())


def interval(values: torch.Tensor) -> dict[str, float]:
    """The mean with its bootstrap interval for JSON, rounded to what means something."""
    return {name: round(number, 5) for name, number in asdict(bootstrap_mean(values)).items()}


def intervals(scores: dict[str, torch.Tensor]) -> dict[str, dict[str, float]]:
    """The `interval` of every score."""
    return {name: interval(values) for name, values in scores.items()}


def image_scores(estimate: torch.Tensor, truth: torch.Tensor) -> dict[str, torch.Tensor]:
    """PSNR [dB] and SSIM of each volume, both (batch, 1, z, y, x), by name; and those of the estimate
    with its background cleared, "cleared psnr" and "cleared ssim"."""
    cleared = clear_background(estimate)
    return {
        "psnr": psnr(estimate, truth),
        "ssim": ssim(estimate, truth),
        "cleared psnr": psnr(cleared, truth),
        "cleared ssim": ssim(cleared, truth),
    }


def differences(
    scores: dict[str, torch.Tensor], reference: dict[str, torch.Tensor], ending: str
) -> dict[str, torch.Tensor]:
    """Each score minus that of the reference, volume by volume, under its name with the `ending`."""
    return {f"{name} {ending}": values - reference[name] for name, values in scores.items()}


def projections(volume: torch.Tensor) -> dict[str, str]:
    """Largest values of a volume (z, y, x) in [0, 1] along z and along y, as base64 of 8-bit images."""
    images = {"z": volume.amax(0), "y": volume.amax(1)}
    return {axis: encode_image(image) for axis, image in images.items()}


def encode_image(image: torch.Tensor) -> str:
    """An image (y, x) in [0, 1] as base64 of 8 bits per pixel."""
    return base64.b64encode((255 * image).round().byte().numpy().tobytes()).decode()


def decode_image(text: str) -> torch.Tensor:
    """A square image back from `encode_image`, values in [0, 1].

    >>> decode_image("AID/QA==") * 255
    tensor([[  0., 128.],
            [255.,  64.]])
    """
    values = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
    side = round(len(values) ** 0.5)
    return values.view(side, side) / 255


def training_log(card: dict[str, Any]) -> dict[str, Any]:
    """What a card says of its training: steps, volumes seen, wall time [s], device, loss curve if it has one."""
    training = card["training"]
    log = {"steps": training["steps"], "volumes seen": training["steps"] * training["batch"]}
    return log | {key: card[key] for key in ("seconds", "device", "loss") if key in card}
