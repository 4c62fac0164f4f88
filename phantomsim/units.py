"""Units of recipe fields: the suffix of a field's name says its unit, and here it becomes SI (energies stay in keV)."""

from __future__ import annotations

from math import pi
from typing import Final

FACTORS: Final[dict[str, float]] = {
    "mm": 1e-3,
    "um": 1e-6,
    "deg": pi / 180,
    "ms": 1e-3,
    "s": 1.0,
    "kev": 1.0,
    "kvp": 1.0,
    "mas": 1.0,
    "g_cm3": 1e3,
    "mg_ml": 1.0,
    "hu": 1.0,
}
"""Factor from a recipe's unit to the one used in code: SI, but keV for photons, kV for tubes, mAs for their load."""


def split_unit(name: str) -> tuple[str, float]:
    """Split ``"pitch_mm"`` into the bare name and the factor to SI; a name without a unit has factor 1."""
    for suffix in sorted(FACTORS, key=len, reverse=True):
        if name.endswith("_" + suffix):
            return name[: -len(suffix) - 1], FACTORS[suffix]
    return name, 1.0
