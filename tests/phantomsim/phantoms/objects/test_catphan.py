"""Catphan-like modules against the maker's manual."""

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.objects.ctp404 import CTP404, SAMPLES
from phantomsim.phantoms.objects.ctp515 import CTP515
from phantomsim.phantoms.objects.ctp528 import CTP528
from phantomsim.phantoms.phantom import Phantom
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import Tissue, get

RANGES = {
    "air": (-1046, -986),
    "pmp": (-220, -172),
    "ldpe": (-121, -87),
    "polystyrene": (-65, -29),
    "acrylic": (92, 137),
    "delrin": (344, 387),
    "teflon": (941, 1060),
}
"""CT numbers [HU], The Phantom Laboratory, "Catphan 503 manual" (2017), p. 15."""


def mu(tissue: Tissue) -> float:
    return float(linear_attenuation([(tissue.density, tissue.mass_fractions)], np.array([70.0]))[0, 0])


def rows(phantom: Phantom, part: str) -> list[dict]:  # type: ignore[type-arg]
    return [row for row in phantom.truths["inserts"] if row["part"] == part]


@pytest.mark.parametrize("part", list(RANGES))
def test_ct_numbers_of_the_samples_lie_in_the_maker_s_ranges(part: str) -> None:
    """Read off the map at 70 keV, the effective energy of some 120 kV; 2 HU for Teflon, whose HU falls with energy."""
    phantom = CTP404(kind="ctp404").generate(Key(0))
    (row,) = rows(phantom, part)
    z, y, x = (1e-3 * c for c in row["centre_mm"])
    inside = phantom.map(mu, Grid((1, 8, 8), (0.002, 0.001, 0.001), (z, y, x)))
    low, high = RANGES[part]
    assert low - 2 <= 1000 * (inside.mean() / mu(get("water")) - 1) <= high
    assert inside.std() == pytest.approx(0, abs=1e-4)


def test_samples_stand_on_their_circle_60_degrees_apart_and_have_their_volume() -> None:
    phantom = CTP404(kind="ctp404", top="water").generate(Key(0))
    samples = [rows(phantom, part)[0] for part in (*SAMPLES, "top water")]
    angles = sorted(np.degrees(np.arctan2(row["centre_mm"][1], row["centre_mm"][2])) % 360 for row in samples)
    assert angles == pytest.approx([0, 60, 90, 120, 180, 240, 270, 300])
    for row in samples:
        assert np.hypot(*row["centre_mm"][1:]) == pytest.approx(58.4)
        z, y, x = (1e-3 * c for c in row["centre_mm"])
        grid = Grid((1, 64, 64), (0.002, 0.0002, 0.0002), (z, y, x))
        material = [tissue.name for tissue in phantom.tissues].index(row["tissue"])
        area = phantom.fractions(grid).values[material].sum() * 0.04
        assert area == pytest.approx(np.pi * 6.1**2, rel=2e-4)


def test_a_ramp_looks_as_long_in_a_slice_as_its_slope_says() -> None:
    """A slice of thickness t shows t / tan 23° of a wire that is far thinner than that."""
    phantom = CTP404(kind="ctp404").generate(Key(0))
    steel = [tissue.name for tissue in phantom.tissues].index("steel316l")
    for x in (0.038, -0.038):
        seen = []
        for z in (-0.002, 0.002):
            grid = Grid((1, 600, 20), (1e-4, 1e-4, 1e-4), (z, 0.0, x))
            wire = phantom.fractions(grid).values[steel, 0].sum(axis=1)
            seen.append(float((wire * grid.coordinates(1)).sum() / wire.sum()))
        assert seen[1] - seen[0] == pytest.approx(np.sign(x) * 0.004 / np.tan(np.radians(23)), rel=1e-3)


def test_pins_are_50_mm_apart_and_only_one_is_teflon() -> None:
    pins = rows(CTP404(kind="ctp404").generate(Key(0)), "pin")
    assert sorted((row["centre_mm"][1], row["centre_mm"][2]) for row in pins) == [
        (-25.0, -25.0),
        (-25.0, 25.0),
        (25.0, -25.0),
        (25.0, 25.0),
    ]
    assert [row["tissue"] for row in pins].count("ptfe") == 1


