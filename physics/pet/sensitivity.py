"""How many pairs a sinogram's places would see of a line of activity, by geometry and penetration alone."""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from phantomsim.physics.errors import UnitError
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.sinogram import Sinogram

Float64 = npt.NDArray[np.float64]
SAMPLES: Final = 64
STEP: Final = 0.5e-3
"""Of a way through crystals [m]."""


def sensitivities(sinogram: Sinogram, attenuation: float, least_blocks: int = 1) -> Float64:
    """Return the pairs a place sees for a unit of its line integral, where all first interactions count.

    The line integral is that of decays a volume along the line. Pairs whose first interactions lie at two points of two
    crystals come from the line through them: ``∬ μ² e^{−μ(d₁+d₂)} / (2π L²) dV₁ dV₂``, with the ways d through crystals
    to the points, averaged over low-discrepancy points of both. Along the axis, ways and distances are stretched by
    the line's slope.

    Parameters
    ----------
    sinogram
        Layout.
    attenuation
        Of the crystals, without Rayleigh scattering [1/m].
    least_blocks
        Places whose blocks are fewer apart see nothing.

    Returns
    -------
        Sensitivity (plane, view, radial) [m²]: of each place, all its pairs of rings together.

    Raises
    ------
    UnitError
        If the attenuation is not positive.
    """
    if not 0 < attenuation < np.inf:
        raise UnitError(f"the attenuation of crystals must be positive [1/m], got {attenuation}")
    rings = sinogram.rings
    period = min(rings.block[1], sinogram.n_views)  # views repeat from block to block
    crystals = sinogram.crystals[:period]
    places = qmc.Sobol(4, scramble=False).random(SAMPLES) + 0.5 / SAMPLES
    stopped = -np.expm1(-attenuation * rings.depth)
    depths = -np.log1p(-stopped * places[:, ::2]) / attenuation  # as deep as photons go that enter straight
    ends = [_points(rings, crystals[..., side], depths[:, side], places[:, 2 * side + 1]) for side in (0, 1)]
    way = ends[1] - ends[0]
    length = np.linalg.norm(way, axis=-1)
    direction = way / length[..., None]
    deep = _way_in_crystals(rings, ends[0], direction) + _way_in_crystals(rings, ends[1], -direction)
    face = rings.pitch[0] * rings.pitch[1] * rings.fill**2
    heights = sinogram.axial
    climbs, plane = np.unique(np.round(np.abs(heights[:, 1] - heights[:, 0]), 9), return_inverse=True)
    table = np.empty((len(climbs), *crystals.shape[:2]))
    for n, climb in enumerate(climbs):
        stretch = 1 + (climb / length) ** 2
        rate = np.exp(attenuation * (depths.sum(axis=1) - deep * np.sqrt(stretch))) / (length**2 * stretch)
        table[n] = rate.mean(axis=-1) * (face * stopped) ** 2 / (2 * pi)
    blocks = crystals // rings.block[1]
    apart = np.abs(blocks[..., 0] - blocks[..., 1])
    table *= np.minimum(apart, rings.n_blocks - apart) >= least_blocks
    views = np.arange(sinogram.n_views) % period
    return np.asarray(table[plane][:, views] * sinogram.multiplicity[:, None, None])


def _points(rings: Rings, crystals: npt.NDArray[np.int64], deep: Float64, aside: Float64) -> Float64:
    """Return points of crystals (…, sample, 2), (y, x) [m]; samples are depths [m] and shares of the width."""
    angles = rings.angles[crystals][..., None]
    middle = rings.positions()[crystals][..., None, :]
    outward = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    across = np.stack([np.cos(angles), -np.sin(angles)], axis=-1)
    offset = (aside - 0.5) * rings.pitch[1] * rings.fill
    return np.asarray(middle + deep[:, None] * outward + offset[:, None] * across)


def _way_in_crystals(rings: Rings, start: Float64, direction: Float64) -> Float64:
    """Return how far a way from a point into the bore runs in crystals [m], by steps of half a millimetre."""
    total = np.zeros(start.shape[:-1])
    half, turn = rings.block[1] * rings.pitch[1] / 2, 2 * pi / rings.n_blocks
    longest = 2 * np.sqrt(rings.outer_radius**2 - rings.radius**2)
    for n in range(int(longest / STEP)):
        point = start + (n + 0.5) * STEP * direction
        middle = np.round(np.arctan2(point[..., 0], point[..., 1]) / turn) * turn
        sine, cosine = np.sin(middle), np.cos(middle)
        deep = point[..., 0] * sine + point[..., 1] * cosine - rings.radius
        aside = np.abs(point[..., 0] * cosine - point[..., 1] * sine)
        wide = half * (1 + rings.tapered * deep / rings.radius)
        inside = (deep >= 0) & (deep <= rings.depth) & (aside <= wide)
        total += STEP * inside
        if not inside.any() and (np.linalg.norm(point, axis=-1) < rings.radius).all():
            break
    return total
