"""Joseph's cone-beam projector: its definition, exact integrals, and the traps that projectors fall into."""

from __future__ import annotations

from dataclasses import replace
from math import pi, sqrt

import numba
import numpy as np
import pytest

from phantomsim.phantoms.shepp_logan import SheppLogan
from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray import cone_joseph_rays_adjoint as rays_adjoint
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.cone_joseph_fan_tracer import FanTracer
from phantomsim.physics.xray.cone_joseph_planes import stack_planes
from phantomsim.physics.xray.cone_joseph_ray_tracer import RayTracer
from phantomsim.physics.xray.cone_projector import ConeJosephProjector
from phantomsim.physics.xray.geometry import FanBeam
from phantomsim.physics.xray.projector import JosephProjector
from tests.operators import BLOCK, CONE, MM, scattered

SCANS = {
    "circle": CONE,
    "helix, quarter offset": replace(CONE, feed=20 * MM, column_offset=0.25, row_offset=2.0),
    "cylinder": replace(CONE, surface="cylinder"),
    "flying spot": replace(CONE, spots=((MM, 0.0), (-MM, 1.5 * MM))),
    "fine rows": replace(CONE, n_rows=90, row_pitch=0.4 * MM),
    "coarse rows": replace(CONE, n_rows=5, row_pitch=7 * MM),
    "tilted": replace(CONE, tilt=0.3),
    "tilted far, sphere": replace(CONE, tilt=1.3, surface="sphere"),
    "any poses": scattered(),
}


def vectors(scan: ConeBeam | Views) -> Views:
    return scan.views() if isinstance(scan, ConeBeam) else scan


def by_definition(volume: np.ndarray, scan: ConeBeam | Views, grid: Grid) -> np.ndarray:
    """Integrate ray by ray: bilinear values at the crossings with the planes that the ray crosses fastest."""
    beams = vectors(scan).rays()
    spacing, first = np.array(grid.spacing), np.array([grid.coordinates(axis)[0] for axis in range(3)])
    result = np.zeros(beams.end.shape[:-1])
    for ray in np.ndindex(result.shape):
        along = beams.end[ray] - beams.start[ray]
        start, step = (beams.start[ray] - first) / spacing, along / spacing
        z, y, x = np.abs(step)
        axis = 0 if z > max(y, x) else 1 if y >= x * (1 - 1e-9) else 2
        part = (np.arange(grid.shape[axis]) - start[axis]) / step[axis]
        hats = [
            np.maximum(1 - np.abs((start[i] + part * step[i])[:, None] - np.arange(grid.shape[i])), 0) for i in range(3)
        ]
        hats[axis] = np.diag((part > 0).astype(float))
        crossed = np.einsum("kz,ky,kx,zyx->k", *hats, volume, optimize=True)
        result[ray] = np.linalg.norm(along) / abs(step[axis]) * crossed.sum()
    return result


@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS.keys())
def test_projection_is_what_the_method_defines(scan: ConeBeam | Views) -> None:
    if isinstance(scan, ConeBeam):
        scan = replace(scan, n_views=3, n_columns=13, column_pitch=4.1 * MM, n_rows=min(scan.n_rows, 31))
    else:
        scan = scan.part(slice(0, 3))
    volume = np.random.default_rng(60).random(BLOCK.shape)
    expected = by_definition(volume, scan, BLOCK)
    found = ConeJosephProjector(scan, BLOCK, "float64")(volume)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * expected.max())


@pytest.mark.parametrize(
    "name", ["circle", "helix, quarter offset", "cylinder", "flying spot", "fine rows", "coarse rows"]
)
def test_columns_and_single_rays_give_the_same(name: str) -> None:
    rng = np.random.default_rng(61)
    views = vectors(SCANS[name])
    projector, rays = ConeJosephProjector(views, BLOCK, "float64"), RayTracer(views, BLOCK, "float64")
    assert isinstance(projector.tracer, FanTracer)
    x, y = rng.random(BLOCK.shape), rng.random(views.shape)
    for found, expected in ((projector(x), rays.forward(x)), (projector.adjoint(y), rays.adjoint(y))):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * expected.max())


