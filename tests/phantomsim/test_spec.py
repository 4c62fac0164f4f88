"""Specs are strict and frozen, and hand their fields over in SI."""

from math import pi

import pytest
from pydantic import ValidationError

from phantomsim.spec import Spec
from phantomsim.units import split_unit


class Detector(Spec):
    """A detector."""

    pitch_mm: float = 1.5
    tilt_deg: float = 90.0
    size_mm: tuple[float, float] = (1.0, 2.0)
    energy_kev: float = 60.0
    density_g_cm3: float = 2.0
    name: str = "flat"
    gap_mm: float | None = None


def test_fields_come_in_si_without_their_units():
    assert Detector().si() == {
        "pitch": 1.5e-3,
        "tilt": pytest.approx(pi / 2),
        "size": (1e-3, 2e-3),
        "energy": 60.0,
        "density": 2000.0,
        "name": "flat",
        "gap": None,
    }
    assert Detector().si("pitch") == {"pitch": 1.5e-3}


@pytest.mark.parametrize(
    "fields", [{"pitch": 1.0}, {"pitch_mm": float("nan")}, {"pitch_mm": float("inf")}, {"pitch_mm": "wide"}]
)
def test_unknown_and_unreal_fields_are_refused(fields):
    with pytest.raises(ValidationError):
        Detector(**fields)


def test_specs_are_frozen():
    with pytest.raises(ValidationError):
        Detector().pitch_mm = 2.0


@pytest.mark.parametrize(
    ("name", "bare", "factor"),
    [
        ("pitch_mm", "pitch", 1e-3),
        ("spot_um", "spot", 1e-6),
        ("echo_ms", "echo", 1e-3),
        ("duration_s", "duration", 1.0),
        ("columns", "columns", 1.0),
        ("density_g_cm3", "density", 1e3),
    ],
)
def test_the_last_part_of_a_name_is_its_unit(name, bare, factor):
    assert split_unit(name) == (bare, factor)
