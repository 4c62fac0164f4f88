"""Exact Fourier transforms of phantoms, against their voxels."""

import numpy as np
import pytest

from phantomsim.phantoms.abdomen.ellipsoids import RandomEllipsoids
from phantomsim.phantoms.scene import Part, compose
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import capsule, ellipsoid
from phantomsim.tissues import get

BODY = compose(
    get("air"),
    [
        Part(ellipsoid((0, 0, 0), (0.02, 0.04, 0.05)), get("adipose"), "fat"),
        Part(ellipsoid((0.002, 0.01, -0.02), (0.012, 0.015, 0.012)), get("liver"), "liver"),
        Part(ellipsoid((0.002, 0.01, -0.02), (0.004, 0.005, 0.003)), get("blood"), "vessel"),
    ],
)
K = np.array([[0.0, 0.0, 0.0], [3.0, 5.0, -8.0], [0.0, 12.0, 4.0]])


def voxel_transform(phantom, n):
    grid = Grid((n, n, n), (0.11 / n,) * 3)
    values = phantom.map("density", grid).astype(np.float64) - phantom.tissues[0].density
    z, y, x = (grid.coordinates(axis) for axis in range(3))
    waves = [np.exp(-2j * np.pi * (q[0] * z[:, None, None] + q[1] * y[:, None] + q[2] * x)) for q in K]
    box = np.sinc(K * 0.11 / n).prod(axis=1)  # means over voxels have lost this
    return np.array([(wave * values).sum() * (0.11 / n) ** 3 for wave in waves]) / box


def test_voxels_converge_to_it_in_second_order_at_least():
    # a means-corrected sum errs by its aliases alone: an ellipsoid's transform falls as k^-2, and oscillates
    exact = BODY.transform("density", K)
    sizes = np.array([8, 12, 16, 24, 32, 48])
    errors = [np.abs(voxel_transform(BODY, n) - exact).max() / abs(exact[0]) for n in sizes]
    slope, _ = np.polyfit(np.log(sizes), np.log(errors), 1)
    assert slope < -2
    assert errors[-1] < 1e-4


def test_a_capsule_and_a_partial_overlap_are_refused():
    with pytest.raises(ShapeError, match="no closed form"):
        compose(get("air"), [Part(capsule((0, 0, 0), (0.02, 0.01, 0.01)), get("liver"), "rod")]).transform("density", K)
    crossing = [
        Part(ellipsoid((0, 0, x), (0.02, 0.02, 0.02)), get(name), name) for x, name in ((0, "liver"), (0.01, "spleen"))
    ]
    with pytest.raises(ShapeError):
        compose(get("air"), crossing).transform("density", K)


def test_a_volume_is_refused_with_what_to_do():
    textured = RandomEllipsoids(kind="ellipsoids", textures=[{"tissue": "liver"}]).phantom(Key(1))
    if textured.exact:
        pytest.skip("this draw has no liver")
    with pytest.raises(ShapeError, match="transform a map of it"):
        textured.transform("density", K)


def test_an_unknown_property_is_refused():
    with pytest.raises(RecipeError, match="has no number"):
        BODY.transform("colour", K)
