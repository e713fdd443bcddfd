"""Texts of variable length lie in heaps, and HDF5 (2.0 still) never returns from one whose free space has no length.

So that a damaged file cannot hang its reader, a heap is looked through before HDF5 follows it: see "Global Heap" in
section III.E of the HDF5 file format specification.
"""

import struct
from typing import BinaryIO

import h5py

_LONGEST = 2**24
"""Bytes of a heap; HDF5 writes heaps of 4 kB."""


def check_heaps(file: h5py.File, dataset: h5py.Dataset) -> None:
    """Raise ``ValueError`` where the texts of `dataset` lie in a heap that is damaged."""
    info = h5py.check_string_dtype(dataset.dtype)
    offset = dataset.id.get_offset()
    if info is None or info.length is not None or offset is None:
        return
    with open(file.filename, "rb") as raw:
        raw.seek(offset)
        references = raw.read(16 * dataset.size)
        usable = len(references) // 16 * 16
        addresses = {address for _, address, _ in struct.iter_unpack("<IQI", references[:usable])}
        for address in addresses - {0, 2**64 - 1}:
            if not _is_sound(raw, address + file.userblock_size):
                raise ValueError(f"'{dataset.name}' is damaged (its texts are out of reach)")


def _is_sound(raw: BinaryIO, address: int) -> bool:
    """Whether the objects of the heap follow each other to its end."""
    if address >= 2**63:
        return False
    raw.seek(address)
    header = raw.read(16)
    if len(header) < 16 or header[:4] != b"GCOL":
        return False
    (size,) = struct.unpack("<Q", header[8:])
    if not 16 < size <= _LONGEST:
        return False
    heap, at = raw.read(size - 16), 0
    while at + 16 <= len(heap):
        index, length = struct.unpack("<H6xQ", heap[at : at + 16])
        if index == 0:  # free space, to the end, whose length counts its header
            return length > 0
        at += 16 + -(-length // 8) * 8
    return len(heap) == size - 16
