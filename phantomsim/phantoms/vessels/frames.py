"""Frames across many directions at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


def frames(directions: Float64) -> Float64:
    """Return rotations (n, 3, 3) whose first column lies along each direction (n, 3), as `shapes.along` makes them."""
    axis = directions / np.sqrt((directions**2).sum(axis=1, keepdims=True))
    first = cross(axis, np.eye(3)[np.abs(axis).argmin(axis=1)])
    first /= np.sqrt((first**2).sum(axis=1, keepdims=True))
    return np.stack([axis, first, cross(axis, first)], axis=2)


def cross(a: Float64, b: Float64) -> Float64:
    """Return the cross products (…, 3) of vectors; `numpy.cross` takes ten times as long for few of them."""
    i, j = [1, 2, 0], [2, 0, 1]
    return np.asarray(a[..., i] * b[..., j] - a[..., j] * b[..., i])
