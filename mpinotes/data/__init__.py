"""Data: vessels, real and synthetic, and the pairs the two papers train on."""

from mpinotes.data.image_pairs import ImagePairs, Imaging, image_pairs
from mpinotes.data.matrix_pairs import (
    GRADIENT_RATIO,
    MatrixPairs,
    MatrixSetting,
    add_calibration_noise,
    matrix_pairs,
    matrix_scan,
    mixing_subset,
    normalise_components,
)
from mpinotes.data.matrix_splits import (
    GRID_SETTINGS,
    HELD_OUT_TESTS,
    MATRIX_SPLITS,
    PAPER_SETTINGS,
    PAPER_TEST,
    MatrixSplit,
    matrix_split,
    shares_core,
    spread_out,
)
from mpinotes.data.phantoms import BAR_WIDTHS, bar_modulation, points, resolution_bars
from mpinotes.data.protocol import (
    CALIBRATION_NOISE,
    FIT_VOLUMES,
    SCAN_SEEDS,
    TEST_SEED,
    TRAIN_SEED,
    Amounts,
    image_split,
    matrix_test_pairs,
    matrix_train_pairs,
)
from mpinotes.data.synthetic import synthetic_vessels
from mpinotes.data.vessels import Vessels, VesselsUnavailable, available_vessels, load_vessels

__all__ = [
    "BAR_WIDTHS",
    "CALIBRATION_NOISE",
    "FIT_VOLUMES",
    "GRADIENT_RATIO",
    "GRID_SETTINGS",
    "HELD_OUT_TESTS",
    "MATRIX_SPLITS",
    "PAPER_SETTINGS",
    "PAPER_TEST",
    "SCAN_SEEDS",
    "TEST_SEED",
    "TRAIN_SEED",
    "Amounts",
    "ImagePairs",
    "Imaging",
    "MatrixPairs",
    "MatrixSetting",
    "MatrixSplit",
    "Vessels",
    "VesselsUnavailable",
    "add_calibration_noise",
    "available_vessels",
    "bar_modulation",
    "image_pairs",
    "image_split",
    "load_vessels",
    "matrix_pairs",
    "matrix_scan",
    "matrix_split",
    "matrix_test_pairs",
    "matrix_train_pairs",
    "mixing_subset",
    "normalise_components",
    "points",
    "resolution_bars",
    "shares_core",
    "spread_out",
    "synthetic_vessels",
]
