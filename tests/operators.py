"""Every linear operator of the project, small: a line here gives an operator all the tests of `test_operators`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.pet.projector import LineProjector, SinogramProjector
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.sinogram import Sinogram
from phantomsim.physics.pet.time_of_flight import TimeOfFlight
from phantomsim.physics.solvers.finite_differences import DivergenceOperator, GradientOperator
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.cone_projector import ConeJosephProjector
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.physics.xray.projector import (
    DistanceDrivenProjector,
    FootprintProjector,
    JosephProjector,
    SiddonProjector,
)

MM: Final = 1e-3

CENTRED = Grid((1, 40, 40), (MM, MM, MM))
STACK = Grid((43, 20, 20), (MM, MM, MM))  # two batches and a remainder
SKEWED = Grid((3, 30, 44), (MM, 1.4 * MM, 0.9 * MM), (0.0, 4.3 * MM, -7 * MM))
"""Off the axis, oblong, with oblong pixels."""

PARALLEL = ParallelBeam(24, 59, MM)
FAN: Final = {"source_to_axis": 120 * MM, "source_to_detector": 210 * MM}


def joseph(scan: PlanarScan, grid: Grid) -> Callable[[str], LinearOperator]:
    return lambda dtype: JosephProjector(scan, grid, dtype)


def image(shape: tuple[int, ...]) -> Callable[[str], Space]:
    return lambda dtype: Space(shape, ("z", "y", "x"), dtype)


PLANE, PATCH = image((1, 17, 23)), image((5, 6, 7))

BLOCK = Grid((20, 22, 19), (MM, 1.2 * MM, 0.8 * MM), (3 * MM, -4 * MM, 2 * MM))
CONE = ConeBeam(7, 26, 33, 1.5 * MM, 1.6 * MM, 60 * MM, 100 * MM)


def cone(**changes: Any) -> Callable[[str], LinearOperator]:
    return lambda dtype: ConeJosephProjector(replace(CONE, **changes), BLOCK, dtype)


def scattered() -> Views:
    """Return sources and tilted panels all around the block, some nearly above it, with uneven pixels."""
    frames = np.linalg.qr(np.random.default_rng(40).standard_normal((9, 3, 3)))[0]
    rows, columns = np.sort(np.random.default_rng(41).uniform(-40, 40, (2, 23)) * MM)
    source, centre = -60 * MM * frames[:, 0], 30 * MM * frames[:, 0]
    return Views(source, centre, frames[:, 1], frames[:, 2], rows, columns)


FLIGHT = TimeOfFlight(100e-12, 70e-12, 5)


SINOGRAM = Sinogram(Rings(30 * MM, 10, 2, (2, 4), (3 * MM, 4 * MM), 10 * MM), 21, span=3)


def chords() -> np.ndarray[Any, Any]:
    """Return lines in any direction through the block and past it; some end inside."""
    return np.random.default_rng(42).uniform(-20, 20, (900, 2, 3)) * MM


BINS: Final[dict[str, tuple[PlanarScan, Grid]]] = {
    "parallel": (PARALLEL, CENTRED),
    "parallel, stack": (PARALLEL, STACK),
    "parallel, skewed grid": (PARALLEL, SKEWED),
    "parallel, fine columns": (ParallelBeam(10, 240, 0.25 * MM, column_offset=0.25), CENTRED),
    "parallel, coarse columns": (ParallelBeam(10, 9, 5.3 * MM, first_angle=0.3), SKEWED),
    "arc, quarter offset": (FanBeam(24, 60, 1.6 * MM, column_offset=0.25, **FAN), CENTRED),
    "flat, skewed grid": (FanBeam(23, 61, 1.6 * MM, detector="flat", **FAN), SKEWED),
    "flat, source beside the grid": (
        FanBeam(12, 181, 1.6 * MM, detector="flat", source_to_axis=30 * MM, source_to_detector=65 * MM),
        CENTRED,
    ),
}
"""What the projectors through windows of a row must do, each of them."""


def projector(kind: type[LinearOperator], scan: PlanarScan, grid: Grid) -> Callable[[str], LinearOperator]:
    return lambda dtype: kind(scan, grid, dtype)  # type: ignore[call-arg]


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
    "gradient, plane": lambda dtype: GradientOperator(PLANE(dtype), (1.0, 1.0, 1.0)),
    "gradient, block": lambda dtype: GradientOperator(PATCH(dtype), (2.0, 1.0, 0.7)),
    "divergence": lambda dtype: DivergenceOperator(PATCH(dtype), (2.0, 1.0, 0.7)),
    "cone joseph": cone(),
    "cone joseph, helix, quarter offset": cone(feed=20 * MM, column_offset=0.25, row_offset=-3.3),
    "cone joseph, flying spot": cone(spots=((MM, 0.0), (-MM, 1.5 * MM))),
    "cone joseph, tiles": cone(tile_columns=11, tile_gap=2 * MM),
    "cone joseph, fine rows": cone(n_rows=90, row_pitch=0.4 * MM),
    "cone joseph, coarse rows": cone(n_rows=5, row_pitch=7 * MM),
    "cone joseph, one row": cone(n_rows=1),
    "cone joseph, cylinder": cone(surface="cylinder"),
    "cone joseph, tilted": cone(tilt=0.3),
    "cone joseph, sphere": cone(surface="sphere"),
    "cone joseph, tilted cylinder, flying spot": cone(tilt=1.3, surface="cylinder", spots=((MM, 0.0), (-MM, MM))),
    "cone joseph, any poses": lambda dtype: ConeJosephProjector(scattered(), BLOCK, dtype),
    **{f"siddon, {name}": projector(SiddonProjector, *bins) for name, bins in BINS.items()},
    **{f"distance-driven, {name}": projector(DistanceDrivenProjector, *bins) for name, bins in BINS.items()},
    **{f"footprint, {name}": projector(FootprintProjector, *bins) for name, bins in BINS.items()},
    "lines": lambda dtype: LineProjector(chords(), BLOCK, dtype=dtype),
    "lines, time of flight": lambda dtype: LineProjector(chords(), BLOCK, FLIGHT, dtype=dtype),
    "lines, events": lambda dtype: LineProjector(chords(), BLOCK, FLIGHT, np.arange(900) % 5, dtype),
    "sinogram": lambda dtype: SinogramProjector(SINOGRAM, BLOCK, dtype=dtype),
    "sinogram, time of flight, part": lambda dtype: SinogramProjector(SINOGRAM, BLOCK, FLIGHT, (1, 3), dtype=dtype),
    "adjoint": lambda dtype: JosephProjector(PARALLEL, CENTRED, dtype).H,
    "composition": lambda dtype: (
        JosephProjector(PARALLEL, CENTRED, dtype).H @ JosephProjector(PARALLEL, CENTRED, dtype)
    ),
    "sum": lambda dtype: (
        JosephProjector(PARALLEL, CENTRED, dtype) + JosephProjector(ParallelBeam(24, 59, 1.2 * MM), CENTRED, dtype)
    ),
}
