"""A coarse lattice over a breast on which volumes are counted while the breast is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantomsim.physics.shapes import Shape

Mask = npt.NDArray[np.bool_]
Block = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Lattice:
    """Points on three axes (z, y, x) [m], a distance `step` apart along each."""

    axes: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]
    step: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of points along (z, y, x)."""
        z, y, x = self.axes
        return len(z), len(y), len(x)

    def local(self, shape: Shape, grown: float = 0.0) -> tuple[Block, npt.NDArray[np.float64]]:
        """Return the block of points in a shape's bounding box grown by a length [m], and the points (z, y, x, 3)."""
        block = []
        for axis, centre, half in zip(self.axes, shape.centre, shape.half_extent, strict=True):
            first = int(np.ceil((centre - half - grown - axis[0]) / self.step))
            last = int(np.floor((centre + half + grown - axis[0]) / self.step)) + 1
            block.append(slice(max(first, 0), max(last, first, 0)))
        z, y, x = (axis[part] for axis, part in zip(self.axes, block, strict=True))
        points = np.empty((len(z), len(y), len(x), 3))
        points[..., 0], points[..., 1], points[..., 2] = z[:, None, None], y[:, None], x
        return (block[0], block[1], block[2]), points

    def union(self, shapes: Sequence[Shape]) -> Mask:
        """Return which points lie in any of the shapes (z, y, x)."""
        result = np.zeros(self.shape, np.bool_)
        for shape in shapes:
            block, points = self.local(shape)
            result[block] |= shape.holds(points)
        return result


def over(shapes: Sequence[Shape], n_points: int) -> Lattice:
    """Return about n points over the box that holds the shapes, as far as it lies before the chest wall y = 0."""
    low = np.min([np.subtract(s.centre, s.half_extent) for s in shapes], axis=0)
    high = np.max([np.add(s.centre, s.half_extent) for s in shapes], axis=0)
    high[1] = min(high[1], 0.0)
    step = float(np.prod(high - low) / n_points) ** (1 / 3)
    # from the far ends, so that the flat base lies midway between points
    z, y, x = (np.arange(b - step / 2, a, -step)[::-1] for a, b in zip(low, high, strict=True))
    return Lattice((z, y, x), step)
