"""The image quality phantoms of NEMA NU 2 and NU 4: closed forms of their outlines and volumes."""

from math import pi

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.objects.nema_iq import NemaIQ
from phantomsim.phantoms.objects.nema_nu4 import NemaNU4
from phantomsim.phantoms.phantom import Phantom
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import Rays


def material(phantom: Phantom, name: str) -> int:
    return [tissue.name for tissue in phantom.tissues].index(name)


def section(upper: float, lower: float) -> float:
    """Area of half a circle above, a 140 mm wide box and two quarter circles below [mm²]."""
    return pi * upper**2 / 2 + 140 * lower + pi * lower**2 / 2


@pytest.mark.parametrize("diameter", [10, 13, 17, 22, 28, 37])
def test_spheres_have_their_volume_on_their_circle(diameter: int) -> None:
    phantom = NemaIQ(kind="nema-iq").generate(Key(0))
    (row,) = (row for row in phantom.truths["inserts"] if row["part"] == f"sphere {diameter} mm")
    z, y, x = row["centre_mm"]
    assert (z, np.hypot(y, x)) == pytest.approx((0, 57.2))
    edge = 1.1e-3 * diameter
    grid = Grid((40, 40, 40), (edge / 40,) * 3, (1e-3 * z, 1e-3 * y, 1e-3 * x))
    volume = phantom.fractions(grid).values[material(phantom, row["tissue"])].sum() * (edge / 40) ** 3
    assert volume == pytest.approx(pi / 6 * (1e-3 * diameter) ** 3, rel=2e-3)


def test_the_smallest_spheres_follow_each_other_and_17_mm_stands_on_the_horizontal() -> None:
    rows = NemaIQ(kind="nema-iq").generate(Key(0)).truths["inserts"][1:]
    assert [row["diameter_mm"] for row in rows] == [37, 28, 22, 17, 13, 10]
    angles = [np.degrees(np.arctan2(row["centre_mm"][1], row["centre_mm"][2])) % 360 for row in rows]
    assert np.diff(np.unwrap(angles, period=360)) == pytest.approx(60)
    assert rows[3]["centre_mm"] == pytest.approx([0, 0, 57.2], abs=1e-9)


def test_outline_inside_and_outside_has_the_area_of_its_arcs_and_box() -> None:
    phantom = NemaIQ(kind="nema-iq").generate(Key(0)).without([f"sphere {d} mm" for d in (10, 13, 17, 22, 28, 37)])
    phantom = phantom.without(["lung"])
    grid = Grid((1, 310, 310), (0.001, 0.001, 0.001))
    values = phantom.fractions(grid).values.sum(axis=(1, 2, 3))
    assert values[material(phantom, "water")] == pytest.approx(section(147, 77), rel=2e-4)
    walls = section(150, 80) - section(147, 77)
    assert values[material(phantom, "pmma")] == pytest.approx(walls, rel=5e-3)


def test_rays_through_the_middle_see_walls_water_and_lung() -> None:
    phantom = NemaIQ(kind="nema-iq").generate(Key(0))
    rays = Rays(
        np.array([[-0.04, -1.0, 0.0], [-0.04, -1.0, 0.03], [-1.0, 0.09, 0.0]]),
        np.array([[-0.04, 1.0, 0.0], [-0.04, 1.0, 0.03], [1.0, 0.09, 0.0]]),
    )
    lengths = phantom.path_lengths(rays)[:, :4]
    assert lengths[0] == pytest.approx([0, 0.006 + 0.008, 0.224 - 0.051, 0.043], abs=1e-6)
    inner, outer = np.sqrt(0.147**2 - 0.03**2), np.sqrt(0.150**2 - 0.03**2)
    assert lengths[1] == pytest.approx([0, outer - inner + 0.003, inner + 0.077, 0], abs=1e-6)
    assert lengths[2] == pytest.approx([0, 0.02, 0.18, 0], abs=1e-6)


def test_the_lung_weighs_0_30_g_per_ml() -> None:
    phantom = NemaIQ(kind="nema-iq").generate(Key(0))
    assert phantom.tissues[3].density == 300


def test_a_body_too_short_for_its_spheres_is_refused() -> None:
    with pytest.raises(ValidationError, match="length_mm"):
        NemaIQ(kind="nema-iq", length_mm=80)


@pytest.mark.parametrize("diameter", [1, 2, 3, 4, 5])
def test_rods_for_mice_have_their_volume(diameter: int) -> None:
    phantom = NemaNU4(kind="nema-nu4").generate(Key(0))
    (row,) = (row for row in phantom.truths["inserts"] if row["part"] == f"rod {diameter} mm")
    z, y, x = (1e-3 * c for c in row["centre_mm"])
    assert np.hypot(y, x) == pytest.approx(0.007)
    grid = Grid((30, 40, 40), (0.001, 0.00015, 0.00015), (z, y, x))
    volume = phantom.fractions(grid).values[material(phantom, row["tissue"])].sum() * 0.0225
    assert volume == pytest.approx(20 * pi * diameter**2 / 4, rel=1e-3)


def test_rays_along_the_mouse_phantom_see_its_three_parts() -> None:
    phantom = NemaNU4(kind="nema-nu4").generate(Key(0))
    points = [(0.0, 0.0), (0.0, -0.0075), (0.0, 0.0075), (0.0, 0.01595)]
    rays = Rays(np.array([[-1.0, y, x] for y, x in points]), np.array([[1.0, y, x] for y, x in points]))
    lengths = phantom.path_lengths(rays)
    water, pmma = material(phantom, "water"), material(phantom, "pmma")
    chamber = material(phantom, "water (water chamber)")
    assert lengths[0, [pmma, water]] == pytest.approx([0.026, 0.030], abs=1e-6)
    assert lengths[1, [pmma, water, chamber]] == pytest.approx([0.027, 0.015, 0.014], abs=1e-6)
    assert lengths[2, [pmma, water, chamber]] == pytest.approx([0.027, 0.015, 0], abs=1e-6)  # and air, the background
    assert lengths[3, pmma] == pytest.approx(0.056, abs=1e-6)
