"""VesselMNIST3D: the volumes both readers and CI work on."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mpinotes.checks import check_choice, check_count
from mpinotes.data.synthetic import synthetic_vessels

SPLITS = ("train", "val", "test")
FILE_MD5 = "b41fd4f7e7e2feedddb201585ecafa1b"
_PADDING = 2


class VesselsUnavailable(FileNotFoundError):
    """VesselMNIST3D is neither on this machine nor to be downloaded.

    >>> issubclass(VesselsUnavailable, FileNotFoundError)
    True
    """


def load_vessels(split: str, *, root: str | os.PathLike | None = None, download: bool = True) -> torch.Tensor:
    """Volumes of one split ("train", "val", "test") of VesselMNIST3D, (n, 1, 32, 32, 32), 0 or 1.

    The file is looked for in `root`, else in the folder named by ``MEDMNIST_ROOT``, else in
    medmnist's own folder, where medmnist downloads it. The 28³ volumes are padded by 2 voxels on
    every side: no resampling, so the truth stays binary (Qiu et al. (2026) do not say how they came
    to 32³). Source: Yang et al., MedMNIST v2, Scientific Data 10 (2023) 41; CC BY 4.0.

    Raises ``VesselsUnavailable`` with what to do when there is no file and no download, and
    ``ValueError`` when the file is damaged.

    >>> load_vessels("test", root="no/such/folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    mpinotes.data.vessels.VesselsUnavailable: No vesselmnist3d.npz in ...
    """
    check_choice("split", split, SPLITS)
    root = root or os.environ.get("MEDMNIST_ROOT")
    path = vessels_file(root)
    if not path.is_file():
        if root or not download:
            raise VesselsUnavailable(
                f"No vesselmnist3d.npz in {path.parent}: put the file there, or unset MEDMNIST_ROOT to download it"
            )
        _download(path.parent)
    try:
        with np.load(path, allow_pickle=False) as file:
            raw = file[f"{split}_images"]
            if raw.shape[1:] != (28, 28, 28) or len(raw) == 0:
                raise ValueError(f"volumes of shape {raw.shape[1:]}, not 28³")
    except Exception as error:  # numpy raises half a dozen types on a damaged archive
        raise ValueError(f"{path} is damaged ({error}): delete it and load again; MD5 should be {FILE_MD5}") from error
    volumes = torch.from_numpy(raw).float().div(255).unsqueeze(1)
    return torch.nn.functional.pad(volumes, (_PADDING,) * 6)


def vessels_file(root: str | os.PathLike | None = None) -> Path:
    """The file that `load_vessels` reads, whether or not it is there yet."""
    root = root or os.environ.get("MEDMNIST_ROOT")
    return (Path(root) if root else Path.home() / ".medmnist") / "vesselmnist3d.npz"


def _download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        from medmnist import VesselMNIST3D

        VesselMNIST3D("test", download=True, root=str(folder))
    except Exception as error:  # no network, no torchvision, a full disk: medmnist passes all on
        raise VesselsUnavailable(
            f"VesselMNIST3D could not be downloaded ({type(error).__name__}: {error}). "
            "Fetch vesselmnist3d.npz yourself and name its folder in MEDMNIST_ROOT"
        ) from error


@dataclass(frozen=True)
class Vessels:
    """`volumes`, (n, 1, 32, 32, 32) in [0, 1], and whether they are `real`; `source` says so in words.

    >>> vessels = Vessels(synthetic_vessels(1, side=8), real=False, source="one synthetic")
    >>> vessels.volumes.shape
    torch.Size([1, 1, 8, 8, 8])
    """

    volumes: torch.Tensor
    real: bool
    source: str


def available_vessels(split: str, count: int) -> Vessels:
    """The first `count` volumes of a split of VesselMNIST3D, or synthetic ones where it cannot be had.

    >>> import os
    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, MEDMNIST_ROOT="no/such/folder"):
    ...     available_vessels("test", 1).real
    False
    """
    check_count("count", count)
    try:
        volumes = load_vessels(split)[:count]
        return Vessels(volumes, True, f"VesselMNIST3D, {split} split: {len(volumes)} real volumes")
    except VesselsUnavailable as error:
        volumes = synthetic_vessels(count, seed=SPLITS.index(split))
        return Vessels(volumes, False, f"SYNTHETIC vessels stand in for VesselMNIST3D ({split} split). {error}")
