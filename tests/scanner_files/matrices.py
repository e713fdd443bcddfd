"""Small matrices of every dimension, and their files."""

import h5py
import numpy as np
import pytest
import torch

from mpinotes.physics import LissajousScan, SystemMatrix

SCANS = {
    1: LissajousScan(
        gradient=(-2.5,),
        amplitude=(20e-3,),
        base_frequency=25e3,
        density=5,
        shape=(7,),
        field_of_view=(30e-3,),
        coil_sensitivity=2e-3,
    ),
    2: LissajousScan(
        gradient=(1.0, -0.7),
        amplitude=(20e-3, 15e-3),
        base_frequency=25e3,
        density=7,
        shape=(3, 4),
        field_of_view=(30e-3, 40e-3),
        coil_sensitivity=(1e-3, 2e-3),
    ),
    3: LissajousScan(
        gradient=(1.0, 1.5, -2.5),
        amplitude=(20e-3, 15e-3, 10e-3),
        base_frequency=10e3,
        density=3,
        shape=(2, 3, 4),
        field_of_view=(30e-3, 40e-3, 20e-3),
        coil_sensitivity=1e-3,
    ),
}
CYCLES = {1: (1,), 2: (8, 7), 3: (20, 15, 12)}  # of dividers 5; 7, 8; 3, 4, 5
ORDERS = {
    1: [[3], [1], [2]],
    2: [[2, 0], [1, 1], [0, 3], [2, -1]],
    3: [[1, 1, 1], [2, 0, 0], [0, 3, -1], [0, 0, 2], [1, 0, 1]],
}
every_scan = pytest.mark.parametrize("dims", [1, 2, 3])


def matrix_of(dims, *, snr=False, dtype=torch.complex128, orders=None, scan=None, components=None):
    """Random numbers on all channels and pixels, volts as small as those of one particle."""
    scan = scan or SCANS[dims]
    orders = torch.tensor(ORDERS[dims] if orders is None else orders)
    generator = torch.Generator().manual_seed(dims)
    if components is None:
        components = 1e-22 * torch.randn(dims, len(orders), *scan.shape, dtype=dtype, generator=generator)
    bins = (orders * torch.tensor(CYCLES[dims])).sum(1)
    return SystemMatrix(
        components=components,
        mixing_orders=orders,
        frequencies=bins.double() * scan.repetition_frequency,
        scan=scan,
        snr=torch.rand(dims, len(orders), dtype=torch.float64, generator=generator) if snr else None,
    )


def assert_same_bits(got, expected):
    assert got.dtype == expected.dtype and got.shape == expected.shape
    assert got.contiguous().numpy().tobytes() == expected.contiguous().numpy().tobytes()


def change(path, name, value):
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            strings = h5py.string_dtype() if np.asarray(value).dtype.kind == "U" else None
            file.create_dataset(name, data=value, dtype=strings)
