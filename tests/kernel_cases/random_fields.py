"""A small case of the sum of lumps: round, long and turned, and some that do not depend on z."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    rng = np.random.default_rng(3)
    lumps = np.zeros((12, 13), np.float32)
    lumps[:, :3] = rng.uniform(-2, 10, (12, 3))
    lumps[:, 3:6] = rng.uniform(2, 6, (12, 3))
    lumps[:4, 3] = 1e30
    lumps[4:, 6] = -0.2
    lumps[:, 7:9] = -0.3
    lumps[4:, 9:12] = rng.uniform(-0.2, 0.2, (8, 3))
    lumps[:, 12] = rng.uniform(0.5, 1, 12)
    first, last = np.zeros(9, np.int64), np.full(9, 12)
    yield "random_fields.lumps", 27, 27 * 10, (lumps, first, last, np.ones((3, 9, 10), np.float32)), (3,), 1e-6
