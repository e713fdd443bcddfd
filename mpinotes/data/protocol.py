"""What every method is trained and tested on: splits, seeds, noise levels, and how much of the data a run takes."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from mpinotes.checks import check_choice, check_count, check_each_kind
from mpinotes.data.image_pairs import ImagePairs, Imaging, image_pairs, scan_volumes
from mpinotes.data.matrix_pairs import MatrixPairs, MatrixSetting, matrix_pairs, mixing_subset
from mpinotes.data.matrix_splits import matrix_split, spread_out
from mpinotes.data.particle_splits import PARTICLE_SPLITS, ParticleSetting, particle_pairs, particle_split
from mpinotes.data.vessels import available_vessels
from mpinotes.physics import ScanSignal

TRAIN_SEED, TEST_SEED = 0, 1
"""Seeds of noise, drive frequencies and receive phases: train and test never share them."""

SCAN_SEEDS = {"train": TRAIN_SEED, "val": 2, "test": TEST_SEED}
"""Seed of the scans of each split of the vessels."""

CALIBRATION_NOISE = 1e-3
"""Of noisy low-gradient matrices, as a share of the strongest high-gradient component: 60 dB."""

NOISES = {"clean": 0.0, "noisy": CALIBRATION_NOISE}
"""What low-gradient matrices are tested with."""

FIT_VOLUMES = 64
"""Training pairs that D is fitted to."""


@dataclass(frozen=True)
class Amounts:
    """How much of the data a run takes: at most so many volumes of a split, of the at most 90 settings
    and of the 168 components of a matrix.

    >>> Amounts(train_volumes=16, test_volumes=8, matrix_settings=2, matrix_components=12).test_volumes
    8
    """

    train_volumes: int
    test_volumes: int
    matrix_settings: int
    matrix_components: int

    def __post_init__(self) -> None:
        for field in fields(Amounts):  # those of a profile, which is one, too, are its own
            check_count(field.name, getattr(self, field.name))


def image_split(split: str, count: int, imaging: Imaging | None = None) -> ImagePairs:
    """The first `count` volumes of a split, "train", "val" or "test", of the available vessels, and their images;
    with an `imaging` those of another scanner.

    >>> pairs = image_split("test", 1)
    >>> pairs.x_lr.shape, pairs.x_hr.shape
    (torch.Size([1, 1, 32, 32, 32]), torch.Size([1, 1, 32, 32, 32]))
    """
    vessels = available_vessels(split, count)
    pairs = image_pairs(vessels.volumes, imaging, seed=SCAN_SEEDS[split])
    return replace(pairs, source=vessels.source, real=vessels.real)


def scan_split(split: str, count: int) -> ScanSignal:
    """The voltages behind the images of `image_split`, for those who reconstruct them in another way.

    >>> scan_split("test", 1).voltage.shape
    torch.Size([1, 1, 32, 32, 128])
    """
    return scan_volumes(available_vessels(split, count).volumes, Imaging(), seed=SCAN_SEEDS[split])


def matrix_train_pairs(amounts: Amounts, split: str) -> MatrixPairs:
    """The components of the training settings of a `matrix_split` or `particle_split`, without noise.

    >>> few = Amounts(train_volumes=1, test_volumes=1, matrix_settings=1, matrix_components=2)
    >>> matrix_train_pairs(few, "paper").orders.tolist()
    [[0, 2], [17, 0]]
    """
    orders, count = mixing_subset(amounts.matrix_components), amounts.matrix_settings
    if split in PARTICLE_SPLITS:
        tracers = spread_out(particle_split(split).train, count)
        return particle_pairs(tracers, orders, phase_seed=TRAIN_SEED, progress=True)
    settings = spread_out(matrix_split(split).train, count)
    return matrix_pairs(settings, orders, phase_seed=TRAIN_SEED, progress=True)


def matrix_test_settings(split: str) -> Sequence[MatrixSetting] | Sequence[ParticleSetting]:
    """The test settings of a `matrix_split` or `particle_split`.

    >>> matrix_test_settings("paper") == (PAPER_TEST,), len(matrix_test_settings("fluid"))
    (True, 16)
    """
    return particle_split(split).test if split in PARTICLE_SPLITS else matrix_split(split).test


def matrix_test_pairs(
    amounts: Amounts,
    settings: Sequence[MatrixSetting] | Sequence[ParticleSetting],
    noise: float,
    relaxation: str = "equilibrium",
) -> MatrixPairs:
    """The components of test settings, with phases and noise of their own, see `matrix_pairs` and, for particles with
    an easy axis, which are in equilibrium, `particle_pairs`.

    >>> few = Amounts(train_volumes=1, test_volumes=1, matrix_settings=1, matrix_components=2)
    >>> matrix_test_pairs(few, HELD_OUT_TESTS[:1], CALIBRATION_NOISE).low.shape
    torch.Size([2, 2, 32, 32])
    """
    orders = mixing_subset(amounts.matrix_components)
    check_each_kind("settings", settings, MatrixSetting, ParticleSetting)
    tracers = [setting for setting in settings if isinstance(setting, ParticleSetting)]
    if 0 < len(tracers) < len(settings):
        raise ValueError("settings: got both kinds, accepted are MatrixSettings alone or ParticleSettings alone")
    if tracers:
        check_choice("relaxation", relaxation, ("equilibrium",))
        return particle_pairs(tracers, orders, noise=noise, phase_seed=TEST_SEED, seed=TEST_SEED)
    scanners = [setting for setting in settings if isinstance(setting, MatrixSetting)]
    return matrix_pairs(scanners, orders, noise=noise, relaxation=relaxation, phase_seed=TEST_SEED, seed=TEST_SEED)
