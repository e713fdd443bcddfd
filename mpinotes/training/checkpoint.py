"""Checkpoints that are either whole or not there."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch


def save_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step: a crash leaves the old file or the new, never half of one.

    Raises ``OSError`` with what to do when the folder is full or not writable.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise OSError(
            error.errno, f"cannot write {path} ({error.strerror}): free space or choose another output folder"
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; ``ValueError`` with what to do when it is damaged."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types on a damaged file
        raise ValueError(f"{path} is damaged ({type(error).__name__}): delete it to train from the start") from error
