"""What the signal of a reading is made of, energy by energy: what corrections by model need to know of a scan."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import IntegrityError, UnitError
from phantomsim.physics.xray.attenuation import Material, linear_attenuation
from phantomsim.physics.xray.correction import WATER

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Response:
    """Share of each energy in the signal of the air scan.

    Parameters
    ----------
    energy
        Rising (energy) [keV].
    share
        Not negative, of sum 1 (energy): for an energy-integrating detector that of the absorbed energy.
    background
        What fills the air scan, so that line integrals are relative to it; None for vacuum.
    reference_energy
        Energy to which the line integrals of water are corrected [keV].

    Raises
    ------
    UnitError
        If energies do not rise or shares are negative or do not add up to 1.
    """

    energy: Float64
    share: Float64
    background: Material | None
    reference_energy: float

    def __post_init__(self) -> None:
        if self.energy.ndim != 1 or self.energy.shape != self.share.shape or np.any(np.diff(self.energy) <= 0):
            raise UnitError(f"energies of a response must rise [keV] and match its shares, got {self.energy.shape}")
        if not np.all(self.share >= 0) or not abs(self.share.sum() - 1) < 1e-6:
            raise UnitError(f"shares of a response must not be negative and add up to 1, got {self.share.sum()!r}")

    def attenuation(self, material: Material, energy: Float64 | None = None) -> Float64:
        """Return the attenuation of a material over that of the background (energy) [1/m]; by default at `energy`."""
        at = self.energy if energy is None else energy
        mu: Float64 = linear_attenuation([material], at)[0]
        return mu if self.background is None else mu - linear_attenuation([self.background], at)[0]

    def at_reference(self, material: Material) -> float:
        """Return the attenuation of a material over that of the background at the reference energy [1/m]."""
        return float(self.attenuation(material, np.array([self.reference_energy]))[0])

    def polychromatic(self, corrected: Array) -> Array:
        """Return what line integrals (…) [1] were before they were corrected for the hardening of water."""
        relative = self.attenuation(WATER) / self.at_reference(WATER)
        xp, real = namespace(corrected), corrected.dtype.type
        transmitted = xp.zeros_like(corrected)
        for mu, share in zip(relative[self.share > 0], self.share[self.share > 0], strict=True):
            transmitted += real(share) * xp.exp(-real(mu) * corrected)
        return -xp.log(transmitted)

    def to_json(self) -> str:
        """Write the response as JSON; every number reads back as the same bits."""
        background = None if self.background is None else [self.background[0], dict(self.background[1])]
        table = {"energy_kev": self.energy.tolist(), "share": self.share.tolist()}
        return json.dumps({**table, "background": background, "reference_kev": self.reference_energy}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Response:
        """Read what `to_json` wrote.

        Raises
        ------
        IntegrityError
            If the text is not such a response.
        """
        try:
            table = json.loads(text)
            found = table["background"]
            background = None if found is None else (float(found[0]), {k: float(v) for k, v in found[1].items()})
            energy, share = (np.array(table[name], np.float64) for name in ("energy_kev", "share"))
            return cls(energy, share, background, float(table["reference_kev"]))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise IntegrityError(f"this is not the response of a scan: {error}") from error


def energy_integrating(
    energy: Float64, quanta: Float64, reference_energy: float, background: Material | None = None
) -> Response:
    """Return the response of a detector whose signal is the absorbed energy.

    Parameters
    ----------
    energy
        (energy) [keV].
    quanta
        Photons of each energy that a reading absorbs in air (energy), in any unit.
    reference_energy
        Energy to which the line integrals of water are corrected [keV].
    background
        What fills the air scan.
    """
    return Response(energy, energy * quanta / (energy @ quanta), background, reference_energy)
