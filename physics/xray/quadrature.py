"""Few energies that stand for a whole spectrum.

Behind any object a sum over the 1 keV bins of a spectrum is one smooth function of the path lengths, and a dozen of its
own terms with other weights reproduce it. They are found by matching pursuit on a set of paths through the materials
at hand; nothing is assumed of the materials, so K edges come out right. Products are by `numpy.einsum`: BLAS may add in
another order on another number of threads, and the nodes decide the bits of every reading.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.xray.transmission import EnergySum

Float64 = npt.NDArray[np.float64]

DEPTH: Final = 16.0
"""Greatest −log of the transmission for which nodes are fitted: one photon in ten million comes through."""
N_PATHS: Final = 500
N_PROOFS: Final = 2000
N_ROUNDS: Final = 8


def few_energies(energies: EnergySum, tolerance: float = 1e-4) -> EnergySum:
    """Return an equivalent sum over few of the energies.

    Energies are added one at a time, the one that correlates best with what is missing first, and all weights are
    refitted, not below 0, so that the result is again a spectrum. Fitted on `N_PATHS` random paths, the sums are
    proven on `N_PROOFS` others; the worst of those join the fit until all are within `tolerance`.

    Parameters
    ----------
    energies
        Sum over all energies; weights must not be negative.
    tolerance
        Greatest relative error of any moment, up to a depth of `DEPTH`.

    Returns
    -------
        Sum over 10 to 30 energies for common spectra; all of them if no fewer keep the tolerance.

    References
    ----------
    A. M. Bruckstein, M. Elad, M. Zibulevsky, "On the uniqueness of nonnegative sparse solutions to underdetermined
    systems of equations", IEEE Trans. Inf. Theory 54 (2008), doi:10.1109/TIT.2008.929920.
    """
    totals = energies.weights.sum(axis=0)
    shares = (energies.weights / totals).astype(np.float32)  # so that beams of one shape and any strength share a fit
    few = _fitted(energies.mu.shape, shares.shape, energies.mu.tobytes(), shares.tobytes(), tolerance)
    return energies if few is None else EnergySum(few.mu, few.weights * totals)


@lru_cache(maxsize=64)
def _fitted(
    mu_shape: tuple[int, int], shares_shape: tuple[int, int], mu_bytes: bytes, shares_bytes: bytes, tolerance: float
) -> EnergySum | None:
    mu = np.frombuffer(mu_bytes).reshape(mu_shape)
    shares = np.frombuffer(shares_bytes, np.float32).reshape(shares_shape).astype(np.float64)
    used = np.flatnonzero(shares.max(axis=1) > 1e-9)
    terms = np.exp(-_product(_paths(mu, shares[:, 0], N_PATHS + N_PROOFS), mu))
    exact = _product(terms, shares)
    chosen, proofs = list(range(N_PATHS)), np.arange(N_PATHS, N_PATHS + N_PROOFS)
    for _ in range(N_ROUNDS):
        columns, factors = _pursue(terms[chosen][:, used], exact[chosen], tolerance / 2)
        nodes = used[columns]
        error = np.abs(_product(terms[:, nodes], factors) / exact - 1).max(axis=1)[proofs]
        if error.max() <= tolerance:
            order = [i for i in np.argsort(nodes) if factors[i].any()]
            return EnergySum(mu[:, nodes[order]], factors[order])
        chosen.extend(proofs[np.argsort(error)[-50:]].tolist())
    return None


def _pursue(terms: Float64, targets: Float64, tolerance: float) -> tuple[npt.NDArray[np.int64], Float64]:
    """Return the terms (node) and their factors (node, moment) that add up to `targets` (path, moment).

    Terms can be so much alike that the fit of their factors does not come to an end; the last one is then left out.
    """
    relative = [terms / target[:, None] for target in targets.T]
    lengths = [np.sqrt((columns**2).sum(axis=0)) for columns in relative]
    ones = np.ones(terms.shape[0])
    residuals = [ones] * len(relative)
    chosen: list[int] = []
    tried: list[int] = []
    factors = np.zeros((0, len(relative)))
    while True:
        score = np.zeros(terms.shape[1])
        for columns, length, residual in zip(relative, lengths, residuals, strict=True):
            score += np.einsum("pe,p->e", columns, residual) / length / np.sqrt((residual**2).sum())
        score[tried] = -np.inf
        tried.append(int(np.argmax(score)))
        refitted = _refitted([columns[:, [*chosen, tried[-1]]] for columns in relative])
        if refitted is not None:
            chosen.append(tried[-1])
            factors = refitted
            residuals = [ones - _product(columns[:, chosen], f) for columns, f in zip(relative, factors.T, strict=True)]
        if max(float(np.abs(r).max()) for r in residuals) <= tolerance or len(tried) == terms.shape[1]:
            return np.array(chosen, np.int64), factors


def _refitted(relative: list[Float64]) -> Float64 | None:
    """Return the factors (node, moment), not below 0, whose sums are nearest to 1, or None if they are not found."""
    try:
        return np.stack([nnls(columns, np.ones(len(columns)))[0] for columns in relative], axis=1)
    except RuntimeError:  # "Maximum number of iterations reached": it goes round in a circle
        return None


def _product(matrix: Float64, other: Float64) -> Float64:
    """Return ``matrix @ other``, added up in one order."""
    product: Float64 = np.einsum("ij,j...->i...", matrix, other)
    return product


def _paths(mu: Float64, shares: Float64, n_paths: int) -> Float64:
    """Return path lengths (path, material) [m] with depths up to `DEPTH`, most of them in few materials at once.

    A material that is no denser than what fills the air scan has no depth: alone, its paths keep the length 0.
    """
    n_materials = mu.shape[0]
    draws = uniform(Key(0).fold("few energies"), (n_paths, n_materials + 1), dtype=np.float64)
    strength = _product(np.abs(mu), shares)
    mixture = (-np.log(draws[:, :-1])) ** 2.5 * np.divide(1, strength, out=np.zeros(n_materials), where=strength > 0)
    mixture[:n_materials] *= np.eye(n_materials)  # the first paths are pure
    depth = DEPTH * draws[:, -1] ** 1.5
    # −log T is concave in the scale of a path: Newton's iteration rises from 0 towards the depth and never passes it
    scale = np.zeros(n_paths)
    exponents = _product(mixture, mu)
    for _ in range(8):
        transmitted = shares * np.exp(-scale[:, None] * exponents)
        total, slope = transmitted.sum(axis=1), (transmitted * exponents).sum(axis=1)
        scale += np.divide((depth + np.log(total)) * total, slope, out=np.zeros(n_paths), where=slope > 0)
    paths: Float64 = mixture * scale[:, None]
    return paths
