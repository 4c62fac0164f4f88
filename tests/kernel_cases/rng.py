"""Small inputs for the kernels of random draws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

KEY = (np.uint64(0xA4093822), np.uint64(0x299F31D0), np.uint64(0x13198A2E))


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    whole_and_part = np.zeros(4096 + 1100, np.float32)  # the second tile ends inside its second quarter
    yield "rng.uniform", 2, 2048, (*KEY, whole_and_part), (3,), 0.0
    yield "rng.normal", 2, 2048, (*KEY, whole_and_part), (3,), 1e-6
    yield "rng.exponential", 2, 2048, (*KEY, whole_and_part), (3,), 1e-6
    doubles = np.zeros(2048 + 700, np.float64)
    yield "rng.uniform64", 2, 2048, (*KEY, doubles), (3,), 0.0
    yield "rng.normal64", 2, 2048, (*KEY, doubles), (3,), 1e-14
    yield "rng.exponential64", 2, 2048, (*KEY, doubles), (3,), 1e-14
    means = np.exp(np.linspace(np.log(1e-3), np.log(1e6), 1024 + 76)).astype(np.float32)
    yield "rng.poisson", 2, means.size, (*KEY, means, np.zeros(means.size, np.int64)), (4,), 0.0
    n, p = np.repeat([0, 1, 30, 1000, 10**9], 40), np.tile([0.0, 1e-3, 0.2, 0.5, 0.97], 40)
    yield "rng.binomial", 1, n.size, (*KEY, n, p, np.zeros(n.size, np.int64)), (5,), 0.0
