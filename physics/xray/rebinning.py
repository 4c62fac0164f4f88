"""Rays of a cone beam sorted into views that are parallel across the axis.

The ray of view β and fan angle γ has the direction θ = β − γ across the axis and passes it at s = R sin γ. All rays of
one θ form a wedge: parallel seen along the axis, each from its own point of the trajectory, and so from its own height.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, degrees, floor, pi

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.geometry import ParallelBeam

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wedge:
    """The views, parallel across the axis, that a cone beam on a helix measures whole.

    Parameters
    ----------
    scan
        Geometry; its detector is bent about the source to a cylinder.

    Raises
    ------
    RecipeError
        If the detector is no cylinder, or no whole half turn is left when the fan is sorted.
    """

    scan: ConeBeam

    def __post_init__(self) -> None:
        if self.scan.surface != "cylinder":
            raise RecipeError(f"rebinning takes a detector bent to a cylinder, got surface = {self.scan.surface!r}")
        if self.n_views < self.n_half:
            least = pi + self.fan_angles[-1] - self.fan_angles[0]
            raise RecipeError(
                f"angular_range is {degrees(self.scan.angular_range):.4g}°, and a helix needs half a turn and the fan, "
                f"{degrees(least):.4g}°"
            )

    @property
    def fan_angles(self) -> Float64:
        """Angle γ of each of the detector's columns from the central ray (column) [rad]."""
        return self.scan.columns / self.scan.source_to_detector

    @property
    def n_half(self) -> int:
        """Number of views in half a turn."""
        return max(1, round(pi * self.scan.n_views / self.scan.angular_range))

    @cached_property
    def angles(self) -> Float64:
        """Angle θ of each view (view) [rad]."""
        step = self.scan.angular_range / self.scan.n_views
        before = ceil(-self.fan_angles[0] / step - 1e-9)
        last = self.scan.angles[-1] - self.fan_angles[-1]
        first = self.scan.first_angle + before * step
        count = floor((last - first) / (pi / self.n_half) + 1e-9) + 1
        return np.asarray(first + pi / self.n_half * np.arange(max(count, 0)))

    @property
    def n_views(self) -> int:
        """Number of views."""
        return len(self.angles)

    @cached_property
    def parallel(self) -> ParallelBeam:
        """The rays as seen along the axis; columns lie where the detector's do near the central ray."""
        radius, fan = self.scan.source_to_axis, self.fan_angles
        step = radius * self.scan.column_pitch / self.scan.source_to_detector
        phase = self.scan.columns[0] / self.scan.column_pitch % 1
        first, last = ceil(radius * np.sin(fan[0]) / step - phase), floor(radius * np.sin(fan[-1]) / step - phase)
        return ParallelBeam(
            n_views=self.n_views,
            n_columns=last - first + 1,
            pitch=step,
            first_angle=float(self.angles[0]),
            column_offset=(first + last) / 2 + phase,
            angular_range=pi * self.n_views / self.n_half,
        )

    @property
    def heights(self) -> Float64:
        """Height of the source of each view's central ray (view) [m]; that of another ray is `rise` · γ above."""
        middle = self.scan.first_angle + self.scan.angular_range * (1 - 1 / self.scan.n_views) / 2
        return self.rise * (self.angles - middle)

    @property
    def rise(self) -> float:
        """Feed a radian [m]."""
        return self.scan.feed / (2 * pi)


def rebin(projections: Array, wedge: Wedge) -> Array:
    """Sort the rays of a cone beam into views that are parallel across the axis.

    Neighbouring columns and views are interpolated linearly.

    Parameters
    ----------
    projections
        Projections (view, row, column) of the wedge's scan.
    wedge
        Views to sort into.

    Returns
    -------
        Projections (view, row, column), `wedge.parallel` seen along the axis; rows are those of the detector.

    Raises
    ------
    ShapeError
        If the projections are not of the wedge's scan.
    """
    scan = wedge.scan
    if projections.shape != (expected := (scan.n_views, scan.n_rows, scan.n_columns)):
        raise ShapeError(f"the scan gives (view, row, column) = {expected}, got {tuple(projections.shape)}")
    xp, dtype = namespace(projections), projections.dtype
    by_column = xp.ascontiguousarray(xp.moveaxis(projections, 2, 0))
    fan = np.arcsin(wedge.parallel.columns / scan.source_to_axis)
    place = (fan * scan.source_to_detector - scan.columns[0]) / scan.column_pitch
    column = np.clip(place.astype(np.int64), 0, scan.n_columns - 2)
    step = scan.angular_range / scan.n_views
    result = xp.empty((len(fan), wedge.n_views, scan.n_rows), dtype)
    for number, (first, part) in enumerate(zip(column, place - column, strict=True)):
        line = dtype.type(1 - part) * by_column[first] + dtype.type(part) * by_column[first + 1]
        turned = (wedge.angles + fan[number] - scan.first_angle) / step
        view = np.clip(np.floor(turned).astype(np.int64), 0, scan.n_views - 2)
        second = xp.asarray((turned - view)[:, None], dtype)
        view = xp.asarray(view)
        result[number] = (1 - second) * line[view] + second * line[view + 1]
    return xp.ascontiguousarray(xp.moveaxis(result, 0, 2))