def test_float32_is_float64_within_its_rounding() -> None:
    """A place 60 mm away is known to half a millionth of that in float32: 3e-5 voxel, of random sign in every plane."""
    volume = np.random.default_rng(62).random(BLOCK.shape)
    for name in ("circle", "tilted", "tilted far, sphere"):
        double = ConeJosephProjector(SCANS[name], BLOCK, "float64")(volume)
        single = ConeJosephProjector(SCANS[name], BLOCK)(volume.astype(np.float32))
        np.testing.assert_allclose(single, double, rtol=0, atol=1e-5 * double.max())


@pytest.fixture(scope="module")
def gather():
    """The adjoint as a GPU runs it, one voxel after the other."""
    one = numba.njit(rays_adjoint.ADJOINT.thread)

    @numba.njit
    def every(n, *arguments):
        for i in range(n):
            one(i, *arguments)

    return every


@pytest.mark.parametrize("name", ["tilted", "tilted far, sphere", "tilted cylinder", "fine rows", "any poses"])
def test_the_gpu_finds_every_pixel_behind_a_voxel(gather, name: str) -> None:
    scan = replace(CONE, tilt=0.7, surface="cylinder") if name == "tilted cylinder" else SCANS[name]
    tracer = RayTracer(vectors(scan), BLOCK, "float64")
    values = np.random.default_rng(63).random(tracer.shape)
    ways = tracer._choose_ways(np)
    volume = np.zeros(BLOCK.shape)
    for way in np.unique(ways):
        axis = int(way) // 2
        planes = stack_planes(volume, axis, 1, *tracer._plane(axis))
        both = [planes, planes.copy()]
        frames, local, spacing = tracer.poses[axis]
        for target, run in zip(both, (gather, rays_adjoint.ADJOINT.run), strict=True):
            n = target.size if run is gather else rays_adjoint.n_adjoint_blocks(len(target))
            poses = (frames, local, tracer.form, spacing)
            run(n, values.reshape(-1), *poses, *tracer.profiles, *tracer.pixels, ways, int(way), target)
        np.testing.assert_allclose(*both, rtol=0, atol=1e-13 * both[1].max())


@pytest.mark.parametrize(("n", "tilt", "most"), [(256, 0.0, 0.011), (128, 0.2, 0.022)], ids=["columns", "rays"])
def test_error_on_an_averaged_head(n: int, tilt: float, most: float) -> None:
    """The error is that of voxels at edges and goes with their size: 1.1 % at 256³ allows 2.2 % at 128³."""
    phantom = SheppLogan(kind="shepp-logan", variant="3d").generate(Key(0))
    grid = Grid((n,) * 3, (0.243 / n,) * 3)
    scan = ConeBeam(5, 96, 96, 4 * MM, 4 * MM, 0.6, 0.9, first_angle=0.1, tilt=tilt)
    densities = np.array([tissue.density for tissue in phantom.tissues], np.float32)
    exact = phantom.path_lengths(scan.views().rays()) @ densities
    error = ConeJosephProjector(scan, grid)(phantom.map("density", grid)) - exact
    assert np.linalg.norm(error) < most * np.linalg.norm(exact)


@pytest.mark.parametrize("surface", ["flat", "cylinder"])
def test_the_central_row_is_a_fan(surface: str) -> None:
    volume = np.random.default_rng(64).random((9, 30, 34))
    grid = Grid(volume.shape, (MM, MM, MM), (0.0, 3 * MM, -2 * MM))
    cone = replace(CONE, n_rows=11, column_offset=0.25, surface=surface)
    fan = FanBeam(
        cone.n_views,
        cone.n_columns,
        cone.column_pitch,
        column_offset=0.25,
        source_to_axis=cone.source_to_axis,
        source_to_detector=cone.source_to_detector,
        detector="flat" if surface == "flat" else "arc",
    )
    expected = JosephProjector(fan, Grid((1, 30, 34), grid.spacing, grid.centre), "float64")(volume[4:5])[:, 0]
    found = ConeJosephProjector(cone, grid, "float64")(volume)[:, 5]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * expected.max())


