"""Reconstructed images into files."""

import math

import numpy as np
import torch

from mpinotes.checks import check_kind, check_tensor
from mpinotes.physics import LissajousScan
from mpinotes.scanner_files import contents
from mpinotes.scanner_files.datasets import FilePath, accept
from mpinotes.scanner_files.drives import Drives


def save_reconstruction(images: torch.Tensor, path: FilePath, scan: LissajousScan) -> None:
    """Write `images` of the pixels of `scan`, (frame, …, y, x), to `path` in one step: after a failure an older file is
    as it was. Raises ``ValueError`` for images of another shape or that are not finite, ``OSError`` where the file
    cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> from mpinotes.physics import LissajousScan
    >>> with TemporaryDirectory() as folder:
    ...     save_reconstruction(torch.rand(5, 4, 4), f"{folder}/images.mdf", LissajousScan(shape=(4, 4)))
    """
    check_kind("scan", scan, LissajousScan)
    check_tensor("images", images, 1 + scan.dims, "(frame, …, y, x)")
    accept("images: got pixels", tuple(images.shape[1:]), tuple(scan.shape))
    rest = 3 - scan.dims
    edges = [view / pixels for view, pixels in zip(scan.field_of_view, scan.shape[::-1], strict=True)]
    drives = Drives.of(scan)
    if images.dtype == torch.bfloat16:  # which no file knows; float32 holds it to the bit
        images = images.float()
    contents.write(
        contents.provenance(simulated=False)
        | contents.acquisition(drives, len(images))
        | contents.receiver(drives, 1, contents.samples_for(torch.tensor(drives.cycles, device="cpu")))
        | contents.group(
            "reconstruction",
            data=images.detach().cpu().numpy().reshape(len(images), math.prod(scan.shape), 1),
            size=[*scan.shape[::-1], *[1] * rest],
            order="xyz",
            fieldOfView=np.array([*scan.field_of_view, *[min(edges)] * rest], float),
            fieldOfViewCenter=np.array([*scan.centres, *[0.0] * rest], float),
        ),
        path,
    )
