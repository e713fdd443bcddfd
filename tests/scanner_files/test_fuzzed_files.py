"""Files with flipped bytes, cut off, or with datasets of other types and shapes: a clear ``ValueError`` or a matrix,
no hang and nothing written. A process of its own reads them under a bound, for HDF5 itself may crash or never end."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from mpinotes.scanner_files import load_matrix, save_matrix
from tests.scanner_files.matrices import matrix_of
from tests.scanner_files.scanners import write
from tests.scanner_files.test_user_reports import content

READER = """
import sys
from pathlib import Path
import torch
from mpinotes.scanner_files import load_matrix, load_measurement
for path in sorted(Path(sys.argv[1]).iterdir()):
    for load in (load_matrix, load_measurement):
        try:
            loaded = load(path)
            values = torch.view_as_real(loaded.components if load is load_matrix else loaded.voltage)
            found = "fine" if torch.isfinite(values).all() else "not finite"
        except ValueError as error:
            found = "refused" if str(error).startswith(f"{path}: ") and len(str(error)) > len(str(path)) + 10 else error
        except BaseException as error:
            found = repr(error)
        print(path.name, load.__name__, found, sep="|")
"""
VALUES = [
    *(None, 0, 1, -1, 2, 2**40, -(2**62), 0.5, 1e300, -1e300, np.nan, np.inf, "text", "", [], [1], [1, 2]),
    *([[1.5, 2], [3, 4]], np.zeros((0, 3)), np.ones((2, 3, 4, 5)), np.array([1 + 1j]), np.array([b"a", b"b"])),
    *(np.ones(73), np.zeros(60), np.bool_(True), np.arange(1, 74), np.ones((1, 3, 5, 73)), h5py.Empty("f8")),
]


def outcomes(folder):
    """What a reader in a process of its own makes of each file, (name, function, outcome)."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READER, str(folder)], capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [line.split("|", 2) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A calibration as a scanner writes it and one of ours."""
    folder = tmp_path_factory.mktemp("originals")
    more = {
        "calibration/snr": np.full((1, 3, 5), 9.0),
        "acquisition/receiver/transferFunction": np.full((3, 5), 1 + 0j),
        "acquisition/receiver/dataConversionFactor": np.array([[1.0, 0]] * 3),
    }
    save_matrix(matrix_of(3, snr=True), folder / "ours.mdf")
    return [write(folder / "theirs.mdf", content(**more)), folder / "ours.mdf"]


def flipped(original, generator):
    data = bytearray(original.read_bytes())
    for at in generator.integers(0, len(data), generator.integers(1, 12)):
        data[at] ^= 1 << int(generator.integers(0, 8))
    return bytes(data[: generator.integers(0, len(data))] if generator.random() < 0.2 else data)


def exchanged(path, generator):
    """One or two datasets of a file are exchanged for others."""
    with h5py.File(path, "r+") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in generator.choice(names, generator.integers(1, 3), replace=False):
            value = VALUES[generator.integers(len(VALUES))]
            del file[name]
            if value is not None:
                file[name] = value


def test_a_fuzzed_file_is_refused_or_read_and_left_as_it_is(originals, tmp_path):
    generator = np.random.default_rng(0)
    for number in range(160):
        path = tmp_path / f"{number}.mdf"
        original = originals[number // 2 % 2]
        path.write_bytes(flipped(original, generator) if number % 2 else original.read_bytes())
        if number % 2 == 0:
            exchanged(path, generator)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    found = outcomes(tmp_path)
    assert len(found) == 320
    assert [line for line in found if line[2] not in ("fine", "refused")] == []
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert 50 < sum(line[2] == "refused" for line in found) < 300  # the test tries both


def test_a_heap_that_hdf5_would_follow_for_ever_is_refused(originals):
    """Free space of no length behind the texts."""
    path = originals[0]
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    size = int.from_bytes(data[heap + 8 : heap + 16], "little")
    at = heap + 16
    while int.from_bytes(data[at : at + 2], "little"):
        at += 16 + -(-int.from_bytes(data[at + 8 : at + 16], "little") // 8) * 8
    assert at < heap + size
    data[at + 8 : at + 16] = bytes(8)
    damaged = path.with_name("heap.mdf")
    damaged.write_bytes(data)
    with pytest.raises(ValueError, match=r"heap.mdf: '/version' is damaged \(its texts are out of reach\)"):
        load_matrix(damaged)


def test_a_shape_that_no_file_of_its_size_holds_is_refused_before_it_is_read(originals):
    """Numbers that were never written take no room: a terabyte in a few bytes."""
    path = originals[0].with_name("huge.mdf")
    path.write_bytes(originals[0].read_bytes())
    with h5py.File(path, "r+") as file:
        for name in ("measurement/isBackgroundFrame", "measurement/data"):
            del file[name]
        file.create_dataset("measurement/isBackgroundFrame", (2**37,), "f8", chunks=(2**10,))
        file.create_dataset("measurement/data", (1, 3, 5, 2**37), "c16", chunks=(1, 1, 1, 2**10))
    with pytest.raises(
        ValueError, match=r"huge.mdf: '/measurement/isBackgroundFrame' has shape .*, more than the file"
    ):
        load_matrix(path)
