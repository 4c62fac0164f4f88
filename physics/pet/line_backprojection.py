"""The exact adjoint of the projection along lines.

Lines put back whole quanta of what they took, so that sums do not depend on their order. On the CPU a block owns a slab
of planes and nothing is shared; on a GPU a thread owns a line, and adds to voxels in one step each.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, loop_nest
from phantomsim.physics.pet.line_tracer import chance, hold, locate, planes_of_bin, trace
from phantomsim.physics.photons.tally import add_on_device

SLAB: Final = 16  # planes of a block


@loop_nest
def _adjoint_blocks(
    begin: int,
    end: int,
    values: Any,
    frame: Any,
    across: Any,
    along: Any,
    per_level: int,
    bins: Any,
    kernel: Any,
    flight: Any,
    scale: Any,
    quanta: Any,
) -> None:
    n_planes, n_lines, n_heights = quanta.shape
    voxels = quanta.reshape(-1)
    places, parts = np.empty(n_planes, np.int32), np.empty((2, n_planes), values.dtype)
    given = np.empty(n_planes, values.dtype)
    for block in range(begin, end):
        begin_slab, end_slab = SLAB * block, min(n_planes, SLAB * (block + 1))
        for i in range(values.shape[0]):
            first, stop, line, slope, height, rise, origin, step = trace(
                across, along, per_level, i, frame, n_planes, n_lines, n_heights
            )
            first, stop = max(first, begin_slab), min(stop, end_slab)
            if first >= stop:
                continue
            locate(first, stop, line, slope, height, rise, n_lines, n_heights, places, parts)
            if flight.size == 0:
                given[: stop - first] = values[i, 0] * abs(step) * scale
            else:
                given[: stop - first] = 0
                for b in range(values.shape[1]):
                    centre = flight[0] + np.float32(np.int32(bins[i % bins.size] + b)) * flight[1]
                    low, high = planes_of_bin(centre, flight[2], origin, step, first, stop)
                    for plane in range(low, high):
                        away = origin + step * np.float32(np.int32(plane)) - centre
                        given[plane - first] += chance(kernel, flight[3], away) * values[i, b] * abs(step) * scale
            near_planes = voxels[first * n_lines * n_heights :]
            for k in range(np.uint64(stop - first)):
                place, part, up = np.uint64(places[k]), parts[0, k], parts[1, k]
                above = place + np.uint64(n_heights)
                far = part * given[k]
                near = given[k] - far
                near_planes[place] += np.int64(near - up * near)
                near_planes[place + np.uint64(1)] += np.int64(up * near)
                near_planes[above] += np.int64(far - up * far)
                near_planes[above + np.uint64(1)] += np.int64(up * far)


def _adjoint_thread(
    i: int,
    values: Any,
    frame: Any,
    across: Any,
    along: Any,
    per_level: int,
    bins: Any,
    kernel: Any,
    flight: Any,
    scale: Any,
    quanta: Any,
) -> None:
    n_planes, n_lines, n_heights = quanta.shape
    first, stop, line, slope, height, rise, origin, step = trace(
        across, along, per_level, i, frame, n_planes, n_lines, n_heights
    )
    for b in range(values.shape[1]):
        centre, low, high = step - step, first, stop
        if flight.size > 0:
            centre = flight[0] + np.float32(np.int32(bins[i % bins.size] + b)) * flight[1]
            low, high = planes_of_bin(centre, flight[2], origin, step, first, stop)
        for plane in range(low, high):
            place = np.float32(np.int32(plane))
            y, x = hold(line + slope * place, n_lines), hold(height + rise * place, n_heights)
            j, k = np.int32(y), np.int32(x)
            part, up = y - np.float32(j), x - np.float32(k)
            given = values[i, b] * abs(step) * scale
            if flight.size > 0:
                given *= chance(kernel, flight[3], origin + step * place - centre)
            far = part * given
            near = given - far
            add_on_device(quanta, (plane, j, k), np.int64(near - up * near))
            add_on_device(quanta, (plane, j, k + 1), np.int64(up * near))
            add_on_device(quanta, (plane, j + 1, k), np.int64(far - up * far))
            add_on_device(quanta, (plane, j + 1, k + 1), np.int64(up * far))


ADJOINT: Final = Kernel(
    "pet.lines.adjoint",
    _adjoint_blocks,
    _adjoint_thread,
    "real[:,::1];real[:,::1];real[:,::1];real[:,::1];int64;int32[::1];real[::1];real[::1];real;int64[:,:,::1]",
)
"""Give back to padded planes, in quanta of 1 / `scale`, what lines took.

A CPU block is a slab of planes, a CUDA thread a line; the padding holds what crossings beside the grid left there.
"""


def n_adjoint_blocks(n_planes: int) -> int:
    """Return the number of CPU blocks of `ADJOINT`."""
    return -(-n_planes // SLAB)
