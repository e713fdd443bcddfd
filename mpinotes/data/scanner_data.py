"""What a scanner, particles and a magnet measured, or generated files of the same layout."""

import os
from dataclasses import dataclass
from pathlib import Path

from mpinotes.checks import check_count
from mpinotes.data.generated_scanner import generate_scanner_data
from mpinotes.data.vessels import VesselsUnavailable, vessels_file
from mpinotes.files import AnyPath

MATRIX, PHANTOM = "headscanner_matrix.h5", "headscanner_phantom.h5"
FIELD, CURVE = "selection_field_2Tpm.h5", "magnetisation_curve.txt"
_FILES = (MATRIX, PHANTOM, FIELD, CURVE)


@dataclass(frozen=True)
class ScannerData:
    """The `folder` of the files, and whether they were `measured`; `source` says so in words.

    >>> from pathlib import Path
    >>> ScannerData(Path("here"), measured=False, source="generated").measured
    False
    """

    folder: Path
    measured: bool
    source: str


def available_scanner_data(folder: AnyPath, *, seed: int = 0) -> ScannerData:
    """The folder of measured data, or `folder` with generated files of the same names and layout where there is none.

    Measured are a calibration and a phantom of a human-head scanner (9 × 3 positions, one receive channel, counts), a
    selection field and a magnetisation curve. They are looked for in the folder that ``MPI_SCANNER_ROOT`` names, else
    in `scanner` beside VesselMNIST3D, and all four have to be there. Raises ``OSError`` where nothing can be written.

    :param folder: of generated files; made where it is not there
    :param seed: of the noise in generated files

    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from unittest.mock import patch
    >>> with TemporaryDirectory() as folder, patch.dict(os.environ, MPI_SCANNER_ROOT="no/such/folder"):
    ...     data = available_scanner_data(folder)
    ...     data.measured, sorted(path.name for path in data.folder.iterdir())[:2]
    (False, ['headscanner_matrix.h5', 'headscanner_phantom.h5'])
    """
    check_count("seed", seed, 0)
    root = measured_folder()
    missing = [name for name in _FILES if root is None or not (root / name).is_file()]
    if root is not None and not missing:
        return ScannerData(root, True, "MEASURED data: a human-head scanner of 2018, a magnet, particles")
    generate_scanner_data(folder, seed)
    return ScannerData(
        Path(folder),
        False,
        f"GENERATED files stand in for measured ones. No {missing[0]} in {root}: put the files there, or name their "
        "folder in MPI_SCANNER_ROOT",
    )


def measured_folder() -> Path | None:
    """Where measured data are looked for, whether or not they are there; None where no folder can be named."""
    named = os.environ.get("MPI_SCANNER_ROOT")
    try:
        return Path(named).expanduser() if named else vessels_file().parent / "scanner"
    except (RuntimeError, VesselsUnavailable):  # nobody's home
        return None
