"""Small cases of the kernel that asks for materials at points."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics import shapes as s
from phantomsim.physics.inside import sorted_into_cells
from tests.scenes import random_shape


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    rng = np.random.default_rng(4)
    bodies = [random_shape(rng) for _ in range(8)]
    bodies[4] = bodies[4].clipped((0.0, 1.0, 1.0), 0.0)
    points = rng.uniform(-0.15, 0.15, (200, 3))
    for table in (s.layered(bodies, [1, 2, 0, 1, 2, 3, 1, 2]), s.additive(bodies, [1] * 8, {n: n for n in range(9)})):
        shapes = table.bodies[:5]
        found = np.zeros(len(points), np.int32)
        cells = sorted_into_cells(table, points)
        yield "inside.materials", 1, len(points), (*shapes, *table.rule, *cells, points, found), (13,), 0.0
