"""Data: vessels, real and synthetic, and the pairs the two papers train on."""

from mpinotes.data.image_pairs import ImagePairs, Imaging, image_pairs
from mpinotes.data.matrix_pairs import (
    PAPER_SETTINGS,
    PAPER_TEST,
    MatrixPairs,
    MatrixSetting,
    matrix_pairs,
    mixing_subset,
)
from mpinotes.data.synthetic import synthetic_vessels
from mpinotes.data.vessels import Vessels, VesselsUnavailable, available_vessels, load_vessels

__all__ = [
    "PAPER_SETTINGS",
    "PAPER_TEST",
    "ImagePairs",
    "Imaging",
    "MatrixPairs",
    "MatrixSetting",
    "Vessels",
    "VesselsUnavailable",
    "available_vessels",
    "image_pairs",
    "load_vessels",
    "matrix_pairs",
    "mixing_subset",
    "synthetic_vessels",
]
