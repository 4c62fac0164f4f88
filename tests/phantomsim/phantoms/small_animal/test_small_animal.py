from functools import cache

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.small_animal import small_animal
from phantomsim.phantoms.small_animal.small_animal import LUNG_BLOOD, NAMES, RandomSmallAnimal
from phantomsim.phantoms.small_animal.species import SPECIES
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import ParallelBeam, rays
from tests.scenes import held

BONES = ("vertebra", "rib", "sternum", "scapula", "pelvis", "humerus", "femur", "tibia", "fibula", "forearm", "patella")
HEAD = ("skull", "mandible", "cheek bone", "bulla", "incisor", "molar")
PAWS = ("paw", "tail vertebra")


def make(seed: int, **fields):  # type: ignore[no-untyped-def]
    return RandomSmallAnimal(kind="small-animal", **fields).generate(Key(seed))


@cache
def straight(seed: int, species: str = "mouse"):  # type: ignore[no-untyped-def]
    return make(seed, species=species, bend_deg=(0.0, 0.0), roll_deg=(0.0, 0.0), level=(0.0, 0.0), bed=False)


def names(phantom):  # type: ignore[no-untyped-def]
    return [tissue.name for tissue in phantom.tissues]


def row(phantom):  # type: ignore[no-untyped-def]
    return phantom.truths["anatomy"][0]


def at(phantom, place):  # type: ignore[no-untyped-def]
    """Return the tissue at a place of the atlas (z, y, x) [mm]."""
    centre = tuple(1e-3 * row(phantom)["length_mm"] / 90 * np.asarray(place))
    return names(phantom)[int(phantom.labels(Grid((1, 1, 1), (1e-5,) * 3, centre))[0, 0, 0])]


def masses(phantom, voxel: float):  # type: ignore[no-untyped-def]
    """Return the mass of each tissue of a straight animal with its tail [g], in voxels of a size in the atlas [m]."""
    size = voxel * row(phantom)["length_mm"] / 90
    n_z, n_y, n_x = (round(1e-3 * length / voxel) for length in (184, 30, 38))
    centre = (-44.5e-3 * size / voxel, 0.0, 0.0)
    fractions = phantom.fractions(Grid((n_z, n_y, n_x), (size,) * 3, centre))
    volumes = fractions.values.sum(axis=(1, 2, 3), dtype=np.float64) * size**3
    return {t.name.partition("@")[0]: 1e3 * v * t.density for t, v in zip(fractions.tissues, volumes, strict=True)}


def surface(shape):  # type: ignore[no-untyped-def]
    """Return points on the surface of a capsule or ellipsoid [m], or of the ball in a cylinder."""
    steps = np.arange(24)
    z = 1 - (2 * steps + 1) / 24
    turned = np.pi * (1 + np.sqrt(5)) * steps
    points = np.column_stack([z + np.sign(z) * shape.param, *(np.sqrt(1 - z**2) * f(turned) for f in (np.sin, np.cos))])
    return np.asarray(shape.centre) + points @ shape.matrix.T


def test_the_same_key_makes_the_same_animal_and_another_key_another() -> None:
    first, again, other = make(1), make(1), make(2)
    assert first == again
    assert first.truths == again.truths
    assert first.body != other.body


