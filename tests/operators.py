"""Every linear operator of the project, small: a line here gives an operator all the tests of `test_operators`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.physics.xray.projector import JosephProjector

MM: Final = 1e-3

CENTRED = Grid((1, 40, 40), (MM, MM, MM))
STACK = Grid((43, 20, 20), (MM, MM, MM))  # two batches and a remainder
SKEWED = Grid((3, 30, 44), (MM, 1.4 * MM, 0.9 * MM), (0.0, 4.3 * MM, -7 * MM))
"""Off the axis, oblong, with oblong pixels."""

PARALLEL = ParallelBeam(24, 59, MM)
FAN: Final = {"source_to_axis": 120 * MM, "source_to_detector": 210 * MM}


def joseph(scan: PlanarScan, grid: Grid) -> Callable[[str], LinearOperator]:
    return lambda dtype: JosephProjector(scan, grid, dtype)


OPERATORS: Final[dict[str, Callable[[str], LinearOperator]]] = {
    "joseph, parallel": joseph(PARALLEL, CENTRED),
    "joseph, parallel, stack": joseph(PARALLEL, STACK),
    "joseph, parallel, skewed grid": joseph(PARALLEL, SKEWED),
    "joseph, parallel, fine columns": joseph(ParallelBeam(10, 240, 0.25 * MM, column_offset=0.25), CENTRED),
    "joseph, parallel, coarse columns": joseph(ParallelBeam(10, 9, 5.3 * MM, first_angle=0.3), CENTRED),
    "joseph, arc": joseph(FanBeam(24, 60, 1.6 * MM, **FAN), CENTRED),
    "joseph, arc, stack": joseph(FanBeam(25, 60, 1.6 * MM, **FAN), STACK),
    "joseph, arc, quarter offset": joseph(FanBeam(24, 60, 1.6 * MM, column_offset=0.25, **FAN), CENTRED),
    "joseph, arc, skewed grid": joseph(FanBeam(24, 60, 1.6 * MM, column_offset=0.25, **FAN), SKEWED),
    "joseph, flat": joseph(FanBeam(24, 61, 1.6 * MM, detector="flat", **FAN), CENTRED),
    "joseph, flat, skewed grid": joseph(FanBeam(23, 61, 1.6 * MM, detector="flat", **FAN), SKEWED),
    "joseph, flat, short scan": joseph(FanBeam(20, 61, 1.6 * MM, detector="flat", angular_range=3.9, **FAN), CENTRED),
    "joseph, flat, source beside the grid": joseph(
        FanBeam(12, 181, 1.6 * MM, detector="flat", source_to_axis=30 * MM, source_to_detector=65 * MM), CENTRED
    ),
    "adjoint": lambda dtype: JosephProjector(PARALLEL, CENTRED, dtype).H,
    "composition": lambda dtype: (
        JosephProjector(PARALLEL, CENTRED, dtype).H @ JosephProjector(PARALLEL, CENTRED, dtype)
    ),
    "sum": lambda dtype: (
        JosephProjector(PARALLEL, CENTRED, dtype) + JosephProjector(ParallelBeam(24, 59, 1.2 * MM), CENTRED, dtype)
    ),
}
