"""The rays of a planar scan as straight lines through the rows of a grid, ready for row traversal.

A ray that is steeper than a pixel's diagonal crosses every row of pixels once, at ``position + slope * row``; the
others do so on the transposed image. Rays that share their direction of traversal and follow each other along the
detector form a run. Of the rays that the symmetries of the scan take into each other only one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.geometry import FanBeam, PlanarScan, rays
from phantomsim.physics.xray.symmetry import Symmetry, shared_symmetries

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

DIAGONAL_TOLERANCE = 1e-9
"""Relative: all rays along a diagonal go one way, whatever their last bits say."""


@dataclass(frozen=True)
class Lines:
    """Rays in the order of traversal, and where the rays of the scan are among them.

    Parameters
    ----------
    table
        Position in row 0 [pixel] of the padded row, whose pixels are 1 to n; slope [pixel/row]; length of ray in a
        row [m] (3, ray), float64.
    runs
        First ray, ray after the last, and 1 where the run traverses the transposed image (run, 3). Positions increase
        along a run, and the transposed runs come last.
    symmetries
        What turns kept rays into the others; the identity comes first.
    places
        Of each ray of the scan, ``ray * len(symmetries) + symmetry`` (view, column).
    """

    table: Float64
    runs: npt.NDArray[np.int32]
    symmetries: tuple[Symmetry, ...]
    places: Int64

    @property
    def n_rays(self) -> int:
        """Number of rays that are kept."""
        return int(self.table.shape[1])

    @property
    def is_transposed(self) -> bool:
        """Whether any run traverses the transposed image."""
        return bool(self.runs[-1, 2])


@lru_cache(maxsize=4)
def trace_lines(scan: PlanarScan, grid: Grid, *, symmetric: bool) -> Lines:
    """Trace the rays of a scan through the planes of a grid.

    Parameters
    ----------
    scan
        Parallel or fan beam.
    grid
        Position of the voxels [m].
    symmetric
        Whether to keep only one of the rays that the symmetries of scan and grid take into each other.

    Raises
    ------
    UnitError
        If the grid reaches the circle of a fan beam's source.
    """
    _check_clearance(scan, grid)
    origin, along, length = _in_pixels(scan, grid)
    transposed = np.abs(along[..., 0]) < np.abs(along[..., 1]) * (1 - DIAGONAL_TOLERANCE)
    # columns increase to the left of the beam as seen from above: its direction orders them along a row of pixels
    descends = np.where(transposed, along[..., 1] > 0, along[..., 0] < 0)
    symmetries = shared_symmetries(scan, grid) if symmetric else shared_symmetries(scan, grid)[:1]
    kept, runs, places = _choose(transposed, descends, symmetries)
    pixel = np.where(transposed.ravel()[kept], 0, 1)
    of_ray = np.arange(len(kept))
    origin, along = origin.reshape(-1, 2)[kept], along.reshape(-1, 2)[kept]
    slope = along[of_ray, pixel] / along[of_ray, 1 - pixel]
    position = origin[of_ray, pixel] - slope * origin[of_ray, 1 - pixel] + 1
    step = length.ravel()[kept] / np.abs(along[of_ray, 1 - pixel])
    return Lines(np.stack([position, slope, step]), runs, symmetries, places)


def _choose(
    transposed: npt.NDArray[np.bool_], descends: npt.NDArray[np.bool_], symmetries: tuple[Symmetry, ...]
) -> tuple[Int64, npt.NDArray[np.int32], Int64]:
    """Return the rays to keep, as indices into (view, column), their runs, and the places of all rays.

    A ray is kept unless a symmetry takes one that is kept already to it; rays down the rows are chosen first.
    """
    n_views, n_columns = transposed.shape
    covered = np.zeros(transposed.shape, np.bool_)
    places = np.empty(transposed.shape, np.int64)
    kept: list[Int64] = []
    runs = []
    n_rays = 0
    for orientation in (False, True):
        for view in range(n_views):
            wanted = (transposed[view] == orientation) & ~covered[view]
            if not wanted.any():
                continue
            if any(s.views[view] == view and s.reverses[view] for s in symmetries):
                wanted[: n_columns // 2] &= ~wanted[::-1][: n_columns // 2]
            for columns in _stretches(wanted):
                ordered = columns[::-1] if descends[view, columns[0]] else columns
                ray = n_rays + np.arange(len(columns))
                for number, symmetry in enumerate(symmetries):
                    image = n_columns - 1 - ordered if symmetry.reverses[view] else ordered
                    new = ~covered[symmetry.views[view], image]
                    places[symmetry.views[view], image[new]] = ray[new] * len(symmetries) + number
                    covered[symmetry.views[view], image] = True
                kept.append(view * n_columns + ordered)
                runs.append((n_rays, n_rays + len(columns), orientation))
                n_rays += len(columns)
    return np.concatenate(kept), np.array(runs, np.int32), places


def _check_clearance(scan: PlanarScan, grid: Grid) -> None:
    (_, e_y, e_x), (_, c_y, c_x) = grid.extent, grid.centre
    corner = float(np.hypot(abs(c_y) + e_y / 2, abs(c_x) + e_x / 2))
    if isinstance(scan, FanBeam) and corner >= scan.source_to_axis:
        raise UnitError(
            f"the grid's corner, {corner:.4g} m from the axis, reaches the circle of the source, "
            f"{scan.source_to_axis:.4g} m; use a smaller field of view or a larger source_to_axis"
        )


def _in_pixels(scan: PlanarScan, grid: Grid) -> tuple[Float64, Float64, Float64]:
    """Return start and direction (view, column, 2) of the rays in pixels (y, x) of the grid, and their length [m]."""
    beams = rays(scan, np.zeros(1))
    start, direction = beams.start[:, 0, :, 1:], (beams.end - beams.start)[:, 0, :, 1:]
    spacing = np.array(grid.spacing[1:])
    first = np.array([grid.coordinates(1)[0], grid.coordinates(2)[0]])
    return (start - first) / spacing, direction / spacing, np.linalg.norm(direction, axis=-1)


def _stretches(wanted: npt.NDArray[np.bool_]) -> list[Int64]:
    """Return the indices of each unbroken stretch of true values."""
    index = np.flatnonzero(wanted)
    pieces = np.split(index, np.flatnonzero(np.diff(index) > 1) + 1)
    return [piece for piece in pieces if len(piece)]
