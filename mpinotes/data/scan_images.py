"""More of a scan than x_LR: several images of it, and scans of turned vessels."""

from itertools import permutations

import torch

from mpinotes.checks import check_count, check_kind
from mpinotes.data.image_pairs import ImagePairs, Imaging, scan_volumes
from mpinotes.data.protocol import SCAN_SEEDS
from mpinotes.data.vessels import available_vessels
from mpinotes.numerics import full_precision
from mpinotes.physics import ScanSignal
from mpinotes.reconstruction import reconstruct_tikhonov, reconstruct_xspace

REGULARIZATIONS = (1.0, 5.0, 15.0)
"""λ of the further images: the one of x_LR, one that keeps more noise and detail, and one that keeps less."""

ORIENTATIONS = tuple(permutations((2, 3, 4)))
"""Orders of the axes of volumes (batch, 1, z, y, x), the given one first. With mirror images they are all the ways
that a cube can lie in the scanner, and the scanner's response is another in each."""

_TURNED_SEED = 100  # of the scans of turned volumes, plus the number of the orientation


def scan_images(signal: ScanSignal, imaging: Imaging, width: int) -> torch.Tensor:
    """Images of scans of `width` voxels along the drive axis, (batch, 4, z, y, x): x_LR, in [0, 1], and behind it
    Tikhonov's images with `REGULARIZATIONS`, not clipped, whose negative values tell noise from tracer.

    >>> imaging = Imaging()
    >>> scan_images(scan_volumes(synthetic_vessels(2, side=8), imaging), imaging, width=8).shape
    torch.Size([2, 4, 8, 8, 8])
    """
    check_kind("imaging", imaging, Imaging)
    native = reconstruct_xspace(signal, imaging.particle, imaging.scan, width) / imaging.concentration

    def tikhonov(regularization: float) -> torch.Tensor:
        return reconstruct_tikhonov(native, imaging.particle, imaging.scan, regularization=regularization)

    several = {value: tikhonov(value) for value in {*REGULARIZATIONS, imaging.regularization}}
    x_lr = several[imaging.regularization].clamp(0, 1)
    return torch.cat([x_lr, *(several[value] for value in REGULARIZATIONS)], dim=1)


@full_precision  # a caller's autocast would join them in single precision
def scan_image_split(split: str, count: int, orientations: int = 1) -> ImagePairs:
    """The first `count` volumes of a split, "train", "val" or "test", and their `scan_images`, in half precision.
    The scans are those of `image_split`; with more `orientations`, up to six, the volumes stand behind them again,
    with their axes in another order, and each scanned anew.

    >>> pairs = scan_image_split("test", 1, orientations=2)
    >>> pairs.x_lr.shape, pairs.x_hr.shape
    (torch.Size([2, 4, 32, 32, 32]), torch.Size([2, 1, 32, 32, 32]))
    """
    check_count("orientations", orientations, 1, len(ORIENTATIONS))
    vessels, imaging = available_vessels(split, count), Imaging()
    images, volumes = [], []
    for number, axes in enumerate(ORIENTATIONS[:orientations]):
        turned = vessels.volumes.permute(0, 1, *axes).contiguous()
        seed = _TURNED_SEED + number if number else SCAN_SEEDS[split]
        signal = scan_volumes(turned, imaging, seed=seed)
        images.append(scan_images(signal, imaging, turned.shape[-1]).half())
        volumes.append(turned.half())
    return ImagePairs(torch.cat(images), torch.cat(volumes), vessels.source, vessels.real)
