"""Small inputs for the transport of photons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.photons.medium import Medium, medium_of_fractions
from phantomsim.physics.photons.transport import matter_of

KEY = (np.uint64(0xA4093822), np.uint64(0x299F31D0), np.uint64(0x13198A2E))
MATERIALS = [(1000.0, {"H": 0.111898, "O": 0.888102}), (2700.0, {"Al": 1.0})]


def medium() -> Medium:
    """Return water with a lid of thin aluminium, voxels of both between, and cells of 4 voxels."""
    grid = Grid((8, 6, 10), (0.02, 0.02, 0.02))
    fractions = np.zeros((2, *grid.shape), np.float32)
    fractions[0] = 1
    fractions[:, 4, :, :] = 0.5
    fractions[0, 5:], fractions[1, 5:] = 0, 0.3
    return medium_of_fractions(fractions, MATERIALS, grid)


def beam(n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return photons that start above, inside and beside the medium."""
    state = np.zeros((7, n), np.float32)
    state[0], state[1], state[2] = np.linspace(-0.2, 0.05, n), np.linspace(-0.07, 0.05, n), np.linspace(0.1, -0.08, n)
    state[3], state[5], state[6] = 0.8, 0.6, np.linspace(20, 511, n)
    state[2, ::7] = 0.5
    return state, np.zeros(n, np.int32)


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    there, n = medium(), 60
    dose = np.zeros(there.grid.n_voxels, np.int64)
    matter = matter_of(there, 5.0)
    yield "photons.transport", 1, n, (*KEY, 1000, *matter, *beam(n), dose), (11, 12, 13), 1e-4
