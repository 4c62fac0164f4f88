from math import cos, pi, radians, sin, sqrt

import numpy as np
import pytest

from phantomsim.phantoms.objects.forbild import position
from phantomsim.phantoms.objects.forbild_head import ForbildHead
from phantomsim.phantoms.objects.forbild_thorax import RIBS, ForbildThorax, rib_cage
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key

Y16 = -14.294530834372887
SECTION = (
    # x, y, half axes, turn [deg], value, clips (offset from the centre, direction [deg]); all add up
    (-4.7, 4.3, 1.79989, 1.79989, 0, 0.01, ()),
    (4.7, 4.3, 1.79989, 1.79989, 0, 0.01, ()),
    (-1.08, -9, 0.4, 0.4, 0, 0.0025, ()),
    (1.08, -9, 0.4, 0.4, 0, -0.0025, ()),
    (0, 0, 9.6, 12, 0, 1.8, ()),
    (0, 8.4, 1.8, 3.0, 0, -1.05, ()),
    (1.9, 5.4, 0.41633, 1.17425, -31.07698, 0.75, ()),
    (-1.9, 5.4, 0.41633, 1.17425, 31.07698, 0.75, ()),
    (-4.3, 6.8, 1.8, 0.24, -30, 0.75, ()),
    (4.3, 6.8, 1.8, 0.24, 30, 0.75, ()),
    (0, -3.6, 1.8, 3.6, 0, -0.005, ()),
    (6.39395, -6.39395, 1.2, 0.42, 58.1, 0.005, ()),
    (0, 3.6, 2, 2, 0, 0.75, ((1.2, 0), (1.2, 180), (0.27884, 90), (0.27884, 270))),
    (0, 9.6, 1.8, 3.0, 0, 1.8, ((0.60687, 90), (0.60687, 270), (0.2, 0), (0.2, 180))),
    (0, 0, 9.0, 11.4, 0, 0.75, ((-2.605, 15), (-2.605, 165), (-10.71177, 90))),
    (0, Y16, 0.443194085308632, 3.892760834372886, 0, 0.75, ((Y16 + 10.71177, 270),)),
    (0, 0, 9.0, 11.4, 0, -0.75, ((8.8874, 0),)),
    (9.1, 0, 4.2, 1.8, 0, 0.75, ((-0.2126, 0),)),
)
"""The two-dimensional head of Yu et al. 2012, as in ashkarin/forbild-gen: an independent account of the same object."""


def section(x, y):  # type: ignore[no-untyped-def]
    """Return the density of the two-dimensional head, without the cavities of its ear."""
    total = np.zeros_like(x)
    for x0, y0, a, b, turn, value, clips in SECTION:
        c, s = cos(radians(turn)), sin(radians(turn))
        u, v = x - x0, y - y0
        held = ((c * u + s * v) / a) ** 2 + ((c * v - s * u) / b) ** 2 <= 1
        for offset, direction in clips:
            held &= cos(radians(direction)) * u + sin(radians(direction)) * v < offset
        total[held] += value
    return total


def density(phantom, points_cm):  # type: ignore[no-untyped-def]
    points = 1e-3 * np.stack(position(*np.moveaxis(np.asarray(points_cm, float), -1, 0)), axis=-1)
    found = phantom.body.materials(points, "cpu")
    return np.array([0.0, *(t.density for t in phantom.tissues[1:])])[found] / 1000


def test_section_of_the_head_is_the_published_two_dimensional_head() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-10, 10, 200_000), rng.uniform(-12.5, 12.5, 200_000)
    ear = (x > 4.9) & (np.abs(y) < 1.8)
    x, y = x[~ear], y[~ear]
    phantom = ForbildHead(kind="forbild-head", left_ear=False).generate(Key(0))
    found, expected = density(phantom, np.stack([x, y, 0 * x], axis=-1)), section(x, y)
    # the section's wings are ellipses fitted to slices of turned ellipsoids, its spike two straight lines and an
    # ellipse in place of a hyperbola
    assert np.mean(np.abs(found - expected) > 1e-6) < 5e-4
    near_spike = (np.abs(x) < 1) & (y < -10)
    assert np.mean(np.abs(found - expected)[near_spike] > 1e-6) < 4e-3


def test_right_ear_has_53_cavities_in_the_section_and_317_in_all() -> None:
    phantom = ForbildHead(kind="forbild-head", left_ear=False).generate(Key(0))
    rows = [row["centre_mm"] for row in phantom.truths["inserts"] if row["part"] == "cavity"]
    assert len(rows) == 317
    assert sum(z == 0 for z, _, _ in rows) == 53
    points = np.array([(8.8, 0, 0), (5.6, 0, 0), (8.6, 0.2 * sqrt(3), 0), (8.8, 0.2 * sqrt(3), -0.2 * sqrt(3))])
    assert density(phantom, points).tolist() == [0.0, 0.0, 0.0, 0.0]
    assert density(phantom, points + [0.16, 0, 0]).tolist() == [1.8, 1.8, 1.8, 1.8]


