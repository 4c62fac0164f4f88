"""Small cases of the voxel kernel."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics import shapes as s
from tests.scenes import random_shape


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    rng = np.random.default_rng(2)
    table = s.layered([random_shape(rng).clipped((1.0, 2.0, -1.0), 0.02) for _ in range(5)], [1, 2, 0, 1, 2])
    corner, spacing = np.array([-0.05, -0.1, -0.1]), np.array([0.1, 0.025, 0.025])
    outputs = (np.zeros((3, 1, 8, 8), np.float32), np.zeros(1, np.int32))
    yield (
        "voxels.fractions",
        8,
        8,
        (*table.bodies, *table.rule, corner, spacing, np.array([2, 3]), *outputs),
        (14,),
        1e-6,
    )