def test_animals_are_whole(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(small_animal, "weight", lambda parts: 26.0)  # size and pose do not matter here
    monkeypatch.setattr(small_animal, "laid_down", lambda parts, *pose: parts)
    used, parts = set(), set()
    for seed in range(24):
        phantom = make(seed, species=("mouse", "rat")[seed % 2], tumor_mm=(0.0, 8.0), fat_mm=(0.2, 2.5))
        used |= set(phantom.body.names)
        parts |= phantom.parts
    assert set(NAMES) - used == {"lesion"}
    assert used <= parts


def test_bones_lie_under_the_skin_however_an_animal_is_bent() -> None:
    for seed in range(8):
        bend, fat = ((-25.0, 25.0)[seed % 2],) * 2, ((0.2, 2.5)[seed % 3 // 2],) * 2
        phantom = make(seed, species=("mouse", "rat")[seed // 4], bend_deg=bend, fat_mm=fat)
        pairs = list(zip(phantom.body.shapes, phantom.body.names, strict=True))
        skin = [shape for shape, name in pairs if name == "skin"]
        for inner in (BONES, HEAD, PAWS):
            points = np.concatenate([surface(shape) for shape, name in pairs if name in inner])
            assert held(skin, points).any(axis=0).all(), (seed, inner)


@pytest.mark.parametrize("species", ["mouse", "rat"])
def test_animals_and_organs_weigh_what_was_drawn(species) -> None:  # type: ignore[no-untyped-def]
    """The whole is scaled to its mass: 1 % is what voxels of 0.8 mm leave. Organs hide parts of each other: 15 %."""
    for seed in range(2):
        phantom = straight(seed, species)
        of, drawn = masses(phantom, 8e-4), row(phantom)
        assert sum(of.values()) - of["air"] == pytest.approx(drawn["mass_g"], rel=0.01)
        found = {
            "liver": of["liver"],
            "kidney": of["kidney_cortex"] + of["kidney_medulla"],
            "heart": of["myocardium"],
            "lung": of["lung_inflated"] / LUNG_BLOOD,
            "spleen": of["spleen"],
            "brain": of["gray_matter"] + of["white_matter"] + of["deep_gray"],
        }
        for organ, mass in found.items():
            assert mass == pytest.approx(drawn[f"{organ}_g"], rel=0.15), organ
        skeleton = sum(of[name] for name in ("cortical_bone", "trabecular_bone", "rib", "vertebra", "red_marrow"))
        assert 0.04 < skeleton / drawn["mass_g"] < 0.12  # about a tenth, Brown et al. 1997, from memory
        assert 0.10 < of["skin"] / drawn["mass_g"] < 0.20  # about a sixth, the same


def test_organs_of_rats_follow_from_those_of_mice_by_the_exponent() -> None:
    """Scaled from 29 to 376 g by M^0.8, four of a mouse's organs come within 20 % of the rats' that were weighed."""
    mouse, rat = SPECIES["mouse"], SPECIES["rat"]
    for organ in ("liver", "heart", "lung", "spleen"):
        assert mouse.organ(organ, rat.mass) == pytest.approx(rat.organs[organ], rel=0.20), organ
    assert rat.organ("liver", 453.1) == pytest.approx(13.76, rel=0.01)  # the recovery group of the same table
    assert rat.organ("brain", 453.1) == pytest.approx(2.02, rel=0.05)


@pytest.mark.parametrize(
    ("place", "tissue"),
    [
        ((4.6, -2.8, 0.9), "blood"),  # left ventricle
        ((6.0, -2.5, -5.5), "lung_inflated"),
        ((6.0, -2.5, 5.5), "lung_inflated"),
        ((17.0, -4.5, 0.0), "air"),  # trachea
        ((-6.0, -3.0, -2.0), "liver"),
        ((-14.0, 2.4, -7.9), "kidney_cortex"),
        ((-18.5, 2.4, 7.9), "kidney_cortex"),
        ((-33.0, -4.6, 0.0), "urine"),
        ((-9.66, 5.1, 0.0), "cartilage"),
        ((-20.0, 7.3, 0.0), "spinal_cord"),
    ],
)
def test_tissues_are_where_the_atlas_puts_them(place, tissue) -> None:  # type: ignore[no-untyped-def]
    for seed in range(2):
        assert at(straight(seed), place).partition("@")[0] == tissue, seed


def test_the_heart_beats_within_the_ribs_and_between_the_lungs() -> None:
    for seed in range(4):
        phantom = straight(seed % 2, ("mouse", "rat")[seed // 2])
        pairs = list(zip(phantom.body.shapes, phantom.body.names, strict=True))
        reach = {
            name: np.array([[s.centre - f * np.array(s.half_extent) for f in (1, -1)] for s, n in pairs if n == name])
            for name in ("myocardium", "rib", "sternum", "lung", "vertebra")
        }
        low, high = ({name: f(boxes, axis=(0, 1)) for name, boxes in reach.items()} for f in (np.min, np.max))
        assert low["rib"][0] < low["myocardium"][0] < high["myocardium"][0] < high["rib"][0]
        assert low["lung"][2] < low["myocardium"][2] < high["myocardium"][2] < high["lung"][2]
        assert low["rib"][2] < low["lung"][2] < high["lung"][2] < high["rib"][2]
        assert low["sternum"][1] < low["myocardium"][1]


def test_a_tumour_under_the_skin_has_the_diameter_that_was_drawn() -> None:
    phantom = make(3, tumor_mm=(7.0, 9.0))
    tumour = phantom.truths["lesions"][0]
    assert tumour["diameter_mm"] == pytest.approx(row(phantom)["tumor_mm"], rel=1e-3)
    assert tumour["host"] == "flank"
    bare = phantom.without(["xenograft"])
    assert bare.truths["lesions"] == ()
    assert row(bare) == row(make(3, tumor_mm=(0.0, 0.0))) | {"tumor_mm": row(phantom)["tumor_mm"]}
    centre = tuple(1e-3 * c for c in tumour["centre_mm"])
    grid = Grid((60, 60, 60), (2.5e-4,) * 3, centre)
    volume = phantom.fractions(grid).values[names(phantom).index("tumor")].sum() * 0.25**3
    assert 0.6 < volume / (np.pi / 6 * tumour["diameter_mm"] ** 3) < 1.0  # the rest is its dead core


def test_lesions_lie_in_liver_and_lungs_and_nothing_else() -> None:
    lesions = {"count": 3, "diameter_mm": (1.0, 2.0), "depth_mm": 16.0}
    for seed in range(6):
        phantom = make(seed, lesions=lesions, level=(-0.05, -0.02))
        rows = phantom.truths["lesions"]
        assert len(rows) == 3
        clean = phantom.without(["lesion"])
        for lesion in rows:
            grid = Grid((9, 9, 9), (lesion["diameter_mm"] / 9e3,) * 3, tuple(1e-3 * c for c in lesion["centre_mm"]))
            inside = {names(clean)[i].partition("@")[0] for i in np.unique(clean.labels(grid))}
            assert inside == {{"liver": "liver", "lung": "lung_inflated"}[lesion["host"]]}


def test_two_resolutions_of_one_animal_agree_after_averaging() -> None:
    phantom = make(5)
    coarse = phantom.fractions(Grid((64, 20, 24), (8e-4,) * 3)).values
    fine = phantom.fractions(Grid((128, 40, 48), (4e-4,) * 3)).values
    mean = fine.reshape(len(fine), 64, 2, 20, 2, 24, 2).mean(axis=(2, 4, 6))
    assert np.abs(mean - coarse).mean() < 0.01 / len(phantom.tissues)
    assert mean.sum(axis=(1, 2, 3)) == pytest.approx(coarse.sum(axis=(1, 2, 3)), rel=0.01, abs=2.0)


def test_path_lengths_hold_the_areas_of_the_tissues() -> None:
    """Line integrals over all columns are areas; lines 0.05 mm apart and 0.1 mm voxels leave 1 % of 10 mm²."""
    phantom = make(4, level=(-0.1, -0.1))
    lengths = phantom.path_lengths(rays(ParallelBeam(n_views=2, n_columns=1100, pitch=5e-5), np.array([0.0])))
    areas = phantom.fractions(Grid((1, 550, 550), (1e-8, 1e-4, 1e-4))).values.sum(axis=(1, 2, 3)) * 1e-8
    for material, area in enumerate(areas):
        if material and area > 10e-6:
            assert lengths[..., material].sum(axis=(1, 2)) * 5e-5 == pytest.approx(area, rel=0.01)


def test_level_brings_another_height_to_the_slice_and_the_bed_lies_below() -> None:
    low, high = (make(6, level=(level, level)) for level in (-0.1, 0.3))
    shift = np.subtract(low.body.shapes[20].centre, high.body.shapes[20].centre)[0]
    assert shift == pytest.approx(0.4e-3 * row(low)["length_mm"], rel=1e-9)
    bottom = low.fractions(Grid((1, 400, 1), (1e-4, 1e-4, 1e-4), (0.0, 0.0, 0.0))).values
    plastic, skin = (np.flatnonzero(bottom[names(low).index(name), 0, :, 0] > 0.5) for name in ("pmma", "skin"))
    assert plastic.max() < skin.min()


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"mass_g": (20.0, 200.0)}, "mass_g of a mouse"),
        ({"species": "rat", "mass_g": (20.0, 40.0)}, "mass_g of a rat"),
        ({"fat_mm": (1.0, 0.5)}, "fat_mm"),
        ({"bend_deg": (-40.0, 0.0)}, "bend_deg"),
        ({"species": "dog"}, "species"),
        ({"lesions": {"count": 1}}, "diameter_mm"),
        ({"lesions": {"count": 1, "diameter_mm": (1.0, 2.0)}, "level": (0.3, 0.3)}, "liver and lungs"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_field(fields, match) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=match):
        make(0, **fields)
