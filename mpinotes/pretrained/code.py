"""Which code made a result."""

import hashlib
from pathlib import Path

import mpinotes


def package_hash() -> str:
    """Hash of the package's code and weights: what results and the book's cache depend on.

    >>> len(package_hash())
    16
    """
    digest = hashlib.sha256()
    root = Path(mpinotes.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".js", ".css", ".safetensors", ".json"}:
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
