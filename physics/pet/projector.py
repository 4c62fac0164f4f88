"""The projector of positron emission tomography: a volume and any set of lines, in a sinogram or of an event list."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log2
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.pet.line_backprojection import ADJOINT, n_adjoint_blocks
from phantomsim.physics.pet.line_projection import FORWARD, LINES
from phantomsim.physics.pet.line_tracer import PADDING
from phantomsim.physics.pet.time_of_flight import STEPS, TimeOfFlight

Float64 = npt.NDArray[np.float64]
ORDERS: Final = ((0, 1, 2), (1, 2, 0), (2, 1, 0))
"""Axes of the planes, lines and heights in which a volume is traced along z, y and x."""


@dataclass(frozen=True, eq=False)
class _Bundle:
    """The lines that are traced along one axis, in an order in which neighbours share voxels.

    Parameters
    ----------
    axes
        Axes of planes, lines and heights.
    lines
        Number of each line among all.
    ends
        First and second end (line, 6), each (plane, line, height) [m].
    bins
        First time bin (line).
    frame
        First voxel and spacing (2, 3) [m].
    """

    axes: tuple[int, int, int]
    lines: npt.NDArray[np.int64]
    ends: Array
    bins: npt.NDArray[np.int32]
    frame: Array


class LineProjector(LinearOperator):
    """Integrate a volume along lines between two points each, by Joseph's method.

    The domain is a volume (z, y, x), such as activity [Bq/m³]; the range is line integrals (line, tof), with one time
    bin without time of flight. The adjoint is exact. Lines are sorted once, so that a projector is worth keeping.

    Parameters
    ----------
    ends
        First and second end of each line (line, 2, 3), each (z, y, x) [m].
    grid
        Position of the voxels [m].
    flight
        Time of flight, or None.
    bins
        Time bin of each line (line), for event lists; without it each line has all bins.
    dtype
        ``"float32"``, or ``"float64"`` for proofs.

    Raises
    ------
    ShapeError
        If there is no line, or ends and bins are not (line, 2, 3) and (line).
    UnitError
        If an end is not finite, the two of a line coincide, or a bin does not exist.
    """

    def __init__(
        self,
        ends: Float64,
        grid: Grid,
        flight: TimeOfFlight | None = None,
        bins: npt.NDArray[np.int64] | None = None,
        dtype: str = "float32",
    ) -> None:
        ends = np.asarray(ends, np.float64)
        _check(ends, flight, bins)
        n_bins = 1 if flight is None or bins is not None else flight.n_bins
        self.grid, self.flight = grid, flight
        self.domain = Space(grid.shape, ("z", "y", "x"), dtype)
        self.range = Space((len(ends), n_bins), ("line", "tof"), dtype)
        first = np.zeros(len(ends), np.int32) if bins is None else np.asarray(bins, np.int32)
        self._bundles = [b for axis in range(3) if (b := _bundle(axis, ends, first, grid, dtype)) is not None]

    def forward(self, x: Array) -> Array:
        """Project a volume (z, y, x); return line integrals (line, tof) on its device.

        Raises
        ------
        ShapeError
            If the volume is not of the domain.
        """
        self.domain.check(x)
        xp = namespace(x)
        values = xp.zeros(self.range.shape, self.range.dtype)
        for bundle in self._bundles:
            planes = _padded(x, bundle.axes, self.domain.dtype)
            sums = xp.zeros((bundle.lines.size, self.range.shape[1]), self.range.dtype)
            n_blocks = -(-bundle.lines.size // LINES)
            FORWARD(n_blocks, bundle.lines.size, planes, *self._arguments(bundle, xp), sums)
            values[xp.asarray(bundle.lines)] = sums
        return values

    def adjoint(self, y: Array) -> Array:
        """Backproject line integrals (line, tof); return a volume (z, y, x) on their device.

        Raises
        ------
        ShapeError
            If the line integrals are not of the range.
        """
        self.range.check(y)
        xp = namespace(y)
        volume = xp.zeros(self.domain.shape, self.domain.dtype)
        for bundle in self._bundles:
            given = xp.ascontiguousarray(y[xp.asarray(bundle.lines)], dtype=self.range.dtype)
            n_planes, n_lines, n_heights = (self.grid.shape[axis] for axis in bundle.axes)
            quanta = xp.zeros((n_planes, n_lines + PADDING, n_heights + PADDING), np.int64)
            scale = _scale(float(xp.abs(given).sum(dtype=np.float64)), bundle)
            arguments = (given, *self._arguments(bundle, xp), given.dtype.type(scale), quanta)
            ADJOINT(n_adjoint_blocks(n_planes), bundle.lines.size, *arguments)
            planes = (quanta[:, 1 : 1 - PADDING, 1 : 1 - PADDING] / scale).astype(self.domain.dtype)
            volume += planes.transpose(np.argsort(bundle.axes))
        return volume

    def _arguments(self, bundle: _Bundle, xp: object) -> tuple[Array, ...]:
        dtype = self.domain.dtype
        kernel, flight = np.zeros(0, dtype), np.zeros(0, dtype)
        if self.flight is not None:
            kernel = self.flight.kernel().astype(dtype)
            reach = self.flight.reach
            flight = np.array([self.flight.centres[0], self.flight.spacing, reach, STEPS / reach], dtype)
        arrays = (bundle.frame, bundle.ends, bundle.bins, kernel, flight)
        return arrays if xp is np else tuple(xp.asarray(array) for array in arrays)  # type: ignore[attr-defined]


def _check(ends: Float64, flight: TimeOfFlight | None, bins: npt.NDArray[np.int64] | None) -> None:
    if ends.ndim != 3 or ends.shape[1:] != (2, 3) or not len(ends):
        raise ShapeError(f"ends of lines must be (line, 2, 3) with a line at least, got {ends.shape}")
    if not np.isfinite(ends).all():
        raise UnitError(f"ends of lines must be finite, line {int(np.argwhere(~np.isfinite(ends))[0, 0])} is not")
    if (same := (ends[:, 0] == ends[:, 1]).all(axis=1)).any():
        raise UnitError(f"a line needs two ends; those of line {int(np.argmax(same))} coincide")
    if bins is None:
        return
    if flight is None:
        raise ShapeError("time bins of lines need a time of flight")
    if np.shape(bins) != (len(ends),):
        raise ShapeError(f"there must be a time bin for each of {len(ends)} lines, got {np.shape(bins)}")
    if len(bad := np.flatnonzero((np.asarray(bins) < 0) | (np.asarray(bins) >= flight.n_bins))):
        raise UnitError(f"line {bad[0]} has time bin {bins[bad[0]]}; there are bins 0 to {flight.n_bins - 1}")


def _bundle(axis: int, ends: Float64, bins: npt.NDArray[np.int32], grid: Grid, dtype: str) -> _Bundle | None:
    """Return the lines that cross most planes of voxels along an axis, or None if there is none."""
    run = np.abs(ends[:, 1] - ends[:, 0]) / np.array(grid.spacing)
    lines = np.flatnonzero(np.argmax(run, axis=1) == axis)
    if not lines.size:
        return None
    axes = list(ORDERS[axis])
    spacing = np.array(grid.spacing)[axes]
    first = np.array([grid.coordinates(a)[0] for a in axes])
    near, far = ((ends[lines, side][:, axes] - first) / spacing for side in (0, 1))
    slope = (far - near)[:, 1:] / (far - near)[:, :1]
    line, height = (near[:, 1:] + slope * ((grid.shape[axis] - 1) / 2 - near[:, :1])).T
    order = np.lexsort((height // 8, slope[:, 0] // (1 / 32), line // 16))
    lines = lines[order]
    return _Bundle(
        ORDERS[axis],
        lines,
        ends[lines][:, :, axes].reshape(-1, 6).astype(dtype),
        bins[lines],
        np.stack([first, spacing]).astype(dtype),
    )


def _padded(x: Array, axes: tuple[int, int, int], dtype: str) -> Array:
    xp = namespace(x)
    n_planes, n_lines, n_heights = (x.shape[axis] for axis in axes)
    planes = xp.zeros((n_planes, n_lines + PADDING, n_heights + PADDING), dtype)
    planes[:, 1 : 1 - PADDING, 1 : 1 - PADDING] = x.transpose(axes)
    return planes


def _scale(total: float, bundle: _Bundle) -> float:
    """Return quanta to a unit so that no sum of them leaves 62 bits, whatever voxel all lines meet in."""
    ends = np.asarray(bundle.ends, np.float64)
    step = np.sqrt(np.sum((ends[:, 3:] - ends[:, :3]) ** 2, axis=1)) / np.abs(ends[:, 3] - ends[:, 0])
    largest = total * float(step.max()) * float(bundle.frame[1, 0])
    return 1.0 if largest == 0 else 2.0 ** floor(61 - log2(largest))
