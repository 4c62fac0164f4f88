"""Dead time, pile-up, blurs and pairing, against their formulas."""

import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.pet.coincidences import CoincidenceSorter
from phantomsim.physics.pet.digitiser import Digitiser
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.singles import Singles
from phantomsim.physics.rng import Key

NS = 1e-9
RINGS = Rings(0.3, 12, 1, (4, 4), (4e-3, 4e-3), 0.02)
WIDE = (0.0, 5000.0)


def random_singles(n: int, duration: float, seed: int = 0, *, one_block: bool = False) -> Singles:
    """Return singles of a steady flow, each of a decay of its own."""
    rng = np.random.default_rng(seed)
    crystal = rng.integers(0, 4 if one_block else RINGS.n_rings * RINGS.n_crystals, n).astype(np.int32)
    times, zeros = np.sort(rng.uniform(0, duration, n)), np.zeros(n, np.int16)
    return Singles(times, crystal, np.full(n, 511, np.float32), np.arange(n), zeros)


def read(digitiser: Digitiser, singles: Singles) -> Singles:
    return digitiser.read(singles, RINGS, Key(1), np.full(RINGS.n_all_blocks, -1.0))


@pytest.mark.parametrize("paralysable", [False, True])
def test_dead_blocks_count_as_knoll_says(paralysable: bool) -> None:
    """m = n / (1 + n τ), or n e^{−n τ} if paralysable (Knoll, ch. 4.VII); within four standard errors."""
    n, dead = 200_000, 300 * NS
    seen = len(
        read(Digitiser(window=WIDE, dead_time=dead, paralysable=paralysable), random_singles(n, 0.1, one_block=True))
    )
    load = n / 0.1 * dead
    expected = n * np.exp(-load) if paralysable else n / (1 + load)
    assert seen == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_each_block_is_dead_on_its_own_and_from_run_to_run() -> None:
    singles = random_singles(100_000, 0.02)
    digitiser, busy = Digitiser(window=WIDE, dead_time=500 * NS), np.full(RINGS.n_all_blocks, -1.0)
    parts = [singles.part(slice(0, 40_000)), singles.part(slice(40_000, None))]
    found = np.concatenate([digitiser.read(part, RINGS, Key(1), busy).decay for part in parts])
    np.testing.assert_array_equal(found, read(digitiser, singles).decay)
    load = 100_000 / 0.02 / 12 * 500 * NS
    assert len(found) == pytest.approx(100_000 / (1 + load), rel=0.01)


def test_pile_up_adds_energies_and_draws_positions_together() -> None:
    """As many keep their energy as find no other within the window, e^{−n τ}, and none is lost but to merging."""
    n, window = 100_000, 200 * NS
    singles = random_singles(n, 0.05, one_block=True)
    found = read(Digitiser(window=WIDE, integration_time=window, dead_time=window), singles)
    assert found.energy.sum() == pytest.approx(511 * n, rel=1e-6)
    load = n / 0.05 * window
    alone = (found.energy < 600).sum()
    assert alone == pytest.approx(n / (1 + load) * np.exp(-load), rel=0.02)
    pair = Singles(
        np.array([0, 1e-8]), np.array([0, 2], np.int32), np.full(2, 400, np.float32), np.arange(2), np.zeros(2)
    )
    merged = read(Digitiser(window=WIDE, integration_time=window, dead_time=window), pair)
    assert (len(merged), merged.energy[0], merged.crystal[0]) == (1, 800, 1)


def test_energies_and_times_are_blurred_to_their_resolution() -> None:
    """Full widths: a share of 511 keV, growing with √E; of the difference of two arrival times."""
    n = 100_000
    singles = random_singles(n, 1.0)
    singles.energy[::2] = 255.5
    found = read(Digitiser(0.12, 400e-12, WIDE), singles)
    for energy, expected in ((511, 0.12 * 511), (255.5, 0.12 * np.sqrt(255.5 * 511))):
        at = found.energy[singles.energy[found.decay] == energy]
        assert at.mean() == pytest.approx(energy, rel=1e-3)
        assert at.std() * 2.35482 == pytest.approx(expected, rel=0.012)
    shift = found.time - singles.time[found.decay]
    assert np.std(shift[1:] - shift[:-1]) * 2.35482 == pytest.approx(400e-12, rel=0.01)
    assert (np.diff(found.time) >= 0).all()


