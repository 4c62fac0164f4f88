"""Histories against closed forms, numerical integrals and conservation laws."""

import numpy as np
import pytest
import xraylib

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.photons.interactions import mass_attenuation
from phantomsim.physics.photons.medium import Medium, medium_of_fractions, medium_of_labels
from phantomsim.physics.photons.transport import Photons, energy_of, no_dose, transport
from phantomsim.physics.rng import Key, uniform

WATER = {"H": 0.111898, "O": 0.888102}
BONE = {"H": 0.034, "C": 0.155, "N": 0.042, "O": 0.435, "Na": 0.001, "Mg": 0.002, "P": 0.103, "S": 0.003, "Ca": 0.225}
KEY = Key(7, ("transport",))


def slab(thickness=0.1, *, n=10, width=20.0, material=(1000.0, WATER)):
    """Return a medium that is one slab across z, too wide to be left at its sides."""
    grid = Grid((n, 1, 1), (thickness / n, width, width))
    return medium_of_labels(np.zeros(grid.shape, np.uint8), [material], grid)


def pencil(n, energy=60.0, *, start=(-1.0, 0.0, 0.0), along=(1.0, 0.0, 0.0)):
    return Photons.emitted(np.float32(start), np.tile(np.float32(along), (n, 1)), energy)


def mu(energy, material=(1000.0, WATER), effect="total"):
    return material[0] * float(mass_attenuation(material[1], np.array(energy), effect))


def unscattered(photons):
    return (photons.orders == 0) & (photons.energy > 0)


def random_medium():
    """Return bone and metal bits in water and thin water: many cells, every kind of voxel."""
    grid = Grid((40, 36, 32), (0.004, 0.003, 0.005))
    values = np.zeros((3, *grid.shape), np.float32)
    values[0] = 1
    values[0, :20, :, 16:] = 0.26  # lung: water and nothing
    values[0, 25:28, 5:9, 20:22], values[1, 25:28, 5:9, 20:22] = 0.3, 0.7
    values[:, 30, 30, 10] = [0.0, 0.2, 0.8]
    materials = [(1000.0, WATER), (1920.0, BONE), (4500.0, {"Ti": 1.0})]
    return medium_of_fractions(values, materials, grid)


@pytest.mark.parametrize(("energy", "thickness"), [(20.0, 0.02), (60.0, 0.1), (511.0, 0.2)])
def test_transmission_of_a_slab_is_exponential(energy, thickness):
    n = 100_000
    out = transport(pencil(n, energy), slab(thickness), KEY)
    p = np.exp(-mu(energy) * thickness)
    assert unscattered(out).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))  # 4 standard errors


def test_transmission_of_a_mixture_is_that_of_its_mean_attenuation():
    n, titanium = 100_000, (4500.0, {"Ti": 1.0})
    grid = Grid((50, 1, 1), (0.001, 5.0, 5.0))
    values = np.stack([np.full(grid.shape, 0.65), np.full(grid.shape, 0.1)])  # and a quarter of nothing
    water_and_void = medium_of_fractions(values[:1], [(1000.0, WATER)], grid)
    p = np.exp(-mu(60.0) * 0.65 * 0.05)
    out = transport(pencil(n), water_and_void, KEY)
    assert unscattered(out).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n) + 1e-3)  # shares of 1/512
    values[0] = 0.9
    both = medium_of_fractions(values, [(1000.0, WATER), titanium], grid)
    p = np.exp(-0.05 * (0.9 * mu(60.0) + 0.1 * mu(60.0, titanium)))
    out = transport(pencil(n), both, KEY)
    assert unscattered(out).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n) + 1e-3)


def test_relative_density_scales_attenuation():
    n = 100_000
    grid = Grid((50, 1, 1), (0.002, 5.0, 5.0))
    thin = medium_of_labels(
        np.zeros(grid.shape, int), [(1000.0, WATER)], grid, relative_density=np.full(grid.shape, 0.25)
    )
    p = np.exp(-mu(60.0) * 0.25 * 0.1)
    assert unscattered(transport(pencil(n), thin, KEY)).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))


def test_transmission_through_cells_of_different_majorants():
    medium, n = random_medium(), 60_000
    assert len(medium.free_paths) > 3
    y, x = 0.0025, 0.0  # along z beside the symmetry, through lung, water, and half a voxel of nothing else
    out = transport(pencil(n, start=(-1.0, y, x + 0.02)), medium, KEY)
    p = np.exp(-mu(60.0) * (20 * 0.004 * 0.26 + 20 * 0.004))
    assert unscattered(out).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n) + 5e-4)


def test_one_large_cell_and_many_small_agree():
    medium, n = random_medium(), 40_000
    directions = uniform(KEY.fold("directions"), (n, 3)) - np.float32(0.5)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    beam = Photons.emitted(np.float32([0.0, 0.0, 0.0]), directions, 60.0)
    longest = medium.free_paths.min(axis=0, keepdims=True)
    single = Medium(medium.grid, medium.voxels, medium.tables, np.zeros((1, 1, 1), np.int32), longest, 40)
    escaped = [transport(beam, m, KEY).energy > 0 for m in (medium, single)]
    p, q = (e.mean() for e in escaped)
    assert p == pytest.approx(q, abs=5 * np.sqrt(2 * p * (1 - p) / n))