def test_integral_of_a_gaussian_is_a_gaussian() -> None:
    """Linear interpolation widens a variance σ² by at most a quarter of a squared voxel each way: 0.4 % at 8 voxels."""
    sigma, centre = 8 * MM, np.array([5 * MM, 11 * MM, -9 * MM])
    grid = Grid((80, 100, 100), (MM,) * 3)
    z, y, x = (np.exp(-((grid.coordinates(i) - centre[i]) ** 2) / (2 * sigma**2)) for i in range(3))
    volume = z[:, None, None] * y[:, None] * x
    for scan in (ConeBeam(5, 40, 50, 4 * MM, 4 * MM, 0.3, 0.5, tilt=tilt) for tilt in (0.0, 0.25)):
        beams = scan.views().rays()
        along = beams.end - beams.start
        distance = np.linalg.norm(np.cross(centre - beams.start, along), axis=-1) / np.linalg.norm(along, axis=-1)
        expected = sqrt(2 * pi) * sigma * np.exp(-(distance**2) / (2 * sigma**2))
        found = ConeJosephProjector(scan, grid, "float64")(volume)
        np.testing.assert_allclose(found, expected, rtol=0, atol=0.008 * expected.max())


@pytest.mark.parametrize("tilt", [0.0, 1e-6], ids=["columns", "rays"])
@pytest.mark.parametrize("offset", [0.0, 0.25], ids=["no offset", "quarter offset"])
def test_half_a_pixel_and_flips_a_point_is_projected_where_the_convention_says(offset: float, tilt: float) -> None:
    """At view 0 columns run to the patient's left, +x, and the beam along +y; at 90° to +y and along −x; rows to +z."""
    grid = Grid((61, 61, 61), (MM,) * 3)
    z, y, x = 14.4 * MM, 10.3 * MM, 18 * MM
    place = [np.exp(-(((grid.coordinates(i) - p) / (2 * MM)) ** 2) / 2) for i, p in enumerate((z, y, x))]
    volume = place[0][:, None, None] * place[1][:, None] * place[2]
    scan = ConeBeam(4, 101, 101, MM, MM, 0.3, 0.5, row_offset=-offset, column_offset=offset, tilt=tilt)
    projected = ConeJosephProjector(scan, grid, "float64")(volume)
    for image, (across, depth) in zip(projected, ((x, y), (y, -x)), strict=False):
        magnification = 0.5 / (0.3 + depth)
        for axis, position, shift in ((0, z, -offset), (1, across, offset)):
            line = image.sum(axis=1 - axis)
            centroid = float(line @ np.arange(line.size) / line.sum())
            assert centroid == pytest.approx(50 + magnification * position / MM - shift, abs=0.03)


def test_rays_that_miss_give_zero() -> None:
    for scan in (replace(CONE, row_offset=200.0), replace(CONE, row_offset=200.0, tilt=0.1)):
        projector = ConeJosephProjector(scan, BLOCK)
        assert not projector(np.ones(BLOCK.shape, np.float32)).any()
        assert not projector.adjoint(np.ones(projector.range.shape, np.float32)).any()


@pytest.mark.parametrize("tilt", [0.0, 0.1], ids=["columns", "rays"])
def test_what_lies_behind_the_source_is_not_seen(tilt: float) -> None:
    grid = Grid((8, 8, 8), (MM,) * 3, (0.0, -75 * MM, 0.0))  # at view 0 the beam travels away from it
    projector = ConeJosephProjector(replace(CONE, n_views=2, tilt=tilt), grid)
    projected = projector(np.ones(grid.shape, np.float32))
    assert not projected[0].any()
    assert projected[1].any()


def test_a_source_inside_the_object_is_refused() -> None:
    with pytest.raises(UnitError, match=r"source of view 0, at \(0, -60, 0\) mm .* lies inside the grid"):
        ConeJosephProjector(CONE, Grid((10, 130, 10), (MM,) * 3))