def test_the_energy_window_is_kept() -> None:
    singles = random_singles(1000, 1.0)
    singles.energy[:] = np.linspace(300, 800, 1000)
    found = read(Digitiser(window=(435.0, 650.0)), singles)
    assert ((singles.energy >= 435) & (singles.energy <= 650)).sum() == len(found)


@pytest.mark.parametrize("late", [0.0, 300 * NS])
def test_pairs_are_those_that_brute_force_finds(late: float) -> None:
    singles = random_singles(400, 20e-6, 3)
    sorter = CoincidenceSorter(40 * NS, 300 * NS, least_blocks=3)
    found = sorter.delayed(singles, RINGS) if late else sorter.prompt(singles, RINGS)
    block = singles.crystal % RINGS.n_crystals // 4
    gap = singles.time[None] - singles.time[:, None] - late
    apart = np.abs(block[None] - block[:, None])
    good = (gap >= 0) & (gap <= 40 * NS) & (np.minimum(apart, 12 - apart) >= 3) & ~np.eye(400, dtype=bool)
    pairs = np.sort(np.stack([found.first, found.second]), axis=0).T
    assert {*map(tuple, pairs.tolist())} == {*map(tuple, np.argwhere(good).tolist())}
    assert (singles.crystal[found.first] <= singles.crystal[found.second]).all()
    sign = np.where(found.first < found.second, -1, 1)
    np.testing.assert_allclose(found.delay, sign * gap[pairs[:, 0], pairs[:, 1]], atol=1e-15)


def test_randoms_are_those_of_the_delayed_window_and_of_the_formula() -> None:
    """2 τ S₁ S₂ over all pairs of blocks that may pair; both windows within four standard errors."""
    n, duration, window = 300_000, 0.05, 5 * NS
    singles = random_singles(n, duration, 4)
    sorter = CoincidenceSorter(window, 500 * NS, least_blocks=4)
    rates = np.bincount(singles.crystal % RINGS.n_crystals // 4, minlength=12) / duration
    apart = np.abs(np.subtract.outer(np.arange(12), np.arange(12)))
    allowed = np.triu(np.minimum(apart, 12 - apart) >= 4)
    expected = 2 * window * (np.outer(rates, rates) * allowed).sum() * duration
    for pairs in (sorter.prompt(singles, RINGS), sorter.delayed(singles, RINGS)):
        assert len(pairs.first) == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_multiples_can_be_refused() -> None:
    times = np.array([0, 1, 2, 1000, 1001.0]) * NS
    crystals = np.array([0, 16, 32, 0, 24], np.int32)
    singles = Singles(times, crystals, np.full(5, 511, np.float32), np.arange(5), np.zeros(5, np.int16))
    kept = [CoincidenceSorter(5 * NS, multiples=m).prompt(singles, RINGS) for m in ("all", "none")]
    assert [len(pairs.first) for pairs in kept] == [4, 1]
    assert (kept[1].first[0], kept[1].second[0]) == (3, 4)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"window": (650.0, 435.0)}, "must rise from its lower to its upper edge"),
        ({"energy_resolution": -0.1}, "energy_resolution of the digitiser"),
        ({"integration_time": 2e-7, "dead_time": 1e-7}, "must not be shorter than integration_time"),
    ],
)
def test_impossible_digitisers_are_refused(fields, text) -> None:
    with pytest.raises(UnitError, match=text):
        Digitiser(**fields)


@pytest.mark.parametrize(("fields", "text"), [((0.0,), "window must be positive"), ((5e-9, 4e-9), "must be longer")])
def test_impossible_sorters_are_refused(fields, text) -> None:
    with pytest.raises(UnitError, match=text):
        CoincidenceSorter(*fields)
