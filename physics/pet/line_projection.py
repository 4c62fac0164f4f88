"""Joseph's projection along lines between any two points, with time of flight or without.

A line crosses the planes of voxels across the axis along which it meets most of them, and takes from each the value at
the crossing, bilinear between four voxels, times its way from plane to plane and, with time of flight, the chance that
what decays there is put into the bin. Neighbours in the order of the lines should be neighbours in space: what one
reads, the next finds in the cache.

References
----------
P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE Trans. Med. Imaging 1 (1982)
192-196, doi:10.1109/TMI.1982.4307572.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, loop_nest
from phantomsim.physics.pet.line_tracer import chance, hold, locate, planes_of_bin, trace

LINES: Final = 512  # of a block


@loop_nest
def _forward_blocks(
    begin: int,
    end: int,
    planes: Any,
    frame: Any,
    across: Any,
    along: Any,
    per_level: int,
    bins: Any,
    kernel: Any,
    flight: Any,
    sums: Any,
) -> None:
    n_planes, n_lines, n_heights = planes.shape
    voxels = planes.reshape(-1)
    places, parts = np.empty(n_planes, np.int32), np.empty((2, n_planes), planes.dtype)
    samples, none = parts[0], planes.dtype.type(0)
    for i in range(LINES * begin, min(sums.shape[0], LINES * end)):
        first, stop, line, slope, height, rise, origin, step = trace(
            across, along, per_level, i, frame, n_planes, n_lines, n_heights
        )
        locate(first, stop, line, slope, height, rise, n_lines, n_heights, places, parts)
        near_planes = voxels[first * n_lines * n_heights :]
        for k in range(np.uint64(max(stop - first, 0))):
            place, part, up = np.uint64(places[k]), parts[0, k], parts[1, k]
            above = place + np.uint64(n_heights)
            near = near_planes[place] + up * (near_planes[place + np.uint64(1)] - near_planes[place])
            far = near_planes[above] + up * (near_planes[above + np.uint64(1)] - near_planes[above])
            samples[k] = near + part * (far - near)
        for b in range(sums.shape[1]):
            total = none
            if flight.size == 0:
                for k in range(np.uint64(max(stop - first, 0))):
                    total += samples[k]
            else:
                centre = flight[0] + np.float32(np.int32(bins[i % bins.size] + b)) * flight[1]
                low, high = planes_of_bin(centre, flight[2], origin, step, first, stop)
                for plane in range(low, high):
                    away = origin + step * np.float32(np.int32(plane)) - centre
                    total += chance(kernel, flight[3], away) * samples[plane - first]
            sums[i, b] = total * abs(step)


def _forward_thread(
    i: int,
    planes: Any,
    frame: Any,
    across: Any,
    along: Any,
    per_level: int,
    bins: Any,
    kernel: Any,
    flight: Any,
    sums: Any,
) -> None:
    n_planes, n_lines, n_heights = planes.shape
    first, stop, line, slope, height, rise, origin, step = trace(
        across, along, per_level, i, frame, n_planes, n_lines, n_heights
    )
    for b in range(sums.shape[1]):
        total, centre, low, high = step - step, step - step, first, stop
        if flight.size > 0:
            centre = flight[0] + np.float32(np.int32(bins[i % bins.size] + b)) * flight[1]
            low, high = planes_of_bin(centre, flight[2], origin, step, first, stop)
        for plane in range(low, high):
            place = np.float32(np.int32(plane))
            y, x = hold(line + slope * place, n_lines), hold(height + rise * place, n_heights)
            j, k = np.int32(y), np.int32(x)
            part, up = y - np.float32(j), x - np.float32(k)
            near = planes[plane, j, k] + up * (planes[plane, j, k + 1] - planes[plane, j, k])
            far = planes[plane, j + 1, k] + up * (planes[plane, j + 1, k + 1] - planes[plane, j + 1, k])
            sample = near + part * (far - near)
            if flight.size > 0:
                sample *= chance(kernel, flight[3], origin + step * place - centre)
            total += sample
        sums[i, b] = total * abs(step)


FORWARD: Final = Kernel(
    "pet.lines.forward",
    _forward_blocks,
    _forward_thread,
    "real[:,:,::1];real[:,::1];real[:,::1];real[:,::1];int64;int32[::1];real[::1];real[::1];real[:,::1]",
)
"""Integrate padded planes along lines, into the time bins of each from ``bins`` on (course, or one for all).

`flight` is the first bin's centre, the bins' distance and their reach [m], and the steps of `kernel` to a metre; empty
without time of flight. A CPU block is a run of `LINES`, a CUDA thread a line.
"""
