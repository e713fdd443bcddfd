"""Datasets of a file in the MPI Data Format, read with their type and shape.

What is wrong raises a ``ValueError`` that names the dataset; `opened` adds the path of the file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

FilePath = str | Path
DRIVE, RECEIVER = "acquisition/drivefield", "acquisition/receiver"


@contextmanager
def opened(path: FilePath, accepted: str) -> Iterator[h5py.File]:
    """The file to read. Raises ``FileNotFoundError`` where there is none, ``ValueError`` with the path
    for one that is damaged, or whose contents raise one. `accepted`: what the file should be."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file, accepted is {accepted}")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError) as error:  # what h5py raises on damaged files
        raise ValueError(f"{path}: damaged, or no HDF5 file ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def numbers(
    file: h5py.File, name: str, default: Any = None, *, shape: tuple[int, ...] = (), kind: str = "biuf"
) -> np.ndarray:
    """A dataset of finite numbers; ``ValueError`` where it is missing or other than this.

    :param file: opened for reading
    :param name: of the dataset, with its groups
    :param default: what a missing dataset stands for
    :param shape: of the numbers; axes of length one may be missing in the file, and -1 is any length
    :param kind: NumPy's letters for the accepted types; "c" are complex numbers
    """
    dataset = file.get(name)
    if dataset is None and default is not None:
        return np.asarray(default)
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise ValueError(f"'/{name}' is missing")
    if dataset.dtype.kind not in kind:
        raise ValueError(f"'/{name}' is {dataset.dtype}, accepted are {'complex' if kind == 'c' else 'real'} numbers")
    long, expected = ([n for n in axes if n != 1] for axes in (dataset.shape, shape))
    if long != expected and -1 not in shape:
        raise ValueError(f"'/{name}' has shape {dataset.shape}, accepted is {shape}")
    values = np.asarray(dataset[()])
    if not np.isfinite(values).all():
        raise ValueError(f"'/{name}' has NaN or infinite values, accepted are finite numbers")
    return values.reshape(shape).astype(values.dtype.newbyteorder("="), copy=False)


def texts(file: h5py.File, name: str, default: str | None = None) -> list[str]:
    """A dataset of one or more texts, flattened."""
    dataset = file.get(name)
    if dataset is None and default is not None:
        return [default]
    if not isinstance(dataset, h5py.Dataset) or dataset.size == 0:
        raise ValueError(f"'/{name}' is missing")
    return [text.decode() if isinstance(text, bytes) else str(text) for text in np.ravel(dataset[()]).tolist()]


def accept(what: str, got: Any, accepted: Any) -> None:
    """Raise ``ValueError`` unless the two are equal."""
    if got != accepted:
        raise ValueError(f"{what} {got}, accepted is {accepted}")
