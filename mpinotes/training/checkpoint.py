"""Checkpoints of a training: written whole, read without trusting them."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from mpinotes.files import save_atomically


class Stateful(Protocol):
    """A module or an optimiser."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Checkpoint:
    """Where the `parts` of a training, its modules and optimiser by name, are kept; `config` is what its
    run is told apart by."""

    path: Path
    config: dict[str, Any]
    parts: Mapping[str, Stateful]

    def store(self, **progress: Any) -> None:
        """Write parts and `progress`, replacing the file in one step."""
        buffer = io.BytesIO()
        states = {name: part.state_dict() for name, part in self.parts.items()}
        torch.save({**progress, **states, "config": self.config}, buffer)
        save_atomically(self.path, buffer.getvalue())

    def restore(self) -> dict[str, Any]:
        """Load the parts in place and return what else was stored. Raises ``ValueError`` with what to do for
        a damaged file and one of another run or network."""
        content = load_checkpoint(self.path)
        if content.get("config") != self.config:
            raise ValueError(
                f"{self.path}: got a checkpoint of {content.get('config')}, accepted is one of {self.config}; "
                "choose another output folder"
            )
        try:
            for name, part in self.parts.items():
                part.load_state_dict(content[name])
        except (RuntimeError, KeyError, ValueError) as error:
            raise ValueError(
                f"{self.path}: the checkpoint is of another network, choose another output folder ({error})"
            ) from error
        return content


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; ``ValueError`` with what to do when it is damaged."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types on a damaged file
        raise ValueError(f"{path} is damaged ({type(error).__name__}): delete it to train from the start") from error
