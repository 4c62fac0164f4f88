"""Small inputs for the kernels of filtered backprojection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(20)
    lines = np.zeros((2, 4, 14), np.float32)
    lines[:, :, 1:-2] = rng.normal(size=(2, 4, 11))
    # place of the first pixel [column], columns per pixel, pixels per row
    views = np.array([[6.3, 0.9, 0.7], [9.0, -0.8, -1.0], [2.0, 1.1, 0.0], [5.0, 0.4, 0.2]], np.float32)
    image = np.ones((2, 9, 7), np.float32)  # two tiles of five rows, the last one short
    yield "xray.backproject.parallel", 4, image.size, (lines, views, 9, 5, image), (4,), 1e-5

    lanes = np.zeros((2, 3, 14, 8), np.float32)
    lanes[:, :, 1:-2] = rng.normal(size=(2, 3, 11, 8))
    angles = np.array([0.1, 2.0, 4.1])
    turns = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    y, x = np.linspace(-0.1, 0.12, 18, dtype=np.float32), np.linspace(-0.1, 0.1, 3, dtype=np.float32)
    for arc in (False, True):
        place = (np.float32(0.541), np.float32(20.0), np.float32(6.2))  # radius [m], columns per radian, origin
        images = np.ones((2, 8, 18, 3), np.float32)  # two tiles of rows for each group of lanes
        yield "xray.backproject.fan", 4, images.size, (lanes, turns, arc, *place, y, x, images), (8,), 1e-5
