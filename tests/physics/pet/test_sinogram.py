"""Rings of blocks, and the layout of their pairs in sinograms."""

from dataclasses import replace
from math import pi, tan

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.pet.projector import LineProjector, SinogramProjector
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.sinogram import Sinogram
from phantomsim.physics.pet.time_of_flight import TimeOfFlight

MM = 1e-3
RINGS = Rings(300 * MM, 12, 2, (4, 5), (4 * MM, 4.2 * MM), 20 * MM, axial_gap=3 * MM)


def test_blocks_are_flat_and_face_the_axis() -> None:
    blocks = RINGS.positions().reshape(12, 5, 2)
    np.testing.assert_allclose(np.linalg.norm(np.diff(blocks, axis=1), axis=2), 4.2 * MM)
    np.testing.assert_allclose(np.linalg.norm(blocks[:, 2], axis=1), 300 * MM)
    np.testing.assert_allclose(blocks[0, :, 1], 300 * MM)  # block 0 is at +x, and crystals go on to +y
    assert np.diff(blocks[0, :, 0]).min() > 0
    np.testing.assert_allclose(blocks[3, 2], [300 * MM, 0], atol=1e-12)
    deeper = RINGS.positions(7 * MM) - RINGS.positions()
    np.testing.assert_allclose(np.linalg.norm(deeper, axis=1), 7 * MM)


def test_rings_are_pitched_with_a_gap_between_blocks() -> None:
    assert np.diff(RINGS.heights) == pytest.approx([4e-3] * 3 + [7e-3] + [4e-3] * 3)
    assert RINGS.heights.sum() == pytest.approx(0, abs=1e-12)


def test_every_pair_of_crystals_has_one_place_and_finds_it() -> None:
    """All n (n − 1) / 2 pairs around a ring, in both orders, with rings and time of flight swapped along."""
    sinogram = Sinogram(RINGS, RINGS.n_crystals - 1)
    n, pairs = RINGS.n_crystals, sinogram.crystals
    assert len(np.unique(np.sort(pairs.reshape(-1, 2)), axis=0)) == n * (n - 1) // 2
    view, radial = np.indices(pairs.shape[:2])
    for first, second, swap in ((0, 1, False), (1, 0, True)):
        rings = (1, 5) if not swap else (5, 1)
        found = sinogram.address(pairs[..., first] + rings[0] * n, pairs[..., second] + rings[1] * n)
        for got, expected in zip(found, (sinogram.planes[1, 5], view, radial, swap), strict=True):
            assert (got == expected).all()


def test_pairs_outside_of_the_sinogram_have_no_plane() -> None:
    sinogram = Sinogram(RINGS, 11, max_ring_difference=3)
    plane, _, radial, _ = sinogram.address(np.array([0, 0]), np.array([3, 30 + 4 * 60]))
    assert (plane == -1).all()
    assert ((radial >= 0) & (radial < 11)).all()


@pytest.mark.parametrize(("span", "planes"), [(1, 64), (3, 47), (5, 33)])
def test_spans_share_planes_between_ring_pairs(span, planes) -> None:
    """Of 8 rings: 64 pairs, or as many planes as each segment has sums of ring numbers."""
    sinogram = Sinogram(RINGS, 31, span)
    table = sinogram.planes
    assert sinogram.shape == (planes, 30, 31)
    assert sinogram.multiplicity.sum() == (table >= 0).sum()
    for plane in range(planes):
        first, second = np.nonzero(table == plane)
        assert len(set(first + second)) == 1
        assert np.ptp(second - first) < span
        assert sinogram.axial[plane] == pytest.approx([RINGS.heights[first].mean(), RINGS.heights[second].mean()])


def test_radial_positions_run_across_the_scanner() -> None:
    """Middle radial positions pass the axis, and neighbours are about half a crystal pitch apart."""
    rings = Rings(400 * MM, 300, 1, (1, 2), (4 * MM, 4 * MM), 20 * MM)
    ends = Sinogram(rings, 41).ends(0.0)
    way = ends[..., 1, :] - ends[..., 0, :]
    distance = ends[..., 0, 0] * way[..., 1] - ends[..., 0, 1] * way[..., 0]
    distance /= np.linalg.norm(way, axis=-1)
    assert np.abs(distance[:, 20]).max() < 2.1 * MM
    assert np.abs(np.abs(np.diff(distance, axis=1)).mean(axis=1) - 2.1 * MM).max() < 0.1 * MM
    assert (np.sign(np.diff(distance, axis=1)) == np.sign(np.diff(distance, axis=1)[0, 0])).all()


def test_a_sinogram_holds_the_integrals_of_its_lines() -> None:
    sinogram = Sinogram(RINGS, 25, span=3)
    grid = Grid((12, 40, 42), (3 * MM, 6 * MM, 6 * MM), (0.0, 5 * MM, -8 * MM))
    flight = TimeOfFlight(400e-12, 300e-12, 7)
    volume = np.random.default_rng(0).random(grid.shape)
    whole = SinogramProjector(sinogram, grid, flight, depth=6 * MM, dtype="float64").forward(volume)
    assert whole.shape == (7, *sinogram.shape)
    around = np.broadcast_to(sinogram.ends(6 * MM), (*sinogram.shape, 2, 2))
    along = np.broadcast_to(sinogram.axial[:, None, None, :, None], (*sinogram.shape, 2, 1))
    ends = np.concatenate([along, around], axis=-1).reshape(-1, 2, 3)
    lines = LineProjector(ends, grid, flight, dtype="float64").forward(volume)
    steep = np.abs(ends[:, 1, 0] - ends[:, 0, 0]) / 3 > np.abs(ends[:, 1, 1:] - ends[:, 0, 1:]).max(axis=1) / 6
    assert not steep.any()
    np.testing.assert_allclose(whole.reshape(7, -1).T, lines, atol=1e-9)
    part = SinogramProjector(sinogram, grid, flight, (2, 5), 6 * MM, "float64").forward(volume)
    np.testing.assert_array_equal(part, whole[:, :, 2::5])


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"n_blocks": 2}, ShapeError, "3 blocks or more"),
        ({"n_blocks": 13}, ShapeError, "even number of crystals"),
        ({"block": (0, 5)}, ShapeError, "got 12 blocks"),
        ({"n_block_rings": 0}, ShapeError, "n_block_rings must be at least 1, got 0"),
        ({"radius": -0.3}, UnitError, "radius of the rings must be positive"),
        ({"fill": 1.2}, UnitError, "fill in"),
        ({"pitch": (4e-3, 2 * 300e-3 * tan(pi / 12) / 5 * 1.01)}, UnitError, "do not fit around a radius of 300 mm"),
    ],
)
def test_impossible_rings_are_refused(changes, error, text) -> None:
    with pytest.raises(error, match=text):
        replace(RINGS, **changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"n_radial": 60}, "n_radial must be from 1 to 59"),
        ({"span": 4}, "span must be odd"),
        ({"span": 17}, "from 1 to 15"),
        ({"max_ring_difference": 8}, "from 0 to 7"),
        ({"span": 3, "max_ring_difference": 5}, "leaves part of a segment of span 3; take 4"),
    ],
)
def test_impossible_sinograms_are_refused(changes, text) -> None:
    with pytest.raises(ShapeError, match=text):
        Sinogram(RINGS, **{"n_radial": 31} | changes)


def test_views_that_are_not_there_are_refused() -> None:
    with pytest.raises(ShapeError, match="not among 30 views"):
        SinogramProjector(Sinogram(RINGS, 5), Grid((2, 2, 2), (MM,) * 3), views=(30, 2))
