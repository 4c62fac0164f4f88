"""Maximum likelihood of emission: counts of decays are Poisson, their mean is linear in the activity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.solvers.iterates import Callback, check_iterations, inverse
from phantomsim.physics.solvers.subsets import Subset, parts


def log_likelihood(counts: Array, expected: Array) -> float:
    """Return ``Σ y log ŷ − ŷ`` of counts y, up to a constant of y; minus infinity where a count has no source."""
    xp = namespace(counts, expected)
    expected = expected.astype(np.float64)
    if bool(((counts > 0) & (expected <= 0)).any()):
        return -np.inf
    seen = counts > 0
    return float(xp.sum(xp.where(seen, counts * xp.log(xp.where(seen, expected, 1)), 0) - expected))


def osem(
    subsets: Sequence[Subset],
    counts: Array,
    x0: Array,
    n_iterations: int,
    *,
    factors: Array | float = 1.0,
    background: Array | float = 0.0,
    callback: Callback | None = None,
) -> Array:
    """Maximise the likelihood of Poisson counts ``y ~ f · A x + b`` over images x ≥ 0, subset after subset.

    ``x ← x · A_sᵀ(f y / ŷ) / A_sᵀ f`` with ``ŷ = f · A x + b``. With one subset this is MLEM, whose likelihood never
    falls, and which keeps the number of counts where b = 0; with more it is faster, and ends in a cycle about the
    likeliest image.

    Parameters
    ----------
    subsets
        Parts of the system A, in the order of their use; their operators have no negative entries.
    counts
        y, the whole of it; negative values (after corrections) are taken for 0.
    x0
        First iterate; what is 0 there stays 0.
    n_iterations
        Number of passes over all subsets.
    factors
        f, attenuation times normalisation: a number or an array of the data's shape, not negative.
    background
        b, expected counts of scatter and randoms: a number or an array of the data's shape, not negative.
    callback
        Sees the iterate after each pass.

    Returns
    -------
        The last iterate, of the type and on the device of `x0`; 0 where no data sees the image.

    Raises
    ------
    ShapeError
        If `counts` or `x0` do not fit the subsets.
    RecipeError
        If there is no iteration, or an operator, factors, background or `x0` have negative values.

    References
    ----------
    L. A. Shepp and Y. Vardi, "Maximum likelihood reconstruction for emission tomography", IEEE Trans. Med. Imaging 1
    (1982), doi:10.1109/TMI.1982.4307558. H. M. Hudson and R. S. Larkin, "Accelerated image reconstruction using ordered
    subsets of projection data", IEEE Trans. Med. Imaging 13 (1994), doi:10.1109/42.363108.
    """
    check_iterations(n_iterations)
    xp = namespace(counts, x0)
    factors, background = (xp.broadcast_to(xp.asarray(v, x0.dtype), counts.shape) for v in (factors, background))
    if not all(bool((values >= 0).all()) for values in (factors, background, x0)):
        raise RecipeError("osem needs factors, a background and a first image that are not negative")
    systems = list(
        zip(subsets, parts(subsets, counts), parts(subsets, factors), parts(subsets, background), strict=True)
    )
    sensitivities = [inverse(subset.operator.adjoint(xp.ascontiguousarray(f))) for subset, _, f, _ in systems]
    x = x0.copy()
    for iteration in range(1, n_iterations + 1):
        for (subset, y, f, b), sensitivity in zip(systems, sensitivities, strict=True):
            expected = f * subset.operator.forward(x) + b
            seen = expected > 0
            ratio = xp.where(seen, xp.maximum(y, 0), 0) / xp.where(seen, expected, 1)
            x *= subset.operator.adjoint((f * ratio).astype(x.dtype)) * sensitivity
        if callback is not None:
            callback(iteration, x)
    return x
