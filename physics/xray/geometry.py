"""Scan geometries as values: where the source, the axis and the detector are in each view.

Convention: the object rests and the gantry turns about the z axis through the origin. At view angle β the detector
axis (increasing column) points along u = (y: sin β, x: cos β) and the beam's central ray travels along
d = (y: cos β, x: −sin β); the source of a fan stands at −source_to_axis · d. At β = 0 the beam travels along +y
(from anterior to posterior) and columns increase along +x (patient left).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Literal

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rays:
    """Source and end point of every ray (…, 3), coordinates (z, y, x) [m], float64; the beam fills the segment."""

    start: Float64
    end: Float64


@dataclass(frozen=True)
class _PlanarScan:
    n_views: int
    n_columns: int
    pitch: float
    first_angle: float = 0.0
    column_offset: float = 0.0

    def __post_init__(self) -> None:
        if self.n_views < 1 or self.n_columns < 1:
            raise ShapeError(f"a scan needs at least one view and one column, got {self.n_views} and {self.n_columns}")
        if not self.pitch > 0:
            raise UnitError(f"pitch must be positive [m], got {self.pitch!r}; recipes give it as pitch_mm")

    @property
    def columns(self) -> Float64:
        """Position of each column's centre on the detector (column) [m], along the arc for a curved one."""
        return self.pitch * (
            np.arange(self.n_columns, dtype=np.float64) - (self.n_columns - 1) / 2 + self.column_offset
        )


@dataclass(frozen=True)
class ParallelBeam(_PlanarScan):
    """Parallel rays in planes of constant z.

    Parameters
    ----------
    n_views, n_columns
        Number of views, equally spaced over `angular_range`, and of detector columns.
    pitch
        Distance between columns [m].
    first_angle
        Angle of view 0 [rad].
    column_offset
        Shift of the detector in columns (0.25 for a quarter offset).
    angular_range
        Range covered by all views, the end excluded [rad].
    """

    angular_range: float = pi

    @property
    def angles(self) -> Float64:
        """Angle β of each view (view) [rad]."""
        return self.first_angle + self.angular_range * np.arange(self.n_views) / self.n_views

    @property
    def field_of_view(self) -> float:
        """Diameter of the circle that every view sees whole [m]."""
        edge = self.pitch * self.n_columns / 2
        return 2 * (edge - abs(self.column_offset) * self.pitch)


@dataclass(frozen=True)
class FanBeam(_PlanarScan):
    """Rays from a point source that circles in a plane of constant z.

    Parameters
    ----------
    n_views, n_columns
        Number of views, equally spaced over `angular_range`, and of detector columns.
    pitch
        Distance between columns, measured on the detector [m]; along the arc for a curved one.
    first_angle
        Angle of view 0 [rad].
    column_offset
        Shift of the detector in columns (0.25 for a quarter offset).
    angular_range
        Range covered by all views, the end excluded [rad].
    source_to_axis
        Distance from the source to the axis of rotation [m].
    source_to_detector
        Distance from the source to the detector along the central ray [m].
    detector
        ``"flat"``, or ``"arc"`` centred on the source.
    """

    angular_range: float = 2 * pi
    source_to_axis: float = 0.541
    source_to_detector: float = 0.949
    detector: Literal["flat", "arc"] = "arc"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.source_to_axis < self.source_to_detector:
            raise UnitError(
                "source_to_axis must be positive and below source_to_detector [m], got "
                f"{self.source_to_axis!r} and {self.source_to_detector!r}; recipes give both in mm"
            )
        if self.detector == "arc" and self.n_columns * self.pitch >= pi * self.source_to_detector:
            raise UnitError(f"an arc of {self.n_columns} columns of {self.pitch} m spans half a turn or more")

    @property
    def angles(self) -> Float64:
        """Angle β of each view (view) [rad]."""
        return self.first_angle + self.angular_range * np.arange(self.n_views) / self.n_views

    @property
    def fan_angles(self) -> Float64:
        """Angle γ of each column's ray from the central ray (column) [rad]."""
        ratio = self.columns / self.source_to_detector
        return ratio if self.detector == "arc" else np.arctan(ratio)

    @property
    def field_of_view(self) -> float:
        """Diameter of the circle that every view sees whole [m]."""
        edge = (self.pitch * self.n_columns / 2 - abs(self.column_offset) * self.pitch) / self.source_to_detector
        return 2 * self.source_to_axis * float(np.sin(edge if self.detector == "arc" else np.arctan(edge)))


PlanarScan = ParallelBeam | FanBeam


def rays(scan: PlanarScan, z: Float64, *, n_subcolumns: int = 1) -> Rays:
    """Return the rays of a scan through planes at `z`, ordered (view, row, column).

    Parameters
    ----------
    scan
        Geometry; a row is a plane.
    z
        Position of each plane (row) [m].
    n_subcolumns
        Rays across each column, at the centres of equal parts: the last axis is then ``n_columns * n_subcolumns``.

    Returns
    -------
        Start and end of each ray (view, row, column, 3), (z, y, x) [m]. A parallel ray starts and ends at the circle
        around all columns, a fan ray at the source and the detector.
    """
    parts = (np.arange(n_subcolumns) - (n_subcolumns - 1) / 2) / n_subcolumns * scan.pitch
    u = (scan.columns[:, None] + parts).ravel()
    sin, cos = np.sin(scan.angles)[:, None], np.cos(scan.angles)[:, None]
    if isinstance(scan, ParallelBeam):
        half = 4 * float(np.abs(u).max()) + scan.pitch
        start = np.stack([u * sin - half * cos, u * cos + half * sin], axis=-1)
        end = np.stack([u * sin + half * cos, u * cos - half * sin], axis=-1)
    else:
        gamma = u / scan.source_to_detector
        if scan.detector == "flat":
            gamma = np.arctan(gamma)
            length = scan.source_to_detector / np.cos(gamma)
        else:
            length = np.full_like(gamma, scan.source_to_detector)
        start = np.broadcast_to(
            np.stack([-scan.source_to_axis * cos, scan.source_to_axis * sin], axis=-1),
            (scan.n_views, u.size, 2),
        )
        along = np.stack(
            [cos * np.cos(gamma) + sin * np.sin(gamma), -sin * np.cos(gamma) + cos * np.sin(gamma)], axis=-1
        )
        end = start + length[:, None] * along
    shape = (scan.n_views, len(z), u.size, 3)
    result = []
    for point in (start, end):
        full = np.empty(shape)
        full[..., 0] = np.asarray(z)[None, :, None]
        full[..., 1:] = point[:, None, :, :]
        result.append(full)
    return Rays(*result)
