"""The polychromatic beam behind an object: sums over energies of exponentials of path lengths.

A sum is ``out[ray, k] = Σ_e weights[e, k] exp(−Σ_m mu[m, e] lengths[ray, m])``: with the expected number of detected
photons in `weights`, times powers of their energy, it gives the moments of what a detector absorbs. Its energies may be
the bins of the spectrum or the few nodes that stand for them (`phantomsim.physics.xray.quadrature`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.elementary import exp
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar

Float64 = npt.NDArray[np.float64]
TILE = 256  # rays to a tile: path lengths of a dozen materials and all scratch stay in the first-level cache


@dataclass(frozen=True, eq=False)
class EnergySum:
    """A sum over energies, whatever the path lengths.

    Parameters
    ----------
    mu
        Linear attenuation (material, energy) [1/m].
    weights
        Weight of each energy in each sum (energy, moment).

    Raises
    ------
    ShapeError
        If the energies of the two differ in number, or there is no material.
    """

    mu: Float64
    weights: Float64

    def __post_init__(self) -> None:
        matching = self.mu.ndim == self.weights.ndim == 2 and self.mu.shape[1] == self.weights.shape[0]
        if not matching or self.mu.shape[0] == 0:
            raise ShapeError(
                f"mu (material, energy) needs a material, and weights (energy, moment) the same energies, "
                f"got {self.mu.shape} and {self.weights.shape}"
            )

    def on(self, lengths: Array) -> tuple[Array, Array]:
        """Return `mu` and `weights` as float32 on the device of `lengths`."""
        xp = namespace(lengths)
        return xp.asarray(self.mu, dtype=lengths.dtype), xp.asarray(self.weights, dtype=lengths.dtype)


def transmit(lengths: Array, energies: EnergySum) -> Array:
    """Sum over energies behind an object.

    Parameters
    ----------
    lengths
        Path length in each material (…, material) [m], float32.
    energies
        What is summed.

    Returns
    -------
        Sums (…, moment), float32, on the device of `lengths`.

    Raises
    ------
    ShapeError
        If the materials of `lengths` and `energies` differ in number.
    """
    rays = as_rays(lengths, energies.mu.shape[0])
    xp = namespace(rays)
    out = xp.empty((rays.shape[0], energies.weights.shape[1]), rays.dtype)
    n_rays = rays.shape[0]
    TRANSMIT(-(-n_rays // TILE), n_rays, rays, *energies.on(rays), out)
    return out.reshape(*lengths.shape[:-1], -1)


def as_rays(lengths: Array, n_materials: int) -> Array:
    """Return path lengths as (ray, material), contiguous.

    Raises
    ------
    ShapeError
        If the last axis does not count the materials.
    """
    if lengths.ndim < 1 or lengths.shape[-1] != n_materials:
        raise ShapeError(f"path lengths must end in an axis of {n_materials} materials, got shape {lengths.shape}")
    return namespace(lengths).ascontiguousarray(lengths.reshape(-1, n_materials))


@scalar
def load_tile(lengths: Array, first: int, count: int, paths: Array, present: Array) -> int:
    """Copy the path lengths of `count` rays from `first` on, negated, material by material; return how many there are.

    Materials that no ray of the tile meets are left out; `present` names the others.
    """
    n_present = 0
    for material in range(lengths.shape[1]):
        path = paths[n_present]
        largest = lengths.dtype.type(0)
        for i in range(count):
            path[i] = -lengths[first + i, material]
            largest = max(largest, abs(path[i]))
        if largest > 0:
            present[n_present] = material
            n_present += 1
    return n_present


@scalar
def sum_tile(n_present: int, present: Array, paths: Array, mu: Array, weights: Array, t: Array, moments: Array) -> None:
    """Sum over the energies of a tile into `moments` (moment, TILE); `t` (TILE) is scratch.

    The lanes of an incomplete tile hold what was there before, so they must hold numbers, and are ignored.
    """
    for k in range(weights.shape[1]):
        moment = moments[k]
        for i in range(TILE):
            moment[i] = 0
    for e in range(mu.shape[1]):
        for i in range(TILE):
            t[i] = 0
        for j in range(n_present):
            coefficient, path = mu[present[j], e], paths[j]
            for i in range(TILE):
                t[i] += coefficient * path[i]
        for i in range(TILE):
            t[i] = exp(t[i])
        for k in range(weights.shape[1]):
            weight, moment = weights[e, k], moments[k]
            for i in range(TILE):
                moment[i] += weight * t[i]


@scalar
def transmission(lengths: Array, ray: int, mu: Array, e: int) -> Real:
    """Return the transmission of one ray at one energy."""
    depth = mu[0, e] * lengths[ray, 0]
    for material in range(1, mu.shape[0]):
        depth += mu[material, e] * lengths[ray, material]
    return exp(-depth)


@loop_nest
def _blocks(begin: int, end: int, lengths: Array, mu: Array, weights: Array, out: Array) -> None:
    n_rays, n_materials = lengths.shape
    n_moments = weights.shape[1]
    paths = np.zeros((n_materials + 1, TILE), lengths.dtype)
    present = np.empty(n_materials, np.int64)
    t = np.empty(TILE, lengths.dtype)
    moments = np.empty((n_moments, TILE), lengths.dtype)
    for tile in range(begin, end):
        first = tile * TILE
        count = min(TILE, n_rays - first)
        n_present = load_tile(lengths, first, count, paths, present)
        sum_tile(n_present, present, paths, mu, weights, t, moments)
        for i in range(count):
            for k in range(n_moments):
                out[first + i, k] = moments[k, i]


def _thread(ray: int, lengths: Array, mu: Array, weights: Array, out: Array) -> None:
    for k in range(weights.shape[1]):
        out[ray, k] = 0
    for e in range(mu.shape[1]):
        t = transmission(lengths, ray, mu, e)
        for k in range(weights.shape[1]):
            out[ray, k] += weights[e, k] * t


TRANSMIT = Kernel("xray.transmit", _blocks, _thread, "real[:,::1];real[:,::1];real[:,::1];real[:,::1]")
