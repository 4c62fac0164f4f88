"""Physical constants (CODATA 2018, exact by the 2019 SI where they can be) [SI unless the name says otherwise]."""

from typing import Final

SPEED_OF_LIGHT: Final = 299_792_458.0
"""[m/s]"""
ELEMENTARY_CHARGE: Final = 1.602_176_634e-19
"""[C]; also the number of joules in an electronvolt"""
AVOGADRO: Final = 6.022_140_76e23
"""[1/mol]"""
ELECTRON_REST_ENERGY_KEV: Final = 510.998_950
"""[keV]"""
CLASSICAL_ELECTRON_RADIUS: Final = 2.817_940_3262e-15
"""[m]"""
