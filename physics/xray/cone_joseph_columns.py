"""Detector columns along z as vertical fans of rays, ready for the planes of a grid.

In the circular or helical scan of a scanner that is not tilted, whose detector is flat or bent along its columns, all
rays of a column lie in one plane along z. They cross a plane of constant y or x at one line, and there at heights that
step evenly with the row: six numbers a column, linear in the number of the plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.cone import Views

Float64 = npt.NDArray[np.float64]

DIAGONAL_TOLERANCE = 1e-9
"""Relative: all rays along a diagonal go one way, whatever their last bits say."""


@dataclass(frozen=True)
class Columns:
    """Where the rays of every column cross the planes of a grid.

    Parameters
    ----------
    table
        Nine numbers of each column (view, column, 9), float64, planes and voxels counted from 0 and lines and heights
        from 1: line in plane 0, and its step per plane; height of row 0 in plane 0, and its step per plane; height of
        a row in plane 0, and its step per plane [voxel]. A ray is ``sqrt(a + (b + c * row)**2)`` long between two
        planes [m]; a, b, c are the last three.
    runs
        Runs of neighbouring columns across the same planes, whose lines increase (run, 5): 0 for planes across y or 1
        across x, view, first column, number of columns, and 1 or -1 where columns rise or fall.
    """

    table: Float64
    runs: npt.NDArray[np.int32]

    @property
    def sides(self) -> npt.NDArray[np.uint8]:
        """Whether the planes of a column lie across y (0) or x (1): (view, column)."""
        sides = np.zeros(self.table.shape[:2], np.uint8)
        for side, view, first, n, direction in self.runs:
            last = first + (n - 1) * direction
            sides[view, min(first, last) : max(first, last) + 1] = side
        return sides

    def steps(self, n_planes: tuple[int, int]) -> tuple[float, float]:
        """Return the least and the largest height of a row, in planes ahead of a source, for planes across y and x."""
        last = np.array(n_planes)[self.sides] - 1
        ends = np.stack([self.table[..., 4], self.table[..., 4] + self.table[..., 5] * last])
        ahead = ends[ends > 0]
        return (float(ahead.min()), float(ahead.max())) if ahead.size else (1.0, 1.0)


def trace_columns(views: Views, grid: Grid) -> Columns | None:
    """Trace the columns of a scan through the planes of a grid, or return None where they are no vertical fans.

    That is so if a detector is tilted or bent along its rows, if rows are uneven, or if some ray is so steep that it
    crosses more planes across z than across y and x.
    """
    pitch = float(views.rows[1] - views.rows[0]) if len(views.rows) > 1 else grid.spacing[0]
    upright = np.abs(views.row_axis - np.array([1.0, 0.0, 0.0])).max() < 1e-12
    if views.surface == "sphere" or not upright or np.abs(np.diff(views.rows) - pitch).max(initial=0) > 1e-9 * pitch:
        return None
    spacing, first = np.array(grid.spacing), np.array([grid.coordinates(axis)[0] for axis in range(3)])
    along = views.pixels(views.rows[:1], views.columns)[:, 0] - views.source[:, None]
    source, direction = np.broadcast_to((views.source[:, None] - first) / spacing, along.shape), along / spacing
    steepest = np.maximum(
        np.abs(direction[..., 0]), np.abs(direction[..., 0] + pitch / spacing[0] * (views.shape[1] - 1))
    )
    if (steepest > np.abs(direction[..., 1:]).max(axis=-1)).any():
        return None
    sides = np.abs(direction[..., 1]) < np.abs(direction[..., 2]) * (1 - DIAGONAL_TOLERANCE)
    across = np.where(sides, direction[..., 2], direction[..., 1])
    runs = _find_runs(sides, across, np.where(sides, direction[..., 1], direction[..., 2]) / np.abs(across))
    if runs is None:
        return None
    to_plane = -np.where(sides, source[..., 2], source[..., 1]) / across  # in plane 0, as a part of the ray
    table = np.empty((*sides.shape, 9))
    for place, (start, change) in enumerate(
        (
            (
                np.where(sides, source[..., 1], source[..., 2]) + 1,
                np.where(sides, direction[..., 1], direction[..., 2]),
            ),
            (source[..., 0] + 1, direction[..., 0]),
            (0.0, pitch / spacing[0]),
        )
    ):
        table[..., 2 * place] = start + to_plane * change
        table[..., 2 * place + 1] = change / across
    per_plane = 1 / np.abs(across)
    table[..., 6] = (np.hypot(along[..., 1], along[..., 2]) * per_plane) ** 2
    table[..., 7], table[..., 8] = along[..., 0] * per_plane, pitch * per_plane
    return Columns(table, runs)


def _find_runs(sides: npt.NDArray[np.bool_], across: Float64, slopes: Float64) -> npt.NDArray[np.int32] | None:
    """Return the runs of columns, or None where lines neither rise nor fall along one."""
    runs = []
    kinds = 2 * sides + (across > 0)
    for view, (kind, slope) in enumerate(zip(kinds, slopes, strict=True)):
        cuts = [0, *(np.flatnonzero(np.diff(kind)) + 1), len(kind)]
        for first, stop in pairwise(cuts):
            changes = np.diff(slope[first:stop])
            falls = len(changes) > 0 and changes[0] < 0
            if not ((changes < 0) if falls else (changes > 0)).all():
                return None
            start, direction = (stop - 1, -1) if falls else (first, 1)
            runs.append((int(sides[view, first]), view, start, stop - first, direction))
    return np.array(runs, np.int32)
