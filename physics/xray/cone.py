"""Cone beams: where the source and every pixel of an area detector are, in each view.

`Views` holds vectors, one set a view, and so any trajectory and any detector pose; `ConeBeam` is the circle or helix of
a scanner in a few numbers, and makes `Views`. The convention is that of `phantomsim.physics.xray.geometry`: the object
rests; at angle β columns increase along (y: sin β, x: cos β), the central ray travels along (y: cos β, x: −sin β), and
rows increase with z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi
from typing import Literal

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.shapes import turn
from phantomsim.physics.xray.geometry import Rays

Float64 = npt.NDArray[np.float64]
Surface = Literal["flat", "cylinder", "sphere"]


@dataclass(frozen=True, eq=False)
class Views:
    """Source and detector of each view as vectors (z, y, x) [m], float64.

    Parameters
    ----------
    source
        Focal spot (view, 3).
    centre
        Point of the detector where its coordinates (row, column) are 0 (view, 3).
    row_axis, column_axis
        Orthonormal directions in which rows and columns increase at `centre` (view, 3).
    rows, columns
        Positions of the pixels' centres on the detector (row) and (column) [m], rising; along the arc of a curved one.
    surface
        ``"flat"``; ``"cylinder"``, bent along the columns about an axis along `row_axis`; ``"sphere"``, bent both ways.
    radius
        Of a bent surface [m]; its middle lies on the source's side of `centre`.

    Raises
    ------
    ShapeError
        If the arrays do not fit each other, or the axes are not orthonormal.
    UnitError
        If positions do not rise, a bent surface has no radius or spans half a turn, or a source lies on its detector.
    """

    source: Float64
    centre: Float64
    row_axis: Float64
    column_axis: Float64
    rows: Float64
    columns: Float64
    surface: Surface = "flat"
    radius: float = 0.0

    def __post_init__(self) -> None:
        vectors = {name: getattr(self, name) for name in ("source", "centre", "row_axis", "column_axis")}
        for name, vector in vectors.items():
            if vector.shape != (len(self.source), 3) or not len(vector) or not np.isfinite(vector).all():
                raise ShapeError(f"{name} must be finite vectors (view, 3) for {len(self.source)} views")
        frame = np.stack([self.row_axis, self.column_axis], axis=1)
        if np.abs(frame @ frame.transpose(0, 2, 1) - np.eye(2)).max() > 1e-9:
            raise ShapeError("row_axis and column_axis must be orthonormal in every view")
        for name in ("rows", "columns"):
            positions = getattr(self, name)
            if positions.ndim != 1 or not len(positions) or not (np.diff(positions) > 0).all():
                raise UnitError(f"{name} must be rising positions on the detector [m]")
        if self.surface != "flat":
            reach = max(np.abs(self.columns).max(), np.abs(self.rows).max() if self.surface == "sphere" else 0.0)
            if not self.radius > 0 or reach >= pi / 2 * self.radius:
                raise UnitError(f"a detector bent with radius {self.radius!r} m cannot reach {reach:g} m to a side")
        if np.abs(self.distance).min() < 1e-9:
            raise UnitError("a source lies in the plane of its detector")

    @property
    def n_views(self) -> int:
        """Number of views."""
        return len(self.source)

    @property
    def normal(self) -> Float64:
        """Unit vector across the detector at its centre, towards the source (view, 3)."""
        across = np.cross(self.row_axis, self.column_axis)
        side = np.einsum("vi,vi->v", self.source - self.centre, across)
        return np.where(side < 0, -1.0, 1.0)[:, None] * across

    @property
    def distance(self) -> Float64:
        """Distance of the source from the plane that touches the detector at its centre (view) [m]."""
        return np.asarray(np.einsum("vi,vi->v", self.source - self.centre, self.normal))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Views, rows and columns."""
        return self.n_views, len(self.rows), len(self.columns)

    def pixels(self, rows: Float64, columns: Float64) -> Float64:
        """Return points of the detector at positions on it (row) and (column) [m]: (view, row, column, 3) [m]."""
        along, up, out = (vector[:, None, None, :] for vector in (self.column_axis, self.row_axis, self.normal))
        u, v = columns[None, None, :, None], rows[None, :, None, None]
        depth: Float64 | float = 0.0
        if self.surface != "flat":
            turned = u / self.radius
            u, depth = self.radius * np.sin(turned), self.radius * (1 - np.cos(turned))
        if self.surface == "sphere":
            raised = v / self.radius
            u, v = u * np.cos(raised), self.radius * np.sin(raised)
            depth = self.radius - (self.radius - depth) * np.cos(raised)
        return np.asarray(self.centre[:, None, None, :] + u * along + v * up + depth * out)

    def rays(self, *, n_subrows: int = 1, n_subcolumns: int = 1) -> Rays:
        """Return the rays from the source to every pixel.

        Parameters
        ----------
        n_subrows, n_subcolumns
            Rays across each pixel, at the centres of equal parts of it.

        Returns
        -------
            Start and end (view, row · n_subrows, column · n_subcolumns, 3), (z, y, x) [m].
        """
        end = self.pixels(_parts(self.rows, n_subrows), _parts(self.columns, n_subcolumns))
        return Rays(np.ascontiguousarray(np.broadcast_to(self.source[:, None, None, :], end.shape)), end)

    def part(self, views: slice) -> Views:
        """Return some of the views."""
        cut = {name: getattr(self, name)[views] for name in ("source", "centre", "row_axis", "column_axis")}
        return replace(self, **cut)


