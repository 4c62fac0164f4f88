"""Singles: what the blocks of a scanner read of the photons that reach them, before any electronics."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace, to_host
from phantomsim.physics.constants import SPEED_OF_LIGHT
from phantomsim.physics.errors import UnitError
from phantomsim.physics.pet.crystals import CRYSTALS, HITS, PHOTONS
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.photons.tables import PhotonTables
from phantomsim.physics.photons.transport import Photons
from phantomsim.physics.rng import Key

Integers = npt.NDArray[np.int64]
LEAST_ENERGY: Final = 10.0


@dataclass(frozen=True, eq=False)
class Singles:
    """Events of single blocks, each with the truth about its photon; all on the host.

    Parameters
    ----------
    time
        Arrival [s], float64.
    crystal
        Crystal that the block reads, ``ring * n_crystals + crystal``, int32.
    energy
        [keV], float32.
    decay
        Number of the decay; pairs of one number are true or scattered coincidences, int64.
    scattered
        Compton and Rayleigh events of the photon in the body, int16.
    """

    time: npt.NDArray[np.float64]
    crystal: npt.NDArray[np.int32]
    energy: npt.NDArray[np.float32]
    decay: Integers
    scattered: npt.NDArray[np.int16]

    def __len__(self) -> int:
        """Return the number of singles."""
        return len(self.time)

    def part(self, selection: object) -> Singles:
        """Return some of the singles, by a mask, a slice or indices."""
        return Singles(*(getattr(self, field.name)[selection] for field in fields(self)))

    def by_time(self) -> Singles:
        """Return the singles in order of time; of equal times the first stays first."""
        return self.part(np.argsort(self.time, kind="stable"))

    @staticmethod
    def joined(first: Singles, second: Singles) -> Singles:
        """Return the singles of both, one after the other."""
        names = [field.name for field in fields(Singles)]
        return Singles(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names))


def singles_of(
    photons: Photons,
    annihilations: Array,
    times: npt.NDArray[np.float64],
    rings: Rings,
    crystal: PhotonTables,
    key: Key,
    *,
    first: int = 0,
    cutoff: float = LEAST_ENERGY,
) -> Singles:
    """Detect pairs of photons after their way through the body.

    Parameters
    ----------
    photons
        Where the photons left the body (2 · pair): the first ones of all pairs, then the second ones.
    annihilations
        Where they began (3, pair), (z, y, x) [m].
    times
        When they began (pair) [s].
    rings
        The scanner.
    crystal
        Interactions of the crystals' material, the only one of the tables.
    key
        Random stream.
    first
        Number of the first pair.
    cutoff
        A photon that falls below this energy is absorbed [keV].

    Returns
    -------
        The singles, those of first photons before those of second ones.

    Raises
    ------
    UnitError
        If the cutoff is below 1 keV.
    """
    blocks, hits = hits_of(photons, rings, crystal, key, first=2 * first, cutoff=cutoff)
    xp = namespace(blocks)
    n = blocks.shape[1]
    slot, photon = xp.nonzero(blocks >= 0)
    block, energy, axial, transaxial, way = (
        to_host(a) for a in (blocks[slot, photon], *(hits[slot, k, photon] for k in range(4)))
    )
    place = np.minimum(axial / energy, rings.block[0] - 0.5).astype(np.int32)
    across = np.minimum(transaxial / energy, rings.block[1] - 0.5).astype(np.int32)
    ring = block // rings.n_blocks * rings.block[0] + place
    around = block % rings.n_blocks * rings.block[1] + across
    state, orders, began = (to_host(a) for a in (photons.state[:6, photon], photons.orders[photon], annihilations))
    pair = to_host(photon) % (n // 2)
    scattered = (orders & 0xFFFF) + (orders >> 16)
    length = way + _way_through_body(began[:, pair].astype(np.float64), state.astype(np.float64))
    return Singles(
        times[pair] + length / SPEED_OF_LIGHT,
        (ring * rings.n_crystals + around).astype(np.int32),
        energy,
        first + pair,
        scattered.astype(np.int16),
    )


def hits_of(
    photons: Photons,
    rings: Rings,
    crystal: PhotonTables,
    key: Key,
    *,
    first: int = 0,
    cutoff: float = LEAST_ENERGY,
) -> tuple[Array, Array]:
    """Follow photons through the crystals; the arguments are those of `singles_of`, `first` that of the first photon.

    Returns
    -------
        Block (hit, photon), −1 for none, and what it was given (hit, 6, photon), as `CRYSTALS` says.

    Raises
    ------
    UnitError
        If the cutoff is below 1 keV.
    """
    if not cutoff >= 1:
        raise UnitError(f"cutoff must be at least 1 keV, got {cutoff}")
    xp = namespace(photons.state)
    n = photons.state.shape[1]
    blocks, hits = xp.empty((HITS, n), np.int32), xp.empty((HITS, 6, n), np.float32)
    arguments = (xp.asarray(a) for a in (*_shell(rings), crystal.coefficients, crystal.momentum))
    CRYSTALS(-(-n // PHOTONS), n, first, *key.arguments, *arguments, np.float32(cutoff), photons.state, blocks, hits)
    return blocks, hits


def _way_through_body(start: npt.NDArray[np.float64], state: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how far photons went from their start to where they left the body [m].

    Exact without scatter. A scattered photon is taken to have gone straight, less than a centimetre too short for most:
    its corners are not kept.
    """
    return np.asarray(np.linalg.norm(state[:3] - start, axis=0))


def _shell(rings: Rings) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return the lengths and the counts by which the kernel knows a scanner's rings."""
    length = rings.block[0] * rings.pitch[0] + rings.axial_gap
    lengths = [rings.radius, rings.outer_radius, rings.length / 2, rings.depth, rings.block[1] * rings.pitch[1] / 2]
    lengths += [length, *rings.pitch, rings.fill, float(rings.tapered)]
    return np.array(lengths, np.float32), np.array([rings.n_blocks, rings.n_block_rings, *rings.block], np.int32)
