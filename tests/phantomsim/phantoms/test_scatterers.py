"""Scatterers: Poisson counts, amplitude laws, and strengths that follow the tissue."""

import numpy as np
import pytest

from phantomsim.phantoms.scatterers import Scattering, scatterers
from phantomsim.phantoms.scene import Part, compose
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import box, ellipsoid
from phantomsim.tissues import get

HALF = 0.01
LIVER = compose(get("air"), [Part(box((0, 0, 0), (0.1, 0.1, 0.1)), get("liver"), "liver")])
SCATTERING = Scattering(per_cell=10, cell_mm3=4.0)


def drawn(phantom, scattering, seed, half=HALF):
    return scatterers(phantom, scattering, (-half,) * 3, (half,) * 3, Key(seed))


def test_counts_are_poisson_of_the_given_density():
    counts = np.array([len(drawn(LIVER, SCATTERING, seed, 0.004).amplitudes) for seed in range(150)])
    mean = 10 / 4.0 * 8.0**3
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 150))
    assert counts.var() / mean == pytest.approx(1, abs=4 * np.sqrt(2 / 150))


@pytest.mark.parametrize(
    ("law", "fourth", "mean"),  # moments of the law of mean square 1: E a⁴, E |a|
    [("constant", 1.0, 1.0), ("normal", 3.0, np.sqrt(2 / np.pi)), ("exponential", 6.0, np.sqrt(0.5))],
)
def test_amplitudes_follow_their_law(law, fourth, mean):
    a = drawn(LIVER, Scattering(per_cell=10, cell_mm3=0.5, amplitude=law), 1).amplitudes.astype(np.float64)
    spread = 4 / np.sqrt(len(a))
    assert (a**2).mean() == pytest.approx(1, abs=spread * np.sqrt(fourth - 1) + 1e-6)
    assert np.abs(a).mean() == pytest.approx(mean, abs=spread)
    assert (a**4).mean() == pytest.approx(fourth, rel=0.15)  # E a⁸ of the Laplacian law is 2520


def test_strength_is_the_tissues_backscatter():
    phantom = compose(
        get("air"),
        [
            Part(box((0, 0, 0), (0.1, 0.1, 0.1)), get("liver"), "liver"),
            Part(ellipsoid((0, 0, 0), (0.008,) * 3), get("blood"), "vessel"),
        ],
    )
    found = drawn(phantom, Scattering(per_cell=10, cell_mm3=1.0), 2)
    inside = np.linalg.norm(found.positions, axis=1) < 0.008
    decibel = 10 * np.log10((found.amplitudes[inside] ** 2).mean() / (found.amplitudes[~inside] ** 2).mean())
    expected = get("blood").acoustic.backscatter - get("liver").acoustic.backscatter
    assert decibel == pytest.approx(expected, abs=4 * 10 / np.log(10) * np.sqrt(2 / inside.sum()))


def test_boxes_of_one_key_share_the_world():
    small, large = drawn(LIVER, SCATTERING, 5, 0.005), drawn(LIVER, SCATTERING, 5, 0.01)
    within = (np.abs(large.positions) < 0.005).all(axis=1)
    order = [np.lexsort(p.T) for p in (small.positions, large.positions[within])]
    np.testing.assert_array_equal(small.positions[order[0]], large.positions[within][order[1]])
    np.testing.assert_array_equal(small.amplitudes[order[0]], large.amplitudes[within][order[1]])


def test_too_many_are_refused():
    with pytest.raises(ShapeError, match="lower per_cell"):
        scatterers(LIVER, Scattering(per_cell=1000, cell_mm3=0.001), (-1, -1, -1), (1, 1, 1), Key(1))
    with pytest.raises(ShapeError, match="lower < upper"):
        scatterers(LIVER, SCATTERING, (0, 0, 0), (0, 1, 1), Key(1))
