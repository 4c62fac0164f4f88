"""Small inputs for the kernels of Joseph's projector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray import joseph
from phantomsim.physics.xray.geometry import FanBeam
from phantomsim.physics.xray.joseph_lanes import BEFORE, lane_sources, lane_targets, n_tiles, padding
from phantomsim.physics.xray.joseph_lines import trace_lines


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(30)
    grid = Grid((3, 5, 5), (1e-3, 1e-3, 1e-3))
    scan = FanBeam(4, 6, 1.2e-3, source_to_axis=0.02, source_to_detector=0.03)
    symmetries = trace_lines(scan, grid, symmetric=True).symmetries
    assert len(symmetries) == 8
    volume = rng.random(grid.shape).astype(np.float32)
    sources = lane_sources(grid.shape, symmetries, transposed=False)
    lanes = np.full((3, 5, 5 + padding(BEFORE), LANES), 7, np.float32)
    yield "xray.joseph.pack", 3 * n_tiles(5), lanes.size, (volume.ravel(), sources, BEFORE, lanes), (3,), 0.0
    lanes = rng.random(lanes.shape).astype(np.float32)
    targets = lane_targets(grid.shape, symmetries, transposed=False)
    yield "xray.joseph.unpack", 3 * n_tiles(5), volume.size, (lanes, targets, volume), (2,), 1e-6

    grid = Grid((2, 9, 4), (1e-3, 1e-3, 1.2e-3), (0.0, 0.5e-3, 0.0))  # no symmetry, rows in two tiles
    lines = trace_lines(scan, grid, symmetric=True)
    table = lines.table.astype(np.float32)
    images = np.zeros((1, 9, 4 + padding(BEFORE), LANES), np.float32)
    images[:, :, 1:5] = rng.random((1, 9, 4, LANES))
    transposed = np.zeros((1, 4, 9 + padding(BEFORE), LANES), np.float32)
    transposed[:, :, 1:10] = rng.random((1, 4, 9, LANES))
    sums = np.full((1, lines.n_rays, LANES), 7, np.float32)
    n_blocks = joseph.n_forward_blocks(1, len(lines.runs))
    yield "xray.joseph.forward", n_blocks, sums.size, (images, transposed, table, lines.runs, sums), (4,), 2e-6
    sums = rng.random(sums.shape).astype(np.float32)
    n_threads = images.size + transposed.size
    arguments = (sums, table, lines.runs, images, transposed)
    yield "xray.joseph.adjoint", joseph.n_adjoint_blocks(1, 9, 4), n_threads, arguments, (3, 4), 2e-6
