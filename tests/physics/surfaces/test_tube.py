from itertools import pairwise
from math import pi

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.shapes import cone
from phantomsim.physics.surfaces.tube import Tube

GRID = Grid((20, 50, 60), (0.001, 0.001, 0.001), (0.0, 0.008, 0.0))


def volume(tube: Tube, n_cells: int) -> float:
    return float(tube.occupancy(GRID, n_cells).sum(dtype=np.float64)) * float(np.prod(GRID.spacing))


def test_volume_of_a_bent_tube_is_that_of_pappus() -> None:
    """Half a ring of section πr² on a circle of radius R holds πr²·πR, and its ends half a ball each."""
    bend, radius = 0.02, 0.004
    angles = np.linspace(0, pi, 13)
    tube = Tube([(0.0, bend * float(np.sin(a)), bend * float(np.cos(a))) for a in angles], [radius] * 13)
    expected = pi * radius**2 * pi * bend + 4 / 3 * pi * radius**3
    assert tube.length == pytest.approx(pi * bend, rel=1e-3)
    assert volume(tube, 2) == pytest.approx(expected, rel=1e-4)  # chords are short of the line by 4e-5


def test_volume_of_a_straight_widening_tube_is_that_of_a_cone_and_caps() -> None:
    """Two balls of radii a, b at distance d and their tangent cone; caps of the balls beyond its tangent circles."""
    a, b, d = 0.003, 0.006, 0.03
    tube = Tube([(0.0, 0.0, -d / 2), (0.0, 0.0, d / 2)], [a, b])
    sin = (b - a) / d
    cos = np.sqrt(1 - sin**2)
    height = d * cos**2
    frustum = cone((0.0, 0.0, 0.0), (height / 2, a * cos, a * cos), b / a).volume

    def cap(radius: float, h: float) -> float:
        return pi * h**2 * (3 * radius - h) / 3

    expected = frustum + cap(a, a - a * sin) + cap(b, b + b * sin)
    assert volume(tube, 2) == pytest.approx(expected, rel=1e-4)


def test_the_distance_is_exact_outside() -> None:
    rng = np.random.default_rng(0)
    line = rng.uniform(-0.02, 0.02, (6, 3))
    tube = Tube([tuple(p) for p in line], [0.002, 0.003, 0.001, 0.004, 0.002, 0.003])
    centres, radii = tube.stations
    t = np.linspace(0, 1, 200)[:, None]
    balls = np.concatenate([a + t * (b - a) for a, b in pairwise(centres)])
    sizes = np.concatenate([a + t[:, 0] * (b - a) for a, b in pairwise(radii)])
    points = rng.uniform(-0.03, 0.03, (80, 3))
    expected = np.array([(np.linalg.norm(balls - p, axis=1) - sizes).min() for p in points])
    assert tube.distance(points) == pytest.approx(expected, abs=2e-7)
    assert np.array_equal(tube.holds(points), tube.distance(points) <= 0)


def test_radii_do_not_overshoot() -> None:
    tube = Tube([(0.0, 0.0, 0.01 * i) for i in range(5)], [0.002, 0.002, 0.0005, 0.002, 0.002])
    assert tube.stations[1].min() >= 0.0005 - 1e-12
    assert tube.stations[1].max() <= 0.002 + 1e-12


def test_what_is_no_tube_is_refused() -> None:
    with pytest.raises(ShapeError, match="two points"):
        Tube([(0.0, 0.0, 0.0)], [0.001])
    with pytest.raises(ShapeError, match="must differ"):
        Tube([(0.0, 0.0, 0.0)] * 2, [0.001] * 2)
    with pytest.raises(UnitError, match="radii positive"):
        Tube([(0.0, 0.0, 0.0), (0.0, 0.0, 1.0)], [0.001, 0.0])
