from math import pi

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.water_cylinder import WaterCylinder
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import Rays

RING = {"tissue": "pmma", "diameter_mm": 20.0, "radius_mm": 60.0, "angle_deg": 30.0, "count": 4}


def test_rays_along_the_axes_see_water_and_rods() -> None:
    phantom = WaterCylinder(kind="water-cylinder", inserts=[RING | {"angle_deg": 0.0}]).generate(Key(0))
    rays = Rays(np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.06]]), np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.06]]))
    lengths = phantom.path_lengths(rays)
    assert lengths[0].tolist() == pytest.approx([0.0, 0.16, 0.04])
    assert lengths[1].tolist() == pytest.approx([0.0, 2 * np.sqrt(0.1**2 - 0.06**2) - 0.02, 0.02])


def test_rods_have_their_area_and_the_table_says_where_they_are() -> None:
    phantom = WaterCylinder(kind="water-cylinder", inserts=[RING]).generate(Key(0))
    grid = Grid((1, 200, 200), (0.01, 0.001, 0.001))
    rods = phantom.fractions(grid).values[2, 0]
    assert rods.sum() * 1e-6 == pytest.approx(4 * pi * 0.01**2, rel=1e-4)
    assert len(phantom.truths["inserts"]) == 4
    for row in phantom.truths["inserts"]:
        _, y, x = row["centre_mm"]
        assert rods[round(y + 99.5), round(x + 99.5)] == 1
        assert np.hypot(y, x) == pytest.approx(60)
    assert phantom.truths["inserts"][0]["centre_mm"] == pytest.approx([0, 30, 60 * np.sqrt(0.75)])


def test_iodine_makes_another_tissue() -> None:
    phantom = WaterCylinder(kind="water-cylinder", inserts=[RING | {"tissue": "water", "iodine_mg_ml": 5}]).generate(
        Key(0)
    )
    assert phantom.tissues[2].mass_fractions["I"] == pytest.approx(5 / 1005)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"radius_mm": 95.0}, "leaves the cylinder"),
        ({"count": 20}, "overlap"),
        ({"tissue": "pmmma"}, "pmma"),
        ({"diameter_mm": -1.0}, "diameter_mm"),
    ],
)
def test_inserts_that_do_not_fit_are_refused(change, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        WaterCylinder(kind="water-cylinder", inserts=[RING | change])