@pytest.mark.parametrize("pairs", [1, 2, 5, 10, 15, 21])
def test_bars_have_the_frequency_of_their_name(pairs: int) -> None:
    """Spectrum of the aluminium along a line across the bars: its peak, apart from that of the group as a whole."""
    phantom = CTP528(kind="ctp528").generate(Key(0))
    (row,) = rows(phantom, f"bars {pairs} lp/cm")
    angle = np.degrees(np.arctan2(row["centre_mm"][1], row["centre_mm"][2]))
    turned = CTP528(kind="ctp528", pose={"roll_deg": -angle}).generate(Key(0))
    width = (2 * row["bars"] - 1) * row["bar_width_mm"] * 1e-3
    n, spacing = 4000, 1.05 * width / 4000
    material = [tissue.name for tissue in turned.tissues].index("aluminum")
    profile = turned.fractions(Grid((1, n, 1), (1e-5, spacing, 1e-4), (0.0, 0.0, 0.047))).values[material, 0, :, 0]
    edges = np.flatnonzero(np.diff(profile > 0.5))
    assert len(edges) == 2 * row["bars"]
    assert np.diff(edges) * spacing == pytest.approx(0.005 / pairs, rel=0.02)
    if row["bars"] < 4:
        return  # too few for a peak that the group's width leaves in place
    spectrum = np.abs(np.fft.rfft(profile - profile.mean(), 1 << 17))
    frequency = np.fft.rfftfreq(1 << 17, spacing)  # [1/m]
    beyond = frequency > 50 * pairs
    assert frequency[beyond][spectrum[beyond].argmax()] == pytest.approx(100 * pairs, rel=0.03)


def test_no_two_groups_of_bars_touch() -> None:
    groups = CTP528(kind="ctp528").generate(Key(0)).truths["inserts"]
    assert len(groups) == 21
    centres = np.array([row["centre_mm"][1:] for row in groups])
    half = np.array([(2 * row["bars"] - 1) * row["bar_width_mm"] / 2 for row in groups])
    apart = np.linalg.norm(centres - np.roll(centres, -1, axis=0), axis=1)
    assert (apart - half - np.roll(half, -1)).min() > 5


def test_low_contrast_rods_have_their_contrast_at_every_energy() -> None:
    phantom = CTP515(kind="ctp515").generate(Key(0))
    tissues = {tissue.name: tissue for tissue in phantom.tissues}
    body, energies = get("solid_water"), np.array([40.0, 70.0, 120.0])
    background = linear_attenuation([(body.density, body.mass_fractions)], energies)[0]
    assert {row["contrast_percent"] for row in phantom.truths["inserts"]} == {1.0, 0.5, 0.3}
    for row in phantom.truths["inserts"]:
        tissue = tissues[row["tissue"]]
        ratio = linear_attenuation([(tissue.density, tissue.mass_fractions)], energies)[0] / background
        assert 100 * (ratio - 1) == pytest.approx(row["contrast_percent"])


def test_low_contrast_rods_keep_apart_and_short_ones_are_short() -> None:
    phantom = CTP515(kind="ctp515").generate(Key(0))
    assert sorted(row["diameter_mm"] for row in rows(phantom, "supra-slice")) == sorted(
        [2, 3, 4, 5, 6, 7, 8, 9, 15] * 3
    )
    inserts = phantom.truths["inserts"]
    centres = np.array([row["centre_mm"][1:] for row in inserts])
    radii = np.array([row["diameter_mm"] / 2 for row in inserts])
    apart = np.linalg.norm(centres[:, None] - centres, axis=2) - radii[:, None] - radii
    assert apart[~np.eye(len(inserts), dtype=bool)].min() > 3
    for row in rows(phantom, "sub-slice"):
        _, y, x = (1e-3 * c for c in row["centre_mm"])
        ray = Rays(np.array([[-0.1, y, x]]), np.array([[0.1, y, x]]))
        lengths = phantom.path_lengths(ray)[0]
        material = [tissue.name for tissue in phantom.tissues].index(row["tissue"])
        assert lengths[material] == pytest.approx(1e-3 * row["length_mm"])
        assert lengths.sum() == pytest.approx(0.04)


def test_a_body_that_is_no_tissue_is_refused() -> None:
    for spec, kind in ((CTP404, "ctp404"), (CTP515, "ctp515"), (CTP528, "ctp528")):
        with pytest.raises(ValidationError, match="solid_water"):
            spec(kind=kind, body="solid_watr")