@pytest.mark.parametrize("effect", ["compton", "rayleigh"])
def test_single_scatter_of_a_slab_equals_its_integral(effect):
    # photons of a pencil beam that leave on the far side after one event; differential cross sections from xraylib
    n, thickness, energy = 200_000, 0.05, 60.0
    out = transport(pencil(n, energy), slab(thickness), KEY)
    order = {"compton": 1, "rayleigh": 1 << 16}[effect]
    found = ((out.orders == order) & (out.energy > 0) & (out.state[3] > 0)).mean()
    differential = {"compton": xraylib.DCS_Compt_CP, "rayleigh": xraylib.DCS_Rayl_CP}[effect]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    cosines, weights = (nodes + 1) / 2, weights / 2
    depths, depth_weights = np.polynomial.legendre.leggauss(40)
    depths, depth_weights = (depths + 1) * thickness / 2, depth_weights * thickness / 2
    expected = 0.0
    for cosine, weight in zip(cosines.tolist(), weights.tolist(), strict=True):
        after = energy / (1 + energy / 511.0 * (1 - cosine)) if effect == "compton" else energy
        leave = np.exp(-mu(energy) * depths - mu(after) * (thickness - depths) / cosine) @ depth_weights
        expected += weight * 2 * np.pi * 100 * differential("H2O", energy, float(np.arccos(cosine))) * leave
    # xraylib's total and integrated differential cross sections differ by 0.5 %
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / n) + 5e-3 * expected)


def test_energy_is_conserved():
    medium, n = random_medium(), 30_000
    dose = no_dose(medium)
    beam = pencil(n, 100.0, start=(0.0, -0.5, 0.01), along=(0.0, 1.0, 0.0))
    out = transport(beam, medium, KEY, dose=dose)
    balance = energy_of(dose.sum()) + out.energy.sum(dtype=np.float64)
    assert balance == pytest.approx(100.0 * n, rel=1e-6)
    assert dose.min() >= 0


def test_first_collisions_deposit_by_depth_as_the_primary_does():
    # at 20 keV in iodine nearly every first event is photoelectric: energy by depth = E₀ (1 − e^(−μ d)) e^(−μ z)
    n, iodine = 100_000, (4930.0, {"I": 1.0})
    medium = slab(0.0004, n=20, width=0.02, material=iodine)
    dose = no_dose(medium)
    out = transport(pencil(n, 20.0), medium, KEY, dose=dose)
    deposit = energy_of(dose.ravel()) / 20.0
    total = mu(20.0, iodine)
    edges = np.exp(-total * np.linspace(0, 0.0004, 21))
    expected = n * (edges[:-1] - edges[1:])
    scattered = 1 - mu(20.0, iodine, "photoelectric") / total
    assert abs(deposit - expected).max() < 5 * np.sqrt(expected.max()) + 2 * scattered * expected.max()
    assert unscattered(out).mean() == pytest.approx(edges[-1], abs=4 * np.sqrt(edges[-1] / n))


def test_threads_and_parts_change_no_bit():
    medium, n = random_medium(), 5000
    beam = pencil(n, 80.0, start=(0.0, -0.5, 0.013), along=(0.0, 1.0, 0.0))
    results = []
    for count in (1, 2, 3):
        with threads(count):
            dose = no_dose(medium)
            out = transport(beam, medium, KEY, dose=dose)
            results.append((out.state.tobytes(), out.orders.tobytes(), dose.tobytes()))
    dose = no_dose(medium)
    halves = [(0, 1536), (1536, n)]  # at the border of a block
    parts = [
        transport(Photons(beam.state[:, a:b], beam.orders[a:b]), medium, KEY, first=a, dose=dose) for a, b in halves
    ]
    state = np.concatenate([part.state for part in parts], axis=1)
    orders = np.concatenate([part.orders for part in parts])
    results.append((state.tobytes(), orders.tobytes(), dose.tobytes()))
    assert len(set(results)) == 1


def test_photons_that_miss_are_unchanged():
    beam = pencil(3, start=(-1.0, 30.0, 0.0))
    out = transport(beam, slab(), KEY)
    np.testing.assert_array_equal(out.state, beam.state)


@pytest.mark.parametrize("start", [0.0, 1e-9])
def test_a_beam_along_the_border_of_cells_does_not_stand_still(start):
    medium = random_medium()
    out = transport(pencil(2000, start=(start, -0.5, start), along=(0.0, 1.0, 0.0)), medium, KEY)
    assert (out.orders[out.energy == 0] >= 0).all()
    assert (out.energy > 0).any()


def test_wrong_input_is_refused_by_name():
    grid = Grid((2, 2, 2), (1.0, 1.0, 1.0))
    with pytest.raises(UnitError, match="labels"):
        medium_of_labels(np.full(grid.shape, 3), [(1.0, WATER)], grid)
    with pytest.raises(ShapeError, match="fractions"):
        medium_of_fractions(np.zeros((2, 2, 2, 2)), [(1.0, WATER)], grid)
    with pytest.raises(UnitError, match="fractions"):
        medium_of_fractions(np.full((1, 2, 2, 2), np.nan), [(1.0, WATER)], grid)
    with pytest.raises(UnitError, match="relative_density"):
        medium_of_labels(np.zeros(grid.shape, int), [(1.0, WATER)], grid, relative_density=np.full(grid.shape, 2.0))
    with pytest.raises(UnitError, match="energy"):
        pencil(3, 2000.0)
    with pytest.raises(UnitError, match="length 1"):
        pencil(3, along=(2.0, 0.0, 0.0))
    with pytest.raises(UnitError, match="cutoff"):
        transport(pencil(3), slab(), KEY, cutoff=0.1)
    with pytest.raises(ShapeError, match="dose"):
        transport(pencil(3), slab(), KEY, dose=np.zeros((1, 1, 1), np.int64))
