"""Which pixels can see a neighbourhood of a voxel: an inverse of every detector's form, on the safe side."""

from __future__ import annotations

from math import asin, atan2, inf, sqrt
from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Real, scalar

MARGIN: Final = 0.25
"""Of the size of the projected neighbourhood, on each side: for rounding, and for edges that a bent detector bends."""


@scalar
def _project(local: Any, form: Any, plane: Real, line: Real, height: Real) -> tuple[Real, Real, bool]:
    """Return where the ray in a direction [voxel] meets the detector (row, column) [m], and whether it does."""
    a = local[0, 0] * plane + local[0, 1] * line + local[0, 2] * height
    b = local[1, 0] * plane + local[1, 1] * line + local[1, 2] * height
    n = local[2, 0] * plane + local[2, 1] * line + local[2, 2] * height
    along, up, out = local[3, 0], local[3, 1], local[3, 2]
    kind, radius = form[0], form[1]
    zero = a - a
    if kind <= zero:
        if n >= zero:
            return zero, zero, False
        return up - out / n * b, along - out / n * a, True
    spherical = kind > np.float32(1)
    out = out - radius
    square, mixed, rest = a * a + n * n, along * a + out * n, along * along + out * out - radius * radius
    if spherical:
        square, mixed, rest = square + b * b, mixed + up * b, rest + up * up
    root = mixed * mixed - square * rest
    if root <= zero or square <= zero:
        return zero, zero, False
    far = (sqrt(root) - mixed) / square
    if far <= zero:
        return zero, zero, False
    column = radius * atan2(along + far * a, -(out + far * n))
    row = up + far * b
    if spherical:
        row = radius * asin(min(max(row / radius, -np.float32(1) + zero), np.float32(1) + zero))
    return row, column, True


@scalar
def _range(places: Any, low: Real, high: Real) -> tuple[int, int]:
    """Return the first of rising places from `low` on, and the first beyond `high`."""
    margin = np.float32(MARGIN) * (high - low)
    found = (0, 0)
    for end in range(2):
        bound = high + margin if end else low - margin
        start, stop = 0, places.shape[0]
        while start < stop:
            middle = (start + stop) // 2
            if places[middle] < bound:
                start = middle + 1
            else:
                stop = middle
        found = (found[1], start)
    return found


@scalar
def pixels_behind(
    local: Any, form: Any, rows: Any, columns: Any, plane: Real, line: Real, height: Real
) -> tuple[int, int, int, int]:
    """Return first row and end, first column and end of the pixels behind two by two voxels of a plane.

    Parameters
    ----------
    local
        Axes of the detector and place of the source (4, 3), see `phantomsim.physics.xray.cone_joseph_poses.Poses`.
    form
        0 flat, 1 cylinder, 2 sphere; radius [m].
    rows, columns
        Positions of the pixels on the detector [m].
    plane, line, height
        From the source to the corner of the neighbourhood with the smallest coordinates [voxel].
    """
    low_row, high_row = local[0, 0] - local[0, 0] + np.float32(inf), local[0, 0] - local[0, 0] - np.float32(inf)
    low_column, high_column = low_row, high_row
    for corner in range(4):
        row, column, meets = _project(
            local, form, plane, line + np.float32(2 * (corner // 2)), height + np.float32(2 * (corner % 2))
        )
        if not meets:
            return 0, rows.shape[0], 0, columns.shape[0]
        low_row, high_row = min(low_row, row), max(high_row, row)
        low_column, high_column = min(low_column, column), max(high_column, column)
    row0, row1 = _range(rows, low_row, high_row)
    column0, column1 = _range(columns, low_column, high_column)
    return row0, row1, column0, column1
