"""Pile-up and dead time: what a block's electronics make of events that follow each other too fast.

An event opens an integration window; what arrives within it is added to its energy, and pulls its position. Then the
block is dead for some time after the event's start. An event in the dead time is lost; a paralysable block starts its
dead time anew with each of them (G. F. Knoll, *Radiation Detection and Measurement*, 4th ed. (2010), ch. 4.VII).
"""

from __future__ import annotations

from typing import Final

from phantomsim.physics.array import Array
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar


@scalar
def _read(
    block: int,
    bounds: Array,
    times: Array,
    integration: Real,
    dead: Real,
    paralysable: int,
    energy: Array,
    axial: Array,
    transaxial: Array,
    kept: Array,
    busy: Array,
) -> None:
    until, open_until, current = busy[block], busy[block] - busy[block] - 1, -1
    for i in range(bounds[block], bounds[block + 1]):
        time = times[i]
        kept[i] = 0
        if current >= 0 and time < open_until:
            total = energy[current] + energy[i]
            share = energy[i] / total
            axial[current] += share * (axial[i] - axial[current])
            transaxial[current] += share * (transaxial[i] - transaxial[current])
            energy[current] = total
            if paralysable:
                until = time + dead
        elif time < until:
            current = -1
            if paralysable:
                until = time + dead
        else:
            kept[i] = 1
            current, open_until, until = i, time + integration, time + dead
    busy[block] = until


@loop_nest
def _blocks(
    begin: int,
    end: int,
    bounds: Array,
    times: Array,
    integration: Real,
    dead: Real,
    paralysable: int,
    energy: Array,
    axial: Array,
    transaxial: Array,
    kept: Array,
    busy: Array,
) -> None:
    for block in range(begin, end):
        _read(block, bounds, times, integration, dead, paralysable, energy, axial, transaxial, kept, busy)


def _thread(
    i: int,
    bounds: Array,
    times: Array,
    integration: Real,
    dead: Real,
    paralysable: int,
    energy: Array,
    axial: Array,
    transaxial: Array,
    kept: Array,
    busy: Array,
) -> None:
    _read(i, bounds, times, integration, dead, paralysable, energy, axial, transaxial, kept, busy)


DEAD_TIME: Final = Kernel(
    "pet.dead_time",
    _blocks,
    _thread,
    "int64[::1];float64[::1];float64;float64;int64;real[::1];real[::1];real[::1];uint8[::1];float64[::1]",
    float64_reason="nanoseconds in minutes",
)
"""Merge and drop the events of each block, sorted by block and time; a CPU block and a CUDA thread are a block each.

`bounds` is where the events of each block begin (block + 1); energies [keV], axial and transaxial places change, `kept`
says which are left, `busy` holds until when each block is dead [s], from one run to the next.
"""
