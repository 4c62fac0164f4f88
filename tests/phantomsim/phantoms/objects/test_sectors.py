"""Rods in sectors: counts and distances against the lattice they are defined by; Jaszczak's and Derenzo's objects."""

from math import pi

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.objects.derenzo import Derenzo
from phantomsim.phantoms.objects.jaszczak import RODS, SPHERES, Jaszczak
from phantomsim.phantoms.objects.sectors import sector_rods
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import Rays


@pytest.mark.parametrize(("diameter", "radius", "n_sectors"), [(4.8, 106.0, 6), (12.7, 106.0, 6), (1.2, 20.5, 5)])
def test_a_sector_holds_every_rod_of_its_lattice_that_fits(diameter: float, radius: float, n_sectors: int) -> None:
    """Counted over a wide lattice with the same first rod, by the distance of each rod from the sector's sides."""
    pitch, half = 2 * diameter, pi / n_sectors
    found = sector_rods(diameter, pitch, radius, 0.0, n_sectors)
    rows, columns = np.mgrid[-60:120, -120:121]
    along = pitch / 2 / np.sin(half) + rows * pitch * np.sqrt(3) / 2
    across = columns * pitch / 2
    from_side = along * np.sin(half) - np.abs(across) * np.cos(half)
    fits = (along > 0) & (from_side >= pitch / 2 - 1e-9) & (np.hypot(along, across) + diameter / 2 <= radius)
    assert len(found) == int((fits & ((rows + columns) % 2 == 0)).sum())


def test_neighbours_are_a_pitch_apart_and_sectors_do_not_meet() -> None:
    phantom = Jaszczak(kind="jaszczak").generate(Key(0))
    rods = [row for row in phantom.truths["inserts"] if row["part"].startswith("rods")]
    assert {row["diameter_mm"] for row in rods} == set(RODS)
    centres = np.array([row["centre_mm"][1:] for row in rods])
    sizes = np.array([row["diameter_mm"] for row in rods])
    apart = np.linalg.norm(centres[:, None] - centres, axis=2) + 1e9 * np.eye(len(rods))
    for size in RODS:
        same = sizes == size
        assert apart[np.ix_(same, same)].min(axis=1) == pytest.approx(2 * size)
    gaps = apart - sizes[:, None] / 2 - sizes / 2
    assert gaps.min() >= min(RODS) - 1e-9
    assert (np.linalg.norm(centres, axis=1) + sizes / 2).max() < 108


def test_rods_have_their_area_and_end_where_the_spheres_begin() -> None:
    phantom = Jaszczak(kind="jaszczak").generate(Key(0))
    rods = [row for row in phantom.truths["inserts"] if row["part"].startswith("rods")]
    acrylic = [tissue.name for tissue in phantom.tissues].index("pmma")
    values = phantom.fractions(Grid((1, 430, 430), (0.001, 0.0005, 0.0005))).values[acrylic]
    expected = sum(pi * row["diameter_mm"] ** 2 / 4 for row in rods)
    radius = np.hypot(*np.meshgrid(*(Grid((1, 430, 430), (1.0, 0.5, 0.5)).coordinates(a) for a in (1, 2))))
    assert values[0][radius < 107.5].sum() * 0.25 == pytest.approx(expected, rel=1e-3)
    above = phantom.fractions(Grid((1, 100, 100), (0.001, 0.002, 0.002), (0.0446, 0.0, 0.0))).values[acrylic]
    assert above[0, 5:-5, 25:75].max() == 0


def test_cold_spheres_have_their_chord() -> None:
    phantom = Jaszczak(kind="jaszczak").generate(Key(0))
    spheres = [row for row in phantom.truths["inserts"] if row["part"].startswith("sphere")]
    assert [row["diameter_mm"] for row in spheres] == list(SPHERES)
    centres = 1e-3 * np.array([row["centre_mm"] for row in spheres])
    rays = Rays(centres - [0.035, 0, 0], centres + [0.035, 0, 0])
    assert phantom.path_lengths(rays)[:, 1] == pytest.approx(1e-3 * np.array(SPHERES), rel=1e-5)


def test_derenzo_s_rods_of_each_size_are_a_material_of_their_own() -> None:
    phantom = Derenzo(kind="derenzo").generate(Key(0))
    values = phantom.fractions(Grid((1, 460, 460), (0.001, 0.0001, 0.0001))).values.sum(axis=(1, 2, 3)) * 0.01
    names = [tissue.name for tissue in phantom.tissues]
    for size in (1.2, 1.6, 2.4, 3.2, 4.0, 4.8):
        count = sum(row["diameter_mm"] == size for row in phantom.truths["inserts"])
        assert count >= 3
        assert values[names.index(f"water (rods {size:g} mm)")] == pytest.approx(count * pi * size**2 / 4, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rod_diameter_mm": [1.0, 2.0, 30.0]}, "30 mm fits"),
        ({"rod_diameter_mm": [1.0, 1.0, 2.0]}, "differ"),
        ({"pitch": 1.0}, "pitch"),
        ({"body": "pmmma"}, "pmma"),
    ],
)
def test_patterns_that_cannot_be_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Derenzo(kind="derenzo", **change)  # type: ignore[arg-type]
