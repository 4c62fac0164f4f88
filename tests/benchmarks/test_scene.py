"""Core-seconds of a scene: path lengths of 984 views × 888 columns, and fractions of 512² and 256³ voxels.

``pytest tests/benchmarks/test_scene.py --benchmark-only``. Path lengths are bound by crossings; fractions of few shapes
by writing the result, of many by crossings and by the sweep in equal parts. Peers rasterise the same shapes:
phantominator one point a voxel (no partial volumes), XDesign 8 × 8 points a pixel, where 64 exact lines are used here.
"""

import time

import numpy as np
import pytest

from phantomsim.phantoms.abdomen.ellipsoids import RandomEllipsoids
from phantomsim.phantoms.shepp_logan import SheppLogan
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import cylinder, layered
from phantomsim.physics.voxels import fractions
from phantomsim.physics.xray.geometry import FanBeam, rays
from phantomsim.registry import PHANTOMS

FIELDS_M = {"thorax": 0.4, "abdomen": 0.4, "head": 0.25, "breast": 0.2, "small-animal": 0.1, "vessels": 0.1}
"""Anatomies of many shapes, and a field of view that holds a section."""


@pytest.fixture(scope="module")
def phantom():
    """Return a section of some 80 shapes and 20 tissues."""
    return RandomEllipsoids(kind="ellipsoids", lesions={"count": 3}).generate(Key(1))


def core_seconds(benchmark, work):
    with threads(1):
        work()
        seconds = []
        for _ in range(5):
            begin = time.process_time()
            work()
            seconds.append(time.process_time() - begin)
        benchmark.pedantic(work, rounds=3)
    benchmark.extra_info["core_seconds"] = min(seconds)
    return min(seconds)


def test_path_lengths_of_a_fan_sinogram_cost_half_a_core_second(benchmark, phantom):
    scan = rays(FanBeam(984, 888, 1.024e-3), np.array([0.0]))
    assert core_seconds(benchmark, lambda: phantom.path_lengths(scan)) < 0.5


def test_fractions_of_a_slice_cost_a_tenth_of_a_core_second(benchmark, phantom):
    grid = Grid((1, 512, 512), (0.001, 0.0007, 0.0007))
    assert core_seconds(benchmark, lambda: phantom.fractions(grid)) < 0.1


def test_fractions_of_a_volume_cost_six_core_seconds(benchmark, phantom):
    grid = Grid((256, 256, 256), (0.001, 0.0014, 0.0014))
    assert core_seconds(benchmark, lambda: phantom.fractions(grid)) < 6


@pytest.fixture(scope="module", params=FIELDS_M)
def anatomy(request):
    """Return a random anatomy of about a thousand shapes or more, and its field of view [m]."""
    return PHANTOMS.get(request.param)(kind=request.param).generate(Key(1)), FIELDS_M[request.param]


def test_fractions_of_an_anatomys_slice_take_less_than_a_third_of_a_second(benchmark, anatomy):
    phantom, field = anatomy
    grid = Grid((1, 512, 512), (0.001, field / 512, field / 512))
    benchmark.pedantic(phantom.fractions, (grid,), warmup_rounds=1, rounds=5)
    assert benchmark.stats.stats.min < 0.3


def test_fractions_of_an_anatomys_volume_take_less_than_twenty_seconds(benchmark, anatomy):
    phantom, field = anatomy
    grid = Grid((256, 256, 256), (field / 256,) * 3)
    benchmark.pedantic(phantom.fractions, (grid,), rounds=1)
    assert benchmark.stats.stats.min < 20


def test_path_lengths_of_an_anatomys_fan_sinogram_cost_two_core_seconds(benchmark, anatomy):
    phantom, _ = anatomy
    scan = rays(FanBeam(984, 888, 1.024e-3), np.array([0.0]))
    assert core_seconds(benchmark, lambda: phantom.path_lengths(scan)) < 2


@pytest.mark.parametrize(("shape", "variant", "goal"), [((512, 512), "original", 1), ((256, 256, 256), "3d", 2)])
def test_shepp_logan_costs_no_more_than_phantominators(benchmark, shape, variant, goal):
    """Phantominator tests one point a voxel; here the fractions of every material are exact along 64 lines."""
    peer = pytest.importorskip("phantominator")
    size = 0.23 * 2 / 1.84  # the square or cube of side 2 in the table's units
    grid = Grid((1, *shape)[-3:], tuple((0.001, *(size / n for n in shape))[-3:]))
    phantom = SheppLogan(kind="shepp-logan", variant=variant).generate(Key(0))
    own = core_seconds(benchmark, lambda: phantom.fractions(grid))
    begin = time.process_time()
    peer.shepp_logan(shape)
    benchmark.extra_info["ratio"] = (time.process_time() - begin) / own
    assert benchmark.extra_info["ratio"] > goal


def test_disks_cost_a_thirtieth_of_xdesigns(benchmark):
    peer = pytest.importorskip("xdesign")
    rng = np.random.default_rng(0)
    disks = [(0.0, 0.0, 0.45), *(tuple(row) for row in rng.uniform((-0.25, -0.25, 0.01), (0.25, 0.25, 0.1), (30, 3)))]
    theirs = peer.Phantom()
    for y, x, radius in disks:
        material = peer.SimpleMaterial(1.0)
        theirs.append(peer.Phantom(geometry=peer.Circle(peer.Point([y, x]), radius), material=material))
    table = layered([cylinder((0.0, y, x), (1.0, r, r)) for y, x, r in disks], range(1, len(disks) + 1))
    grid = Grid((1, 512, 512), (0.01, 1 / 512, 1 / 512))
    own = core_seconds(benchmark, lambda: fractions(table, grid, len(disks) + 1))
    begin = time.process_time()
    peer.discrete_phantom(theirs, 512, ratio=8, prop="mass_attenuation")
    benchmark.extra_info["ratio"] = (time.process_time() - begin) / own
    assert benchmark.extra_info["ratio"] > 30
