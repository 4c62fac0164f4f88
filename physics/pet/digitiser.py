"""The digitiser: from what blocks are given to the singles that a scanner's electronics report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import UnitError
from phantomsim.physics.pet.dead_time import DEAD_TIME
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.singles import Singles
from phantomsim.physics.rng import Key, normal

FULL_WIDTHS = sqrt(8 * log(2))


@dataclass(frozen=True)
class Digitiser:
    """Blur, pile-up, dead time and the energy window.

    Parameters
    ----------
    energy_resolution
        Full width at half maximum at 511 keV, as a share of it; it goes with 1/√E.
    time_resolution
        Full width at half maximum of the difference of two singles [s].
    window
        Energies that count [keV].
    integration_time
        How long a block adds up what arrives [s]; 0 for no pile-up.
    dead_time
        How long a block is dead after an event [s].
    paralysable
        Whether an event in the dead time starts it anew.

    Raises
    ------
    UnitError
        If a field is out of range, or the window is upside down.
    """

    energy_resolution: float = 0.0
    time_resolution: float = 0.0
    window: tuple[float, float] = (435.0, 650.0)
    integration_time: float = 0.0
    dead_time: float = 0.0
    paralysable: bool = False

    def __post_init__(self) -> None:
        for name in ("energy_resolution", "time_resolution", "integration_time", "dead_time"):
            if not 0 <= getattr(self, name) < np.inf:
                raise UnitError(f"{name} of the digitiser must not be negative, got {getattr(self, name)}")
        if not 0 <= self.window[0] < self.window[1]:
            raise UnitError(f"the energy window must rise from its lower to its upper edge [keV], got {self.window}")
        if self.dead_time < self.integration_time:
            raise UnitError(
                f"dead_time = {self.dead_time:g} s must not be shorter than integration_time = "
                f"{self.integration_time:g} s: a block is busy while it integrates"
            )

    def read(self, singles: Singles, rings: Rings, key: Key, busy: npt.NDArray[np.float64]) -> Singles:
        """Return the singles reported, in order of time.

        Parameters
        ----------
        singles
            What the blocks were given, in any order.
        rings
            The scanner.
        key
            Random stream of both blurs.
        busy
            Until when each block is dead (block) [s]; it goes on from one run to the next.
        """
        if self.dead_time > 0:
            singles = self._merged(replace(singles, energy=self._energies(singles, key)), rings, busy)
            singles = self._counted(singles)
        else:
            singles = self.blurred(singles, key)
        if self.time_resolution > 0:
            noise = (
                self.time_resolution / FULL_WIDTHS / sqrt(2) * normal(key.fold("time"), len(singles), dtype=np.float64)
            )
            singles = replace(singles, time=singles.time + noise)
        return singles.by_time()

    def blurred(self, singles: Singles, key: Key) -> Singles:
        """Return the singles inside the energy window after the blur of their energies, without dead time."""
        return self._counted(replace(singles, energy=self._energies(singles, key)))

    def _energies(self, singles: Singles, key: Key) -> npt.NDArray[np.float32]:
        if self.energy_resolution == 0:
            return singles.energy
        width = np.float32(self.energy_resolution / FULL_WIDTHS * sqrt(510.999))
        noise = normal(key.fold("energy"), len(singles))
        return np.asarray(singles.energy + width * np.sqrt(singles.energy) * noise)

    def _counted(self, singles: Singles) -> Singles:
        return singles.part((singles.energy >= self.window[0]) & (singles.energy <= self.window[1]))

    def _merged(self, singles: Singles, rings: Rings, busy: npt.NDArray[np.float64]) -> Singles:
        ring, around = np.divmod(singles.crystal, rings.n_crystals)
        block = ring // rings.block[0] * rings.n_blocks + around // rings.block[1]
        order = np.lexsort((singles.time, block))
        singles, block = singles.part(order), block[order]
        bounds = np.searchsorted(block, np.arange(rings.n_all_blocks + 1))
        ring, around = np.divmod(singles.crystal, rings.n_crystals)
        axial, transaxial = ((x % n).astype(np.float32) for x, n in zip((ring, around), rings.block, strict=True))
        energy, kept = singles.energy.copy(), np.zeros(len(singles), np.uint8)
        arguments = (
            self.integration_time,
            self.dead_time,
            int(self.paralysable),
            energy,
            axial,
            transaxial,
            kept,
            busy,
        )
        DEAD_TIME.run(rings.n_all_blocks, bounds, singles.time, *arguments)
        ring = block // rings.n_blocks * rings.block[0] + np.rint(axial).astype(np.int64)
        around = block % rings.n_blocks * rings.block[1] + np.rint(transaxial).astype(np.int64)
        crystal = (ring * rings.n_crystals + around).astype(np.int32)
        return replace(singles, energy=energy, crystal=crystal).part(kept > 0)
