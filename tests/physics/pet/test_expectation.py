"""The expectation of a scan without a Monte Carlo of it, held to one."""

import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.pet.acquisition import Body, Events, Machine, Truth, acquire
from phantomsim.physics.pet.coincidences import CoincidenceSorter
from phantomsim.physics.pet.digitiser import Digitiser
from phantomsim.physics.pet.efficiency import crystal_efficiencies
from phantomsim.physics.pet.emission import source_of
from phantomsim.physics.pet.histogram import expected_randoms, histogram, smooth_scatter
from phantomsim.physics.pet.isotopes import isotope
from phantomsim.physics.pet.projector import SinogramProjector
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.sensitivity import sensitivities
from phantomsim.physics.pet.sinogram import Sinogram
from phantomsim.physics.pet.time_of_flight import TimeOfFlight
from phantomsim.physics.photons.medium import medium_of_fractions
from phantomsim.physics.photons.tables import tabulate
from phantomsim.physics.rng import Key

MM = 1e-3
LSO = (7400.0, {"O": 0.174656, "Si": 0.061319, "Lu": 0.764025})
WATER = (1000.0, {"H": 0.111898, "O": 0.888102})
RINGS = Rings(164 * MM, 32, 2, (8, 8), (4 * MM, 4 * MM), 20 * MM)
MACHINE = Machine(RINGS, LSO, Digitiser(0.12, 400e-12, (435.0, 650.0)), CoincidenceSorter(4e-9, least_blocks=3))
SINOGRAM = Sinogram(RINGS, 169, span=5)
GRID = Grid((32, 80, 80), (2 * MM,) * 3)
ACROSS = np.hypot(GRID.coordinates(1)[:, None], GRID.coordinates(2))
INSIDE = np.broadcast_to(ACROSS < 70 * MM, GRID.shape).astype(np.float32)


def measure(matter: float, activity: float, duration: float) -> tuple[Events, np.ndarray]:
    medium = medium_of_fractions(matter * INSIDE[None], [WATER], GRID)
    body = Body(source_of(activity * INSIDE, GRID), medium, 1000 * matter * INSIDE, isotope("F-18"))
    parts = list(acquire(body, MACHINE, duration, Key(3), positron_range=False, acollinearity=0.0))
    return Events.joined([events for events, _ in parts]), sum(singles for _, singles in parts)


def test_geometry_and_efficiencies_give_the_true_pairs_of_the_monte_carlo() -> None:
    """In air: all of them to 1 %, and the pattern of blocks and radial positions by its χ² (548 places, ± 4 σ)."""
    events, _ = measure(0.0, 4e9, 1.0)
    counts = histogram(events.part((events.truth == Truth.TRUE) & ~events.delayed), SINOGRAM)[0]
    tables = tabulate([LSO])
    row = tables.coefficients[1, int(128 * (8 + 511 / 256 - 1))]
    lines = SinogramProjector(SINOGRAM, GRID, depth=7 * MM).forward(4e9 * INSIDE)[0]
    geometric = sensitivities(SINOGRAM, float(row[2] - row[1] + row[0]), 3)
    factors = geometric * crystal_efficiencies(RINGS, tables, MACHINE.digitiser, Key(0)).of(SINOGRAM)
    expected = factors * lines * 0.9673
    assert counts.sum() == pytest.approx(expected.sum(), rel=0.01)
    seen, wanted = (
        x.sum(axis=0).reshape(16, 8, -1).sum(axis=0) for x in (counts, expected * counts.sum() / expected.sum())
    )
    usual = wanted > 20
    statistic = ((seen - wanted)[usual] ** 2 / wanted[usual]).mean()
    assert statistic < 1 + 4 * np.sqrt(2 / usual.sum())
    along = counts.sum(axis=(1, 2)) / (expected.sum(axis=(1, 2)) * counts.sum() / expected.sum())
    assert np.std(along) < 0.06  # 3 % are noise of a thousand counts a plane


def test_randoms_from_singles_are_those_that_were_found() -> None:
    events, singles = measure(1.0, 4e10, 0.1)
    found = histogram(events.part((events.truth == Truth.RANDOM) & ~events.delayed), SINOGRAM)[0]
    late = histogram(events.part(events.delayed), SINOGRAM)[0]
    expected = 0.1 * expected_randoms(singles / 0.1, SINOGRAM, 4e-9, 3)
    for counts in (found, late):
        assert counts.sum() == pytest.approx(expected.sum(), abs=4 * np.sqrt(expected.sum()))
        parts, wanted = counts.sum(axis=(0, 1)), expected.sum(axis=(0, 1))
        assert ((parts - wanted) ** 2 / wanted).mean() < 1.6  # crystals at a block's edge count less than it takes


def test_smooth_scatter_keeps_its_sum_and_its_shape() -> None:
    rng = np.random.default_rng(0)
    radial = np.exp(-(((np.arange(169) - 84) / 30) ** 2))
    along = np.linspace(1, 3, SINOGRAM.shape[0])
    mean = 0.02 * along[:, None, None] * radial * np.ones(SINOGRAM.shape)
    smooth = smooth_scatter(rng.poisson(mean)[None].astype(np.uint32), SINOGRAM)[0]
    assert smooth.sum() == pytest.approx(mean.sum(), rel=0.02)
    assert np.sqrt(np.mean((smooth / mean - 1)[:, :, 54:114] ** 2)) < 0.1  # 5 % are noise of the planes
    assert not smooth_scatter(np.zeros((1, *SINOGRAM.shape), np.uint32), SINOGRAM).any()


def test_events_are_counted_once_in_their_time_bin() -> None:
    events, _ = measure(0.0, 2e9, 0.2)
    events = events.part(~events.delayed & (events.truth == Truth.TRUE))
    flight = TimeOfFlight(400e-12, 200e-12, 41)
    timed, whole = histogram(events, SINOGRAM, flight), histogram(events, SINOGRAM)
    np.testing.assert_array_equal(timed.sum(axis=0), whole[0])
    operator = SinogramProjector(SINOGRAM, GRID, flight, depth=7 * MM)
    expected = operator.forward(INSIDE).sum(axis=(1, 2, 3))
    found = timed.sum(axis=(1, 2, 3))
    centres = np.arange(41) - 20
    for moment in (1, 2):
        one, other = ((x * centres**moment).sum() / x.sum() for x in (found, expected))
        assert one == pytest.approx(other, abs=0.05 if moment == 1 else 0.03 * other)


def test_impossible_crystals_are_refused() -> None:
    with pytest.raises(UnitError, match="attenuation of crystals must be positive"):
        sensitivities(SINOGRAM, 0.0)
