"""The Hoffman-like brain and the ISMRM/NIST system phantom."""

import numpy as np
import pytest

from phantomsim.phantoms.objects.hoffman import HoffmanBrain
from phantomsim.phantoms.objects.nist_system import T1_ARRAY, T2_ARRAY, NistSystem
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key


def test_activity_is_four_to_one_to_nothing_and_all_of_it_is_water_to_x_rays():
    phantom = HoffmanBrain(kind="hoffman", white_suv=1.5).generate(Key(0))
    found = {tissue.name: tissue.pet.fdg_suv for tissue in phantom.tissues if tissue.name.startswith("water (")}
    assert found == {
        "water (csf)": 0.0,
        "water (gray_matter)": 6.0,
        "water (white_matter)": 1.5,
        "water (deep_gray)": 6.0,
    }
    assert {tissue.density for tissue in phantom.tissues if tissue.name.startswith("water (")} == {1000.0}


def test_the_brain_has_an_adults_volume_of_grey_and_white_matter():
    # 48 % and 37 % of the intracranial volume in controls (PMC10433731, table 2); grey 0.5-0.9 L, white 0.3-0.7 L
    phantom = HoffmanBrain(kind="hoffman").generate(Key(0))
    fractions = phantom.fractions(Grid((50, 52, 52), (4e-3, 4e-3, 4e-3))).values.sum(axis=(1, 2, 3)) * 64e-3
    litres = {tissue.name: 1e-3 * float(v) for tissue, v in zip(phantom.tissues, fractions, strict=True)}
    assert 0.4 < litres["water (gray_matter)"] + litres["water (deep_gray)"] < 1.0
    assert 0.3 < litres["water (white_matter)"] < 0.8


def test_every_sphere_has_its_times_and_the_arrays_fall():
    phantom = NistSystem(kind="nist-system").generate(Key(0))
    rows = {row["part"]: row for row in phantom.truths["inserts"]}
    tissues = {tissue.name: tissue for tissue in phantom.tissues}
    for array, table in (("T1", T1_ARRAY), ("T2", T2_ARRAY)):
        assert (np.diff(np.array(table), axis=0) < 0).all()
        for i, (t1, t2) in enumerate(table, 1):
            (times,) = tissues[rows[f"{array} {i}"]["tissue"]].mr.relaxation
            assert (times.t1, times.t2) == pytest.approx((1e-3 * t1, 1e-3 * t2))
    assert [rows[f"PD {i}"]["proton_density"] for i in (1, 14)] == [0.05, 1.0]


def test_spheres_lie_in_the_vessel_apart_from_each_other():
    phantom = NistSystem(kind="nist-system").generate(Key(0))
    centres = np.array([row["centre_mm"] for row in phantom.truths["inserts"]])
    assert (np.linalg.norm(centres, axis=1) + 7.5 < 100).all()
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1) + 100 * np.eye(len(centres))
    assert apart.min() > 15
