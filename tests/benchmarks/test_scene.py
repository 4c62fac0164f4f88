"""Core-seconds of a scene: path lengths of 984 views × 888 columns, and fractions of 512² and 256³ voxels.

``pytest tests/benchmarks/test_scene.py --benchmark-only``. Half of the path lengths' time goes to crossings, a third
to the sweep; fractions are bound by writing the result.
"""

import time

import numpy as np
import pytest

from phantomsim.phantoms.abdomen.ellipsoids import RandomEllipsoids
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import FanBeam, rays


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
