"""Sinograms of event lists, and smooth estimates of what does not belong into them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from phantomsim.physics.pet.acquisition import Events
from phantomsim.physics.pet.sinogram import Sinogram
from phantomsim.physics.pet.time_of_flight import TimeOfFlight

Float64 = npt.NDArray[np.float64]


def histogram(events: Events, sinogram: Sinogram, flight: TimeOfFlight | None = None) -> npt.NDArray[np.uint32]:
    """Count events by their place.

    Parameters
    ----------
    events
        Coincidences; those without a place, or too early or late for the time bins, are left out.
    sinogram
        Layout.
    flight
        Time bins; one for all without it.

    Returns
    -------
        Counts (tof, plane, view, radial).
    """
    plane, view, radial, swapped = sinogram.address(events.first.astype(np.int64), events.second.astype(np.int64))
    n_bins = 1 if flight is None else flight.n_bins
    time = np.zeros(len(events), np.int64)
    if flight is not None:
        late = np.where(swapped, -1.0, 1.0) * events.delay / flight.width
        time = np.floor(late + n_bins / 2).astype(np.int64)
    good = (plane >= 0) & (time >= 0) & (time < n_bins)
    shape = (n_bins, *sinogram.shape)
    index = np.ravel_multi_index((time[good], plane[good], view[good], radial[good]), shape)
    return np.bincount(index, minlength=int(np.prod(shape))).reshape(shape).astype(np.uint32)


def smooth_scatter(counts: npt.NDArray[np.uint32], sinogram: Sinogram) -> Float64:
    """Return the expectation of scattered pairs from few of them, as smooth as scatter is.

    What scatters once or more forgets most of where it came from: the counts are taken for a product of a profile over
    planes and one over views and radial positions, blurred by Gaussians of a tenth of the views and a thirtieth of the
    radial positions, and likewise over time bins.

    Parameters
    ----------
    counts
        Scattered pairs (tof, plane, view, radial).
    sinogram
        Layout.

    Returns
    -------
        Expected counts of the same shape, and of the same sum.
    """
    total = float(counts.sum())
    if total == 0:
        return np.zeros(counts.shape)
    along = counts.sum(axis=(0, 2, 3)) / total
    around = counts.sum(axis=1, dtype=np.float64)
    back = around[::-1, :, ::-1]  # half a turn on, lines run the other way
    turned = np.concatenate([back, around, back], axis=1)
    blurred = gaussian_filter(
        turned, (0.0, 0.1 * sinogram.n_views, sinogram.n_radial / 30), mode="nearest", truncate=3.0
    )[:, sinogram.n_views : 2 * sinogram.n_views]
    return np.asarray(blurred[:, None] * along[:, None, None] * (total / blurred.sum()))


def expected_randoms(rates: Float64, sinogram: Sinogram, window: float, least_blocks: int = 1) -> Float64:
    """Return the rate of random coincidences, ``2 τ S₁ S₂`` of the crystals' singles.

    Parameters
    ----------
    rates
        Singles a second in each block (block); its crystals share them evenly.
    sinogram
        Layout.
    window
        τ [s].
    least_blocks
        Fewest blocks apart around the ring.

    Returns
    -------
        Randoms a second in each place (plane, view, radial), over all arrival times.
    """
    rings = sinogram.rings
    crystals = rates.reshape(rings.n_block_rings, rings.n_blocks) / (rings.block[0] * rings.block[1])
    crystals = np.repeat(np.repeat(crystals, rings.block[0], axis=0), rings.block[1], axis=1)
    pairs, planes = sinogram.crystals, sinogram.planes
    result = np.zeros(sinogram.shape)
    for first in range(rings.n_rings):
        for second in range(rings.n_rings):
            if planes[first, second] >= 0:
                one, other = crystals[first][pairs[..., 0]], crystals[second][pairs[..., 1]]
                result[planes[first, second]] += 2 * window * one * other
    apart = np.abs(pairs[..., 0] // rings.block[1] - pairs[..., 1] // rings.block[1])
    return np.asarray(result * (np.minimum(apart, rings.n_blocks - apart) >= least_blocks))
