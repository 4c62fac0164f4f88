"""Core-seconds of filtered backprojection, and its error, beside ASTRA's CPU code in the same run.

``python -m pytest tests/benchmarks/test_fbp.py --benchmark-only``; one thread, so that time is core time. ASTRA filters
for parallel rays only, so that its fans are backprojected alone, and from a flat detector, the only one it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np
import pytest

from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.recon.fbp import fbp

PIXEL = 0.75e-3
PARALLEL = ParallelBeam(n_views=720, n_columns=736, pitch=PIXEL)
FANS = {
    "flat": FanBeam(n_views=984, n_columns=888, pitch=1.024e-3, detector="flat"),
    "arc": FanBeam(n_views=984, n_columns=888, pitch=1.024e-3, detector="arc"),
    "arc, quarter offset": FanBeam(n_views=984, n_columns=888, pitch=1.024e-3, column_offset=0.25),
}
# (y, x, radius) in pixels and the step of attenuation at the edge
DISKS = [(0.0, 0.0, 220.0, 1.0), (60.3, -40.8, 70.2, 0.3), (-90.1, 50.4, 35.7, -0.4), (-20.7, 120.2, 6.3, 0.5)]


def grid(n_rows: int) -> Grid:
    return Grid((n_rows, 512, 512), (1e-3, PIXEL, PIXEL))


def core_seconds(function: Callable[[], Any], rounds: int = 2) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def measure(benchmark: Any, scan: PlanarScan, n_rows: int) -> float:
    noise = np.random.default_rng(1).normal(size=(scan.n_views, n_rows, scan.n_columns)).astype(np.float32)
    planes = grid(n_rows).coordinates(0)
    with threads(1):
        benchmark.pedantic(fbp, (noise, scan, planes, grid(n_rows)), rounds=3, warmup_rounds=1)
        seconds = core_seconds(lambda: fbp(noise, scan, planes, grid(n_rows))) / n_rows
    benchmark.extra_info["core_seconds_per_slice"] = seconds
    return seconds


class Astra:
    """One of ASTRA's reconstructions of a 512² image on the CPU."""

    def __init__(self, method: str, projector: str, geometry: dict[str, Any], sinogram: Any) -> None:
        astra = self.astra = pytest.importorskip("astra")
        volume = astra.create_vol_geom(512, 512)
        self.image = astra.data2d.create("-vol", volume, 0)
        settings = astra.astra_dict(method) | {
            "ProjectorId": astra.create_projector(projector, geometry, volume),
            "ProjectionDataId": astra.data2d.create("-sino", geometry, sinogram),
            "ReconstructionDataId": self.image,
        }
        self.algorithm = astra.algorithm.create(settings)

    def run(self) -> Any:
        self.astra.algorithm.run(self.algorithm)
        return self.astra.data2d.get(self.image)


def parallel_geometry() -> dict[str, Any]:
    astra = pytest.importorskip("astra")
    return astra.create_proj_geom("parallel", 1.0, PARALLEL.n_columns, PARALLEL.angles)  # type: ignore[no-any-return]


@pytest.mark.parametrize("n_rows", [1, 32])
def test_parallel(benchmark: Any, n_rows: int) -> None:
    peer = Astra("FBP", "linear", parallel_geometry(), np.ones((720, 736), np.float32))
    peer_seconds = core_seconds(peer.run)
    seconds = measure(benchmark, PARALLEL, n_rows)
    benchmark.extra_info["ratio_to_astra"] = peer_seconds / seconds
    assert seconds < 0.08
    assert peer_seconds / seconds > 10


@pytest.mark.parametrize("n_rows", [1, 8])
@pytest.mark.parametrize("name", FANS)
def test_fan(benchmark: Any, name: str, n_rows: int) -> None:
    scan = FANS[name]
    astra = pytest.importorskip("astra")
    distances = [scan.source_to_axis / PIXEL, (scan.source_to_detector - scan.source_to_axis) / PIXEL]
    geometry = astra.create_proj_geom("fanflat", scan.pitch / PIXEL, scan.n_columns, scan.angles, *distances)
    peer = Astra("BP", "line_fanflat", geometry, np.ones((scan.n_views, scan.n_columns), np.float32))
    peer_seconds = core_seconds(peer.run)
    seconds = measure(benchmark, scan, n_rows)
    benchmark.extra_info["ratio_to_astra_backprojection_alone"] = peer_seconds / seconds
    assert peer_seconds / seconds > 4


def exact_sinogram() -> Any:
    """Return line integrals of the disks, averaged over columns in closed form (view, column) [pixel]."""

    def area(cut: Any, radius: float) -> Any:  # of a disk, up to a chord at distance `cut` from its centre
        cut = np.clip(cut, -radius, radius)
        return cut * np.sqrt(radius**2 - cut**2) + radius**2 * np.arcsin(cut / radius)

    edges = np.arange(PARALLEL.n_columns + 1) - PARALLEL.n_columns / 2
    total = np.zeros((PARALLEL.n_views, PARALLEL.n_columns))
    for y, x, radius, step in DISKS:
        middle = y * np.sin(PARALLEL.angles) + x * np.cos(PARALLEL.angles)
        total += step * np.diff(area(edges - middle[:, None], radius), axis=1)
    return total


def pixel_averages() -> Any:
    """Return the disks averaged over pixels (y, x), by 16² samples each."""
    n = 16
    place = (np.arange(512 * n) + 0.5) / n - 256
    total = np.zeros((512, 512))
    for y, x, radius, step in DISKS:
        inside = (place[:, None] - y) ** 2 + (place - x) ** 2 < radius**2
        total += step * inside.reshape(512, n, 512, n).mean(axis=(1, 3))
    return total


def test_error_beside_astra(benchmark: Any) -> None:
    sinogram, truth = exact_sinogram().astype(np.float32), pixel_averages()
    # our y axis points down the image as ASTRA's rows do, and its angles turn the other way
    astra = pytest.importorskip("astra")
    geometry = astra.create_proj_geom("parallel", 1.0, PARALLEL.n_columns, (-PARALLEL.angles) % (2 * pi))
    peer = Astra("FBP", "linear", geometry, sinogram).run()
    line_integrals = (sinogram * PIXEL)[:, None, :]
    ours = benchmark.pedantic(fbp, (line_integrals, PARALLEL, [0.0], grid(1)), rounds=1)[0]
    seen = np.hypot(*np.meshgrid(np.arange(512) - 255.5, np.arange(512) - 255.5)) < 250
    errors = [float(np.sqrt(np.mean((image - truth)[seen] ** 2))) for image in (ours, peer)]
    means = [float((image - truth)[seen].mean()) for image in (ours, peer)]
    benchmark.extra_info |= {"rms_error": errors[0], "rms_error_of_astra": errors[1]}
    benchmark.extra_info |= {"mean_error": means[0], "mean_error_of_astra": means[1]}
    assert errors[0] <= 1.02 * errors[1]
