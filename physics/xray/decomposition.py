"""How much of each basis material a ray met, from readings by two or more spectra or energy bins.

References
----------
R. E. Alvarez and A. Macovski, "Energy-selective reconstructions in X-ray computerised tomography", Phys. Med. Biol. 21
(1976).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.xray.transmission import EnergySum

Float64 = npt.NDArray[np.float64]

RAYS: Final = 1 << 12
"""Rays at a time: what they need of the energies stays in the second-level cache."""
FEWEST: Final = 0.5
"""Counts where there are none: a ray that nothing comes through would let a length grow without end."""
N_ROUGH: Final = 4
N_ITERATIONS: Final = 40
LONGEST_ROUGH_STEP: Final = 20.0
LONGEST_STEP: Final = 1.0
SMALLEST_STEP: Final = 1e-8
"""Largest changes of the log of a count in one iteration, and the change of it that is none."""
DAMPING: Final = 1e-9
"""Part by which the diagonal of the information is raised, so that it can be solved where materials look alike."""


def decompose(counts: Array, energies: EnergySum) -> Array:
    """Return the most likely path lengths in the basis materials, each ray on its own.

    Poisson likelihood, by Fisher scoring after a few Newton iterations on the logs. With as many bins as materials the
    lengths reproduce the counts, whatever their noise, so counts may then be any signal in any unit.

    Parameters
    ----------
    counts
        Detected photons (…, bin).
    energies
        Attenuation of the basis (material, energy) [1/m] and expected counts in air of each bin (energy, bin).

    Returns
    -------
        Path lengths (…, material) [m], of the type of `counts`. Counts that no lengths explain give long and
        meaningless ones, but numbers.

    Raises
    ------
    ShapeError
        If bins do not match or are fewer than the materials.
    UnitError
        If a count is NaN or infinite.
    """
    n_materials, n_bins = energies.mu.shape[0], energies.weights.shape[1]
    if counts.shape[-1:] != (n_bins,) or n_bins < n_materials:
        raise ShapeError(
            f"{n_materials} materials need as many bins or more, and counts (…, bin) {n_bins} of them, "
            f"got shape {counts.shape}"
        )
    xp = namespace(counts)
    if not bool(xp.isfinite(counts).all()):
        raise UnitError("counts must be finite numbers; a NaN here is a NaN in the data")
    rays = counts.reshape(-1, n_bins)
    scale = 1.0 if n_bins > n_materials else 1e6 / float(energies.weights.sum())  # only then is 0.5 a count
    lengths = xp.empty((rays.shape[0], n_materials), counts.dtype)
    sums = EnergySum(energies.mu, energies.weights * scale)
    for first in range(0, rays.shape[0], RAYS):
        part = slice(first, first + RAYS)
        lengths[part] = _most_likely(xp.ascontiguousarray(rays[part].T, xp.float64) * scale, sums).T
    return lengths.reshape(*counts.shape[:-1], n_materials)


def cramer_rao_bound(lengths: Array, energies: EnergySum) -> Array:
    """Return the smallest covariance of unbiased estimates of path lengths from Poisson counts.

    Parameters
    ----------
    lengths
        True path lengths (…, material) [m].
    energies
        As for `decompose`.

    Returns
    -------
        Covariance (…, material, material) [m²], the inverse of the Fisher information.

    References
    ----------
    E. Roessl and C. Herrmann, "Cramér–Rao lower bound of basis image noise in multiple-energy x-ray imaging",
    Phys. Med. Biol. 54 (2009).
    """
    xp = namespace(lengths)
    expected, slopes = _expected(lengths.reshape(-1, lengths.shape[-1]).T.astype(xp.float64), energies)
    information = xp.einsum("bmr,bnr,br->rmn", slopes, slopes, expected)
    return xp.linalg.inv(information).reshape(*lengths.shape, lengths.shape[-1])


def _expected(lengths: Array, energies: EnergySum) -> tuple[Array, Array]:
    """Return expected counts (bin, ray) and how fast their logs fall with each length (bin, material, ray) [1/m].

    Rays come last, so that sums over energies run along them: `numpy.einsum` adds in one order, BLAS may not.
    """
    xp = namespace(lengths)
    n_materials, n_bins = energies.mu.shape[0], energies.weights.shape[1]
    columns = [energies.weights, *(energies.weights * mu[:, None] for mu in energies.mu)]
    terms = xp.asarray(np.concatenate(columns, axis=1).T)
    transmitted = xp.exp(-xp.clip(xp.einsum("me,mr->er", xp.asarray(energies.mu), lengths), -30.0, 600.0))
    sums = xp.einsum("ke,er->kr", terms, transmitted).reshape(1 + n_materials, n_bins, -1)
    return sums[0], xp.moveaxis(sums[1:] / sums[0], 0, 1)


def _most_likely(counts: Array, energies: EnergySum) -> Array:
    """Return path lengths (material, ray) [m] of counts (bin, ray)."""
    xp = namespace(counts)
    positive = xp.maximum(counts, FEWEST)
    free = energies.weights.shape[1] == energies.mu.shape[0]  # the lengths can explain any counts, so also the noise
    counts = positive if free else xp.where(counts.sum(axis=0) < 1, positive, counts)
    damping = 1 + DAMPING * xp.eye(energies.mu.shape[0])
    lengths = xp.zeros((energies.mu.shape[0], counts.shape[1]))
    for iteration in range(N_ITERATIONS):
        expected, slopes = _expected(lengths, energies)
        rough = iteration < N_ROUGH
        residual = xp.log(expected / positive) if rough else 1 - counts / expected
        information = xp.einsum("bmr,bnr,br->rmn", slopes, slopes, expected)
        score = xp.einsum("bmr,br,br->rm", slopes, residual, expected)
        step = xp.linalg.solve(information * damping, score[..., None])[..., 0].T
        change = xp.abs(xp.einsum("bmr,mr->br", slopes, step)).max(axis=0)
        longest = LONGEST_ROUGH_STEP if rough else LONGEST_STEP
        lengths += step * (longest / xp.maximum(change, longest))
        if not rough and float(change.max()) < SMALLEST_STEP:
            break
    return lengths


def fractions(images: Array, basis: Float64, *, conserve: bool = False) -> Array:
    """Return how much of each basis material the voxels hold, from images of attenuation.

    Parameters
    ----------
    images
        Attenuation by spectrum (image, …) [1/m].
    basis
        Attenuation of each material as each image sees it (image, material) [1/m].
    conserve
        Whether the fractions are known to add up to 1, so that two images give three materials.

    Returns
    -------
        Fractions (material, …) [1]; with more equations than materials, those of the least squares.

    Raises
    ------
    ShapeError
        If images do not match the basis, or are too few for it.
    UnitError
        If the images cannot tell the materials apart.
    """
    n_images, n_materials = basis.shape
    if images.shape[0] != n_images or n_images + conserve < n_materials:
        raise ShapeError(
            f"{n_materials} materials need as many images, or one less if volume is conserved, got {images.shape[0]}"
        )
    if conserve:
        # the last material takes what the others leave
        images = images - _column(images, basis[:, -1])
        basis = basis[:, :-1] - basis[:, -1:]
    if np.linalg.cond(basis / np.linalg.norm(basis, axis=0)) > 1e6:
        raise UnitError("the images cannot tell these basis materials apart: they attenuate alike in all of them")
    xp = namespace(images)
    inverse = xp.asarray(np.linalg.pinv(basis), images.dtype)
    found = xp.einsum("mi,i...->m...", inverse, images)
    return xp.concatenate([found, 1 - found.sum(axis=0, keepdims=True)]) if conserve else found


def _column(images: Array, values: Float64) -> Array:
    return namespace(images).asarray(values, images.dtype).reshape(-1, *[1] * (images.ndim - 1))
