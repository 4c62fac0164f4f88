"""Small inputs for the kernels of cone-beam reconstruction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(31)
    lines = np.zeros((4, 14, 9), np.float32)
    lines[:, 1:-2, 1:-2] = rng.normal(size=(4, 11, 6))
    angles = np.array([0.1, 2.0, 0.1 + np.pi, 2.0 + np.pi])
    views = np.stack([np.cos(angles), np.sin(angles), [-0.02, -0.01, 0.01, 0.02]], axis=1).astype(np.float32)
    y, x = np.linspace(-0.1, 0.12, 9, dtype=np.float32), np.linspace(-0.1, 0.1, 3, dtype=np.float32)
    z = np.array([-0.03, 0.012], np.float32)  # the first, and their distance [m]
    radius, origin = np.float32(0.541), np.array([3.6, 6.2], np.float32)
    for cylinder in (False, True):
        scale = np.array([60.0, 20.0], np.float32)  # rows per tangent, columns per tangent or radian
        columns = rng.normal(size=(9, 3, 5)).astype(np.float32)  # two tiles
        place = (cylinder, radius, scale, origin, z, y, x, columns)
        yield "xray.backproject.cone", 2, columns.size, (lines, views[:, :2].copy(), *place), (9,), 1e-5

    taper = np.array([0, 0.2, 0.8, 1, 1, 0.8, 0.2, 0, 0], np.float32)
    scale = np.array([60.0, 45.0], np.float32)  # rows per tangent, columns per metre
    helix = (2, radius, np.float32(0.01), scale, origin, z, y, x, np.ones((9, 3, 5), np.float32))
    yield "xray.backproject.wedge", 2, 135, (lines, taper, views, *helix), (11,), 2e-5
