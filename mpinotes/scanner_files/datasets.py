"""Datasets of a file in the MPI Data Format, read with their type and shape.

What is wrong raises a ``ValueError`` that names the dataset; `opened` adds the path of the file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mpinotes.scanner_files.heap import check_heaps

FilePath = str | Path
DRIVE, RECEIVER = "acquisition/drivefield", "acquisition/receiver"

_PACKED = 1100
"""More than the 1032 bytes that deflate makes of one: what claims more than that was never written."""
_MANY = 2**24
_MUCH = 2**28
"""Bytes that no dataset but the data has; those are read in parts."""


@contextmanager
def opened(path: FilePath, accepted: str) -> Iterator[h5py.File]:
    """The file to read. Raises ``FileNotFoundError`` where there is none, ``ValueError`` with the path
    for one that is damaged, or whose contents raise one. `accepted`: what the file should be."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file, accepted is {accepted}")
    try:
        with h5py.File(path, "r") as file:
            version = texts(file, "version")[0]
            if not version.startswith("2."):
                raise ValueError(f"'/version' is {version}, accepted is 2.x")
            yield file
    except (OSError, RuntimeError) as error:  # what h5py raises on damaged files
        raise ValueError(f"{path}: damaged, or no HDF5 file ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


@contextmanager
def undamaged(name: str) -> Iterator[None]:
    """What h5py raises on a damaged dataset besides ``OSError`` and ``RuntimeError``, as a ``ValueError``."""
    try:
        yield
    except (KeyError, TypeError, OverflowError, MemoryError) as error:
        raise ValueError(f"'/{name}' is damaged ({error})") from error


def holds(file: h5py.File, name: str) -> bool:
    """Whether there is an entry of that name."""
    with undamaged(name):
        return name in file


def dataset(file: h5py.File, name: str) -> h5py.Dataset | None:
    """A dataset whose numbers lie in the file, or None where there is no entry of that name."""
    if not holds(file, name):
        return None
    with undamaged(name):
        found = file[name]
        if not isinstance(found, h5py.Dataset) or found.shape is None:
            raise ValueError(f"'/{name}' is missing")
        if found.nbytes > max(2**20, _PACKED * found.id.get_storage_size()):
            raise ValueError(f"'/{name}' has shape {found.shape}, more than the file holds")
        return found


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
    found = dataset(file, name)
    if found is None:
        if default is None:
            raise ValueError(f"'/{name}' is missing")
        return np.asarray(default)
    if found.dtype.kind not in kind:
        raise ValueError(f"'/{name}' is {found.dtype}, accepted are {'complex' if kind == 'c' else 'real'} numbers")
    if found.nbytes > _MUCH:
        raise ValueError(f"'/{name}' has shape {found.shape}, more than it can have")
    long, expected = ([n for n in axes if n != 1] for axes in (found.shape, shape))
    if long != expected and -1 not in shape:
        raise ValueError(f"'/{name}' has shape {found.shape}, accepted is {shape}")
    with undamaged(name):
        values = np.asarray(found[()])
    if not np.isfinite(values).all():
        raise ValueError(f"'/{name}' has NaN or infinite values, accepted are finite numbers")
    return values.reshape(shape).astype(values.dtype.newbyteorder("="), copy=False)


def rows(file: h5py.File, name: str, default: Any = None, *, width: int) -> np.ndarray:
    """A dataset of one or more rows of `width` numbers, (row, width)."""
    values = numbers(file, name, default, shape=(-1,))
    if not values.size or values.size % width:
        raise ValueError(f"'/{name}' has {values.size} numbers, accepted are {width}, or rows of them")
    return values.reshape(-1, width)


def flag(file: h5py.File, name: str, default: Any = None) -> bool:
    """A switch."""
    return bool(numbers(file, name, default))


def count(file: h5py.File, name: str, default: Any = None) -> int:
    """A whole number of at least one, and not so large that no memory holds as many."""
    value = float(numbers(file, name, default))
    if not 1 <= value <= _MANY or value % 1:
        raise ValueError(f"'/{name}' is {value:g}, accepted is a whole number from 1 to {_MANY}")
    return int(value)


def texts(file: h5py.File, name: str, default: str | None = None) -> list[str]:
    """A dataset of one or more texts, flattened."""
    found = dataset(file, name)
    if found is None and default is not None:
        return [default]
    if found is None or found.size == 0:
        raise ValueError(f"'/{name}' is missing")
    if found.nbytes > _MUCH:
        raise ValueError(f"'/{name}' has shape {found.shape}, more than it can have")
    with undamaged(name):
        check_heaps(file, found)
        return [text.decode() if isinstance(text, bytes) else str(text) for text in np.ravel(found[()]).tolist()]


def accept(what: str, got: Any, accepted: Any) -> None:
    """Raise ``ValueError`` unless the two are equal."""
    if got != accepted:
        raise ValueError(f"{what} {got}, accepted is {accepted}")
