"""Small inputs for the readings of a detector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

KEY = (np.uint64(0xA4093822), np.uint64(0x299F31D0), np.uint64(0x13198A2E))


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    n_rays = 280  # the second tile is cut off; rays go from 1e4 photons to less than one
    lengths = np.stack([np.linspace(0, 0.5, n_rays), np.linspace(0.01, 0, n_rays)], axis=1).astype(np.float32)
    energy = np.array([40.0, 60.0, 80.0, 100.0], np.float32)
    quanta = np.array([2e3, 4e3, 3e3, 1e3], np.float32)
    mu = np.array([[26.8, 20.6, 18.4, 17.1], [127.8, 60.4, 42.8, 35.6]], np.float32)
    weights = np.stack([quanta * energy**k for k in (1, 2, 3)], axis=1)
    bins = np.stack([quanta, energy], axis=1)
    exposure = np.array([1.0, 0.5], np.float32)
    # gain so coarse that a float of 1e-6 more or less rarely reaches the next integer
    electronics = np.array([0.01, 100.0, 50.0, 65535.0, 0.1], np.float32)
    out = np.zeros(n_rays, np.uint32)
    arguments = (*KEY, lengths, mu, weights, mu, bins, exposure, electronics, out)
    yield "xray.read", 2, n_rays, arguments, (10,), 1e-3
