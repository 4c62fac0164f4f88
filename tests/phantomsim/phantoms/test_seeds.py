"""Every draw of every anatomy is a valid scene; PHANTOMSIM_SEEDS asks for more draws than a test has time for."""

import os
from typing import Any

import numpy as np
import pytest

from phantomsim.phantoms.scene import Scene
from phantomsim.physics.rng import Key
from phantomsim.registry import PHANTOMS

SEEDS = int(os.environ.get("PHANTOMSIM_SEEDS", "12"))
ANATOMIES: dict[str, dict[str, Any]] = {
    "head": {"lesions": {"count": 2, "diameter_mm": (4.0, 9.0)}, "level_mm": (10.0, 45.0)},  # of white matter
    "thorax": {"lesions": {"count": 2, "diameter_mm": (4.0, 14.0)}},
    "abdomen": {"lesions": {"count": 2, "diameter_mm": (5.0, 12.0)}},
    "ellipsoids": {"lesions": {"count": 2, "diameter_mm": (5.0, 20.0)}},
    "breast": {"lesions": {"count": 2, "diameter_mm": (4.0, 10.0)}},
    "small-animal": {"lesions": {"count": 2, "diameter_mm": (1.0, 2.0), "depth_mm": 16.0}, "level": (-0.05, -0.02)},
    "hip": {"lesions": {"count": 2, "diameter_mm": (4.0, 10.0)}},
    "vessels": {},
}


@pytest.mark.parametrize("kind", ANATOMIES)
def test_every_seed_makes_a_valid_scene(kind: str) -> None:
    """Nothing is refused, and each part has a name that a recipe may use, a tissue, and a place within two metres."""
    spec = PHANTOMS.get(kind)(kind=kind, **ANATOMIES[kind])  # type: ignore[call-arg]
    lesions = ANATOMIES[kind].get("lesions", {"count": 0})["count"]
    invalid = {}
    for seed in range(SEEDS):
        try:
            phantom = spec.generate(Key(seed))  # type: ignore[attr-defined]
            body = phantom.body
            assert isinstance(body, Scene)
            assert set(body.names) <= phantom.parts
            assert set(body.codes) <= set(range(len(phantom.tissues)))
            assert np.abs([shape.centre for shape in body.shapes]).max() < 2
            assert len(phantom.truths.get("lesions", ())) == lesions
            assert body.names.count("lesion") >= lesions
        except (ValueError, RuntimeError, ArithmeticError, AssertionError) as error:
            invalid[seed] = repr(error)
    assert not invalid