@dataclass(frozen=True)
class ConeBeam:
    """A source and an area detector that turn together about an axis, on a circle or a helix.

    Parameters
    ----------
    n_views, n_rows, n_columns
        Number of views, equally spaced over `angular_range`, and of the detector's rows and columns.
    row_pitch, column_pitch
        Distance between rows and between columns, measured on the detector [m].
    source_to_axis, source_to_detector
        Distances along the central ray [m].
    surface
        ``"flat"``, or bent about the source: ``"cylinder"`` as clinical CT has, or ``"sphere"``.
    first_angle, angular_range
        Angle of view 0, and range covered by all views, the end excluded [rad].
    row_offset, column_offset
        Shift of the detector in rows and columns.
    feed
        How far source and detector move towards the head a turn [m]; the middle of the helix is at z = 0.
    tilt
        Angle by which the plane of rotation is turned about x, its back towards the head [rad].
    spots
        Displacements of the flying focal spot (along the columns, along the rows) [m], one a view in turn.
    tile_columns, tile_gap
        Columns of a tile, and the gap between tiles [m]; 0: the detector is one tile.

    Raises
    ------
    ShapeError
        If there are no views, rows or columns, or the tiles do not divide the columns.
    UnitError
        If a distance is not positive, the detector is inside the axis, or the feed leaves gaps: over twice the
        detector's height at the axis a turn.
    """

    n_views: int
    n_rows: int
    n_columns: int
    row_pitch: float
    column_pitch: float
    source_to_axis: float
    source_to_detector: float
    surface: Surface = "flat"
    first_angle: float = 0.0
    angular_range: float = 2 * pi
    row_offset: float = 0.0
    column_offset: float = 0.0
    feed: float = 0.0
    tilt: float = 0.0
    spots: tuple[tuple[float, float], ...] = ()
    tile_columns: int = 0
    tile_gap: float = 0.0

    def __post_init__(self) -> None:
        counts = {name: getattr(self, name) for name in ("n_views", "n_rows", "n_columns")}
        if min(counts.values()) < 1:
            raise ShapeError(f"a scan needs at least one view, row and column, got {counts}")
        if not (self.row_pitch > 0 and self.column_pitch > 0 and self.tile_gap >= 0):
            raise UnitError(
                f"row_pitch and column_pitch must be positive [m], tile_gap not negative, "
                f"got {self.row_pitch!r}, {self.column_pitch!r} and {self.tile_gap!r}"
            )
        if not 0 < self.source_to_axis < self.source_to_detector:
            raise UnitError(
                f"source_to_axis must be positive and below source_to_detector [m], got {self.source_to_axis!r} and "
                f"{self.source_to_detector!r}"
            )
        if self.tile_columns and self.n_columns % self.tile_columns:
            raise ShapeError(f"tiles of {self.tile_columns} columns do not divide {self.n_columns} columns")
        if self.surface not in ("flat", "cylinder", "sphere"):
            raise ShapeError(f"surface must be 'flat', 'cylinder' or 'sphere', got {self.surface!r}")
        if abs(self.pitch_factor) > 2:
            height = self.collimation
            raise UnitError(
                f"a feed of {self.feed:g} m a turn leaves gaps: the detector is {height:g} m high at the axis, "
                f"and the feed may be {2 * height:g} m at most"
            )

    @property
    def angles(self) -> Float64:
        """Angle β of each view (view) [rad]."""
        return self.first_angle + self.angular_range * np.arange(self.n_views) / self.n_views

    @property
    def rows(self) -> Float64:
        """Position of each row's centre on the detector (row) [m]."""
        return np.asarray(self.row_pitch * (np.arange(self.n_rows) - (self.n_rows - 1) / 2 + self.row_offset))

    @property
    def columns(self) -> Float64:
        """Position of each column's centre on the detector (column) [m], along the arc for a bent one."""
        place = np.asarray(self.column_pitch * (np.arange(self.n_columns) - (self.n_columns - 1) / 2))
        if self.tile_columns:
            n_tiles = self.n_columns // self.tile_columns
            place += self.tile_gap * (np.arange(self.n_columns) // self.tile_columns - (n_tiles - 1) / 2)
        return np.asarray(place + self.column_pitch * self.column_offset)

    @property
    def collimation(self) -> float:
        """Height of the detector, seen at the axis [m]."""
        return self.n_rows * self.row_pitch * self.source_to_axis / self.source_to_detector

    @property
    def pitch_factor(self) -> float:
        """Feed a turn over the collimation (IEC 60601-2-44)."""
        return self.feed / self.collimation

    @property
    def heights(self) -> Float64:
        """Position of source and detector along the axis in each view (view) [m]."""
        turned = self.angular_range / (2 * pi) * ((np.arange(self.n_views) + 0.5) / self.n_views - 0.5)
        return np.asarray(self.feed * turned)

    def views(self) -> Views:
        """Return the vectors of every view."""
        sin, cos, zero = np.sin(self.angles), np.cos(self.angles), np.zeros(self.n_views)
        toward = np.stack([zero, cos, -sin], axis=-1)  # the central ray
        columns = np.stack([zero, sin, cos], axis=-1)
        rows = np.broadcast_to([1.0, 0.0, 0.0], toward.shape)
        tilted = np.asarray(turn("x", self.tilt))
        toward, columns, rows = (vectors @ tilted.T for vectors in (toward, columns, rows))
        middle = np.stack([self.heights, zero, zero], axis=-1)  # the table moves along z, tilted or not
        source = middle - self.source_to_axis * toward
        if self.spots:
            spots = np.asarray(self.spots)[np.arange(self.n_views) % len(self.spots)]
            source = source + spots[:, :1] * columns + spots[:, 1:] * rows
        return Views(
            source=source,
            centre=middle + (self.source_to_detector - self.source_to_axis) * toward,
            row_axis=np.ascontiguousarray(rows),
            column_axis=columns,
            rows=self.rows,
            columns=self.columns,
            surface=self.surface,
            radius=0.0 if self.surface == "flat" else self.source_to_detector,
        )


def _parts(positions: Float64, n: int) -> Float64:
    """Return the centres of n equal parts of each pixel; a pixel is as wide as the smallest distance to another."""
    if n == 1:
        return positions
    width = float(np.diff(positions).min()) if len(positions) > 1 else 0.0
    offsets = (np.arange(n) - (n - 1) / 2) / n * width
    return (positions[:, None] + offsets).ravel()
