"""Pieces of implants: volumes in closed form, the pitch of a thread, curves that stay where they should."""

import numpy as np
import pytest

from phantomsim.phantoms.metal.pieces import helix, length, moved_row, screw, screw_volume, tangle, threads, wire
from phantomsim.phantoms.scene import Part, compose
from phantomsim.physics.grid import Grid
from phantomsim.physics.shapes import turn
from phantomsim.tissues import get
from tests.scenes import held

SCREW = {"length": 0.03, "outer": 0.00225, "depth": 0.0007, "pitch": 0.0025}


def test_the_volume_of_a_screw_is_its_closed_form() -> None:
    """A core and twelve rings, in voxels of 0.2 mm with 64 lines each: to 0.2 %."""
    shapes = screw((-0.015, 0.0, 0.0), (1.0, 0.0, 0.0), **SCREW)
    phantom = compose(get("air"), [Part(shape, get("ti6al4v"), "metal") for shape in shapes])
    values = phantom.fractions(Grid((160, 30, 30), (2e-4,) * 3)).values
    assert values[1].sum(dtype=float) * 8e-12 == pytest.approx(screw_volume(**SCREW), rel=2e-3)
    assert len(shapes) == 1 + 2 * threads(SCREW["length"], SCREW["pitch"]) == 25


def test_threads_follow_each_other_at_the_pitch() -> None:
    entry, way = np.array([0.01, 0.02, -0.01]), np.array([0.3, -0.9, 0.2]) / np.linalg.norm([0.3, -0.9, 0.2])
    shapes = screw(tuple(entry), way, **SCREW)
    aside = np.cross(way, [0.0, 0.0, 1.0])
    aside /= np.linalg.norm(aside)
    along = np.arange(1e-5, 0.03, 1e-5)
    crest = held(shapes, entry + along[:, None] * way + 0.98 * SCREW["outer"] * aside).any(axis=0)
    middles = [run.mean() for run in np.split(along[crest], np.flatnonzero(np.diff(along[crest]) > 1e-4) + 1)]
    assert np.diff(middles) == pytest.approx(np.full(11, SCREW["pitch"]), abs=2e-5)
    core = held(shapes, entry + along[:, None] * way + 0.98 * (SCREW["outer"] - SCREW["depth"]) * aside).any(axis=0)
    assert core.all()


def test_a_helix_has_the_length_of_its_turns() -> None:
    """2π √(r² + (p / 2π)²) a turn; 16 chords a turn are 0.6 % shorter."""
    points = helix((0.0, 0.0, 0.0), (0.0, 1.0, 1.0), 0.002, 0.001, 5)
    assert length(points) == pytest.approx(5 * np.hypot(2 * np.pi * 0.002, 0.001), rel=7e-3)
    assert all(shape.semi_axes == (3e-4,) * 3 for shape in wire(points, 3e-4))
    axis = np.array([0.0, 1.0, 1.0]) / np.sqrt(2)
    away = points - (points @ axis)[:, None] * axis
    assert np.linalg.norm(away, axis=1) == pytest.approx(np.full(len(points), 0.002))


def test_a_tangle_fills_its_ball_and_stays_in_it() -> None:
    points = tangle((0.01, 0.0, 0.0), 0.004, 30, np.asarray(turn("x", 1.0)))
    away = points - [0.01, 0.0, 0.0]
    far = np.linalg.norm(away, axis=1)
    assert far.max() <= 0.004 * (1 + 1e-12)
    assert far.min() > 0.0015
    octants = {tuple(row) for row in np.sign(away[np.abs(away).min(axis=1) > 0]).astype(int)}
    assert len(octants) == 8


def test_rows_move_with_the_body() -> None:
    row = {
        "centre_mm": [10.0, 0.0, 5.0],
        "contacts_mm": [[1.0, 2.0, 3.0]],
        "direction": [0.0, 1.0, 0.0],
        "kind": "clips",
    }
    turned = np.asarray(turn("z", np.pi / 2))
    moved = moved_row(row, np.array([10.0, 0.0, 0.0]), turned)
    assert moved["centre_mm"] == pytest.approx(list(turned @ [0.0, 0.0, 5.0]), abs=1e-12)
    assert moved["contacts_mm"][0] == pytest.approx(list(turned @ [-9.0, 2.0, 3.0]))
    assert moved["direction"] == pytest.approx(list(turned @ [0.0, 1.0, 0.0]))
