"""Small inputs for the kernels of the projector along lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics.pet.time_of_flight import STEPS, TimeOfFlight

FLIGHT = TimeOfFlight(60e-12, 40e-12, 3)
SCALE = np.float32(2.0**30)


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(60)
    planes = np.zeros((5, 7, 8), np.float32)
    planes[:, 1:-2, 1:-2] = rng.random((5, 4, 5))
    frame = np.array([[-0.008, -0.006, -0.008], [0.004, 0.004, 0.004]], np.float32)
    across = np.array([[-0.03, 0.0, 0.03, 0.0]] * 9)
    across[:, [1, 3]] = rng.uniform(-0.01, 0.01, (9, 2))
    along, bins = rng.uniform(-0.01, 0.01, (9, 2)).astype(np.float32), np.zeros(9, np.int32)
    lists, stacks = (across.astype(np.float32), along, 1, bins), (across[:3].astype(np.float32), along[:3], 3, bins[:1])
    flight = np.array([FLIGHT.centres[0], FLIGHT.spacing, FLIGHT.reach, STEPS / FLIGHT.reach], np.float32)
    none = np.zeros(0, np.float32)
    for table, times, n_bins in ((none, none, 1), (FLIGHT.kernel().astype(np.float32), flight, 3)):
        for lines in (lists, stacks):
            arguments = (planes, frame, *lines, table, times, np.full((9, n_bins), 7, np.float32))
            yield "pet.lines.forward", 1, 9, arguments, (8,), 1e-5
            values = rng.random((9, n_bins)).astype(np.float32)
            arguments = (values, frame, *lines, table, times, SCALE, np.zeros(planes.shape, np.int64))
            yield "pet.lines.adjoint", 1, 9, arguments, (9,), 1e-5
