"""What X-ray photons leave in a slab of semiconductor, and where.

A photon that enters the slab interacts by the photoelectric or the Compton effect. After a photoelectric one in the K
shell an atom emits, with its fluorescence yield, one K photon in any direction; after a Compton one (on an electron at
rest, by Klein and Nishina) the scattered photon goes on. What is left is deposited on the spot. The photon that goes on
is followed in the same way, through `N_STEPS` interactions, until it leaves the slab. L radiation and Auger electrons
stay where they are born; Rayleigh scattering, which leaves no energy and hardly turns a photon, is left out.

Histories use the points of a Sobol sequence for their chances: nothing here is random, and the error of a mean of N
histories falls almost as 1/N. (Choice of processes after Taguchi's model; the sampling is ours.)

References
----------
K. Taguchi et al., "Spatio-energetic cross-talk in photon counting detectors: Numerical detector model (PcTK) and
workflow for CT image quality assessment", Med. Phys. 45 (2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xraylib
from scipy.stats import qmc

from phantomsim.physics.constants import ELECTRON_REST_ENERGY_KEV
from phantomsim.physics.photons.interactions import ENERGY_RANGE, mass_attenuation
from phantomsim.physics.xray.attenuation import Material

Float64 = npt.NDArray[np.float64]
N_STEPS: Final = 4
_CHANCES: Final = 5  # of one step: how far, what, which line or angle, two of a direction
N_NOISE: Final = 9
N_ANGLES: Final = 1024
TABLE: Final = np.linspace(0.0, 1.0, N_ANGLES)


@dataclass(frozen=True)
class Sensor:
    """A slab of semiconductor, endless in its plane.

    Parameters
    ----------
    material
        Density and composition.
    thickness
        Along the beam [m].
    fluorescence
        Whether atoms emit K radiation.
    """

    material: Material
    thickness: float
    fluorescence: bool = True

    def interaction(self, energy: Float64) -> Float64:
        """Return the photoelectric and Compton coefficient together (…) [1/m]."""
        density, fractions = self.material
        photoelectric = mass_attenuation(fractions, energy, "photoelectric")
        return density * (photoelectric + mass_attenuation(fractions, energy, "compton"))

    def efficiency(self, energy: Float64) -> Float64:
        """Return the probability that a photon interacts (energy) [1]."""
        stopped: Float64 = -np.expm1(-self.interaction(energy) * self.thickness)
        return stopped


@dataclass(frozen=True, eq=False)
class Deposits:
    """Energy left by photons that interact.

    Parameters
    ----------
    energy
        (step, energy, history) [keV], 0 after a photon's end.
    position
        Depth and place in the plane, from the corner where the pixel that the photon hits begins:
        (3, step, energy, history) as z [m] and the two axes y, x in metres from where the photon entered.
    entry
        Where in its pixel the photon enters, as fractions (2, energy, history) [1].
    noise
        Uniform chances for the noise of each pixel (pixel, energy, history).
    efficiency
        Probability of a first interaction (energy) [1].
    """

    energy: Float64
    position: Float64
    entry: Float64
    noise: Float64
    efficiency: Float64


def deposits(sensor: Sensor, energy: Float64, n_histories: int) -> Deposits:
    """Follow photons of each energy that interact in a slab.

    Parameters
    ----------
    sensor
        The slab; photons enter it at right angles.
    energy
        (energy) [keV].
    n_histories
        Photons for each energy, a power of two.

    Returns
    -------
        What they leave, each history of one energy with the same weight.
    """
    shape = (len(energy), n_histories)
    chances = _chances(shape)
    entry, noise, chances = chances[:2], chances[2 : 2 + N_NOISE], chances[2 + N_NOISE :]
    lines = _Lines(sensor)
    photon = np.broadcast_to(energy[:, None], shape).copy()
    efficiency = sensor.efficiency(energy)
    # the first interaction is forced into the slab
    depth = -np.log1p(-chances[0] * efficiency[:, None]) / sensor.interaction(energy)[:, None]
    place = np.stack([np.minimum(depth, sensor.thickness), np.zeros(shape), np.zeros(shape)])
    direction = np.stack([np.ones(shape), np.zeros(shape), np.zeros(shape)])
    left, places = [], []
    alive = np.ones(shape, bool)
    for step in range(N_STEPS):
        chance = chances[step * _CHANCES : (step + 1) * _CHANCES]
        if step:
            place = place + direction * (-np.log1p(-chance[0]) / lines.interaction(photon))
            alive = alive & (place[0] >= 0) & (place[0] <= sensor.thickness)
        emitted, direction = _interact(lines, photon, direction, chance)
        if step == N_STEPS - 1:
            emitted = np.zeros(shape)
        left.append(np.where(alive, photon - emitted, 0.0))
        places.append(np.where(alive, place, 0.0))
        alive = alive & (emitted >= ENERGY_RANGE[0])
        photon = np.where(alive, emitted, energy[:, None])
    return Deposits(np.stack(left), np.stack(places, axis=1), entry, noise, efficiency)


def _chances(shape: tuple[int, int]) -> Float64:
    """Return points of a Sobol sequence in (0, 1) (dimension, energy, history), energies on successive stretches."""
    n_dimensions = 2 + N_NOISE + N_STEPS * _CHANCES
    n_points = 1 << int(np.ceil(np.log2(shape[0] * shape[1])))
    points = qmc.Sobol(n_dimensions, scramble=False, bits=40).random(n_points)[: shape[0] * shape[1]]
    return np.ascontiguousarray((points + 2.0**-41).T).reshape(n_dimensions, *shape)


class _Lines:
    """Tables of a slab's coefficients over energy, and the K lines of its elements."""

    def __init__(self, sensor: Sensor) -> None:
        density, fractions = sensor.material
        self.grid = np.geomspace(*ENERGY_RANGE, 2048)
        self.symbols = list(fractions)
        edges = [xraylib.EdgeEnergy(xraylib.SymbolToAtomicNumber(s), xraylib.K_SHELL) for s in self.symbols]
        close = [edge + side for edge in edges for side in (-1e-6, 1e-6) if edge > ENERGY_RANGE[0]]
        self.grid = np.sort(np.concatenate([self.grid, close]))
        self.photoelectric = np.stack(
            [density * w * mass_attenuation({s: 1.0}, self.grid, "photoelectric") for s, w in fractions.items()]
        )
        self.compton = density * mass_attenuation(fractions, self.grid, "compton")
        self.edges = np.array(edges)
        self.k_share, self.k_lines = [], []
        for symbol, edge in zip(self.symbols, edges, strict=True):
            z = xraylib.SymbolToAtomicNumber(symbol)
            bright = sensor.fluorescence and edge > ENERGY_RANGE[0]
            jump = xraylib.JumpFactor(z, xraylib.K_SHELL) if bright else 1.0
            self.k_share.append((1 - 1 / jump) * (xraylib.FluorYield(z, xraylib.K_SHELL) if bright else 0.0))
            self.k_lines.append(_k_lines(z) if bright else (np.ones(1), np.zeros(1)))

    def at(self, table: Float64, energy: Float64) -> Float64:
        return np.interp(energy, self.grid, table)

    def interaction(self, energy: Float64) -> Float64:
        return self.at(self.photoelectric.sum(axis=0) + self.compton, energy)


