"""One injection, seen alike by every modality."""

import numpy as np
import pytest

from phantomsim.phantoms.contrast import Enhancement, Injection
from phantomsim.tissues import get

ORGANS = ("blood", "liver", "kidney_cortex", "tumor", "muscle", "gray_matter")


@pytest.mark.parametrize("organ", ORGANS)
def test_iodine_and_gadolinium_of_one_dose_have_one_curve(organ):
    iodine, gadolinium = (
        Enhancement(Injection(agent=name, dose_mmol_kg=0.2, injection_s=10)) for name in ("iodine", "gadolinium")
    )
    for time in (5.0, 20.0, 60.0, 300.0):
        concentration = iodine.concentration(get(organ), time)
        assert concentration == gadolinium.concentration(get(organ), time) > 0
        times, before = gadolinium.tissue(get(organ), time).mr.relaxation[0], get(organ).mr.relaxation[0]
        assert 1 / times.t1 - 1 / before.t1 == pytest.approx(4.1 * concentration)
        added = iodine.tissue(get(organ), time).density - get(organ).density
        assert added == pytest.approx(3 * 0.126904 * concentration, rel=1e-4)


def test_the_curves_are_linear_in_the_dose():
    one, three = (Enhancement(Injection(agent="iodine", dose_mmol_kg=dose)) for dose in (0.1, 0.3))
    assert three.concentration(get("liver"), 60) == pytest.approx(3 * one.concentration(get("liver"), 60))


def test_phases_of_an_abdomen_come_in_their_order():
    # late arterial 30-40 s: cortex far above liver and medulla; portal-venous about 70 s: liver near its peak
    bolus = Enhancement(Injection(agent="iodine", dose_mmol_kg=1.3, injection_s=25))
    at = {n: {t: bolus.concentration(get(n), t) for t in (25.0, 70.0, 180.0)} for n in ORGANS}
    medulla = bolus.concentration(get("kidney_medulla"), 25.0)
    assert at["kidney_cortex"][25.0] > 2 * medulla
    assert at["kidney_cortex"][25.0] > 3 * at["liver"][25.0]
    assert at["liver"][70.0] > 2 * at["liver"][25.0]
    assert at["liver"][70.0] > at["liver"][180.0]
    assert at["blood"][25.0] > 2 * at["blood"][70.0]


def test_nothing_is_there_before_the_injection():
    late = Enhancement(Injection(agent="iodine", start_s=30.0))
    assert late.tissue(get("liver"), 20.0) is get("liver")


@pytest.mark.parametrize("organ", ["liver", "gray_matter", "blood", "lung_inflated"])
def test_fdg_after_an_hour_is_the_librarys(organ):
    traced = Enhancement(Injection(agent="fdg")).tissue(get(organ), 3600.0)
    assert traced.pet.fdg_suv == pytest.approx(get(organ).pet.fdg_suv)


def test_fdg_is_trapped_in_the_brain_and_leaves_the_blood():
    tracer = Enhancement(Injection(agent="fdg"))
    brain, blood = (
        np.array([tracer.tissue(get(n), t).pet.fdg_suv for t in (300, 1200, 3600)]) for n in ("gray_matter", "blood")
    )
    assert (np.diff(brain) > 0).all()
    assert (np.diff(blood) < 0).all()


def test_bone_without_blood_stays_as_it_is():
    assert Enhancement(Injection(agent="iodine")).tissue(get("tooth"), 60.0) is get("tooth")
