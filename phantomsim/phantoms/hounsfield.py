"""From CT numbers to tissues: a piecewise linear scale of mixtures."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from phantomsim.physics.photons.interactions import mass_attenuation
from phantomsim.tissues import Tissue, get

SCALE: Final = ("air", "lung_inflated", "adipose", "soft_tissue", "cortical_bone", "tooth")
"""Tissues by rising CT number: gas, lung at half breath, fat, soft tissue, compact bone, and its densest kin."""

ENERGY_KEV: Final = 70.0
"""Effective energy of the scan that the CT numbers came from: close to that of 120 kV behind a body."""


def hounsfield(tissue: Tissue, energy_kev: float = ENERGY_KEV) -> float:
    """Return the CT number of a tissue at one energy [HU], −1000 for air and 0 for water."""

    def attenuation(matter: Tissue) -> float:
        return matter.density * float(mass_attenuation(matter.mass_fractions, np.array([energy_kev]))[0])

    water, air = attenuation(get("water")), attenuation(get("air"))
    return 1000 * (attenuation(tissue) - water) / (water - air)


@cache
def scale() -> tuple[tuple[Tissue, ...], tuple[float, ...]]:
    """Return the tissues that CT numbers are made of, and the CT number of each at 70 keV, rising.

    A voxel between two of them holds the mixture, by volume, that has its attenuation at 70 keV; so μ at 70 keV gives
    the CT number back, and at other energies it follows the two tissues. Choosing tissues by intervals of CT number is
    the stoichiometric calibration of Schneider; where it gives each interval one composition and its own density, the
    mixture changes composition continuously. The limits: fat below −77 HU passes for fat with up to 8 % lung; iodine
    passes for bone; metal is cut off at the CT number of enamel, near 2970 HU.

    References
    ----------
    U. Schneider, E. Pedroni, A. Lomax, "The calibration of CT Hounsfield units for radiotherapy treatment planning",
    Phys. Med. Biol. 41 (1996), doi:10.1088/0031-9155/41/1/009. W. Schneider, T. Bortfeld, W. Schlegel, "Correlation
    between CT numbers and tissue parameters needed for Monte Carlo simulations of clinical dose distributions", Phys.
    Med. Biol. 45 (2000), doi:10.1088/0031-9155/45/2/314.
    """
    tissues = tuple(get(name) for name in SCALE)
    return tissues, tuple(hounsfield(tissue) for tissue in tissues)
