import pickle

import pytest
import xraylib

from phantomsim import tissues
from phantomsim.physics.errors import RecipeError, UnitError


@pytest.mark.parametrize("name", tissues.names())
def test_every_tissue_loads_with_fractions_that_sum_to_one_and_known_sources(name):
    tissue = tissues.get(name)
    assert tissue.density > 0
    assert sum(tissue.mass_fractions.values()) == pytest.approx(1, abs=1e-6)
    for group in (tissue, tissue.mr, tissue.acoustic, tissue.optical, tissue.pet):
        if group is not None:
            assert all(tissues.citation(source) for source in group.sources)


@pytest.mark.parametrize("name", tissues.names())
def test_a_group_that_rests_on_typical_values_alone_has_grade_c(name):
    tissue = tissues.get(name)
    for group in (tissue.mr, tissue.acoustic, tissue.optical, tissue.pet):
        if group is not None and group.sources == ("typ",):
            assert group.grade == "C"


@pytest.mark.parametrize("name", tissues.names())
def test_relaxation_times_are_ordered(name):
    mr = tissues.get(name).mr
    for times in mr.relaxation if mr else ():
        assert 0 < times.t2_star <= times.t2 <= times.t1


@pytest.mark.parametrize(
    ("name", "compound", "density_tolerance"),
    [  # NIST/ICRP compounds; where the density differs the reason is beside it
        ("air", "Air, Dry (near sea level)", 1e-3),
        ("water", "Water, Liquid", 1e-9),
        ("pmma", "Polymethyl Methacralate (Lucite, Perspex)", 1e-9),
        ("ptfe", "Polytetrafluoroethylene (Teflon)", 0.02),  # Catphan's inserts: 2.16 g/cm3
        ("delrin", "Polyoxymethylene", 0.015),  # Catphan's inserts: 1.41
        ("ldpe", "Polyethylene", 0.03),  # low-density grade
        ("polystyrene", "Polystyrene", 0.02),
        ("polycarbonate", "Polycarbonate (Makrolon, Lexan)", 1e-9),
        ("nylon6", "Nylon, type 6 and type 6/6", 1e-9),
        ("pvc", "Polyvinyl Chloride", 0.08),  # rigid PVC: 1.4
        ("quartz", "Silicon Dioxide", 0.06),  # amorphous
        ("bgo", "Bismuth Germanium oxide", 1e-9),
        ("nai", "Sodium Iodide", 1e-9),
        ("csi", "Cesium Iodide", 1e-9),
        ("gos", "Gadolinium Oxysulfide", 0.015),  # sintered ceramic: 7.34
        ("cdte", "Cadmium Telluride", 0.06),  # detector crystals: 5.85
        ("gaas", "Gallium Arsenide", 2e-3),
    ],
)
def test_compositions_agree_with_the_nist_compounds_of_xraylib(name, compound, density_tolerance):
    tissue, nist = tissues.get(name), xraylib.GetCompoundDataNISTByName(compound)
    fractions = dict(
        zip((xraylib.AtomicNumberToSymbol(z) for z in nist["Elements"]), nist["massFractions"], strict=True)
    )
    assert dict(tissue.mass_fractions) == pytest.approx(fractions, abs=1e-4)
    assert tissue.density == pytest.approx(1e3 * nist["density"], rel=density_tolerance)


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(RecipeError, match="'liver'"):
        tissues.get("livr")


def test_dilution_changes_the_density_alone():
    lung = tissues.get("lung_deflated").diluted(400.0)
    assert lung.density == 400.0
    assert lung.mass_fractions == tissues.get("lung_deflated").mass_fractions


def test_contrast_adds_its_mass_to_the_tissue():
    blood = tissues.get("blood")
    enhanced = blood.with_element("I", 10.0)
    assert enhanced.density == blood.density + 10
    assert enhanced.mass_fractions["I"] * enhanced.density == pytest.approx(10.0)
    assert enhanced.mass_fractions["Fe"] * enhanced.density == pytest.approx(0.001 * blood.density)


def test_a_tissue_can_be_hashed_and_pickled():
    tissue = tissues.get("muscle")
    assert hash(pickle.loads(pickle.dumps(tissue))) == hash(tissue)


def test_a_tissue_that_cannot_exist_is_refused():
    water = tissues.get("water")
    with pytest.raises(UnitError, match="density"):
        water.diluted(0.0)
    with pytest.raises(UnitError, match="sum 1"):
        tissues.Tissue("x", "x", "soft", 1000.0, {"H": 0.5})


def test_units_are_si():
    muscle = tissues.get("muscle")
    assert muscle.density == 1050
    assert muscle.mr.relaxation[1].t1 == pytest.approx(1.412)
    assert muscle.mr.susceptibility == pytest.approx(-9.05e-6)
    assert muscle.pet.fdg_rates[0] == pytest.approx(0.03 / 60)
    assert muscle.optical.reduced_scattering_500nm == pytest.approx(1300)
