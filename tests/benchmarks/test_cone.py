"""Core-seconds of the cone-beam projector and its adjoint.

``python -m pytest tests/benchmarks/test_cone.py --benchmark-only``; one thread, so that time is core time. No peer that
a package index has projects cones on a CPU (ASTRA's and TIGRE's 3D code needs a GPU), so nothing runs beside ours.

What bounds ours, 256³ voxels × 360 views × 384² pixels: 1.4 thousand million steps of eight rows forward, each two
look-ups by a permutation of eight values, and 0.9 thousand million steps of eight voxels back, each three or four
look-ups by two permutations and a blend; these take two cycles each on a Zen 2 core, and neither nest waits for memory.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.cone_projector import ConeJosephProjector

N_VIEWS = 360
GRID = Grid((256, 256, 256), (1e-3, 1e-3, 1e-3))
SHAPE = {"n_rows": 384, "n_columns": 384, "row_pitch": 1.2e-3, "column_pitch": 1.2e-3}
DISTANCES = {"source_to_axis": 0.6, "source_to_detector": 0.9}
SCANS = {  # by name: scan, and the part of 360 views that it measures
    "circle": (ConeBeam(N_VIEWS, **SHAPE, **DISTANCES), 1),
    "helix": (ConeBeam(N_VIEWS, **SHAPE, **DISTANCES, feed=0.1), 1),
    "cylinder": (ConeBeam(N_VIEWS, **SHAPE, **DISTANCES, surface="cylinder"), 1),
    "any pose": (ConeBeam(N_VIEWS // 15, **SHAPE, **DISTANCES, tilt=0.1), 15),
}


@pytest.mark.parametrize("direction", ["forward", "back"])
@pytest.mark.parametrize("name", SCANS.keys())
def test_projection(benchmark, name: str, direction: str) -> None:
    scan, part = SCANS[name]
    operator = ConeJosephProjector(scan, GRID)
    volume = np.ones(GRID.shape, np.float32)
    line_integrals = np.ones(operator.range.shape, np.float32)

    def run() -> None:
        operator.forward(volume) if direction == "forward" else operator.adjoint(line_integrals)

    with threads(1):
        start = time.process_time()
        benchmark.pedantic(run, rounds=1, warmup_rounds=0 if part == 1 else 1)
        seconds = time.process_time() - start
    rounds = 1 if part == 1 else 2
    benchmark.extra_info["core_seconds_of_360_views"] = seconds / rounds * part
