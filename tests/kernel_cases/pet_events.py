"""Small inputs for the kernels of the way from decays to singles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.pet.emission import source_of
from phantomsim.physics.pet.isotopes import isotope
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.singles import _shell
from phantomsim.physics.photons.tables import tabulate

KEY = (np.uint64(0xA4093822), np.uint64(0x299F31D0), np.uint64(0x13198A2E))
LSO = (7400.0, {"O": 0.174656, "Si": 0.061319, "Lu": 0.764025})
N = 40


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(70)
    grid = Grid((3, 4, 5), (2e-3,) * 3)
    source = source_of(rng.random(grid.shape), grid)
    frame = np.array([*grid.lower, *grid.spacing], np.float32)
    drawn = (frame, source.cumulated, source.voxels, source.guesses)
    density, spreads = rng.random(grid.shape).astype(np.float32), isotope("F-18").spreads().astype(np.float32)
    outputs = np.zeros((3, N), np.float32), np.zeros((7, 2 * N), np.float32)
    for table in (spreads, np.zeros(0, np.float32)):
        arguments = (N, 1000, *KEY, *drawn, density, table, np.float32(0.004), *outputs)
        yield "pet.emit", 1, N, arguments, (12, 13), 1e-5
    rings = Rings(0.1, 12, 2, (3, 4), (8e-3, 10e-3), 0.03, axial_gap=3e-3, fill=0.95)
    tables = tabulate([LSO])
    state = np.zeros((7, N), np.float32)
    ways = rng.standard_normal((3, N)) * np.array([[0.3], [1], [1]])
    state[:3], state[3:6] = rng.uniform(-0.02, 0.02, (3, N)), ways / np.linalg.norm(ways, axis=0)
    state[6] = np.linspace(60, 511, N)
    found = np.zeros((2, N), np.int32), np.zeros((2, 6, N), np.float32)
    arguments = (500, *KEY, *_shell(rings), tables.coefficients, tables.momentum, np.float32(10), state, *found)
    yield "pet.crystals", 1, N, arguments, (10, 11), 1e-4
    times = np.sort(rng.uniform(0, 4e-6, N))
    bounds = np.array([0, 15, 15, N])
    times[:15] = np.sort(times[:15])
    for paralysable in (0, 1):
        values = tuple(rng.random(N).astype(np.float32) for _ in range(3))
        busy = np.full(3, -1.0)
        arguments = (bounds, times, 5e-8, 2e-7, paralysable, *values, np.zeros(N, np.uint8), busy)
        yield "pet.dead_time", 3, 3, arguments, (5, 6, 7, 8, 9), 1e-6
