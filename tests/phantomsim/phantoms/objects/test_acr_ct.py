"""The ACR phantom against the CT numbers and sizes that are published of it."""

import numpy as np
import pytest

from phantomsim.phantoms.objects.acr_ct import ACRCT, LOW_CONTRAST
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.tissues import Tissue, get

RANGES = {
    "polyethylene": (-107, -84),
    "water": (-7, 7),
    "acrylic": (110, 135),
    "bone": (850, 970),
    "air": (-1005, -970),
}
"""CT numbers [HU] that scanners must show for accreditation (McCollough et al. 2004, doi:10.1118/1.1769632)."""


def hounsfield(tissue: Tissue) -> float:
    water = get("water")
    mu = linear_attenuation([(t.density, t.mass_fractions) for t in (tissue, water)], np.array([70.0]))[:, 0]
    return float(1000 * (mu[0] / mu[1] - 1))


def test_samples_have_their_ct_numbers_and_sizes() -> None:
    phantom = ACRCT(kind="acr-ct").generate(Key(0))
    tissues = {tissue.name: tissue for tissue in phantom.tissues}
    found = {row["part"]: row for row in phantom.truths["inserts"] if row["part"] in RANGES}
    assert set(found) == set(RANGES)
    for part, (low, high) in RANGES.items():
        assert low <= hounsfield(tissues[found[part]["tissue"]]) <= high
        assert found[part]["diameter_mm"] == (50 if part == "water" else 25)


def test_low_contrast_rods_are_6_hu_above_some_90() -> None:
    body, rod = (hounsfield(get("solid_water").diluted(density)) for density in LOW_CONTRAST)
    assert body == pytest.approx(90, abs=1)
    assert rod - body == pytest.approx(6, abs=0.2)
    rows = [row for row in ACRCT(kind="acr-ct").generate(Key(0)).truths["inserts"] if row["part"] == "low contrast"]
    sizes = [row["diameter_mm"] for row in rows]
    assert sorted(sizes) == sorted([25.0, *([2.0, 3.0, 4.0, 5.0, 6.0] * 4)])
    centres = {size: np.array([row["centre_mm"] for row in rows if row["diameter_mm"] == size]) for size in set(sizes)}
    for size in (2.0, 3.0, 4.0, 5.0, 6.0):  # spaces as wide as the rods
        assert np.linalg.norm(np.diff(centres[size], axis=0), axis=1) == pytest.approx(2 * size)


def test_each_module_shows_only_its_own_inserts() -> None:
    phantom = ACRCT(kind="acr-ct").generate(Key(0))
    seen = []
    for z in (0.0, 0.04, 0.08, 0.12):
        values = phantom.fractions(Grid((1, 105, 105), (0.001, 0.002, 0.002), (z, 0.0, 0.0))).values
        seen.append({t.name for t, v in zip(phantom.tissues, values, strict=True) if v.sum() > 1e-3})
    assert seen[0] == {"air", "solid_water", "water", "ldpe", "pmma", "vertebra@1600"}
    assert seen[1] == {"air", "solid_water@1114", "solid_water@1120"}
    assert seen[2] - {"tungsten"} == {"air", "solid_water"}
    assert seen[3] == {"air", "solid_water", "aluminum"}


@pytest.mark.parametrize("pairs", [4, 5, 6, 7, 8, 9, 10, 12])
def test_bar_patterns_fill_their_square_half_with_aluminium(pairs: int) -> None:
    phantom = ACRCT(kind="acr-ct").generate(Key(0))
    (row,) = (row for row in phantom.truths["inserts"] if row["part"] == f"bars {pairs} lp/cm")
    z, y, x = (1e-3 * c for c in row["centre_mm"])
    metal = [tissue.name for tissue in phantom.tissues].index("aluminum")
    values = phantom.fractions(Grid((1, 300, 300), (0.001, 1e-4, 1e-4), (z, y, x))).values[metal]
    assert row["bar_width_mm"] == pytest.approx(5 / pairs)
    # where bars run along x, voxels see each of their edges to 1/16 of a voxel, 0.006 mm
    assert values.sum() * 0.01 == pytest.approx(row["bars"] * 15 * 5 / pairs, abs=row["bars"] * 2 * 15 * 0.00625)
    assert 15 - 10 / pairs < (2 * row["bars"] - 1) * row["bar_width_mm"] <= 15
