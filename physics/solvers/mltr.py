"""Maximum likelihood of transmission: photon counts behind an object are Poisson."""

from __future__ import annotations

from typing import Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.solvers.iterates import Callback, check_iterations, inverse

SMALL: Final = 0.1
"""Line integral below which differences of the likelihood lose digits, and its greatest curvature is taken."""


def log_likelihood(
    counts: Array, blank: Array | float, line_integrals: Array, background: Array | float = 0.0
) -> float:
    """Return ``Σ y log ŷ − ŷ`` of counts y, where ``ŷ = blank · exp(−l) + background``, up to a constant of y."""
    xp = namespace(counts, line_integrals)
    expected = blank * xp.exp(-line_integrals.astype(np.float64)) + background
    return float(xp.sum(xp.where(counts > 0, counts * xp.log(expected), 0) - expected))


def mltr(
    operator: LinearOperator,
    counts: Array,
    blank: Array | float,
    x0: Array,
    n_iterations: int,
    *,
    background: Array | float = 0.0,
    callback: Callback | None = None,
) -> Array:
    """Maximise the likelihood of Poisson counts ``y ~ blank · exp(−A x) + background`` over images x ≥ 0.

    ``x ← [x + Aᵀ((1 − y/ŷ) t) / Aᵀ(c · A 1)]₊`` with ``t = blank · exp(−A x)`` and ``ŷ = t + background``. The original
    MLTR takes c = t, which may overshoot; here c is the least curvature of a parabola through the present point that
    stays below each ray's likelihood for every line integral ≥ 0, so that the likelihood never falls.

    Counts need no logarithm, so that rays without a photon, and readings below zero, do no harm.

    Parameters
    ----------
    operator
        A, without negative entries.
    counts
        y, of the operator's range; in any unit, if blank and background are in the same.
    blank
        Expected counts without an object: a number, or an array that broadcasts against `counts`.
    x0
        First iterate, not negative.
    n_iterations
        Number of iterations.
    background
        Expected counts of scatter, not negative: a number, or an array that broadcasts against `counts`.
    callback
        Sees each iterate.

    Returns
    -------
        The last iterate, of the type and on the device of `x0`.

    Raises
    ------
    ShapeError
        If `counts` or `x0` are not of the operator's spaces.
    RecipeError
        If there is no iteration, blank is not positive, the operator, the background or `x0` has negative values.

    References
    ----------
    J. Nuyts, B. De Man, P. Dupont, M. Defrise, P. Suetens and L. Mortelmans, "Iterative reconstruction for helical CT:
    a simulation study", Phys. Med. Biol. 43 (1998), 729–737. H. Erdoğan and J. A. Fessler, "Monotonic algorithms for
    transmission tomography", IEEE Trans. Med. Imaging 18 (1999), 801–814.
    """
    check_iterations(n_iterations)
    operator.range.check(counts)
    xp = namespace(counts, x0)
    blank, background = (xp.asarray(value, counts.dtype) for value in (blank, background))
    if not bool(xp.all(blank > 0)) or not bool(xp.all(background >= 0)) or not bool(xp.all(x0 >= 0)):
        raise RecipeError("mltr needs positive blank counts, and a background and a first image that are not negative")
    rows = operator.forward(xp.ones_like(x0))
    y = xp.maximum(counts, 0)
    x = x0.copy()
    for iteration in range(1, n_iterations + 1):
        line_integrals = operator.forward(x)
        transmitted = blank * xp.exp(-line_integrals)
        slope, curvature = _parabola(y, blank, background, line_integrals, transmitted)
        x += inverse(operator.adjoint(curvature * rows)) * operator.adjoint(slope)
        xp.maximum(x, 0, out=x)
        if callback is not None:
            callback(iteration, x)
    return x


def _parabola(
    y: Array, blank: Array, background: Array, line_integrals: Array, transmitted: Array
) -> tuple[Array, Array]:
    """Return −h'(l) and c = 2 (h(0) − h(l) + l h'(l)) / l², at least 0, of h(l) = ŷ − y log ŷ; for small l h''(0)."""
    xp = namespace(y)
    expected, bright = transmitted + background, blank + background
    seen = expected > 0  # else all photons are lost below the smallest number, and ŷ is still the transmitted ones
    share = xp.where(seen, transmitted, 1) / xp.where(seen, expected, 1)
    slope = transmitted - y * share
    l = xp.maximum(line_integrals, SMALL)  # noqa: E741
    rise = blank - transmitted - y * xp.log(bright / xp.where(seen, expected, bright)) - l * slope
    greatest = xp.maximum((1 - y * background / bright**2) * blank, 0)
    return slope, xp.where(line_integrals < SMALL, greatest, xp.clip(2 * rise / l**2, 0, greatest))
