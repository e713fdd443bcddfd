"""The grid of a calibration: where its voxels are, and which of them lie in the plane of the scan."""

import math
from dataclasses import dataclass

import h5py
import numpy as np

from mpinotes.checks import check_count, check_several
from mpinotes.scanner_files.datasets import accept, flag, holds, numbers, rows, texts


@dataclass(frozen=True)
class Grid:
    """Voxels (x, y, z), field of view and centre [m] of a calibration; `voxel` has the number of the voxel,
    x fastest, that each foreground frame was measured in."""

    size: np.ndarray
    view: np.ndarray
    centre: np.ndarray
    voxel: np.ndarray

    def section(
        self, axes: tuple[int, ...], plane: int | tuple[int, ...] | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What a scan along `axes` keeps: the foreground frame of each voxel, (…, y, x), view and centre (x, y, …).

        In directions without a drive one voxel is left, that of `plane` or the one nearest to the figure.
        """
        cut = [axis for axis in range(3) if axis not in axes]
        chosen = {axis: self._nearest(axis) for axis in cut}
        if plane is not None:
            cut = cut or [2]
            several = [axis for axis in cut if self.size[axis] > 1]
            given = plane if isinstance(plane, tuple | list) else (plane,)
            names = ", ".join("xyz"[axis] for axis in cut)
            check_several("plane", given, {len(cut), len(several)} - {0}, f"numbers of voxels along {names}")
            for axis, index in zip(several if len(given) == len(several) else cut, given, strict=True):
                check_count("plane", index, 0, int(self.size[axis]) - 1)
                chosen[axis] = int(index)
        view, centre = self.view.copy(), self.centre.copy()
        frame = np.empty(len(self.voxel), np.int64)
        frame[self.voxel] = np.arange(len(self.voxel))
        frame = frame.reshape(self.size[::-1])
        for axis, index in chosen.items():
            edge = view[axis] / self.size[axis]
            centre[axis] += (index - (self.size[axis] - 1) / 2) * edge
            view[axis] = edge
            frame = np.take(frame, [index], axis=2 - axis)
        kept = list(axes)
        return frame.reshape([frame.shape[2 - axis] for axis in reversed(axes)]), view[kept], centre[kept]

    def _nearest(self, axis: int) -> int:
        """The voxel nearest to the plane of the figure, of two the first."""
        n = self.size[axis]
        places = self.centre[axis] + ((np.arange(n) + 0.5) / n - 0.5) * self.view[axis]
        return int(np.argmin(np.abs(places).round(9)))


def read_grid(file: h5py.File, foreground: int) -> Grid:
    """The grid of a file with so many `foreground` frames."""
    accept("'/calibration/order' is", texts(file, "calibration/order", "xyz")[0], "xyz")
    places = None
    if holds(file, "calibration/positions"):
        places = rows(file, "calibration/positions", width=3)
        accept("'/calibration/positions' has rows:", len(places), foreground)
    if places is not None and not holds(file, "calibration/size"):
        size, view, centre = _grid_of(places)
    else:
        size = numbers(file, "calibration/size", shape=(3,))
        if (size < 1).any() or (size % 1).any():
            raise ValueError(f"'/calibration/size' is {size}, accepted are whole numbers of at least 1")
        size = size.astype(np.int64)
        view = numbers(file, "calibration/fieldOfView", shape=(3,)).astype(float)
        centre = np.broadcast_to(numbers(file, "calibration/fieldOfViewCenter", 0.0, shape=(-1,)), (3,)).astype(float)
    voxels = math.prod(size.tolist())
    accept("'/measurement/isBackgroundFrame' leaves", foreground, voxels)
    if places is not None:
        voxel = _voxels_at(places, size, view, centre)
    elif flag(file, "calibration/isMeanderingGrid", 0) and not flag(file, "measurement/isFramePermutation", 0):
        voxel = _meander(size)
    else:
        voxel = np.arange(voxels)
    return Grid(size, view, centre, voxel)


def _grid_of(places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, field of view and centre of a regular grid from its positions, to a micrometre."""
    axes = [np.unique(places[:, axis].round(6)) for axis in range(3)]
    size = np.array([len(axis) for axis in axes])
    edges = [(axis[-1] - axis[0]) / (len(axis) - 1) if len(axis) > 1 else 0.0 for axis in axes]
    edge = np.where(size > 1, edges, min((e for e in edges if e), default=1e-3))
    return size, size * edge, np.array([(axis[0] + axis[-1]) / 2 for axis in axes])


def _voxels_at(places: np.ndarray, size: np.ndarray, view: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The number of the voxel that each position lies in the middle of."""
    edge = np.where(view > 0, view, 1.0) / size
    index = (places - centre) / edge + (size - 1) / 2
    nearest = np.where(size == 1, 0, index.round()).astype(np.int64)
    off = np.where(size == 1, 0.0, np.abs(index - nearest))
    voxel = nearest @ np.array([1, size[0], size[0] * size[1]])
    inside = ((nearest >= 0) & (nearest < size)).all()
    if not inside or off.max() > 0.25 or len(np.unique(voxel)) != len(voxel):
        raise ValueError("'/calibration/positions' are not those of a grid, accepted is one frame for each voxel")
    return voxel


def _meander(size: np.ndarray) -> np.ndarray:
    """The number of the voxel of each frame of a robot that turns around at every end."""
    z, y, x = np.indices(tuple(size[::-1].tolist())).reshape(3, -1)
    turned_y = np.where(z % 2 == 1, size[1] - 1 - y, y)
    turned_x = np.where((y + z) % 2 == 1, size[0] - 1 - x, x)
    return (z * size[1] + turned_y) * size[0] + turned_x
