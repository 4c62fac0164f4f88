"""A cylinder of water with bone, fat and iodine, at 80 kVp and at 140 kVp behind tin."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim import tissues
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.recon.material_decomposition import MaterialDecomposition
from phantomsim.recon.vmi import VirtualMonoEnergetic
from phantomsim.scanners.ct_spec import material_of
from tests.ct_scans import GRID, KEY, cylinder, distance_from, image_of, scanner, take

RODS = (
    {"tissue": "cortical_bone", "diameter_mm": 24.0, "radius_mm": 60.0},
    {"tissue": "adipose", "diameter_mm": 24.0, "radius_mm": 60.0, "angle_deg": 120.0},
    {"tissue": "water", "diameter_mm": 24.0, "radius_mm": 60.0, "angle_deg": 240.0, "iodine_mg_ml": 5.0},
)
BODY = cylinder(*RODS)
MACHINES = {"low": scanner(80.0), "high": scanner(140.0, 0.4)}
EXPECTED = {role: take(machine, BODY) for role, machine in MACHINES.items()}
BONE, FAT, IODINE = (distance_from(60.0, angle) < 8.0 for angle in (0.0, 120.0, 240.0))
WATER = distance_from(0.0, 0.0) < 30.0


def hu(name: str, energy: float) -> float:
    materials = [material_of(tissues.get(t)) for t in (name, "water", "air")]
    matter, water, air = linear_attenuation(materials, np.array([energy]))[:, 0]
    return float(1000 * ((matter - air) / (water - air) - 1))


@pytest.mark.parametrize("energy", [40.0, 55.0, 70.0, 100.0, 140.0, 190.0])
def test_water_is_0_hu_at_every_energy_and_tissues_are_as_at_it(energy: float) -> None:
    image = image_of(VirtualMonoEnergetic(energy_kev=energy, filter="hann"), **EXPECTED)
    assert image[WATER].mean() == pytest.approx(0, abs=1)
    assert image[BONE].mean() == pytest.approx(hu("cortical_bone", energy), rel=2e-3)
    assert image[FAT].mean() == pytest.approx(hu("adipose", energy), abs=2)


def test_with_noise_water_stays_at_0_hu() -> None:
    noisy = {role: take(machine, BODY, KEY.fold(role)) for role, machine in MACHINES.items()}
    for energy in (50.0, 70.0, 140.0):
        image = image_of(VirtualMonoEnergetic(energy_kev=energy, filter="hann"), **noisy)
        assert image[WATER].mean() == pytest.approx(0, abs=1.5)


def decomposition(material: str, *materials: str, **fields: Any) -> MaterialDecomposition:
    return MaterialDecomposition(material=material, materials=materials, filter="hann", **fields)


def test_projections_give_the_amount_of_each_material() -> None:
    bone = image_of(decomposition("cortical_bone", "water", "cortical_bone"), **EXPECTED)
    water = image_of(decomposition("water", "water", "cortical_bone"), **EXPECTED)
    assert bone[BONE].mean() == pytest.approx(1, abs=3e-3)
    assert bone[WATER].mean() == pytest.approx(0, abs=1e-3)
    assert water[BONE].mean() == pytest.approx(0, abs=6e-3)
    assert water[WATER].mean() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("domain", "tolerance"), [("projection", 0.05), ("image", 0.25)])
def test_iodine_is_found_in_mg_per_ml(domain: str, tolerance: float) -> None:
    iodine = decomposition("iodine", "water", "iodine", domain=domain)
    assert iodine.reconstruct(EXPECTED, GRID).attrs["units"] == "mg/ml"
    image = image_of(iodine, **EXPECTED)
    assert image[IODINE].mean() == pytest.approx(5.0, abs=tolerance)
    assert image[WATER].mean() == pytest.approx(0.0, abs=tolerance / 2)


def test_two_images_give_three_tissues_that_fill_space() -> None:
    basis = ("adipose", "water", "cortical_bone")
    found = [image_of(decomposition(m, *basis, domain="image", conserve_volume=True), **EXPECTED) for m in basis]
    np.testing.assert_allclose(sum(found), 1, atol=1e-3)
    assert found[0][FAT].mean() == pytest.approx(1, abs=0.08)
    assert found[1][WATER].mean() == pytest.approx(1, abs=0.03)


def test_a_basis_that_makes_no_sense_is_refused_before_any_work() -> None:
    for fields, message in (
        ({"material": "fat", "materials": ("water", "iodine")}, "one of the basis"),
        ({"material": "water", "materials": ("water", "water")}, "must differ"),
        ({"material": "water", "materials": ("water",)}, "at least 2"),
        ({"material": "water", "materials": ("water", "iodin")}, "iodin"),
        ({"material": "water", "materials": ("water", "skull"), "conserve_volume": True}, "domain = 'image'"),
        (
            {"material": "water", "materials": ("water", "iodine"), "conserve_volume": True, "domain": "image"},
            "no volume",
        ),
    ):
        with pytest.raises(ValidationError, match=message):
            MaterialDecomposition.model_validate({"kind": "material-decomposition", **fields})


def test_takes_that_do_not_fit_are_refused() -> None:
    vmi = VirtualMonoEnergetic(energy_kev=70.0)
    with pytest.raises(RecipeError, match="needs 2 takes"):
        vmi.reconstruct({"data": EXPECTED["low"]}, GRID)
    turned = json.loads(EXPECTED["low"].attrs["geometry"]) | {"first_angle": 0.5}
    other = EXPECTED["low"].assign_attrs(geometry=json.dumps(turned))
    with pytest.raises(RecipeError, match="takes of the same rays"):
        vmi.reconstruct({"low": other, "high": EXPECTED["high"]}, GRID)
