"""Files that are either whole or not there.

This module imports nothing of the package and may be used on every floor.
"""

import os
from contextlib import suppress
from pathlib import Path


def save_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step: a crash leaves the old file or the new, never half of one.

    Raises ``OSError`` with what to do when the folder is full or not writable.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise OSError(
            error.errno, f"cannot write {path} ({error.strerror}): free space or choose another output folder"
        ) from error
