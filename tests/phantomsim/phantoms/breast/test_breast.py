from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.breast.breast import FRACTIONS, NAMES, RandomBreast
from phantomsim.phantoms.breast.lattice import over
from phantomsim.phantoms.phantom import Phantom
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape
from phantomsim.physics.xray.geometry import ParallelBeam, rays

PADDLES = (50.0, 50.0)
COARSE: dict[str, Any] = {"compartment_mm": (24.0, 30.0), "duct_ends": (24, 40), "lobes": (4, 6)}
MASSES: dict[str, Any] = {"count": 2, "diameter_mm": (4.0, 10.0), "tissue": "tumor_breast"}


@cache
def made(seed: int, density: str | None = None, compressed: tuple[float, float] | None = None) -> Phantom:
    return RandomBreast(kind="breast", density=density, compressed_mm=compressed).generate(Key(seed))


def make(seed: int, **fields: Any) -> Phantom:
    return RandomBreast(kind="breast", **fields).generate(Key(seed))


def named(phantom: Phantom, *names: str) -> list[Shape]:
    return [s for s, name in zip(phantom.body.shapes, phantom.body.names, strict=True) if name in names]


def millilitres(phantom: Phantom) -> dict[str, float]:
    """Return the volume of each tissue before the chest wall, in voxels of 2 mm."""
    wall = phantom.truths["anatomy"][0]["chest_wall_mm"]
    n, step = (100, 70, 130), 0.002
    grid = Grid(n, (step, step, step), (0.0, 1e-3 * wall - n[1] * step / 2, 0.0))
    sums = phantom.fractions(grid).values.sum(axis=(1, 2, 3), dtype=np.float64) * step**3 * 1e6
    return {tissue.name: float(v) for tissue, v in zip(phantom.tissues, sums, strict=True)}


def dense_fraction(volumes: dict[str, float]) -> float:
    """Return dense tissue over all that is beneath the skin; the trunk's fat is of another tissue."""
    beneath = ("breast_gland", "breast_adipose", "blood_venous")
    return volumes["breast_gland"] / sum(volumes[name] for name in beneath)


def test_the_same_key_makes_the_same_breast_and_another_key_another() -> None:
    first, again, other = make(1, **COARSE), make(1, **COARSE), make(2, **COARSE)
    assert first == again
    assert first.truths == again.truths
    assert first.body != other.body


@pytest.mark.parametrize("compressed", [None, PADDLES])
@pytest.mark.parametrize("density", FRACTIONS)
def test_dense_tissue_fills_the_fraction_of_its_class(density, compressed) -> None:  # type: ignore[no-untyped-def]
    """The lattice of the design has 30,000 points; ducts and lobules add what lies outside the strands: 0.015 in all.

    Under compression strands keep their volumes but not all their overlaps, and a few shrink to fit under the skin.
    """
    phantom = made(3, density, compressed)
    low, high = FRACTIONS[density]
    found, truth = dense_fraction(millilitres(phantom)), phantom.truths["anatomy"][0]["dense_fraction"]
    assert low - 0.005 <= truth <= high + 0.005
    assert found == pytest.approx(truth, abs=0.015)


def test_compression_keeps_the_volume_of_the_breast() -> None:
    for seed in (3, 4):
        phantom = made(seed, "c", PADDLES)
        volumes = millilitres(phantom.without(["nipple", "areola"]))
        total = sum(v for name, v in volumes.items() if name != "air")
        assert total == pytest.approx(phantom.truths["anatomy"][0]["volume_ml"], rel=0.015)


def test_a_hanging_breast_has_the_volume_that_was_drawn() -> None:
    for seed in range(4):
        phantom = make(seed, **COARSE, level=(0.0, 0.0))
        row = phantom.truths["anatomy"][0]
        wall = 1e-3 * row["chest_wall_mm"]
        shapes = [
            replace(s, centre=(s.centre[0], s.centre[1] - wall, s.centre[2]))
            for s in named(phantom, "skin")
            if s.kind == "ellipsoid"
        ]
        lattice = over(shapes, 300_000)
        count = lattice.union(shapes).sum()
        assert count * lattice.step**3 * 1e6 == pytest.approx(row["volume_ml"], rel=0.015)


@pytest.mark.parametrize("compressed", [None, PADDLES])
def test_the_skin_is_as_thick_as_drawn(compressed) -> None:  # type: ignore[no-untyped-def]
    """A line along z through the top and the bottom meets skin at right angles, near enough, twice."""
    for seed in (3, 4):
        phantom = make(seed, compressed_mm=compressed, skin_mm=(1.0, 2.5), **COARSE)
        row = phantom.truths["anatomy"][0]
        line = Grid((6000, 1, 1), (5e-5, 2e-4, 2e-4), (0.0, 1e-3 * row["chest_wall_mm"] - 0.012, 0.0))
        index = [tissue.name for tissue in phantom.tissues].index("skin")
        skin = 0.05 * phantom.fractions(line).values[index].sum() / 2
        assert skin == pytest.approx(row["skin_mm"], rel=0.01 if compressed else 0.15)


