"""Checkpoints of a training: written whole, read without trusting them, resumed by their own run alone."""

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from mpinotes.files import AnyPath, alone_in, save_atomically
from mpinotes.training import parallel
from mpinotes.training.identity import differences


class Stateful(Protocol):
    """A module or an optimiser."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Checkpoint:
    """The `parts` of a training, its modules and optimiser by name, kept in a `folder`, if there is one;
    `identity` is what its run is told apart by, see `differences`."""

    folder: AnyPath | None
    identity: dict[str, Any]
    parts: Mapping[str, Stateful]

    @property
    def _path(self) -> Path | None:
        return Path(self.folder) / "checkpoint.pt" if self.folder is not None else None

    def alone(self) -> AbstractContextManager[None]:
        """While this is entered, no other training gets into the folder."""
        return alone_in(self.folder) if self.folder is not None and parallel.is_first() else nullcontext()

    def store(self, **progress: Any) -> None:
        """The first process writes parts and `progress`, replacing the file in one step."""
        if self._path is None or not parallel.is_first():
            return
        buffer = io.BytesIO()
        states = {name: part.state_dict() for name, part in self.parts.items()}
        torch.save({**progress, **states, "identity": self.identity}, buffer)
        save_atomically(self._path, buffer.getvalue())

    def restore(self) -> dict[str, Any] | None:
        """Load the parts in place and return what else was stored; None where nothing was. Raises
        ``ValueError`` with what to do for a file that is damaged, of another run or of another program."""
        path = self._path
        if path is None or not path.exists():
            return None
        content = load_checkpoint(path)
        if found := differences(content["identity"], self.identity):
            raise ValueError(
                f"{path} is of another run ({', '.join(found[:5])}): "
                "choose another output folder, or delete it to train from the start"
            )
        for name, part in self.parts.items():
            part.load_state_dict(content[name])
        return content


def load_checkpoint(path: AnyPath) -> dict[str, Any]:
    """Read a checkpoint; ``ValueError`` with what to do when it is damaged or none of ours."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types on a damaged file
        raise ValueError(
            f"{path} is damaged, or of another program ({type(error).__name__}): "
            "choose another output folder, or delete it to train from the start"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("identity"), dict):
        raise ValueError(f"{path} is of another program or version: choose another output folder")
    return content
