"""Shared by all tests: a reproducible hypothesis profile and the real data where it is at hand."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from mpinotes.data import load_vessels
from mpinotes.data.scanner_data import measured_folder

settings.register_profile("mpinotes", deadline=None, max_examples=20, derandomize=True)
settings.load_profile("mpinotes")


@pytest.fixture(scope="session")
def scanner_data():
    """The folder of data that scanners measured."""
    root = measured_folder()
    if root is None or not (root / "headscanner_2018.mdf").is_file():
        pytest.skip("Needs measured data: set MPI_SCANNER_ROOT to the folder that holds headscanner_2018.mdf.")
    return root


@pytest.fixture(scope="session")
def real_vessels():
    """The test split of VesselMNIST3D, (382, 1, 32, 32, 32)."""
    root = os.environ.get("MEDMNIST_ROOT")
    if not root or not (Path(root) / "vesselmnist3d.npz").is_file():
        pytest.skip("Needs VesselMNIST3D: set MEDMNIST_ROOT to the folder that holds vesselmnist3d.npz.")
    return load_vessels("test")
