"""A line of response on its way through planes of voxels."""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Real, scalar

PADDING: Final = 3
"""Zeros around the voxels of a plane, one before and two behind."""


@scalar
def trace(
    across: Any, along: Any, per_level: int, i: int, frame: Any, n_planes: int, n_lines: int, n_heights: int
) -> tuple[int, int, Real, Real, Real, Real, Real, Real]:
    """Return how line i runs through padded planes.

    Parameters
    ----------
    across
        First and second end of each line's course over planes and lines (course, 4), each (plane, line) [m].
    along
        Heights of the first and second end (level, 2) [m].
    per_level
        Lines to a level: 1 for lines with a level each, the number of courses where every course is at every level.
    i
        Number of the line: course ``i % courses`` at level ``i // per_level``.
    frame
        Position of the first voxel and spacing (2, 3), each (plane, line, height) [m].
    n_planes, n_lines, n_heights
        Shape of the padded planes.

    Returns
    -------
        First plane crossed and the end of them; line and slope, height and slope in padded voxels from plane 0; place
        on the line at plane 0, from its middle towards the second end, and its step from plane to plane [m].
    """
    course = i % across.shape[0]
    end, level = across[course], along[i // per_level]
    one, half = np.float32(1), np.float32(0.5)
    near = (end[0] - frame[0, 0]) / frame[1, 0]
    far = (end[2] - frame[0, 0]) / frame[1, 0]
    run = far - near
    line, slope = _cross((end[1] - frame[0, 1]) / frame[1, 1], (end[3] - frame[0, 1]) / frame[1, 1], near, run)
    height, rise = _cross((level[0] - frame[0, 2]) / frame[1, 2], (level[1] - frame[0, 2]) / frame[1, 2], near, run)
    z, y, x = end[2] - end[0], end[3] - end[1], level[1] - level[0]
    step = sqrt(z * z + y * y + x * x) / run
    enter, leave = min(near, far), max(near, far)
    enter, leave = _within(enter, leave, line, slope, n_lines)
    enter, leave = _within(enter, leave, height, rise, n_heights)
    begin, end_of_planes = -one, np.float32(np.int32(n_planes))
    first = int(ceil(min(max(enter, begin), end_of_planes)))
    stop = int(floor(min(max(leave, begin), end_of_planes))) + 1
    return max(first, 0), min(stop, n_planes), line, slope, height, rise, -(near + half * run) * step, step


@scalar
def _cross(start: Real, end: Real, near: Real, run: Real) -> tuple[Real, Real]:
    slope = (end - start) / run
    return start + np.float32(1) - near * slope, slope


@scalar
def _within(enter: Real, leave: Real, place: Real, slope: Real, n: int) -> tuple[Real, Real]:
    """Narrow a range of planes to those where a coordinate is inside the padding."""
    last = np.float32(np.int32(n - 2))
    zero = place - place
    if slope != zero:
        a, b = -place / slope, (last - place) / slope
        return max(enter, min(a, b)), min(leave, max(a, b))
    if place <= zero or place >= last:
        return enter, enter - np.float32(2)
    return enter, leave


@scalar
def locate(
    first: int,
    stop: int,
    line: Real,
    slope: Real,
    height: Real,
    rise: Real,
    n_lines: int,
    n_heights: int,
    places: Any,
    parts: Any,
) -> None:
    """Write where a line crosses planes: voxel from the first plane's first, parts of a voxel in line and height."""
    width, plane = np.int32(n_heights), np.int32(n_lines * n_heights)
    for k in range(np.uint64(max(stop - first, 0))):
        place = np.float32(np.int32(first)) + np.float32(np.int32(k))
        y, x = hold(line + slope * place, n_lines), hold(height + rise * place, n_heights)
        j, i = np.int32(y), np.int32(x)
        places[k] = np.int32(k) * plane + j * width + i
        parts[0, k], parts[1, k] = y - np.float32(j), x - np.float32(i)


@scalar
def hold(place: Real, n: int) -> Real:
    """Return a place among `n` padded voxels, held to where they read zero."""
    return min(max(place, place - place), np.float32(np.int32(n - 2)))


@scalar
def planes_of_bin(centre: Real, reach: Real, origin: Real, step: Real, first: int, stop: int) -> tuple[int, int]:
    """Return which of the planes lie within a bin's reach, and their end."""
    a, b = (centre - reach - origin) / step, (centre + reach - origin) / step
    low, high = np.float32(np.int32(first)), np.float32(np.int32(stop))
    enter, leave = min(max(min(a, b), low), high), min(max(max(a, b), low), high)
    return int(ceil(enter)), min(int(floor(leave)) + 1, stop)


@scalar
def chance(kernel: Any, steps_per_metre: Real, distance: Real) -> Real:
    """Return the chance of a bin at a distance from its centre [m], linear between the steps of its kernel."""
    place = min(abs(distance) * steps_per_metre, np.float32(np.int32(kernel.size - 2)))
    step = np.int32(place)
    return kernel[step] + (place - np.float32(step)) * (kernel[step + 1] - kernel[step])
