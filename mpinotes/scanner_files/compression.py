"""Matrices that are stored as their largest coefficients of a cosine transform over the grid (MDF 2.1)."""

import math
from dataclasses import dataclass

import h5py
import numpy as np
from scipy.fft import idctn

from mpinotes.scanner_files.datasets import accept, dataset, flag, numbers, texts
from mpinotes.scanner_files.frames import Frames


@dataclass(frozen=True)
class Compression:
    """How the foreground is compressed: `indices` of the coefficients that are kept, from 1, (period, channel, line,
    coefficient), still in the file; the `kind` of the transform, and the grid, (z, y, x)."""

    indices: h5py.Dataset
    kind: int
    grid: tuple[int, ...]
    empty: int

    @property
    def stored(self) -> int:
        """Frames in the file: coefficients, and those of the empty scanner."""
        return self.indices.shape[-1] + self.empty

    def undone(self, part: np.ndarray, channel: int, lines: slice) -> np.ndarray:
        """All frames (line, frame) from what is stored of them."""
        voxels, kept = math.prod(self.grid), self.indices.shape[-1]
        indices = np.asarray(self.indices[0, channel, lines]).astype(np.int64) - 1
        if indices.min() < 0 or indices.max() >= voxels or (np.diff(np.sort(indices)) == 0).any():
            raise ValueError(f"'/measurement/subsamplingIndices' holds others than 1 to {voxels}, each once")
        coefficients = np.zeros((len(part), voxels), part.dtype)
        np.put_along_axis(coefficients, indices, part[:, :kept], axis=1)
        axes = [axis + 1 for axis, size in enumerate(self.grid) if size > 1]
        values = coefficients.reshape(-1, *self.grid)
        if axes:
            values = idctn(values, type=self.kind, axes=axes, norm="ortho")
        return np.concatenate([values.reshape(len(part), voxels), part[:, kept:]], axis=1)


def read_compression(file: h5py.File, frames: Frames) -> Compression | None:
    """The compression of the data, or None where there is none."""
    if not flag(file, "measurement/isSparsityTransformed", 0):
        return None
    kinds = ["DCT-I", "DCT-II", "DCT-III", "DCT-IV"]
    kind = texts(file, "measurement/sparsityTransformation")[0]
    if kind not in kinds:
        raise ValueError(f"'/measurement/sparsityTransformation' is {kind}, accepted are {', '.join(kinds)}")
    size = numbers(file, "calibration/size", shape=(3,)).astype(np.int64)
    ahead = not frames.background[: len(frames.foreground)].any()
    if not (frames.fast and frames.fourier and ahead):
        raise ValueError(
            "'/measurement/isSparsityTransformed' is 1, accepted is that for spectra whose frames run fastest, "
            "background last"
        )
    accept("'/measurement/isSparsityTransformed' is 1 with periods:", frames.periods, 1)
    accept("'/calibration/size' has voxels:", math.prod(size.tolist()), len(frames.foreground))
    name = "measurement/subsamplingIndices"
    indices = dataset(file, name)
    if indices is None:
        raise ValueError(f"'/{name}' is missing")
    inner = (1, frames.channels, len(frames.lines))
    if indices.dtype.kind not in "iu" or indices.ndim != 4 or indices.shape[:3] != inner or not indices.shape[-1]:
        raise ValueError(
            f"'/{name}' is {indices.dtype} {indices.shape}, accepted are whole numbers (1, channel, line, …)"
        )
    return Compression(indices, kinds.index(kind) + 1, tuple(size[::-1].tolist()), len(frames.empty))
