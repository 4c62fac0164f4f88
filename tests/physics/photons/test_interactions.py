import numpy as np
import pytest
import xraylib

from phantomsim.physics.errors import RecipeError, UnitError
from phantomsim.physics.photons.interactions import EDGE_GUARD, mass_attenuation, mass_energy_absorption

WATER = {"H": 0.111898, "O": 0.888102}
AIR = {"C": 0.000124, "N": 0.755268, "O": 0.231781, "Ar": 0.012827}
SOFT = {"H": 0.102, "C": 0.143, "N": 0.034, "O": 0.708, "Na": 0.002, "P": 0.003, "S": 0.003, "Cl": 0.002, "K": 0.003}
BONE = {"H": 0.034, "C": 0.155, "N": 0.042, "O": 0.435, "Na": 0.001, "Mg": 0.002, "P": 0.103, "S": 0.003, "Ca": 0.225}

# J. H. Hubbell and S. M. Seltzer, NIST Standard Reference Database 126 (tables 3 and 4): energy [keV], μ/ρ [cm²/g]
ENERGY = [20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0]
ATTENUATION = {
    "water": (WATER, [0.8096, 0.3756, 0.2683, 0.2269, 0.2059, 0.1837, 0.1707, 0.1505]),
    "air": (AIR, [0.7779, 0.3538, 0.2485, 0.2080, 0.1875, 0.1662, 0.1541, 0.1356]),
    "soft tissue, ICRU-44": (SOFT, [0.8230, 0.3790, 0.2688, 0.2264, 0.2048, 0.1823, 0.1693, 0.1492]),
    "cortical bone, ICRU-44": (BONE, [4.001, 1.331, 0.6655, 0.4242, 0.3148, 0.2229, 0.1855, 0.1480]),
    "iodine": ({"I": 1.0}, [25.43, 8.561, 22.10, 12.32, 7.579, 3.510, 1.942, 0.6978]),
}
# the same tables, μ_en/ρ [cm²/g]
ENERGY_ABSORPTION = {
    "air": (AIR, [0.5389, 0.1537, 0.06833, 0.04098, 0.03041, 0.02407, 0.02325, 0.02496], 0.003),
    "water": (WATER, [0.5503, 0.1557, 0.06947, 0.04223, 0.03190, 0.02597, 0.02546, 0.02764], 0.003),
    "aluminium": ({"Al": 1.0}, [3.094, 0.8778, 0.3601, 0.1840, 0.1099, 0.05511, 0.03794, 0.02827], 0.003),
    "cortical bone": (BONE, [3.601, 1.070, 0.4507, 0.2336, 0.1400, 0.06896, 0.04585, 0.03183], 0.003),
    # fluorescence takes half of the energy above the K edge; bremsstrahlung, left out, is 1.3 % at 150 keV
    "iodine": ({"I": 1.0}, [23.63, 7.622, 9.616, 6.573, 4.518, 2.331, 1.342, 0.4742], 0.015),
}


@pytest.mark.parametrize("material", ATTENUATION)
def test_attenuation_equals_the_nist_tables_within_half_a_percent(material):
    fractions, nist = ATTENUATION[material]
    # xraylib lies within 3e-4 of NIST here: both interpolate the same evaluations
    np.testing.assert_allclose(10 * mass_attenuation(fractions, np.array(ENERGY)), nist, rtol=5e-4)


@pytest.mark.parametrize("material", ENERGY_ABSORPTION)
def test_energy_absorption_equals_the_nist_tables(material):
    fractions, nist, tolerance = ENERGY_ABSORPTION[material]
    np.testing.assert_allclose(10 * mass_energy_absorption(fractions, np.array(ENERGY)), nist, rtol=tolerance)


@pytest.mark.parametrize(
    ("element", "nist"), [("H", 0.1263), ("O", 0.06372), ("Fe", 0.05995), ("I", 0.05841), ("Pb", 0.07102)]
)
def test_attenuation_at_1000_kev_continues_the_tables(element, nist):
    assert 10 * mass_attenuation({element: 1.0}, np.array(1000.0)) == pytest.approx(nist, rel=5e-3)


@pytest.mark.parametrize(
    ("element", "edge", "below", "above"),
    [  # NIST table 3: edge [keV], μ/ρ on both sides [cm²/g]
        ("I", 33.1694, 6.553, 35.82),
        ("Gd", 50.2391, 3.812, 18.64),
        ("W", 69.525, 2.552, 11.23),
        ("Pb", 88.0045, 1.910, 7.683),
    ],
)
def test_edges_jump_exactly_where_they_are(element, edge, below, above):
    energy = np.array([edge - 1e-6, edge])
    np.testing.assert_allclose(10 * mass_attenuation({element: 1.0}, energy), [below, above], rtol=5e-3)


@pytest.mark.parametrize("element", ["I", "W", "Xe", "Gd", "Au"])
def test_the_guard_around_an_edge_joins_the_table_smoothly(element):
    edge = xraylib.EdgeEnergy(xraylib.SymbolToAtomicNumber(element), xraylib.K_SHELL)
    for end in (edge - EDGE_GUARD, edge + EDGE_GUARD):
        low, high = mass_attenuation({element: 1.0}, np.array([end - 1e-7, end + 1e-7]))
        assert high == pytest.approx(low, rel=1e-4)


def test_processes_add_up():
    energy = np.array([1.0, 5.0, 33.2, 80.0, 511.0, 900.0, 1000.0])
    parts = sum(mass_attenuation(BONE, energy, process) for process in ("photoelectric", "compton", "rayleigh"))
    np.testing.assert_allclose(parts, mass_attenuation(BONE, energy), rtol=1e-14)


def test_energies_out_of_range_are_refused():
    for energy in (0.9, 1001.0, np.nan):
        with pytest.raises(UnitError, match="1 to 1000 keV"):
            mass_attenuation(WATER, np.array([50.0, energy]))


def test_an_unknown_element_is_refused():
    with pytest.raises(RecipeError, match="'Xx'"):
        mass_attenuation({"Xx": 1.0}, np.array([50.0]))
