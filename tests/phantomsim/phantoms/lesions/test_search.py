"""The search for a place: exact distances, and balls that only the lattice finds room for."""

import os

import numpy as np
import pytest

from phantomsim.phantoms.abdomen.ellipsoids import RandomEllipsoids
from phantomsim.phantoms.lesions.search import GAP, Ground, ball_inside, find_place, shrunk_holds, to_ellipsoid
from phantomsim.phantoms.placement import Lesions, place_lesions
from phantomsim.phantoms.scene import Part
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import box, capsule, cylinder, ellipsoid, turn
from phantomsim.tissues import get
from tests.scenes import held

DRAWS = int(os.environ.get("PHANTOMSIM_LESION_DRAWS", "200"))
"""Scenes with lesions that are drawn; 10,000 for a release."""


def surface(n: int) -> np.ndarray:
    directions = np.random.default_rng(0).normal(size=(n, 3))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


@pytest.mark.parametrize("semi_axes", [(3.0, 2.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 4.0), (5.0, 0.5, 5.0)])
def test_distance_to_an_ellipsoid_is_that_to_the_nearest_of_many_points_on_it(semi_axes) -> None:  # type: ignore[no-untyped-def]
    axes = np.array(semi_axes)
    points = np.random.default_rng(1).uniform(0, 1, (80, 3)) * axes
    points = points[((points / axes) ** 2).sum(axis=1) < 1]
    points = np.vstack([points, np.zeros(3), points[:9] * [1, 1, 0], points[:9] * [0, 1, 0], points[:9] * [1, 0, 0]])
    on = surface(100_000) * axes
    nearest = np.array([np.sqrt(((on - p) ** 2).sum(axis=1).min()) for p in points])
    found = to_ellipsoid(points, axes)
    assert (found <= nearest + 1e-12).all()
    assert found == pytest.approx(nearest, abs=5e-3 * max(semi_axes))


@pytest.mark.parametrize(
    "host",
    [
        ellipsoid((0.0, 0.0, 0.0), (0.03, 0.05, 0.04), turn("z", 0.4)),
        cylinder((0.01, 0.0, 0.0), (0.03, 0.02, 0.05), turn("x", 0.3)),
        ellipsoid((0.0, 0.0, 0.0), (0.03, 0.05, 0.04), turn("z", 0.4)).clipped((0.2, 1.0, 0.3), -0.003),
        box((0.0, 0.0, 0.1), (0.03, 0.03, 0.04), turn("y", 0.5)),
        capsule((0.0, -0.1, 0.0), (0.06, 0.03, 0.03), turn("y", 1.2)),
    ],
    ids=lambda host: host.kind + " cut" * len(host.clips),
)
def test_balls_that_are_found_inside_are_inside_and_few_others_are_left_out(host) -> None:  # type: ignore[no-untyped-def]
    radius = 0.012
    points = np.random.default_rng(2).uniform(-1, 1, (3000, 3)) * host.half_extent + host.centre
    inside = ball_inside(host, points, radius)
    truly = np.array([host.holds(p + radius * surface(2000)).all() for p in points])
    assert not (inside & ~truly).any()
    if not host.clips:
        assert not (shrunk_holds(host, points, radius) & ~inside).any()
    if host.kind != "capsule":
        assert (truly & ~inside).sum() < 0.01 * truly.sum() + 3


def test_the_lattice_finds_room_where_random_tries_do_not() -> None:
    """A flat host, filled but for one end: balls near its ends lie outside the shrunk host that random tries use."""
    host = ellipsoid((0.0, 0.0, 0.0), (0.012, 0.06, 0.06))
    wall = box((0.0, -0.02, 0.0), (0.1, 0.04, 0.1))
    ground = Ground.of([host, wall], 0.0)
    for seed in range(3):
        found = find_place(ground, [0], 0.009, Key(seed))
        assert found is not None
        ball = np.asarray(found[1]) + 0.009 * surface(3000)
        assert host.holds(ball).all()
        assert not wall.holds(ball).any()
    assert find_place(ground, [0], 0.0119, Key(0)) is None


def test_a_lesion_never_leaves_its_organ_nor_meets_other_parts_or_lesions() -> None:
    """Balls in liver, spleen and kidneys of as many abdomens as `DRAWS` says, checked by 400 points on each."""
    points = surface(400)
    lesions = {"count": 5, "diameter_mm": (4.0, 15.0), "depth_mm": 30.0}
    for seed in range(DRAWS // 5):
        phantom = RandomEllipsoids(kind="ellipsoids", lesions=lesions).generate(Key(seed))
        clean = phantom.without(["lesion"]).body
        rows = phantom.truths["lesions"]
        for i, row in enumerate(rows):
            centre, radius = np.asarray(row["centre_mm"]) / 1e3, row["diameter_mm"] / 2e3
            reach = np.abs(np.array([s.centre for s in clean.shapes]) - centre)
            near = (reach <= np.array([s.half_extent for s in clean.shapes]) + radius).all(axis=1).nonzero()[0]
            shapes = [clean.shapes[n] for n in near]
            top = np.where(held(shapes, centre + radius * points), np.arange(len(near))[:, None], -1).max(axis=0)
            assert {clean.names[near[n]] for n in top} == {row["host"]}, (seed, row)
            for other in rows[:i]:
                apart = np.linalg.norm(np.subtract(row["centre_mm"], other["centre_mm"]))
                assert apart >= (row["diameter_mm"] + other["diameter_mm"]) / 2


@pytest.mark.parametrize("shape", ["smooth", "lobulated", "spiculated", "cavity", "calcified", "microcalcifications"])
def test_every_form_lies_where_a_smooth_lesion_would(shape) -> None:  # type: ignore[no-untyped-def]
    parts = [Part(ellipsoid((0.0, 0.0, 0.0), (0.06, 0.05, 0.04)), get("liver"), "liver")]
    fields = {"count": 3, "diameter_mm": (6.0, 20.0)}
    smooth, same = (place_lesions(Lesions(shape=s, **fields), parts, ["liver"], Key(4))[1] for s in ("smooth", shape))
    for a, b in zip(smooth, same, strict=True):
        assert (a["centre_mm"], a["diameter_mm"], a["host"]) == (b["centre_mm"], b["diameter_mm"], b["host"])
        assert b["shape"] == shape
        assert b["volume_mm3"] <= a["volume_mm3"] * (1 + 1e-4)
        assert a.keys() == b.keys()
    assert GAP == 5e-4
