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
    ends = np.concatenate([[[-0.03] * 3] * 9, [[0.03] * 3] * 9], axis=1).reshape(9, 6)
    ends[:, [1, 2, 4, 5]] = rng.uniform(-0.01, 0.01, (9, 4))
    ends, bins = ends.astype(np.float32), np.zeros(9, np.int32)
    flight = np.array([FLIGHT.centres[0], FLIGHT.spacing, FLIGHT.reach, STEPS / FLIGHT.reach], np.float32)
    none = np.zeros(0, np.float32)
    for table, times, n_bins in ((none, none, 1), (FLIGHT.kernel().astype(np.float32), flight, 3)):
        arguments = (planes, frame, ends, bins, table, times, np.full((9, n_bins), 7, np.float32))
        yield "pet.lines.forward", 1, 9, arguments, (6,), 2e-6
        values = rng.random((9, n_bins)).astype(np.float32)
        arguments = (values, frame, ends, bins, table, times, SCALE, np.zeros(planes.shape, np.int64))
        yield "pet.lines.adjoint", 1, 9, arguments, (7,), 2e-6
