"""Small cases of the path-length kernel."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics import shapes as s
from tests.scenes import random_shape


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    rng = np.random.default_rng(1)
    found = [random_shape(rng) for _ in range(7)]
    found[2] = found[2].clipped((0.0, 1.0, 1.0), 0.0).clipped((1.0, 0.0, 0.0), 0.05)
    start, end = rng.uniform(-0.3, 0.3, (2, 70, 3))
    for table, n_materials in (
        (s.layered(found, [1, 2, 0, 1, 2, 3, 1]), 4),
        (s.additive(found[:3], [2, -1, 1], {2: 1, 1: 2, 3: 3, -1: 4}), 5),
    ):
        outputs = (np.zeros((70, n_materials), np.float32), np.zeros(1, np.int32))
        yield "xray.paths", 3, 70, (*table.bodies, *table.rule, start, end, *outputs), (13,), 1e-6