@pytest.mark.parametrize("compressed", [None, PADDLES])
def test_everything_lies_beneath_the_skin_and_ducts_end_in_the_nipple(compressed) -> None:  # type: ignore[no-untyped-def]
    inside = ("fat", "ligament", "gland", "duct", "lobule", "vein")
    turns = np.random.default_rng(0).normal(size=(60, 3))
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    for seed in (0, 3):
        phantom = make(seed, compressed_mm=compressed)
        row = phantom.truths["anatomy"][0]
        skin = named(phantom, "skin", "nipple", "areola")
        shapes = [s for s in named(phantom, *inside) if s.kind in ("ellipsoid", "capsule")]
        points = np.concatenate(
            [s.centre + (turns + s.param * np.sign(turns) * (1, 0, 0)) @ s.matrix.T for s in shapes]
        )
        points = points[points[:, 1] < 1e-3 * row["chest_wall_mm"]]
        held = np.zeros(len(points), np.bool_)
        for shape in skin:
            held |= shape.holds(points)
        assert held.all(), f"{(~held).sum()} points outside the skin of seed {seed}"
        (nipple,) = named(phantom, "nipple")
        reaching = 0
        for duct in named(phantom, "duct"):
            ends = duct.centre + np.outer((-1, 1), duct.matrix[:, 0] * duct.param)
            reaching += bool((nipple.holds(ends) & (ends[:, 1] < 1e-3 * row["nipple_at_mm"][1])).any())
        assert reaching == row["lobes"]


def test_breasts_of_any_kind_hold_their_masses() -> None:
    sphere = np.random.default_rng(0).normal(size=(50, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    for seed in range(10):
        phantom = make(seed, compressed_mm=(45.0, 60.0) if seed % 2 else None, lesions=MASSES, **COARSE)
        fat = [s for s in named(phantom, "fat") if s.kind != "ellipsoid" or min(s.semi_axes) > 0.02]
        assert len(phantom.truths["lesions"]) == 2
        for row in phantom.truths["lesions"]:
            edge = 1e-3 * np.asarray(row["centre_mm"]) + 5e-4 * row["diameter_mm"] * sphere
            assert np.any([s.holds(edge) for s in fat], axis=0).all(), (seed, row)


def test_changing_the_masses_leaves_the_anatomy() -> None:
    none, many = make(7, **COARSE), make(7, lesions=MASSES, **COARSE)
    assert none.body.shapes == many.without(["lesion"]).body.shapes


def test_the_level_moves_the_breast_and_changes_nothing_else() -> None:
    low, high = (make(3, level=(level, level), **COARSE) for level in (-0.2, 0.3))
    steps = {round(a.centre[0] - b.centre[0], 9) for a, b in zip(low.body.shapes, high.body.shapes, strict=True)}
    assert len(steps) == 1
    assert low.body.names == high.body.names


def test_two_resolutions_of_a_seed_agree_after_averaging() -> None:
    phantom = made(3, "c")
    coarse = phantom.fractions(Grid((1, 80, 100), (0.002, 0.002, 0.002))).values
    fine = phantom.fractions(Grid((2, 160, 200), (0.001, 0.001, 0.001))).values
    mean = fine.reshape(len(fine), 1, 2, 80, 2, 100, 2).mean(axis=(2, 4, 6))
    assert np.abs(mean - coarse).sum() < 0.01 * coarse[1:].sum()


def test_lengths_along_rays_agree_with_the_areas_of_the_section() -> None:
    """Parallel rays ¼ mm apart integrate each tissue's chords to its area, the air of the cuts left out; 4 %."""
    phantom = made(3, "c", PADDLES)
    scan = ParallelBeam(n_views=1, n_columns=900, pitch=0.00025)
    lengths = phantom.path_lengths(rays(scan, np.zeros(1)))[0, 0]
    areas = phantom.fractions(Grid((1, 450, 450), (1e-6, 0.0005, 0.0005))).values.sum(axis=(1, 2, 3)) * 0.25e-6
    assert not lengths[:, 0].any()
    for chord, area in zip(lengths.sum(axis=0)[1:] * 0.00025, areas[1:], strict=True):
        assert chord == pytest.approx(area, rel=0.04, abs=5e-6)


def test_every_part_has_a_name_that_a_recipe_may_use() -> None:
    used = {name for seed in range(2) for name in make(seed, lesions=MASSES, **COARSE).body.names}
    assert used == set(NAMES)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"volume_ml": (900.0, 300.0)}, "smallest, largest"),
        ({"volume_ml": (10.0, 300.0)}, "80 to 2500"),
        ({"skin_mm": (1.0, 9.0)}, "no normal skin"),
        ({"compressed_mm": (50.0, 150.0)}, "flattens a breast of 300 ml"),
        ({"compressed_mm": (60.0, 50.0)}, "smallest, largest"),
        ({"compressed_mm": (20.0, 50.0)}, "does not crush one of 1000 ml"),
        ({"density": "e"}, "'a', 'b', 'c' or 'd'"),
        ({"lobes": (1, 40)}, "ducts of their own"),
        ({"lesions": {"count": 1, "tissue": "tumour_breast"}}, "tumor_breast"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        RandomBreast(kind="breast", **fields)
