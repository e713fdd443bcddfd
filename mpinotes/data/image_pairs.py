"""Pairs of low- and high-resolution volumes, through the simulated scanner."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from mpinotes.checks import check_choice, check_count, check_kind, check_positive, check_unit_volumes
from mpinotes.draw import seeded_generator
from mpinotes.physics import CartesianScan, Particle, ScanSignal, simulate_scan
from mpinotes.reconstruction import reconstruct_tikhonov, reconstruct_xspace


@dataclass(frozen=True)
class Imaging:
    """The imaging chain from a phantom to x_LR. Qiu et al. (2026) give no values: all are ours.

    `concentration`: particles/m³ where the phantom is 1 (1e18 is about 0.5 mol(Fe)/m³ at 25 nm).
    The noise of 3 µV is 1/200 of the mean volume's largest voltage. `regularization`: λ of the
    Tikhonov deconvolution, the best of a sweep over training volumes (the chapter on physics repeats it).

    >>> imaging = Imaging(regularization=2.0)
    >>> imaging.particle.core_diameter, imaging.scan.noise
    (2.5e-08, 3e-06)
    """

    particle: Particle = Particle(25e-9)
    scan: CartesianScan = field(default_factory=lambda: CartesianScan(noise=3e-6))
    concentration: float = 1e18
    regularization: float = 5.0

    def __post_init__(self) -> None:
        check_kind("particle", self.particle, Particle)
        check_kind("scan", self.scan, CartesianScan)
        check_positive("concentration", self.concentration)
        check_positive("regularization", self.regularization)


@dataclass(frozen=True)
class ImagePairs:
    """`x_lr` and `x_hr`, both (batch, 1, z, y, x) in [0, 1]; `source` says where the volumes come from, and
    `real` whether they are of VesselMNIST3D.

    >>> pairs = ImagePairs(torch.zeros(4, 1, 8, 8, 8), torch.ones(4, 1, 8, 8, 8))
    >>> pairs.x_lr.shape
    torch.Size([4, 1, 8, 8, 8])
    """

    x_lr: torch.Tensor
    x_hr: torch.Tensor
    source: str = "given volumes"
    real: bool = False

    def first(self, count: int) -> "ImagePairs":
        """The first `count` pairs, or all where there are no more: other than pairs of so many volumes, whose noise is
        drawn anew."""
        check_count("count", count)
        return replace(self, x_lr=self.x_lr[:count], x_hr=self.x_hr[:count])


def image_pairs(
    volumes: torch.Tensor,
    imaging: Imaging | None = None,
    *,
    disturb: Callable[[ScanSignal, torch.Generator], ScanSignal] | None = None,
    seed: int = 0,
) -> ImagePairs:
    """Scan each volume, reconstruct it, and pair the image with its truth.

    `volumes`: (batch, 1, z, y, x) in [0, 1]. `disturb` changes the receive voltages before they are
    reconstructed. The same seed gives the same drive frequencies and noise.

    >>> pairs = image_pairs(synthetic_vessels(2, side=8), seed=0)
    >>> pairs.x_lr.shape, 0 <= pairs.x_lr.min() <= pairs.x_lr.max() <= 1
    (torch.Size([2, 1, 8, 8, 8]), tensor(True))
    """
    imaging = Imaging() if imaging is None else imaging
    signal = scan_volumes(volumes, imaging, disturb=disturb, seed=seed)
    return ImagePairs(reconstruct_images(signal, imaging, volumes.shape[-1]), volumes)


def scan_volumes(
    volumes: torch.Tensor,
    imaging: Imaging,
    *,
    disturb: Callable[[ScanSignal, torch.Generator], ScanSignal] | None = None,
    seed: int = 0,
) -> ScanSignal:
    """What the scanner measures of volumes, (batch, 1, z, y, x) in [0, 1]: the voltages `image_pairs` reconstructs.

    >>> signal = scan_volumes(synthetic_vessels(2, side=8), Imaging(), seed=0)
    >>> signal.voltage.shape
    torch.Size([2, 1, 8, 8, 128])
    """
    check_unit_volumes("volumes", volumes)
    check_choice("volumes.dtype", volumes.dtype, (torch.float32, torch.float64))  # particles/m³ are none of less
    check_kind("imaging", imaging, Imaging)
    generator = seeded_generator(seed)
    signal = simulate_scan(volumes * imaging.concentration, imaging.particle, imaging.scan, generator=generator)
    if disturb is not None:
        signal = disturb(signal, generator)
        check_kind("disturb, what it returns", signal, ScanSignal)
    return signal


def reconstruct_images(signal: ScanSignal, imaging: Imaging, width: int) -> torch.Tensor:
    """x_LR of scans of `width` voxels along the drive axis: Tikhonov's images, (batch, 1, z, y, x) in [0, 1].

    >>> imaging = Imaging()
    >>> reconstruct_images(scan_volumes(synthetic_vessels(2, side=8), imaging), imaging, width=8).shape
    torch.Size([2, 1, 8, 8, 8])
    """
    check_kind("imaging", imaging, Imaging)
    native = reconstruct_xspace(signal, imaging.particle, imaging.scan, width) / imaging.concentration
    image = reconstruct_tikhonov(native, imaging.particle, imaging.scan, regularization=imaging.regularization)
    return image.clamp(0, 1)
