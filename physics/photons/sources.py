"""Where photons come from: points that shine evenly into a rectangle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.photons.transport import Photons
from phantomsim.physics.rng import Key, uniform

Float64 = npt.NDArray[np.float64]


def rectangle_source(
    source: Float64,
    centre: Float64,
    half_row: Float64,
    half_column: Float64,
    n: int,
    key: Key,
    *,
    energy: Float64 | float,
    weights: Float64 | None = None,
) -> Photons:
    """Emit photons from a point, evenly over the solid angle of a rectangle.

    Parameters
    ----------
    source, centre
        The point and the middle of the rectangle (z, y, x) [m].
    half_row, half_column
        Vectors from the middle to the middles of two sides, at right angles to each other [m].
    n
        Number of photons.
    key
        Random stream; photon i depends on the key and i alone for a given `n`.
    energy
        Of all photons, or of the lines of a spectrum (line) [keV].
    weights
        Relative number of photons in each line (line); even without it.

    Returns
    -------
        The photons, on the host.

    Raises
    ------
    ShapeError
        If weights do not match the lines, or the half sides are not at right angles.
    UnitError
        If the point lies in the rectangle's plane, or weights are negative or all zero.

    References
    ----------
    C. Ureña, M. Fajardo, A. King, "An area-preserving parametrization for spherical rectangles", Comput. Graph. Forum
    32 (2013), doi:10.1111/cgf.12151.
    """
    half_lengths = float(np.linalg.norm(half_row)), float(np.linalg.norm(half_column))
    rows, columns = half_row / half_lengths[0], half_column / half_lengths[1]
    if abs(rows @ columns) > 1e-9:
        raise ShapeError("the half sides of a source's rectangle must be at right angles")
    normal = np.cross(rows, columns)
    offset = centre - source
    distance = float(offset @ normal)
    if abs(distance) < 1e-9:
        raise UnitError("the source lies in the plane of its rectangle")
    y0, x0 = float(offset @ rows - half_lengths[0]), float(offset @ columns - half_lengths[1])
    y1, x1 = y0 + 2 * half_lengths[0], x0 + 2 * half_lengths[1]
    u, v, which = uniform(key, (3, n), dtype=np.float64)
    x, y = _on_rectangle(u, v, (x0, x1), (y0, y1), abs(distance))
    direction = x[:, None] * columns + y[:, None] * rows + distance * normal
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    lines = np.atleast_1d(np.asarray(energy, dtype=np.float64))
    shares = np.ones(len(lines)) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != lines.shape:
        raise ShapeError(f"weights must match the lines of the spectrum, got {shares.shape} and {lines.shape}")
    if not np.all(shares >= 0) or not shares.sum() > 0:
        raise UnitError("weights of a spectrum must not be negative, nor all zero")
    drawn = lines[np.minimum(np.searchsorted(np.cumsum(shares) / shares.sum(), which), len(lines) - 1)]
    return Photons.emitted(np.asarray(source), direction.astype(np.float32), drawn)


def _on_rectangle(
    u: Float64, v: Float64, x_range: tuple[float, float], y_range: tuple[float, float], distance: float
) -> tuple[Float64, Float64]:
    """Return points (x, y) of a rectangle at z = −distance that are even over its solid angle seen from the origin."""
    (x0, x1), (y0, y1), z0 = x_range, y_range, -distance
    corners = np.array([[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0]])
    normals = np.cross(corners, np.roll(corners, -1, axis=0))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    angles = np.arccos(np.clip(-np.sum(normals * np.roll(normals, -1, axis=0), axis=1), -1, 1))
    b0, b1 = normals[0, 2], normals[2, 2]
    solid_angle = angles.sum() - 2 * np.pi
    rest = 2 * np.pi - angles[2] - angles[3]
    turned = u * solid_angle + rest
    slope = (np.cos(turned) * b0 - b1) / np.sin(turned)
    cu = np.clip(np.copysign(1 / np.sqrt(slope**2 + b0**2), slope), -1 + 1e-15, 1 - 1e-15)
    x = np.clip(-cu * z0 / np.sqrt(1 - cu**2), x0, x1)
    d = np.sqrt(x**2 + z0**2)
    h0, h1 = y0 / np.sqrt(d**2 + y0**2), y1 / np.sqrt(d**2 + y1**2)
    h = h0 + v * (h1 - h0)
    return x, np.clip(h * d / np.sqrt(np.maximum(1 - h**2, 1e-30)), y0, y1)
