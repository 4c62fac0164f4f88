"""Values at points, after the pictures and tables of the papers."""

import numpy as np
import pytest

from phantomsim.phantoms.shepp_logan import LONG_AXIS, SheppLogan
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import Rays

POINTS = {  # (x, y to the front): original, Toft
    (0.0, 0.9): (2.0, 1.0),  # skull
    (0.0, -0.8): (1.02, 0.2),  # brain
    (0.22, 0.0): (1.0, 0.0),  # right of the picture: the small ventricle
    (-0.22, 0.0): (1.0, 0.0),
    (-0.30, 0.25): (1.0, 0.0),  # the large ventricle leans outwards at the front
    (0.29, 0.21): (1.0, 0.0),  # and so does the small one
    (0.15, 0.25): (1.03, 0.3),  # the big ball before them
    (0.0, 0.12): (1.04, 0.4),  # where a small ball overlaps it
    (0.0, -0.1): (1.03, 0.3),
    (-0.08, -0.605): (1.03, 0.3),
    (0.06, -0.605): (1.03, 0.3),
    (0.95, 0.95): (0.0, 0.0),
}


def density_at(phantom, x: float, y: float, z: float, unit: float) -> float:  # type: ignore[no-untyped-def]
    tiny = Grid((1, 1, 1), (1e-5, 1e-5, 1e-5), (z * unit, -y * unit, x * unit))
    return float(phantom.map("density", tiny)[0, 0, 0]) / 1000


@pytest.mark.parametrize(("variant", "column"), [("original", 0), ("toft", 1)])
def test_section_has_the_values_of_the_paper(variant: str, column: int) -> None:
    phantom = SheppLogan(kind="shepp-logan", variant=variant, size_mm=184).generate(Key(0))
    for (x, y), values in POINTS.items():
        assert density_at(phantom, x, y, 0.0, 0.1) == pytest.approx(values[column], abs=1e-6), (x, y)


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ((0.0, 0.9, 0.0), 2.0),
        ((0.0, 0.0, 0.89), 2.0),
        ((0.0, 0.0, 0.5), 1.02),
        ((-0.22, 0.0, -0.25), 1.0),
        ((-0.3, 0.25, -0.25), 1.0),
        ((0.22, 0.0, -0.25), 1.0),
        ((0.0, 0.45, -0.25), 1.04),
        ((0.0, 0.12, -0.25), 1.06),
        ((-0.08, -0.65, -0.25), 1.03),
        ((0.06, -0.66, -0.25), 1.03),
        ((0.06, -0.105, 0.625), 1.04),
        ((0.0, 0.1, 0.625), 1.0),
    ],
)
def test_head_has_the_values_of_the_table(point: tuple[float, float, float], value: float) -> None:
    phantom = SheppLogan(kind="shepp-logan", variant="3d", size_mm=184).generate(Key(0))
    assert density_at(phantom, *point, 0.1) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("variant", ["original", "toft", "3d"])
def test_every_sum_of_values_that_occurs_has_a_material(variant: str) -> None:
    phantom = SheppLogan(kind="shepp-logan", variant=variant).generate(Key(0))
    n = 96 if variant == "3d" else 1
    grid = Grid((n, 256, 256), (0.24 / n, 0.24 / 256, 0.24 / 256))
    fractions = phantom.fractions(grid).values
    assert fractions.reshape(len(fractions), -1).max(axis=1).min() > 0  # and every material that is listed occurs


def test_skull_has_the_length_that_was_asked_for() -> None:
    phantom = SheppLogan(kind="shepp-logan", size_mm=200).generate(Key(0))
    ray = Rays(np.array([[0.0, -1.0, 0.0]]), np.array([[0.0, 1.0, 0.0]]))
    assert phantom.path_lengths(ray).sum() == pytest.approx(0.2, rel=1e-6)
    assert pytest.approx(2 * 0.92) == LONG_AXIS
