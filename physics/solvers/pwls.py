"""Penalised weighted least squares by separable quadratic surrogates, with ordered subsets and momentum."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import Final

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.solvers.iterates import Callback, check_iterations, inverse
from phantomsim.physics.solvers.roughness import Roughness
from phantomsim.physics.solvers.subsets import Subset, parts

LONGEST: Final = 8.0
"""Bound on Nesterov's t with several subsets: extrapolation remembers about as many steps, and errors don't pile up."""


def pwls(
    subsets: Sequence[Subset],
    data: Array,
    weights: Array,
    x0: Array,
    n_iterations: int,
    *,
    strength: float,
    roughness: Roughness,
    momentum: bool = True,
    non_negative: bool = True,
    callback: Callback | None = None,
) -> Array:
    """Minimise ``½ ‖A x − b‖²_W + β R(x)``.

    A parabola with the diagonal ``D = Aᵀ W A 1 + β D_R`` lies above the objective and touches it in any point, so that
    ``x ← [x − D⁻¹ ∇(x)]₊`` never raises it. With M subsets the gradient of the data is taken as M times that of one;
    with momentum each step starts from where Nesterov's extrapolation leads. Without momentum and with one subset the
    objective falls in every iteration; with momentum it may ripple, and falls as 1/n² instead of 1/n; with M subsets
    early iterations do as much as M, and late ones end in a cycle close to the solution, the closer the more views each
    subset has; there momentum is bounded, as otherwise it would make many small subsets diverge.

    Parameters
    ----------
    subsets
        Parts of the system, in the order of their use; their operators have no negative entries.
    data
        b, the whole of it.
    weights
        Diagonal of W, of the shape of `data`: inverse variances, up to a factor.
    x0
        First iterate.
    n_iterations
        Number of passes over all subsets.
    strength
        β, not negative.
    roughness
        R.
    momentum
        Whether steps are extrapolated.
    non_negative
        Whether values are kept from falling below zero.
    callback
        Sees the iterate after each pass.

    Returns
    -------
        The last iterate, of the type and on the device of `x0`.

    Raises
    ------
    ShapeError
        If data, weights or `x0` do not fit the subsets.
    RecipeError
        If there is no iteration, or the strength, a weight or an entry of an operator is negative.

    References
    ----------
    H. Erdoğan and J. A. Fessler, "Ordered subsets algorithms for transmission tomography", Phys. Med. Biol. 44 (1999),
    doi:10.1088/0031-9155/44/11/311. D. Kim, S. Ramani and J. A. Fessler, "Combining ordered subsets and momentum for
    accelerated X-ray CT image reconstruction", IEEE Trans. Med. Imaging 34 (2015), doi:10.1109/TMI.2014.2350962.
    """
    check_iterations(n_iterations)
    if not strength >= 0:
        raise RecipeError(f"strength must not be negative, got {strength!r}")
    if weights.shape != data.shape:
        raise ShapeError(f"weights must have the shape of the data {data.shape}, got {weights.shape}")
    xp, real = namespace(data, weights, x0), x0.dtype.type
    system = list(zip(subsets, parts(subsets, data), parts(subsets, weights), strict=True))
    if not bool(xp.all(weights >= 0)):
        raise RecipeError("weights must not be negative")
    diagonal = real(strength) * roughness.curvature(x0)
    for subset, _, part in system:
        diagonal += subset.operator.adjoint(part * subset.operator.forward(xp.ones_like(x0)))
    steps, longest = inverse(diagonal), inf if len(system) == 1 else LONGEST
    x, point, t = x0, x0, 1.0
    for iteration in range(1, n_iterations + 1):
        for subset, measured, part in system:
            residual = subset.operator.forward(point) - measured
            gradient = real(len(system)) * subset.operator.adjoint(part * residual)
            gradient += real(strength) * roughness.gradient(point)
            previous, x = x, point - steps * gradient
            if non_negative:
                xp.maximum(x, 0, out=x)
            next_t = min((1 + sqrt(1 + 4 * t * t)) / 2, longest) if momentum else 1.0
            point = x + real((t - 1) / next_t) * (x - previous) if momentum else x
            t = next_t
        if callback is not None:
            callback(iteration, x)
    return x
