"""Small inputs for the sum over energies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(1)
    n_rays, n_materials, n_energies = 300, 3, 6  # the second tile is cut off
    lengths = rng.random((n_rays, n_materials)).astype(np.float32)
    lengths[:, 1] = 0  # a material that no ray meets
    mu = (5 * rng.random((n_materials, n_energies))).astype(np.float32)
    weights = rng.random((n_energies, 3)).astype(np.float32)
    out = np.zeros((n_rays, 3), np.float32)
    yield "xray.transmit", 2, n_rays, (lengths, mu, weights, out), (3,), 1e-6
