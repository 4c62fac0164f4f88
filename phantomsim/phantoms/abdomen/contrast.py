"""Iodine in blood and organs in each phase after an intravenous injection.

Concentrations are enhancements over the 25 HU that 1 mg/ml of iodine adds at 120 kVp (grade C), for a dose of 500 mg of
iodine per kg of body weight; they scale with the dose. The aorta of 290 to 360 HU, the liver's rise of 20 to 30 HU and
the portal vein of 145 ± 20 HU in the arterial phase are those of Radiopaedia, "Late arterial phase"; the liver's rise
of 56 ± 14 HU in the portal phase is that of Naruo et al. All other values are round figures from memory, grade C.

References
----------
K. Naruo, M. Tozaki, Y. Fukuda, K. Fukuda, "Enhancement of the liver on dynamic MDCT", Radiat. Med. 25 (2007),
doi:10.1007/s11604-006-0111-5. Radiopaedia, "Late arterial phase", revised 23 Mar 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from phantomsim.phantoms.placement import Range, between
from phantomsim.physics.rng import Key
from phantomsim.tissues import Tissue, get

Phase = Literal["native", "arterial", "portal", "nephrographic", "delayed"]
Enhanced = str
"""Name of a compartment, a key of `TISSUES`."""

TISSUES: Final[Mapping[Enhanced, str]] = MappingProxyType(
    {
        "artery": "blood",
        "portal vein": "blood_venous",
        "hepatic vein": "blood_venous",
        "cava": "blood_venous",
        "lower cava": "blood_venous",
        "liver": "liver",
        "spleen": "spleen",
        "pancreas": "pancreas",
        "cortex": "kidney_cortex",
        "medulla": "kidney_medulla",
        "pelvis": "urine",
        "bowel wall": "gi_tract",
        "adrenal": "soft_tissue",
        "muscle": "muscle",
        "myocardium": "myocardium",
    }
)
"""Tissue of each compartment."""

PHASES: Final[Mapping[Phase, Mapping[Enhanced, Range]]] = MappingProxyType(
    {
        "native": {},
        "arterial": {
            "artery": (10.0, 12.6),
            "portal vein": (3.3, 4.8),
            "hepatic vein": (0.0, 0.4),
            "cava": (1.6, 3.2),
            "lower cava": (0.0, 0.4),
            "liver": (0.8, 1.2),
            "spleen": (3.2, 4.4),
            "pancreas": (2.4, 3.4),
            "cortex": (5.2, 7.2),
            "medulla": (0.8, 2.0),
            "bowel wall": (1.4, 2.4),
            "adrenal": (1.2, 2.0),
            "muscle": (0.2, 0.4),
            "myocardium": (2.4, 3.6),
        },
        "portal": {
            "artery": (4.2, 5.4),
            "portal vein": (4.8, 6.0),
            "hepatic vein": (4.4, 5.4),
            "cava": (3.2, 4.4),
            "lower cava": (2.0, 3.4),
            "liver": (1.7, 2.8),
            "spleen": (2.8, 3.5),
            "pancreas": (1.9, 2.5),
            "cortex": (5.2, 6.6),
            "medulla": (3.0, 4.4),
            "bowel wall": (1.6, 2.4),
            "adrenal": (1.2, 1.8),
            "muscle": (0.5, 0.9),
            "myocardium": (2.6, 3.4),
        },
        "nephrographic": {
            "artery": (3.4, 4.2),
            "portal vein": (3.4, 4.2),
            "hepatic vein": (3.3, 4.1),
            "cava": (3.2, 4.0),
            "lower cava": (2.8, 3.8),
            "liver": (1.6, 2.3),
            "spleen": (2.2, 2.8),
            "pancreas": (1.5, 2.0),
            "cortex": (4.9, 5.9),
            "medulla": (4.7, 5.7),
            "pelvis": (0.0, 0.8),
            "bowel wall": (1.4, 2.0),
            "adrenal": (0.9, 1.4),
            "muscle": (0.6, 0.9),
            "myocardium": (2.0, 2.6),
        },
        "delayed": {
            "artery": (1.9, 2.6),
            "portal vein": (1.9, 2.6),
            "hepatic vein": (1.9, 2.6),
            "cava": (1.9, 2.6),
            "lower cava": (1.8, 2.5),
            "liver": (1.1, 1.6),
            "spleen": (1.3, 1.8),
            "pancreas": (0.9, 1.3),
            "cortex": (2.7, 3.5),
            "medulla": (2.9, 3.7),
            "pelvis": (18.0, 36.0),
            "bowel wall": (0.9, 1.3),
            "adrenal": (0.6, 1.0),
            "muscle": (0.6, 0.9),
            "myocardium": (1.2, 1.7),
        },
    }
)
"""Iodine [mg/ml] at a dose of 1 in each compartment; one that is not listed takes none up."""


@dataclass(frozen=True)
class Contrast:
    """Tissues of one body in one phase.

    Parameters
    ----------
    iodine
        Concentration in each compartment that takes contrast agent up [mg/ml].
    """

    iodine: Mapping[Enhanced, float]

    def tissue(self, compartment: Enhanced) -> Tissue:
        """Return the tissue of a compartment with its iodine."""
        tissue, amount = get(TISSUES[compartment]), self.iodine.get(compartment, 0.0)
        return tissue.with_element("I", amount) if amount else tissue


def draw_contrast(phase: Phase, dose: float, key: Key) -> Contrast:
    """Draw the iodine of each compartment in a phase; `dose` is relative to 500 mg of iodine per kg."""
    ranges = PHASES[phase]
    # three decimals keep names of tissues short
    return Contrast({name: round(dose * between(key.fold(name), limits), 3) for name, limits in ranges.items()})
