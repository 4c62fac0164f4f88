"""Small inputs for the kernels of sums along bands: boxes and trapezoids, some over many pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray.footprint_bands import Window, trace_bands
from phantomsim.physics.xray.geometry import FanBeam
from phantomsim.physics.xray.joseph import n_adjoint_blocks, n_forward_blocks
from phantomsim.physics.xray.joseph_lanes import padding

GRID = Grid((2, 9, 4), (1e-3, 1e-3, 1.2e-3), (0.0, 0.5e-3, 0.0))  # no symmetry, rows in two tiles
SCANS: tuple[tuple[Window, FanBeam], ...] = (
    ("way", FanBeam(4, 6, 1.2e-3, source_to_axis=0.02, source_to_detector=0.03)),
    ("shadow", FanBeam(4, 2, 6e-3, source_to_axis=0.02, source_to_detector=0.03)),
    ("both", FanBeam(4, 6, 1.2e-3, source_to_axis=0.02, source_to_detector=0.03)),
)


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(31)
    for window, scan in SCANS:
        bands = trace_bands(scan, GRID, window, symmetric=True)
        table, before = bands.table.astype(np.float32), bands.before
        images = np.zeros((1, 9, 4 + padding(before), LANES), np.float32)
        images[:, :, before : before + 4] = rng.random((1, 9, 4, LANES))
        transposed = np.zeros((1, 4, 9 + padding(before), LANES), np.float32)
        transposed[:, :, before : before + 9] = rng.random((1, 4, 9, LANES))
        sums = np.full((1, bands.lines.n_rays, LANES), 7, np.float32)
        n_blocks = n_forward_blocks(1, len(bands.runs))
        arguments: tuple[Any, ...] = (images, transposed, table, bands.runs, before, sums)
        yield "xray.footprint.forward", n_blocks, sums.size, arguments, (5,), 4e-6
        sums = rng.random(sums.shape).astype(np.float32)
        arguments = (sums, table, bands.runs, before, images, transposed)
        yield (
            "xray.footprint.adjoint",
            n_adjoint_blocks(1, 9, 4),
            images.size + transposed.size,
            arguments,
            (4, 5),
            4e-6,
        )
