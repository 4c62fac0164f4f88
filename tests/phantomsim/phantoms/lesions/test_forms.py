"""Forms of lesions: inside their ball, with the volumes that the truth table gives, and counts as drawn."""

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.lesions.forms import build
from phantomsim.phantoms.lesions.spec import Lesions
from phantomsim.phantoms.lesions.specks import poisson_count
from phantomsim.phantoms.scene import compose
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape
from phantomsim.tissues import get

CENTRE, RADIUS = (0.01, -0.02, 0.03), 0.012
FORMS = [
    {"shape": "smooth"},
    {"shape": "lobulated"},
    {"shape": "lobulated", "lobes": (30, 30)},
    {"shape": "spiculated"},
    {"shape": "cavity"},
    {"shape": "cavity", "content": "necrosis", "wall": (0.05, 0.1)},
    {"shape": "calcified", "pattern": "core"},
    {"shape": "calcified", "pattern": "rim"},
    {"shape": "calcified", "pattern": "popcorn"},
    {"shape": "microcalcifications", "specks": 20.0, "speck_mm": (0.4, 2.0), "diameter_mm": (20.0, 24.0)},
]


def made(seed: int, **fields):  # type: ignore[no-untyped-def]
    return build(Lesions(**fields), CENTRE, RADIUS, Key(seed))


def farthest(shape: Shape) -> float:
    """Return the largest distance of a shape's surface from the ball's centre [m], from points all over it."""
    angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, 60), np.linspace(-1, 1, 41))
    angle, height = angle.ravel(), height.ravel()
    if shape.kind == "cone":  # the hull of its two discs
        width = np.where(height > 0, shape.param, 1.0)
        local = np.column_stack([np.sign(height), width * np.cos(angle), width * np.sin(angle)])
    else:
        width = np.sqrt(1 - height**2)
        local = np.column_stack([height + shape.param * np.sign(height), width * np.cos(angle), width * np.sin(angle)])
    return float(np.linalg.norm(local @ shape.matrix.T + shape.centre - CENTRE, axis=1).max())


@pytest.mark.parametrize("fields", FORMS, ids=str)
def test_all_of_a_lesion_lies_inside_its_ball(fields) -> None:  # type: ignore[no-untyped-def]
    for seed in range(5):
        assert max(farthest(part.shape) for part in made(seed, **fields).parts) <= RADIUS * (1 + 1e-9)


@pytest.mark.parametrize("fields", FORMS, ids=str)
def test_recorded_volumes_are_those_of_the_voxels(fields) -> None:  # type: ignore[no-untyped-def]
    """64 voxels across, with 8 × 8 lines in each: to 0.5 %, and 3 % for specks two voxels thick."""
    for seed in range(2):
        lesion = made(seed, **fields)
        phantom = compose(get("liver"), lesion.parts)
        spacing = 2.02 * RADIUS / 64
        values = phantom.fractions(Grid((64,) * 3, (spacing,) * 3, CENTRE)).values.sum(axis=(1, 2, 3), dtype=float)
        volumes = dict(zip([tissue.name for tissue in phantom.tissues], values * spacing**3 * 1e9, strict=True))
        row, tolerance = lesion.row, 0.03 if fields["shape"] == "microcalcifications" else 0.005
        assert sum(volumes.values()) - volumes["liver"] == pytest.approx(row["volume_mm3"], rel=tolerance)
        assert row["volume_mm3"] == pytest.approx(np.pi / 6 * row["equivalent_diameter_mm"] ** 3, rel=1e-12)
        if row["inside"]:
            assert volumes[row["inside"]] == pytest.approx(row["inside_volume_mm3"], rel=2 * tolerance)
        else:
            assert row["inside_volume_mm3"] == 0


def test_a_smooth_lesion_is_a_ball() -> None:
    row = made(0, shape="smooth").row
    assert row["volume_mm3"] == pytest.approx(np.pi / 6 * (2e3 * RADIUS) ** 3, rel=1e-12)
    assert row["equivalent_diameter_mm"] == pytest.approx(2e3 * RADIUS, rel=1e-12)
    assert row["suv"] == get("tumor").pet.fdg_suv


