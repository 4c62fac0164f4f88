"""Small inputs for the kernels of Joseph's cone-beam projector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.xray import cone_joseph_fans as fans
from phantomsim.physics.xray import cone_joseph_fans_adjoint as fans_adjoint
from phantomsim.physics.xray import cone_joseph_rays as rays
from phantomsim.physics.xray import cone_joseph_rays_adjoint as rays_adjoint
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.cone_joseph_columns import trace_columns
from phantomsim.physics.xray.cone_joseph_fan_tracer import FanTracer
from phantomsim.physics.xray.cone_joseph_planes import _n_tiles, _places
from phantomsim.physics.xray.cone_joseph_ray_tracer import RayTracer

MM = 1e-3
GRID = Grid((5, 4, 6), (MM, MM, 1.2 * MM), (0.0, 0.5 * MM, 0.0))


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield (kernel, CPU blocks, CUDA threads, arguments, indices of the outputs, tolerance)."""
    rng = np.random.default_rng(50)
    volume = rng.random((18, 3, 4)).astype(np.float32)
    planes = np.zeros((4, 6, 22), np.float32)
    arguments = (*_places(planes, 2, 1), planes.reshape(-1))
    yield "xray.cone_joseph.pack", _n_tiles(volume), volume.size, (volume, *arguments), (5,), 0.0
    planes = rng.random(planes.shape).astype(np.float32)
    arguments = (planes.reshape(-1), *_places(planes, 2, 1), volume)
    yield "xray.cone_joseph.unpack", _n_tiles(volume), volume.size, arguments, (5,), 1e-6
    yield from fan_cases(rng)
    for surface in ("flat", "cylinder", "sphere"):
        scan = ConeBeam(3, 5, 6, 1.5 * MM, 1.6 * MM, 12 * MM, 20 * MM, surface, tilt=0.5)
        yield from ray_cases(rng, RayTracer(scan.views(), GRID, "float32"))


def fan_cases(rng: np.random.Generator) -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield the cases of vertical fans."""
    scan = ConeBeam(3, 5, 6, 1.5 * MM, 1.6 * MM, 12 * MM, 20 * MM, column_offset=0.25)
    columns = trace_columns(scan.views(), GRID)
    assert columns is not None
    tracer = FanTracer(columns, GRID, (3, 5, 6), "float32")
    ahead, aside = (np.zeros(shape, np.float32) for shape in tracer.planes)
    for planes in (ahead, aside):
        planes[:, 1:-1, :5] = rng.random(planes[:, 1:-1, :5].shape)
    values = np.full((3, 5, 6), 7, np.float32)
    arguments = (ahead, aside, tracer.table, tracer.sides, tracer.overhang, values)
    yield "xray.cone_joseph.fans.forward", fans.n_forward_blocks(3, 6), values.size, arguments, (5,), 2e-6
    values = rng.random(values.shape).astype(np.float32)
    rows = np.zeros((3, 6, 5 + 2 * tracer.padding), np.float32)
    arguments = (values, tracer.table, tracer.padding, rows)
    yield "xray.cone_joseph.fans.weigh", 3, values.size, arguments, (3,), 1e-6
    rows[:, :, tracer.padding : -tracer.padding] = rng.random((3, 6, 5))
    arguments = (rows, tracer.table, tracer.runs, tracer.padding, np.zeros_like(ahead), np.zeros_like(aside))
    n_threads = sum(n * (lines - 2) * heights for n, lines, heights in tracer.planes)
    n_blocks = fans_adjoint.n_adjoint_blocks(*tracer.planes)
    yield "xray.cone_joseph.fans.adjoint", n_blocks, n_threads, arguments, (4, 5), 2e-6


def ray_cases(
    rng: np.random.Generator, tracer: RayTracer
) -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield the cases of single rays, and of one way of the rays along y."""
    ways = np.full(tracer.shape, 7, np.uint8)
    yield "xray.cone_joseph.rays.choose", 3, ways.size, (tracer.directions, *tracer.profiles, ways), (3,), 0.0
    ways = tracer._choose_ways(np)
    frames, local, spacing = tracer.poses[1]
    planes = np.zeros((4, 9, 8), np.float32)
    planes[:, 1:-2, 1:-2] = rng.random((4, 6, 5))
    values = np.zeros(ways.size, np.float32)
    arguments = (planes, frames, spacing, *tracer.profiles, ways, 2, values)
    yield "xray.cone_joseph.rays.forward", rays.n_forward_blocks(tracer.shape), values.size, arguments, (7,), 2e-6
    values = rng.random(values.shape).astype(np.float32)
    planes = np.zeros_like(planes)
    poses = (frames, local, tracer.form, spacing)
    arguments = (values, *poses, *tracer.profiles, *tracer.pixels, ways, 2, planes)
    n_blocks = rays_adjoint.n_adjoint_blocks(4)
    yield "xray.cone_joseph.rays.adjoint", n_blocks, planes.size, arguments, (11,), 2e-6
