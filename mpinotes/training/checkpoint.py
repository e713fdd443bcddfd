"""Checkpoints, read without trusting them."""

from pathlib import Path
from typing import Any

import torch


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; ``ValueError`` with what to do when it is damaged."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types on a damaged file
        raise ValueError(f"{path} is damaged ({type(error).__name__}): delete it to train from the start") from error
