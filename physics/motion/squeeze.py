"""A smooth squeeze inside the unit ball: the invertible step that heart and gut contract by.

Some coordinates q of a point shrink, ``q' = q (1 − k w)`` with ``w = (1 − r²)³`` within r = 1, all others stay, and r
counts both. The map has two continuous derivatives, and with 0 <= k < 1 it is monotone along q: the slope is
``1 − k (1 − r²)² (1 − r² − 6 q²) >= 1 − k``.
"""

from __future__ import annotations

import numpy as np

from phantomsim.physics.motion.motion import Float64

STEPS = 60  # of a bracketed Newton search: bisection alone would end at 2⁻⁶⁰


def weight(u: Float64) -> Float64:
    """Return w at points (…, n)."""
    return np.asarray(np.maximum(1 - (u * u).sum(axis=-1), 0) ** 3)


def weight_gradient(u: Float64) -> Float64:
    """Return the gradient of w at points (…, n)."""
    return np.asarray(-6 * (np.maximum(1 - (u * u).sum(axis=-1), 0) ** 2)[..., None] * u)


def squeeze(u: Float64, moving: Float64, k: Float64 | float) -> Float64:
    """Return points (…, n) squeezed along the coordinates that `moving` (n) marks with 1; k is (…) or a number."""
    return np.asarray(u * (1 - moving * np.asarray(k * weight(u))[..., None]))


def squeeze_jacobian(u: Float64, moving: Float64, k: Float64 | float) -> Float64:
    """Return the derivatives of `squeeze` by place, at fixed k (…, n, n)."""
    diagonal = 1 - moving * np.asarray(k * weight(u))[..., None]
    along = np.asarray(k)[..., None] * moving * u
    return np.asarray(diagonal[..., None] * np.eye(u.shape[-1]) - along[..., None] * weight_gradient(u)[..., None, :])


def release(u: Float64, moving: Float64, k: Float64 | float) -> Float64:
    """Return the inverse of `squeeze`: Newton's method within a bracket."""
    squeezed = np.sqrt((moving * u * u).sum(axis=-1))
    rest = 1 - ((1 - moving) * u * u).sum(axis=-1)
    k = np.broadcast_to(np.asarray(k, np.float64), squeezed.shape)
    inside = (squeezed > 0) & (squeezed * squeezed < rest) & (k > 0)
    result = np.array(u)
    if not inside.any():
        return result
    target, room, k = squeezed[inside], rest[inside], k[inside]
    low, high = target, np.minimum(target / (1 - k), np.sqrt(room))
    q = low
    for _ in range(STEPS):
        gap = np.maximum(room - q * q, 0)
        error = q * (1 - k * gap**3) - target
        low, high = np.where(error <= 0, q, low), np.where(error >= 0, q, high)
        step = q - error / (1 - k * gap**2 * (gap - 6 * q * q))
        step = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        done = np.abs(step - q).max() <= 1e-16
        q = step
        if done:
            break
    scale = np.where(moving > 0, (q / target)[:, None], 1.0)
    result[inside] = u[inside] * scale
    return result