def _k_lines(z: int) -> tuple[Float64, Float64]:
    """Return the cumulative probabilities of an element's K lines, and their energies [keV]."""
    numbers = (xraylib.KL2_LINE, xraylib.KL3_LINE, xraylib.KB_LINE)
    rates = np.array([xraylib.RadRate(z, n) for n in numbers])
    return np.cumsum(rates) / rates.sum(), np.array([xraylib.LineEnergy(z, n) for n in numbers])


def _interact(lines: _Lines, photon: Float64, direction: Float64, chance: Float64) -> tuple[Float64, Float64]:
    """Return the energy [keV] and the direction of the photon that goes on, energy 0 if there is none."""
    _, what, which, cosine, azimuth = chance
    compton = lines.at(lines.compton, photon)
    each = np.stack([lines.at(table, photon) for table in lines.photoelectric])
    bounds = np.cumsum(np.concatenate([compton[None], each]), axis=0)
    mark = what * bounds[-1]
    emitted = np.zeros(photon.shape)
    mu = 2 * cosine - 1
    scattered = mark < bounds[0]
    if scattered.any():
        mu[scattered] = _compton_cosine(photon[scattered], cosine[scattered])
        ratio = photon[scattered] / ELECTRON_REST_ENERGY_KEV
        emitted[scattered] = photon[scattered] / (1 + ratio * (1 - mu[scattered]))
    for n, (share, (cumulative, energies)) in enumerate(zip(lines.k_share, lines.k_lines, strict=True)):
        here = (mark >= bounds[n]) & (mark < bounds[n + 1]) & (photon > lines.edges[n]) & (which < share)
        if here.any():
            emitted[here] = energies[np.searchsorted(cumulative, which[here] / share).clip(max=len(energies) - 1)]
    turned = _turned(direction, mu, 2 * np.pi * azimuth)
    isotropic = _turned(np.stack([np.ones(photon.shape), *np.zeros((2, *photon.shape))]), mu, 2 * np.pi * azimuth)
    return emitted, np.where(scattered, turned, isotropic)


def _compton_cosine(energy: Float64, chance: Float64) -> Float64:
    """Return the cosine of a Compton angle by the inverse of its distribution, tabulated on 64 energies."""
    cosines = np.linspace(-1, 1, N_ANGLES)
    nodes = np.geomspace(*ENERGY_RANGE, 64)
    ratio = 1 / (1 + nodes[:, None] / ELECTRON_REST_ENERGY_KEV * (1 - cosines))
    density = ratio**2 * (ratio + 1 / ratio - 1 + cosines**2)
    total = np.cumsum((density[:, 1:] + density[:, :-1]) / 2, axis=1)
    total = np.concatenate([np.zeros((64, 1)), total / total[:, -1:]], axis=1)
    inverse = np.stack([np.interp(TABLE, row, cosines) for row in total])
    place = np.log(energy / ENERGY_RANGE[0]) / np.log(nodes[1] / nodes[0])
    low = place.astype(int).clip(0, 62)
    column = chance * (N_ANGLES - 1)
    left = column.astype(int).clip(0, N_ANGLES - 2)
    up, right = place - low, column - left
    below = inverse[low, left] * (1 - right) + inverse[low, left + 1] * right
    above = inverse[low + 1, left] * (1 - right) + inverse[low + 1, left + 1] * right
    cosine: Float64 = below * (1 - up) + above * up
    return cosine


def _turned(direction: Float64, cosine: Float64, azimuth: Float64) -> Float64:
    """Return unit vectors (3, …) at an angle to others, given its cosine, at an azimuth around them [rad]."""
    z, y, x = direction
    sine = np.sqrt(np.maximum(0, 1 - cosine**2))
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    # Duff's frame: no direction but one is special, and that one is a half-space's border
    sign = np.where(z >= 0, 1.0, -1.0)
    p = -1 / (sign + z)
    q = x * y * p
    first = np.stack([-sign * x, sign * q, 1 + sign * x * x * p])
    second = np.stack([-y, sign + y * y * p, q])
    turned: Float64 = cosine * direction + a * first + b * second
    return turned
