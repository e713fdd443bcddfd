"""Files that are either whole or not there, and who may write them.

This module imports nothing of the package and may be used on every floor.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

AnyPath = str | os.PathLike[str]
"""A file or folder, as callers may name it."""


def save_atomically(path: AnyPath, content: bytes) -> None:
    """Replace `path` by `content` in one step: a crash leaves the old file or the new, never half of one.

    Several processes may write one file at a time: each has a temporary file of its own, and the last one's
    content stays. Where `path` is a link, what it points to is replaced. Raises ``OSError`` with what to do
    when the folder is full or not writable.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException as error:  # Ctrl-C as well: nothing else would ever remove a name of chance
        with suppress(OSError):
            partial.unlink()
        if not isinstance(error, OSError):
            raise
        raise OSError(
            error.errno, f"cannot write {path} ({error.strerror}): free space or choose another output folder"
        ) from error


@contextmanager
def alone_in(folder: AnyPath, *, wait: bool = False) -> Iterator[None]:
    """Keep other processes that ask for the same out of `folder`, by a lock on its file ``.lock``.

    The lock goes with the process that holds it, however that ends; the empty file stays. Where the system
    has no such locks, on Windows and some network drives, nobody is kept out. Raises ``BlockingIOError``
    when the folder is taken, unless told to `wait`, and ``OSError`` with what to do when it cannot be written.
    """
    path = Path(folder) / ".lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab")  # noqa: SIM115  # closed below
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path} ({error.strerror}): choose another output folder") from error
    with file:
        if fcntl:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise BlockingIOError(
                    f"another process works in {folder}: wait until it ends, or choose another output folder"
                ) from error
            except OSError:  # no locks here
                pass
        yield
