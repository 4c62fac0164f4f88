"""Images of shapes under affine maps, where they are shapes again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Rotation, Shape

SQUARE: Final = 1e-12
"""Cosine between two axes up to which they count as square to each other."""

Float64 = npt.NDArray[np.float64]


def transformed(shape: Shape, matrix: Float64, shift: Float64) -> Shape | None:
    """Return the image of a shape under ``now = matrix · rest + shift``.

    Any shape has one under rotations and uniform scaling, and wherever its axes stay square to each other; an ellipsoid
    always has one. Clips are canonical, and move along.

    Parameters
    ----------
    shape
        The shape at rest.
    matrix, shift
        Of the map (3, 3), (3), for positions (z, y, x) [m]; the matrix is not singular.

    Returns
    -------
        The image, or None where it is no shape.
    """
    axes = np.asarray(matrix) @ shape.matrix
    lengths = np.linalg.norm(axes, axis=0)
    unit = axes / lengths
    centre = np.asarray(matrix) @ np.asarray(shape.centre) + shift
    if np.abs(unit.T @ unit - np.eye(3)).max() <= SQUARE:
        return replace(shape, centre=_triple(centre), semi_axes=_triple(lengths), rotation=_rows(unit))
    if shape.kind != "ellipsoid":
        return None
    left, lengths, right = np.linalg.svd(axes)
    clips = tuple((*_triple(right @ np.array(normal)), offset) for *normal, offset in shape.clips)
    return replace(shape, centre=_triple(centre), semi_axes=_triple(lengths), rotation=_rows(left), clips=clips)


def _triple(values: Float64) -> Triple:
    z, y, x = (float(v) for v in values)
    return (z, y, x)


def _rows(matrix: Float64) -> Rotation:
    first, second, third = (_triple(row) for row in matrix)
    return (first, second, third)
