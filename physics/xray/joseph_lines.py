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

    table: npt.NDArray[np.float64]
    runs: npt.NDArray[np.int32]
    symmetries: tuple[Symmetry, ...]
    places: npt.NDArray[np.int64]

    @property
    def n_rays(self) -> int:
        """Number of rays that are kept."""
        return int(self.table.shape[1])

    @property
    def is_transposed(self) -> bool:
        """Whether any run traverses the transposed image."""
        return bool(self.runs[-1, 2])


@lru_cache(maxsize=16)
def trace_lines(scan: PlanarScan, grid: Grid) -> Lines:
    """Trace the rays of a scan through the planes of a grid.

    Raises
    ------
    UnitError
        If the grid reaches the circle of a fan beam's source.
    """
    _check_clearance(scan, grid)
    tables, transposed, descends = _cross(scan, grid)
    symmetries = shared_symmetries(scan, grid)
    covered = np.zeros(transposed.shape, np.bool_)
    places = np.empty(transposed.shape, np.int64)
    kept: list[npt.NDArray[np.float64]] = []
    runs = []
    n_rays = 0
    for orientation in (False, True):
        for view in range(scan.n_views):
            wanted = (transposed[view] == orientation) & ~covered[view]
            if any(s.views[view] == view and s.reverses[view] for s in symmetries):
                wanted[: len(wanted) // 2] &= ~wanted[::-1][: len(wanted) // 2]
            for columns in _stretches(wanted):
                if descends[view, columns[0]]:
                    columns = columns[::-1]
                ray = n_rays + np.arange(len(columns))
                for number, symmetry in enumerate(symmetries):
                    image = len(wanted) - 1 - columns if symmetry.reverses[view] else columns
                    new = ~covered[symmetry.views[view], image]
                    places[symmetry.views[view], image[new]] = ray[new] * len(symmetries) + number
                    covered[symmetry.views[view], image] = True
                kept.append(tables[orientation][:, view, columns])
                runs.append((n_rays, n_rays + len(columns), orientation))
                n_rays += len(columns)
    return Lines(np.concatenate(kept, axis=1), np.array(runs, np.int32), symmetries, places)


def _check_clearance(scan: PlanarScan, grid: Grid) -> None:
    (_, e_y, e_x), (_, c_y, c_x) = grid.extent, grid.centre
    corner = float(np.hypot(abs(c_y) + e_y / 2, abs(c_x) + e_x / 2))
    if isinstance(scan, FanBeam) and corner >= scan.source_to_axis:
        raise UnitError(
            f"the grid's corner, {corner:.4g} m from the axis, reaches the circle of the source, "
            f"{scan.source_to_axis:.4g} m; use a smaller field of view or a larger source_to_axis"
        )


def _cross(
    scan: PlanarScan, grid: Grid
) -> tuple[list[npt.NDArray[np.float64]], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the tables (3, view, column) of both traversals, which rays take the transposed one, which descend."""
    beams = rays(scan, np.zeros(1))
    start, end = beams.start[:, 0, :, 1:], beams.end[:, 0, :, 1:]
    spacing = np.array(grid.spacing[1:])
    first = np.array([grid.coordinates(1)[0], grid.coordinates(2)[0]])
    origin, along = (start - first) / spacing, (end - start) / spacing
    length = np.linalg.norm(end - start, axis=-1)
    tables = []
    with np.errstate(divide="ignore", invalid="ignore"):  # a ray along the rows is never traversed by them
        for row, pixel in ((0, 1), (1, 0)):
            slope = along[..., pixel] / along[..., row]
            position = origin[..., pixel] - slope * origin[..., row] + 1
            tables.append(np.stack([position, slope, length / np.abs(along[..., row])]))
    transposed = np.abs(along[..., 0]) < np.abs(along[..., 1]) * (1 - DIAGONAL_TOLERANCE)
    # columns increase to the left of the beam as seen along -z: the sign of the direction orders them along a row
    descends = np.where(transposed, along[..., 1] > 0, along[..., 0] < 0)
    return tables, transposed, descends


def _stretches(wanted: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int64]]:
    """Return the indices of each unbroken stretch of true values."""
    index = np.flatnonzero(wanted)
    pieces = np.split(index, np.flatnonzero(np.diff(index) > 1) + 1)
    return [piece for piece in pieces if len(piece)]