@pytest.mark.parametrize(
    ("shape", "column", "asked"), [("lobulated", "lobes", (4, 6)), ("spiculated", "spicules", (9, 11))]
)
def test_lobes_and_spicules_are_as_many_as_asked(shape, column, asked) -> None:  # type: ignore[no-untyped-def]
    counts = {made(seed, shape=shape, **{column: asked}).row[column] for seed in range(20)}
    assert counts == set(range(asked[0], asked[1] + 1))


def test_spicules_are_thin_and_leave_the_core() -> None:
    for seed in range(10):
        cones = [part.shape for part in made(seed, shape="spiculated").parts if part.shape.kind == "cone"]
        assert all(cone.semi_axes[1] < 0.12 * RADIUS for cone in cones)
        assert max(farthest(cone) for cone in cones) > 0.85 * RADIUS
        assert min(farthest(cone) for cone in cones) > 0.65 * RADIUS


def test_a_cavity_keeps_a_wall_all_around() -> None:
    for seed in range(50):
        ball, hole = (part.shape for part in made(seed, shape="cavity", wall=(0.1, 0.6)).parts)
        wall = 1 - np.mean(hole.semi_axes) / RADIUS
        assert 0.08 < wall < 0.65
        assert farthest(hole) < RADIUS * (1 - 0.4 * wall)


def test_microcalcifications_do_not_touch_and_have_the_lengths_asked_for() -> None:
    fields = {"shape": "microcalcifications", "specks": 60.0, "speck_mm": (0.1, 1.0), "diameter_mm": (24.0, 24.0)}
    for seed in range(10):
        shapes = [part.shape for part in made(seed, **fields).parts]
        length = np.array([2 * s.semi_axes[0] * (1 + s.param) for s in shapes])
        assert length.min() >= 1e-4
        assert length.max() <= 1e-3
        apart = np.linalg.norm(np.array([s.centre for s in shapes])[:, None] - [s.centre for s in shapes], axis=2)
        assert (apart + 1e9 * np.eye(len(shapes)) > (length[:, None] + length) / 2).all()
        assert {s.kind for s in shapes} == {"ellipsoid", "capsule"}


def test_the_number_of_microcalcifications_is_poisson() -> None:
    """Mean and variance are both 12; over 2000 draws their standard errors are √(12/2000) and 12 √(2/2000)."""
    counts = [poisson_count(12.0, Key(seed)) for seed in range(2000)]
    assert np.mean(counts) == pytest.approx(12, abs=4 * np.sqrt(12 / 2000))
    assert np.var(counts) == pytest.approx(12, abs=4 * 12 * np.sqrt(2 / 2000))


def test_uptake_and_enhancement_change_the_tissue_and_are_recorded() -> None:
    lesion = made(0, shape="lobulated", suv=11.5, iodine_mg_ml=2.0, gadolinium_mg_ml=0.5)
    (tissue,) = {part.tissue.name: part.tissue for part in lesion.parts}.values()
    assert tissue.pet.fdg_suv == 11.5
    assert tissue.density == get("tumor").density + 2.5
    assert tissue.mass_fractions["Gd"] * tissue.density == pytest.approx(0.5)
    assert tissue.mass_fractions["I"] * tissue.density == pytest.approx(2.0)
    assert (lesion.row["suv"], lesion.row["iodine_mg_ml"], lesion.row["gadolinium_mg_ml"]) == (11.5, 2.0, 0.5)
    assert lesion.row["tissue"] == tissue.name


def test_a_tissue_without_uptake_can_be_given_one() -> None:
    assert Lesions(tissue="agar_gel", suv=3.0).matter.pet.fdg_suv == 3.0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"shape": "round"}, "smooth"),
        ({"content": "pus"}, "unknown tissue 'pus'"),
        ({"calcification": "lime"}, "unknown tissue 'lime'"),
        ({"lobes": (9, 5)}, r"lobes must be \[smallest, largest\]"),
        ({"wall": (0.2, 1.0)}, "less than 0.95"),
        ({"suv": -1.0}, "greater than or equal to 0"),
        ({"shape": "microcalcifications", "diameter_mm": (2.0, 3.0), "speck_mm": (0.5, 1.0)}, "larger cluster"),
        ({"shape": "microcalcifications", "diameter_mm": (5.0, 5.0), "speck_mm": (0.9, 1.0), "specks": 300.0}, "fewer"),
    ],
)
def test_fields_that_make_no_sense_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((ValidationError, RecipeError), match=says):
        Lesions(**fields)
