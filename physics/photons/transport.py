"""Photons and their way through a medium: scattering, absorption and the energy they leave behind.

Modelled are the Compton effect with the incoherent scattering function, Rayleigh scattering with form factors and the
photoelectric effect. Not modelled: the motion of bound electrons (Doppler broadening), fluorescence, and electrons,
whose energy stays where it is set free. Above 1022 keV nothing is right (no pair production), hence the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.photons.interactions import ENERGY_RANGE
from phantomsim.physics.photons.medium import Medium
from phantomsim.physics.photons.tally import QUANTA_PER_KEV, check_capacity
from phantomsim.physics.photons.transport_kernel import BLOCK, ONE_RAYLEIGH, TRANSPORT
from phantomsim.physics.rng import Key

_SKIN = 1e-6  # of an extent: the grid ends so much earlier, and no rounding reaches a voxel that is not there
_NUDGE = 5e-7  # of the largest extent: a border is passed by a few units of float32


@dataclass(frozen=True, eq=False)
class Photons:
    """Photons at one moment of their histories.

    Parameters
    ----------
    state
        Position z, y, x [m], unit direction z, y, x and energy [keV] of each (7, photon), float32. The energy of an
        absorbed photon is 0; its position is where it ended.
    orders
        Number of Compton events, plus 65536 times that of Rayleigh events (photon), int32.

    Raises
    ------
    ShapeError
        If the arrays do not fit each other or are not float32 and int32.
    """

    state: Array
    orders: Array

    def __post_init__(self) -> None:
        if self.state.ndim != 2 or self.state.shape[0] != 7 or self.orders.shape != self.state.shape[1:]:
            raise ShapeError(
                f"photons must be (7, photon) and (photon), got {self.state.shape} and {self.orders.shape}"
            )
        if self.state.dtype != np.float32 or self.orders.dtype != np.int32:
            raise ShapeError(f"photons must be float32 and int32, got {self.state.dtype} and {self.orders.dtype}")

    @classmethod
    def emitted(cls, position: Array, direction: Array, energy: Array) -> Photons:
        """Return photons that have not interacted.

        Parameters
        ----------
        position
            Where they start (photon, 3) or (3) for all, (z, y, x) [m].
        direction
            Unit vectors (photon, 3).
        energy
            (photon), or one for all [keV], 1 to 1000.

        Raises
        ------
        UnitError
            If an energy is out of range, or a direction is not of length 1.
        """
        xp = namespace(direction)
        low, high = ENERGY_RANGE
        energy = xp.asarray(energy, dtype=xp.float32)
        if not bool(((energy >= low) & (energy <= high)).all()):
            raise UnitError(f"the energy of a photon must lie in {low:g} to {high:g} keV")
        if not bool((abs((direction * direction).sum(axis=1) - 1) < 1e-4).all()):
            raise UnitError("directions of photons must be of length 1")
        state = xp.empty((7, len(direction)), xp.float32)
        state[:3] = xp.asarray(position, dtype=xp.float32).T.reshape(3, -1)
        state[3:6], state[6] = direction.T, energy
        return cls(state, xp.zeros(len(direction), xp.int32))

    @property
    def energy(self) -> Array:
        """Energy (photon) [keV]; 0 if absorbed."""
        return self.state[6]

    @property
    def n_compton(self) -> Array:
        """Number of Compton events (photon)."""
        return self.orders & 0xFFFF

    @property
    def n_rayleigh(self) -> Array:
        """Number of Rayleigh events (photon)."""
        return self.orders // int(ONE_RAYLEIGH)


def no_dose(medium: Medium) -> Array:
    """Return zeros (z, y, x), int64, for `transport` to add the deposited energy to."""
    return namespace(medium.voxels).zeros(medium.grid.shape, np.int64)


def energy_of(dose: Array) -> Array:
    """Return the deposited energy of a tally [keV], float64."""
    return dose / QUANTA_PER_KEV


def transport(
    photons: Photons, medium: Medium, key: Key, *, first: int = 0, cutoff: float = 5.0, dose: Array | None = None
) -> Photons:
    """Follow photons until they leave the medium or are absorbed.

    Parameters
    ----------
    photons
        Where they start, in the medium or outside it.
    medium
        What they meet; around its grid there is empty space.
    key
        Random stream.
    first
        Number of the first photon: photon i draws by ``first + i`` alone, so that parts make the same whole.
    cutoff
        A photon that falls below this energy is absorbed [keV], at least 1.
    dose
        Tally to add the deposited energy to, from `no_dose`.

    Returns
    -------
        The photons after their last event, at a point of their path outside the grid, or absorbed (energy 0). Those
        that miss the grid are unchanged.

    Raises
    ------
    ShapeError
        If `dose` is not of the grid.
    UnitError
        If the cutoff is below 1 keV.
    ResourceError
        If the tally could wrap.
    """
    xp = namespace(photons.state, medium.voxels)
    if not ENERGY_RANGE[0] <= cutoff:
        raise UnitError(f"cutoff must be at least {ENERGY_RANGE[0]:g} keV, got {cutoff!r}")
    if dose is None:
        dose = xp.empty(0, xp.int64)
    elif dose.shape != medium.grid.shape or dose.dtype != np.int64:
        raise ShapeError(f"dose must be int64 of the grid {medium.grid.shape}, got {dose.dtype} {dose.shape}")
    n = photons.state.shape[1]
    check_capacity(ENERGY_RANGE[1] * (first + n))
    state, orders = xp.array(photons.state, order="C"), photons.orders.copy()
    TRANSPORT(
        -(-n // BLOCK),
        n,
        *key.arguments,
        first,
        *matter_of(medium, cutoff),
        state,
        orders,
        dose.reshape(-1),
    )
    return Photons(state, orders)


def matter_of(medium: Medium, cutoff: float) -> tuple[Array, ...]:
    """Return the arguments by which the kernels know a medium, on its device."""
    grid, xp = medium.grid, namespace(medium.voxels)
    spacing, extent = np.array(grid.spacing), np.array(grid.extent)
    lengths = [np.array(grid.lower), 1 / spacing, extent * (1 - _SKIN), medium.cell_size * spacing]
    lengths.append(np.array([1 / medium.cell_size, _NUDGE * extent.max(), cutoff]))
    return (
        xp.asarray(np.concatenate(lengths), dtype=np.float32),
        xp.asarray([*grid.shape[1:], *medium.cells.shape[1:]], dtype=np.int32),
        medium.voxels.reshape(-1),
        medium.cells.reshape(-1),
        medium.free_paths,
        medium.tables.coefficients,
        medium.tables.momentum,
    )
