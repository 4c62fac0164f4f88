"""Small calcifications that do not touch each other inside a ball."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, normal, poisson, uniform
from phantomsim.physics.shapes import Shape, along, capsule, ellipsoid

TRIES = 500


def poisson_count(mean: float, key: Key) -> int:
    """Draw a Poisson count, at least one."""
    return max(1, int(poisson(key.fold("count"), np.array([mean]))[0]))


def packed(
    n: int, ball: Shape, lengths: tuple[float, float], key: Key, make: Callable[[Triple, float, Key], Shape]
) -> list[Shape]:
    """Return shapes inside a ball, evenly over it, whose own balls do not touch.

    Parameters
    ----------
    n
        How many.
    ball
        What holds them.
    lengths
        Shortest and longest, log-uniform [m].
    key
        Stream to draw from.
    make
        Makes one from its centre, its length, which is the diameter of the ball that holds it, and a stream.

    Raises
    ------
    RecipeError
        If one finds no place.
    """
    low, high = lengths
    sizes = np.sort(low * (high / low) ** uniform(key.fold("lengths"), n, dtype=np.float64))[::-1]
    centres, shapes = np.empty((0, 3)), []
    for i, length in enumerate(sizes.tolist()):
        stream = key.fold("piece", i)
        directions = normal(stream.fold("direction"), (TRIES, 3), dtype=np.float64)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        distance = uniform(stream.fold("distance"), TRIES, dtype=np.float64) ** (1 / 3)
        points = ball.centre + (ball.inner_radius - length / 2) * distance[:, None] * directions
        apart = np.linalg.norm(points[:, None] - centres, axis=2)
        free = np.flatnonzero((apart > (length + sizes[:i]) / 2).all(axis=1))
        if not len(free):
            raise RecipeError(
                f"no room for {n} calcifications of {1e3 * low:.2g} to {1e3 * high:.2g} mm in a ball of "
                f"{2e3 * ball.inner_radius:.1f} mm: ask for fewer or smaller ones"
            )
        centres = np.vstack([centres, points[free[0]]])
        z, y, x = (float(c) for c in points[free[0]])
        shapes.append(make((z, y, x), length, stream))
    return shapes


def speck(centre: Triple, length: float, key: Key) -> Shape:
    """Return a microcalcification: a rod in one case of three, else an ellipsoid, in any direction."""
    axis = normal(key.fold("axis"), 3, dtype=np.float64)
    kind, y, x = uniform(key.fold("form"), 3, dtype=np.float64).tolist()
    toward = along((float(axis[0]), float(axis[1]), float(axis[2])))
    if kind < 1 / 3:
        cap = length / 2 * (0.2 + 0.25 * y)
        return capsule(centre, (length / 2, cap, cap), toward)
    return ellipsoid(centre, (length / 2, length / 2 * (0.5 + 0.5 * y), length / 2 * (0.5 + 0.5 * x)), toward)
