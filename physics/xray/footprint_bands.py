"""The bins of a planar scan as bands across the rows of a grid: what a bin takes from each pixel of a row.

The ray through the middle of a bin crosses the rows of pixels as in `joseph_lines`. Around its crossing a bin sees a
row through a window of unit area: a box as wide as the bin's shadow on the row (distance-driven), as the ray's own way
across the row (Siddon), or both, one folded with the other: a trapezoid (separable footprint).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import Literal

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Grid
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray.geometry import PlanarScan, rays
from phantomsim.physics.xray.joseph_lines import Float64, Int64, Lines, trace_lines

Window = Literal["way", "shadow", "both"]

NARROWEST = 1e-4
"""Width [pixel] below which a box is not narrowed: a ray along an edge of pixels is shared by both sides of it."""

SHARPEST = 1e-9
"""Width [pixel] of the second box where rays run straight across the rows: its inverse is finite, even in float32."""

ROUNDING = 1e-8
"""Width [pixel] that does not count: the ray along a diagonal touches two pixels, whatever its last bits say."""


@dataclass(frozen=True)
class Bands:
    """Bands in the order of traversal.

    Parameters
    ----------
    lines
        The rays through the middle of the bins.
    table
        Of each band (5 or 7, ray), float64: position of its middle in row 0 [pixel], where pixel i of the padded row
        reaches from i to i + 1; slope [pixel/row]; length of the ray in a row [m]; width of the box in row 0 [pixel]
        and its growth [pixel/row], of either sign together; for two boxes also the width of the second [pixel] and its
        inverse. The last band is repeated, so that whole vectors of bands can be read.
    runs
        First ray, ray after the last, 1 where the run traverses the transposed image, and the most pixels that a band
        of the run touches in a row (run, 4).
    """

    lines: Lines
    table: Float64
    runs: npt.NDArray[np.int32]

    @property
    def before(self) -> int:
        """Zeros before the pixels of a row: a band beside the grid reads nothing else."""
        return int(self.runs[:, 3].max())


@lru_cache(maxsize=4)
def trace_bands(scan: PlanarScan, grid: Grid, window: Window, *, symmetric: bool) -> Bands:
    """Trace the bins of a scan across the rows of a grid.

    Parameters
    ----------
    scan
        Parallel or fan beam.
    grid
        Position of the pixels [m].
    window
        What of a row a bin sees: ``"way"`` of the ray across the row, ``"shadow"`` of the bin, or ``"both"``.
    symmetric
        Whether to keep only one of the bins that the symmetries of scan and grid take into each other.

    Raises
    ------
    UnitError
        If the grid reaches the circle of a fan beam's source.
    """
    lines = trace_lines(scan, grid, symmetric=symmetric)
    position, slope, step = lines.table
    middle, growth = position - 0.5, slope  # pixel centres are whole numbers there, pixel edges here
    width, spread = np.maximum(np.abs(slope), NARROWEST), np.zeros_like(slope)
    if window != "way":
        left, right = _edges(scan, grid, lines)
        middle, growth = (left + right) / 2
        width, spread = right - left
    second = np.maximum(np.abs(slope), SHARPEST) if window == "both" else np.zeros_like(slope)
    n_taps = _n_taps(grid, lines, width, spread, second)
    runs = np.concatenate([lines.runs, n_taps[:, None]], axis=1)
    table = [middle + n_taps.max(), growth, step, width, spread]
    if window == "both":
        table += [second, 1 / second]
    return Bands(lines, np.pad(np.stack(table), ((0, 0), (0, LANES)), mode="edge"), runs)


def _edges(scan: PlanarScan, grid: Grid, lines: Lines) -> tuple[Float64, Float64]:
    """Return position in row 0 and slope (2, ray) of the rays through both edges of each bin, from pixel 0's edge."""
    beams = rays(replace(scan, n_columns=scan.n_columns + 1), np.zeros(1))
    spacing, corner = np.array(grid.spacing[1:]), np.array(grid.lower[1:])
    origin = (beams.start[:, 0, :, 1:] - corner) / spacing
    along = (beams.end - beams.start)[:, 0, :, 1:] / spacing
    view, column = np.divmod(_kept(lines), scan.n_columns)
    pixel = 1 - np.repeat(lines.runs[:, 2], lines.runs[:, 1] - lines.runs[:, 0])
    result = []
    for edge in (column, column + 1):
        slope = along[view, edge, pixel] / along[view, edge, 1 - pixel]
        at_row = origin[view, edge, pixel] - slope * (origin[view, edge, 1 - pixel] - 0.5)
        result.append(np.stack([at_row, slope]))
    return result[0], result[1]


def _kept(lines: Lines) -> Int64:
    """Return which ray of the scan, as an index into (view, column), each line is: the one that no symmetry turns."""
    places = lines.places.ravel()
    own = np.flatnonzero(places % len(lines.symmetries) == 0)
    kept = np.empty(lines.n_rays, np.int64)
    kept[places[own] // len(lines.symmetries)] = own
    return kept


def _n_taps(grid: Grid, lines: Lines, width: Float64, spread: Float64, second: Float64) -> npt.NDArray[np.int32]:
    """Return the most pixels of a row that a band of each run may touch."""
    result = []
    for start, stop, transposed in lines.runs:
        last = grid.shape[2 if transposed else 1] - 1
        boxes = np.maximum(np.abs(width[start:stop]), np.abs(width[start:stop] + spread[start:stop] * last))
        result.append(ceil((boxes + second[start:stop]).max() - ROUNDING) + 1)
    return np.array(result, np.int32)
