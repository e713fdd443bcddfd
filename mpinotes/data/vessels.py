"""VesselMNIST3D: the volumes both readers and CI work on."""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from mpinotes.checks import check_choice, check_count
from mpinotes.data.synthetic import synthetic_vessels
from mpinotes.files import AnyPath, alone_in

SPLITS = ("train", "val", "test")
FILE_MD5 = "b41fd4f7e7e2feedddb201585ecafa1b"
_PADDING = 2


class VesselsUnavailable(FileNotFoundError):
    """VesselMNIST3D is neither on this machine nor to be downloaded.

    >>> issubclass(VesselsUnavailable, FileNotFoundError)
    True
    """


def load_vessels(split: str, *, root: AnyPath | None = None, download: bool = True) -> torch.Tensor:
    """Volumes of one split ("train", "val", "test") of VesselMNIST3D, (n, 1, 32, 32, 32), 0 or 1.

    The file is looked for in `root`, else in the folder named by ``MEDMNIST_ROOT``, else in
    medmnist's own folder, where medmnist downloads it, again if what lies there is damaged. The 28³
    volumes are padded by 2 voxels on every side: no resampling, so the truth stays binary (Qiu et al.
    (2026) do not say how they came to 32³). Source: Yang et al., MedMNIST v2, Scientific Data 10
    (2023) 41; CC BY 4.0.

    Raises ``VesselsUnavailable`` with what to do when there is no file and no download, and
    ``ValueError`` when the file is damaged or holds something else.

    >>> load_vessels("test", root="no/such/folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    mpinotes.data.vessels.VesselsUnavailable: No vesselmnist3d.npz in ...
    """
    check_choice("split", split, SPLITS)
    root = root or os.environ.get("MEDMNIST_ROOT")
    path = vessels_file(root)
    if root or not download:
        if not os.path.isfile(path):
            raise VesselsUnavailable(
                f"No {path.name} in {path.parent}: put the file there, or unset MEDMNIST_ROOT to download it"
            )
    elif not _is_archive(path):
        _download(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            raw = file.get(f"{split}_images")
    except Exception as error:  # numpy raises half a dozen types on a damaged archive
        raise ValueError(f"{path} is damaged ({error}): delete it and load again; MD5 should be {FILE_MD5}") from error
    volumes = torch.from_numpy(_binary(raw, path, split)).float().unsqueeze(1)
    return torch.nn.functional.pad(volumes, (_PADDING,) * 6)


def vessels_file(root: AnyPath | None = None) -> Path:
    """The file that `load_vessels` reads, whether or not it is there yet."""
    root = root or os.environ.get("MEDMNIST_ROOT")
    try:
        return Path(root or "~/.medmnist").expanduser() / "vesselmnist3d.npz"
    except RuntimeError as error:  # nobody's home
        raise _not_downloaded(error) from error


def _binary(raw: np.ndarray | None, path: Path, split: str) -> np.ndarray:
    """The volumes as false and true; ``ValueError`` that says what a whole file of something else holds."""
    found = f"{split}_images"
    if raw is None:
        found = f"no {found}"
    elif raw.shape[1:] != (28, 28, 28) or len(raw) == 0:
        found = f"{found} of shape {raw.shape}"
    elif (occupied := raw.max()) not in (1, 255) or not ((raw == 0) | (raw == occupied)).all():
        found = f"{found} of values other than 0 and 1, or 0 and 255"
    else:
        return raw == occupied
    raise ValueError(
        f"{path} is whole but holds {found}: accepted is VesselMNIST3D in 28³, volumes (n, 28, 28, 28), MD5 {FILE_MD5}"
    )


def _is_archive(path: Path) -> bool:
    """Whether the file is there to its end: an archive whose download was cut off lacks its contents' list."""
    return os.path.isfile(path) and zipfile.is_zipfile(path)


def _download(path: Path) -> None:
    """Download aside, compare, and move into place: whoever looks finds a whole file or none. The first of
    several processes downloads, the others wait for it."""
    try:
        with alone_in(path.parent, wait=True):
            if _is_archive(path):
                return
            from medmnist import VesselMNIST3D

            with TemporaryDirectory(dir=path.parent) as aside:
                VesselMNIST3D("test", download=True, root=aside)
                file = Path(aside) / path.name
                if (md5 := hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()) != FILE_MD5:
                    raise ValueError(f"MD5 is {md5}, not {FILE_MD5}")
                os.replace(file, path)
    except Exception as error:  # no network, no torchvision, a full disk or no home: medmnist passes all on
        raise _not_downloaded(error) from error


def _not_downloaded(error: Exception) -> VesselsUnavailable:
    said = next(iter(str(error).strip().splitlines()), "")  # medmnist goes on for a page
    return VesselsUnavailable(
        f"VesselMNIST3D could not be downloaded ({type(error).__name__}: {said}). "
        "Fetch vesselmnist3d.npz yourself and name its folder in MEDMNIST_ROOT"
    )


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
