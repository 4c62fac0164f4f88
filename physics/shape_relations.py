"""Whether one shape holds another, or two lie apart: never a wrong yes, and a no may be "not shown".

Every shape is the convex hull of a few images ``centre + matrix · unit ball`` of points, discs and balls. Two bodies
are apart where a plane separates them: a search proposes its direction, and their support functions prove it. A convex
body holds a shape if it holds each piece of its hull: for a ball, a cylinder's section and a box that asks for the
largest norm, or component, on each piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from phantomsim.physics.shapes import Shape

Float64 = npt.NDArray[np.float64]
Piece = tuple[Float64, Float64]
Relation = Literal["apart", "holds", "held", "unknown"]

TOUCHING: Final = 1e-9
"""Overlaps or protrusions thinner than this part of the body count as touching: the error they make is as small."""
_STEPS: Final = 60  # of the search for a separating direction; bodies that need more nearly touch


def boxes_meet(shapes: Sequence[Shape]) -> list[list[int]]:
    """Return for each shape the numbers of those before it whose bounding boxes meet its own; others are apart."""
    centre = np.asarray([shape.centre for shape in shapes], np.float64).reshape(-1, 3)
    half = np.asarray([shape.half_extent for shape in shapes], np.float64).reshape(-1, 3)
    meet = [(np.abs(centre[:i] - centre[i]) < half[:i] + half[i]).all(axis=1) for i in range(len(shapes))]
    return [[int(number) for number in np.flatnonzero(row)] for row in meet]


def relation(first: Shape, second: Shape) -> Relation:
    """Return how two shapes lie, as far as it can be proven.

    Returns
    -------
        ``"apart"`` (their interiors do not meet), ``"holds"`` (the first holds the second), ``"held"`` (the second
        holds the first), or ``"unknown"``: they overlap in part, or nothing could be proven.
    """
    if not boxes_meet([first, second])[1]:
        return "apart"
    sizes = first.uncut.volume, second.uncut.volume
    if sizes[1] <= sizes[0] * (1 + TOUCHING) and holds(first, second):
        return "holds"
    if sizes[0] <= sizes[1] * (1 + TOUCHING) and holds(second, first):
        return "held"
    return "apart" if apart(first, second) else "unknown"


def holds(outer: Shape, inner: Shape) -> bool:
    """Return whether an uncut ellipsoid, cylinder or box provably holds a shape of any kind (False for others)."""
    if outer.clips:
        return False
    inverse = outer.inverse
    pieces = [(inverse[:, :3] @ centre + inverse[:, 3], inverse[:, :3] @ matrix) for centre, matrix in _pieces(inner)]
    if outer.kind == "ellipsoid":
        return all(_largest_norm(*piece) <= 1 + TOUCHING for piece in pieces)
    if outer.kind not in ("cylinder", "box"):
        return False
    reach = np.max([np.abs(centre) + np.linalg.norm(matrix, axis=1) for centre, matrix in pieces], axis=0)
    if outer.kind == "box":
        return bool(reach.max() <= 1 + TOUCHING)
    return bool(reach[0] <= 1 + TOUCHING) and all(_largest_norm(c[1:], m[1:]) <= 1 + TOUCHING for c, m in pieces)


def apart(first: Shape, second: Shape) -> bool:
    """Return whether a plane provably parts the interiors of two shapes."""
    a, b = _pieces(first), _pieces(second)
    unit = first.inverse[:, :3]  # in the first shape's canonical coordinates, where it is round
    a, b = ([(unit @ centre, unit @ matrix) for centre, matrix in pieces] for pieces in (a, b))
    nearest = unit @ np.subtract(first.centre, second.centre)
    slack = TOUCHING * min(1.0, min(second.semi_axes) / max(first.semi_axes))
    faces = np.linalg.inv(unit @ second.matrix)
    for direction in (*np.eye(3), *-np.eye(3), *faces, *-faces):
        if _parts(direction, a, b, slack):
            return True
    points = nearest[None]
    for _ in range(_STEPS):  # Gilbert, Johnson and Keerthi: the point of the difference a − b nearest to 0
        size = float(np.linalg.norm(nearest))
        if size <= slack:
            return False
        if _parts(-nearest, a, b, slack):
            return True
        points = np.vstack([points, _support(-nearest, a) - _support(nearest, b)])
        weights, _ = nnls(np.vstack([points.T, np.ones(len(points))]), np.array([0.0, 0.0, 0.0, 1.0]))
        points, weights = points[weights > 0], weights[weights > 0]
        nearest = weights @ points / weights.sum()
    return False


def _pieces(shape: Shape) -> list[Piece]:
    """Return centre (3) and matrix (3, n) of each image of a unit ball of n dimensions whose hull is the uncut shape.

    What holds the uncut shape, or lies apart from it, does so to any part of it.
    """
    centre, matrix = np.asarray(shape.centre), shape.matrix
    if shape.kind == "ellipsoid":
        return [(centre, matrix)]
    if shape.kind == "box":
        corners = [centre + matrix @ np.asarray(corner) for corner in product((-1.0, 1.0), repeat=3)]
        return [(corner, np.zeros((3, 0))) for corner in corners]
    if shape.kind == "capsule":
        return [(centre + end * shape.param * matrix[:, 0], matrix) for end in (-1, 1)]
    top = shape.param if shape.kind == "cone" else 1.0
    return [(centre + end * matrix[:, 0], size * matrix[:, 1:]) for end, size in ((-1, 1.0), (1, top))]


def _support(direction: Float64, pieces: list[Piece]) -> Float64:
    """Return the point of a hull that lies farthest along a direction."""
    best, reach = pieces[0][0], -np.inf
    for centre, matrix in pieces:
        across = matrix.T @ direction
        length = float(np.sqrt(across @ across))
        if (found := float(centre @ direction) + length) > reach:
            best, reach = centre + (matrix @ (across / length) if length > 0 else 0.0), found
    return best


def _parts(direction: Float64, a: list[Piece], b: list[Piece], slack: float) -> bool:
    """Return whether all of `a` lies behind all of `b` along a direction, but for a slack in canonical lengths."""
    norm = float(np.linalg.norm(direction))
    farthest = max(c @ direction + np.linalg.norm(m.T @ direction) for c, m in a)
    first = min(c @ direction - np.linalg.norm(m.T @ direction) for c, m in b)
    return bool(farthest - first <= slack * norm)


def _largest_norm(centre: Float64, matrix: Float64) -> float:
    """Return an upper bound of |centre + matrix · u| over |u| <= 1, which is the maximum but for rounding.

    The dual of the trust-region problem: with eigenvalues λ of ``matrixᵀ matrix`` and b the parts of ``matrixᵀ centre``
    along their vectors, |centre|² + μ + Σ b² / (μ − λ) bounds the square for every μ > max λ, and its least value is
    the maximum.
    """
    if matrix.shape[1] == 0:
        return float(np.linalg.norm(centre))
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    b = np.abs(vectors.T @ (matrix.T @ centre))
    gaps, largest = values[-1] - values, max(float(values[-1]), 0.0)
    moved, b, gaps = b > 0, b[b > 0], gaps[b > 0]
    low = max(0.0, float((b - gaps).max())) if moved.any() else 0.0
    high = max(float(np.linalg.norm(b)), low)
    for _ in range(100):  # μ = λ + step, where the derivative 1 − Σ b² / (μ − λ)² changes sign
        step = (low + high) / 2
        if step > 0 and float(((b / (step + gaps)) ** 2).sum()) > 1:
            low = step
        else:
            high = step
    rest = float((b * b / (high + gaps)).sum()) if moved.any() else 0.0
    return float(np.sqrt(centre @ centre + largest + high + rest))
