"""Photons sorted by all that they do: which pixels count them, in which bins.

Each photon belongs to one class, and the photons of a class on a pixel are a Poisson number, independent of all others.
A count is a sum of such numbers, so means, variances and all covariances between bins and pixels follow from the
expected number of each class, and draws of the numbers have them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from phantomsim.physics.xray.photon_histories import Deposits

Float64 = npt.NDArray[np.float64]

NEIGHBOURS: Final = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
"""Steps in (row, column) from the pixel that a photon hits to those that may count it."""
RARE: Final = 2e-4
"""Share of the photons below which those of a class count each pixel on their own: means stay, as do rates."""
LATTICE_STEP: Final = 1.0
"""Of the pulse heights that are kept for pile-up [keV]."""
_BITS = 4  # of a bin's number in the code of a class


@dataclass(frozen=True, eq=False)
class EventClasses:
    """What photons of each energy do.

    Parameters
    ----------
    energy
        (energy) [keV].
    thresholds
        [keV].
    probability
        Of each class, for a photon on the pixel (energy, class) [1]. Photons that no pixel counts have none.
    hits
        1 where a class counts in a bin of a neighbour (class, neighbour, bin), else 0.
    pulses
        Expected pulses of each height, in all pixels together, for a photon on one of them (energy, lattice) [1]: from
        0 up in steps of `LATTICE_STEP` as far as the highest threshold, and only above the lowest.
    """

    energy: Float64
    thresholds: tuple[float, ...]
    probability: Float64
    hits: Float64
    pulses: Float64

    @property
    def response(self) -> Float64:
        """Expected counts of each neighbour and bin for a photon (energy, neighbour, bin) [1]."""
        counts: Float64 = np.einsum("ec,cnb->enb", self.probability, self.hits)
        return counts


def pulse_heights(
    histories: Deposits, *, pitch: tuple[float, float], spread: Float64, electronic_noise: float
) -> Float64:
    """Return the energy that each of nine pixels sees of each photon, noise included.

    Parameters
    ----------
    histories
        What photons leave.
    pitch
        Of the pixels, along rows and columns [m].
    spread
        Standard deviation of each deposit's charge on the pixels (step, energy, history) [m].
    electronic_noise
        Standard deviation of a pulse [keV].

    Returns
    -------
        (neighbour, energy, history) [keV].
    """
    heights: Float64 = electronic_noise * ndtri(histories.noise)
    for step, energy in enumerate(histories.energy):
        along = [
            _shares(
                histories.entry[axis] + histories.position[axis + 1, step] / pitch[axis], spread[step] / pitch[axis]
            )
            for axis in range(2)
        ]
        for n, (row, column) in enumerate(NEIGHBOURS):
            heights[n] += energy * along[0][row + 1] * along[1][column + 1]
    return heights


def _shares(place: Float64, spread: Float64) -> list[Float64]:
    """Return the parts of a normal of centre `place` and width `spread` in (−1, 0), (0, 1) and (1, 2)."""
    with np.errstate(divide="ignore"):  # a sharp cloud: all on one side of a border, and no place is on one
        below = [ndtr((border - place) / spread) for border in (-1, 0, 1, 2)]
    return [high - low for low, high in pairwise(below)]


def classify(energy: Float64, heights: Float64, efficiency: Float64, thresholds: tuple[float, ...]) -> EventClasses:
    """Sort photons by the bins in which nine pixels count them.

    Parameters
    ----------
    energy
        (energy) [keV].
    heights
        Of pulses (neighbour, energy, history) [keV].
    efficiency
        Probability that a photon has a history at all (energy) [1].
    thresholds
        Ascending [keV].
    """
    bins = np.searchsorted(thresholds, heights, side="right").astype(np.int64)
    shifts = _BITS * np.arange(len(NEIGHBOURS)).reshape(-1, 1, 1)
    codes, number = np.unique((bins << shifts).sum(axis=0), return_inverse=True)
    n_energies, n_histories = heights.shape[1:]
    row = np.repeat(np.arange(n_energies), n_histories)
    times = np.bincount(row * len(codes) + number.ravel(), minlength=n_energies * len(codes))
    probability = times.reshape(n_energies, -1) * (efficiency[:, None] / n_histories)

    bin_of = (codes[:, None] >> shifts[:, 0, 0]) & ((1 << _BITS) - 1)
    hits = (bin_of[..., None] == np.arange(1, len(thresholds) + 1)).astype(np.float64)
    single = hits.sum(axis=(1, 2)) == 1
    common = (times.reshape(n_energies, -1).mean(axis=0) >= RARE * n_histories) & (codes > 0) & ~single
    alone = probability[:, ~common & (codes > 0)]
    alone = np.einsum("ec,cx->ex", alone, hits[~common & (codes > 0)].reshape(alone.shape[1], -1))
    used = alone.any(axis=0)
    one = np.eye(alone.shape[1])[used].reshape(-1, *hits.shape[1:])
    return EventClasses(
        energy,
        thresholds,
        np.concatenate([alone[:, used], probability[:, common]], axis=1),
        np.concatenate([one, hits[common]]),
        _pulses(heights, efficiency, thresholds),
    )


def _pulses(heights: Float64, efficiency: Float64, thresholds: tuple[float, ...]) -> Float64:
    n_lattice = int(np.ceil(thresholds[-1] / LATTICE_STEP))
    n_energies, n_histories = heights.shape[1:]
    counted = (heights >= thresholds[0]) & (heights < thresholds[-1])
    _, row, _ = np.nonzero(counted)
    cell = (heights[counted] / LATTICE_STEP).astype(np.int64)
    times = np.bincount(row * n_lattice + cell, minlength=n_energies * n_lattice).reshape(n_energies, -1)
    pulses: Float64 = times * (efficiency[:, None] / n_histories)
    return pulses
