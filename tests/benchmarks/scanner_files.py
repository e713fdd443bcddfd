"""What it takes to load a hundredth of the lines of a large calibration, part of ``make bench``: 2 GB, which the
temporary folder must hold; ``python -m tests.benchmarks.scanner_files 0.2`` takes 0.2 GB."""

import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from tests.scanner_files.scanners import Robot, calibration

ROBOT = Robot((19, 19, 19), every=19)
LOAD = """
import resource, sys, time
from mpinotes.scanner_files import load_matrix
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start = peak(), time.perf_counter()
matrix = load_matrix(sys.argv[1], least_snr=5.0)
took = time.perf_counter() - start
kept = matrix.components.nbytes / 2**20
print(f"{took:9.1f} s, {matrix.components.shape[1]} lines of {kept:,.0f} MB,", end=" ")
print(f"peak {peak() - before:,.0f} MB above the {before:,.0f} MB of torch")
"""


def write_calibration(path: Path, gigabytes: float, fast: bool) -> None:
    """A 3D calibration of 19³ voxels with 362 frames of the empty scanner, noise in pieces of a hundredth."""
    frames = len(ROBOT.voxel_times) + len(ROBOT.empty_times)
    lines = np.arange(1, 1 + int(gigabytes * 1e9 / (3 * 8 * frames)))
    few = calibration(np.zeros((3, 1, 19**3)), np.zeros((3, 1, frames)), lines[:1], ROBOT, 53856, drives=3)
    few |= {
        "measurement/isTransposed": int(fast),
        "measurement/frequencySelection": lines + 1,
        "calibration/snr": np.broadcast_to(np.where(lines % 100 == 50, 9.0, 1.0), (1, 3, len(lines))),
    }
    del few["measurement/data"]
    shape = (1, 3, len(lines), frames) if fast else (frames, 1, 3, len(lines))
    generator = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name, value in few.items():
            file[name] = value
        data = file.create_dataset("measurement/data", shape, "c8")
        axis = 2 if fast else 0
        for part in np.array_split(np.arange(shape[axis]), 100):
            if not len(part):
                continue
            size = (*shape[:axis], len(part), *shape[axis + 1 :])
            noise = generator.random((*size, 2), np.float32).view(np.complex64)[..., 0]
            data[(slice(None),) * axis + (slice(part[0], part[-1] + 1),)] = noise


def bench_calibration(gigabytes: float = 2.0) -> None:
    """Frames fastest, as OpenMPIData stores them, and slowest, as they are measured; each in a process of its own."""
    for fast in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "calibration.mdf"
            write_calibration(path, gigabytes, fast)
            done = subprocess.run(
                [sys.executable, "-c", LOAD, str(path)], capture_output=True, check=True, encoding="utf-8"
            )
        print(f"1 % of {gigabytes:g} GB, frames {'fastest' if fast else 'slowest'}: {done.stdout.strip()}")


if __name__ == "__main__":
    bench_calibration(*map(float, sys.argv[1:]))
