"""Where a chapter runs: on what, what the profiles cost there, and where results stay."""

import os
import platform
from importlib.util import find_spec
from pathlib import Path

import torch

from mpinotes.studies.profiles import get_profile
from mpinotes.training import best_device

DRIVE = Path("/content/drive/MyDrive")
"""Where Colab mounts a reader's Google Drive: what lies there survives a disconnect."""

MINUTES = {"smoke": 2, "book": 3, "full": 74}
"""Minutes of the longest chapter on one CPU core, by profile, rounded up. "smoke": processor time under
``make colab``; "book": under papermill. "full": the longest training on a CPU in the record of repeated trainings."""

GPU_MINUTES = 8
"""Minutes of the longest training on a released card: DCCDM on an H100 that trained others, too."""


def workplace(profile: str) -> Path:
    """Say what this machine is, what each profile costs, and, where the profile is "full", where results
    stay; return that folder.

    It is ``mpinotes`` in the reader's Google Drive where that is mounted and answers, else ``runs`` beside the
    notebook. Nothing is written until something is saved. Pass a folder in it to `train` and a training
    that was cut off goes on from its last checkpoint. Raises ``ValueError`` for an unknown profile.

    >>> folder = workplace("smoke")  # doctest: +ELLIPSIS
    device: ...
    minutes of the longest chapter on one CPU core: smoke ...
    """
    get_profile(profile)
    device = best_device()
    print(f"device: {_name(device)}, torch {torch.__version__}")
    costs = ", ".join(f"{name} {cost}" for name, cost in MINUTES.items())
    gpu = f"; full on an H100 that trained others, too: {GPU_MINUTES}" if device.type == "cuda" else ""
    print(f"minutes of the longest chapter on one CPU core: {costs}{gpu}")
    folder, word = _place()
    if profile == "full":
        print(f"results: {folder}, {word}")
    return folder


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"GPU {properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    return f"CPU (no GPU), {os.cpu_count()} cores ({platform.machine()})"


def _place() -> tuple[Path, str]:
    """The folder for results, and a word on it."""
    runs, again = Path("runs"), "`from google.colab import drive; drive.mount('/content/drive')`, then this cell again"
    try:
        DRIVE.stat()
        return DRIVE / "mpinotes", "which outlives this machine"
    except (FileNotFoundError, NotADirectoryError):
        if find_spec("google") and find_spec("google.colab"):
            return runs, f"which ends with this machine. To keep them, run {again}"
        return runs, "in the folder of the notebook"
    except OSError as error:  # the mount died
        return runs, (
            f"in the folder of the notebook: Google Drive does not answer ({error.strerror}). "
            f"To go on there, restart the session and run {again}"
        )
