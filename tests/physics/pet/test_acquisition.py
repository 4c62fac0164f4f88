"""The whole way from activity to events: balance of counts, randoms, and the same events for any number of threads."""

import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.pet.acquisition import Body, Events, Machine, Truth, acquire
from phantomsim.physics.pet.coincidences import CoincidenceSorter
from phantomsim.physics.pet.digitiser import Digitiser
from phantomsim.physics.pet.emission import source_of
from phantomsim.physics.pet.isotopes import isotope
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.photons.medium import medium_of_fractions
from phantomsim.physics.rng import Key

MM = 1e-3
LSO = (7400.0, {"O": 0.174656, "Si": 0.061319, "Lu": 0.764025})
WATER = (1000.0, {"H": 0.111898, "O": 0.888102})
GRID = Grid((10, 16, 16), (10 * MM,) * 3)
RINGS = Rings(150 * MM, 24, 4, (6, 8), (4 * MM, 4.5 * MM), 20 * MM)


def body(activity: float, name: str = "F-18", grid: Grid = GRID) -> Body:
    """Return a cylinder of water with even activity [Bq/m³]."""
    distance = np.hypot(grid.coordinates(1)[:, None], grid.coordinates(2))
    inside = np.broadcast_to(distance < 60 * MM, grid.shape).astype(np.float32)
    medium = medium_of_fractions(inside[None], [WATER], grid)
    return Body(source_of(activity * inside, grid), medium, 1000 * inside, isotope(name))


def machine(**fields: object) -> Machine:
    sorter = CoincidenceSorter(4e-9, 300e-9, least_blocks=5)
    return Machine(RINGS, LSO, Digitiser(0.12, 300e-12, (435.0, 650.0), **fields), sorter)  # type: ignore[arg-type]


def run(what: Body, how: Machine, duration: float, seed: int = 0) -> tuple[Events, np.ndarray]:
    parts = list(acquire(what, how, duration, Key(seed)))
    return Events.joined([events for events, _ in parts]), sum(counts for _, counts in parts)


def test_neither_threads_nor_time_change_an_event() -> None:
    one, many = body(2e8), machine(dead_time=300e-9, integration_time=100e-9)
    with threads(1):
        first, singles = run(one, many, 1.5)
    second, again = run(one, many, 1.5)
    for name in ("time", "first", "second", "delay", "energy", "truth", "decay", "delayed"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(singles, again)
    assert len(first) > 3000
    prompt = first.part(~first.delayed)
    pairs = {*zip(prompt.time.tolist(), prompt.decay[1].tolist(), strict=True)}
    assert len(pairs) == len(prompt)  # none is found twice where two windows meet


def test_randoms_are_the_delayed_ones_and_twice_tau_times_the_singles() -> None:
    """Of an activity at which an eighth of all pairs is random; within four standard errors."""
    duration = 0.05
    events, singles = run(body(2e10), machine(), duration, 1)
    prompt = ~events.delayed
    randoms = (prompt & (events.truth == Truth.RANDOM)).sum()
    late = events.delayed & (events.truth == Truth.RANDOM)
    assert late.sum() == events.delayed.sum()
    rates = singles.reshape(4, 24).sum(axis=0) / duration
    apart = np.abs(np.subtract.outer(np.arange(24), np.arange(24)))
    allowed = np.triu(np.minimum(apart, 24 - apart) >= 5)
    expected = 2 * 4e-9 * (np.outer(rates, rates) * allowed).sum() * duration
    assert randoms / prompt.sum() > 0.1
    assert late.sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))
    # a single of a true pair is not free to be random with its partner: a part in rates × window
    assert randoms == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_counts_of_decay_follow_the_half_life() -> None:
    """O-15 over a minute: as many decays as the integral of its activity says."""
    what = body(3e5, "O-15")
    events = list(acquire(what, machine(), 60.0, Key(2)))
    constant = isotope("O-15").decay_constant
    expected = what.source.decays * 0.999 * (1 - np.exp(-60 * constant)) / constant
    whole = Events.joined([part for part, _ in events])
    n = whole.decay.max() + 1
    assert n == pytest.approx(expected, rel=0.03)
    early = (whole.time < 30).mean()
    assert early == pytest.approx(
        (1 - np.exp(-30 * constant)) / (1 - np.exp(-60 * constant)), abs=4 * 0.5 / np.sqrt(len(whole))
    )


def test_true_pairs_lie_on_lines_through_their_source() -> None:
    """A point off the axis, no range and no acollinearity: lines pass it within crystals, and time tells its side."""
    grid = Grid((1, 1, 1), (MM,) * 3, (20 * MM, 0.0, 40 * MM))
    medium = medium_of_fractions(np.zeros((1, 1, 1, 1), np.float32), [WATER], grid)
    there = Body(source_of(np.full((1, 1, 1), 2e14), grid), medium, np.zeros((1, 1, 1)), isotope("F-18"))
    parts = acquire(there, machine(), 1.0, Key(3), positron_range=False, acollinearity=0.0)
    events = Events.joined([part for part, _ in parts])
    events = events.part((events.truth == Truth.TRUE) & ~events.delayed)
    ring, around = np.divmod(np.stack([events.first, events.second]), RINGS.n_crystals)
    ends = np.concatenate([RINGS.heights[ring][..., None], RINGS.positions(6 * MM)[around]], axis=-1)
    way = ends[1] - ends[0]
    length = np.linalg.norm(way, axis=1)
    way /= length[:, None]
    offset = np.array([20, 0, 40]) * MM - ends[0]
    along = (offset * way).sum(axis=1)
    miss = np.linalg.norm(offset - along[:, None] * way, axis=1)
    assert np.median(miss) < 4 * MM
    assert len(events) > 1000
    # in the first crystal later means nearer to the second
    error = events.delay * 299_792_458 / 2 - (along - length / 2)
    assert abs(np.median(error)) < 3 * MM
    assert np.std(error) * 2.355 < 70 * MM  # 300 ps are 45 mm; depth and scatter in crystals add


@pytest.mark.parametrize("what", ["matter", "activity"])
def test_bodies_that_reach_into_the_crystals_are_refused(what: str) -> None:
    wide = Grid((2, 40, 40), (10 * MM,) * 3)
    ones = np.ones(wide.shape, np.float32)
    medium = medium_of_fractions((ones if what == "matter" else 0 * ones)[None], [WATER], wide)
    inside = np.zeros(wide.shape)
    inside[:, 20, 20] = 1
    source = source_of(ones if what == "activity" else inside, wide)
    there = Body(source, medium, 1000 * ones if what == "matter" else 0 * ones, isotope("F-18"))
    with pytest.raises(UnitError, match=f"{what} reaches .* but the crystals begin at 150 mm"):
        next(acquire(there, machine(), 1.0, Key(0)))


def test_no_duration_is_refused() -> None:
    with pytest.raises(UnitError, match="duration of an acquisition must be positive"):
        next(acquire(body(1e6), machine(), 0.0, Key(0)))