def test_left_ear_resolves_four_diameters_and_four_lengths() -> None:
    phantom = ForbildHead(kind="forbild-head", right_ear=False).generate(Key(0))
    for column, diameter in enumerate((0.0357, 0.0312, 0.0278, 0.0250)):
        x = -7 + 0.08 * column
        steps = np.arange(9)[:, None] * [0, diameter, 0] + [x, -1, 0]
        assert density(phantom, steps).tolist() == [1.8, 1.05] * 4 + [1.8]
        for group, length in enumerate((0.4, 0.2, 0.1, 0.05)):
            steps = np.arange(9)[:, None] * [0, 0, length] + [x, -1 + 0.48 * group, 0]
            assert density(phantom, steps).tolist() == [1.8, 1.05] * 4 + [1.8]


def test_thorax_has_the_271_objects_of_its_files() -> None:
    phantom = ForbildThorax(kind="forbild-thorax").generate(Key(0))
    assert len(phantom.body.shapes) == 271  # type: ignore[attr-defined]
    assert phantom.parts >= {"rib", "marrow", "aorta", "lung", "heart", "sternum", "clavicle", "scapula", "humerus"}


@pytest.mark.parametrize(
    ("level", "piece", "centre", "axis", "offsets"),
    [
        (0.0, 0, (5.716814, 8.559509, -5.230811), (17.594546, -2.781153, 1.699593), (5.451355, 1.953178)),
        (0.0, 2, (14.966814, 5.290067, -3.232819), (10.874027, -7.281153, 4.449593), (7.228981, 7.622861)),
        (3.0, 1, (10.874027, 7.281153, -1.449593), (14.966814, -5.290067, 3.232819), (8.412388, 5.895598)),
        (3.0, 4, (18.5, 0.0, 3.0), (0.0, -9.0, 5.5), (-1.611020, 4.635370)),
        (3.0, 8, (5.716814, -8.559509, 8.230811), (-17.594546, -2.781153, 1.699593), (-1.810106, -5.007113)),
    ],
)
def test_ribs_are_those_of_the_file(level, piece, centre, axis, offsets) -> None:  # type: ignore[no-untyped-def]
    """Rows of Ribs.pha: centre, axis, and offsets of the clips below and above [cm]."""
    shape = [shape for part, shape in rib_cage() if part == "rib"][18 * RIBS.index(level) + piece]
    assert 1000 * np.asarray(shape.centre) == pytest.approx(position(*centre), abs=1e-5)
    direction = np.asarray(shape.rotation)[:, 0]
    assert direction == pytest.approx(np.array(position(*axis)) / 10 / np.linalg.norm(axis), abs=1e-6)
    assert 100 * shape.planes[:, 3] * [1, -1] == pytest.approx(offsets, abs=2e-4)


def test_aorta_bends_without_a_gap() -> None:
    """Along the middle of the vessel: up behind, across the arch, and down to the heart."""
    phantom = ForbildThorax(kind="forbild-thorax").generate(Key(0))
    up, t = np.linspace(-14, 7.5, 50), np.linspace(0, 1, 50)
    path = [
        np.stack([0 * up - 2.5, 0 * up - 2.5, up], -1),
        np.outer(1 - t, (-2.5, -2.5, 7.5)) + np.outer(t, (0.5, 4.5, 7.5)),
    ]
    path.append(np.stack([0 * t + 0.5, 0 * t + 4.5, 7.5 - 4 * t], -1))
    assert (density(phantom, np.concatenate(path)) == 1.05).all()


def test_bone_may_be_a_tissue_of_its_own() -> None:
    phantom = ForbildHead(kind="forbild-head", bone="cortical_bone").generate(Key(0))
    assert "cortical_bone@1800" in {tissue.name for tissue in phantom.tissues}
    skull = phantom.map("density", Grid((1, 1, 1), (1e-4,) * 3, (0.0, 0.0, 0.093)))
    assert float(skull[0, 0, 0]) == pytest.approx(1800)


def test_the_volume_of_a_bone_shell_is_that_of_two_ellipsoids() -> None:
    phantom = (
        ForbildHead(kind="forbild-head", right_ear=False, left_ear=False)
        .generate(Key(0))
        .without({"occipital bone", *(f"bone {n}" for n in (8, 9, 10, 11, 14, 15))})
    )
    grid = Grid((100, 100, 100), (0.0026, 0.0025, 0.002))
    names = [tissue.name for tissue in phantom.tissues]
    bone = float(phantom.fractions(grid).values[names.index("water@1800")].sum(dtype=np.float64)) * 0.0026 * 5e-6
    shell = 4 * pi / 3 * (9.6 * 12 * 12.5 - 9.0 * 11.4 * 11.9) * 1e-6
    assert bone == pytest.approx(shell, abs=2e-3 * shell)
