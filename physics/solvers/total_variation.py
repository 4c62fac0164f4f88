"""Total variation: images that explain the data with as little edge as can be."""

from __future__ import annotations

from math import sqrt

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.solvers.fidelities import Fidelity
from phantomsim.physics.solvers.finite_differences import GradientOperator
from phantomsim.physics.solvers.iterates import Callback, check_iterations, squared_norm
from phantomsim.physics.solvers.primal_dual import SAFETY, Term, primal_dual


def minimise_total_variation(
    operator: LinearOperator,
    fidelity: Fidelity,
    x0: Array,
    n_iterations: int,
    *,
    strength: float,
    spacing: tuple[float, ...],
    isotropic: bool = True,
    non_negative: bool = True,
    tolerance: float = 0.0,
    callback: Callback | None = None,
) -> Array:
    """Minimise ``F(A x) + α Σ |∇x|`` by the method of Chambolle and Pock, over all images or those without negatives.

    Step sizes come from ‖A‖ (by power iteration), ‖∇‖ (in closed form) and the steps of the iterates; see
    `primal_dual`.

    Parameters
    ----------
    operator
        A, real or complex, of any sign.
    fidelity
        F: how well A x explains the data.
    x0
        First iterate.
    n_iterations
        Greatest number of iterations.
    strength
        α, positive.
    spacing
        Distance of voxels along each axis; only their ratios count: differences are over the smallest.
    isotropic
        Whether |∇x| is the length of the gradient, not the sum of its components' magnitudes.
    non_negative
        Whether negative values are forbidden; real images only.
    tolerance
        Stop when an iteration moves the iterates by so much of their distance from the start.
    callback
        Sees each iterate.

    Returns
    -------
        The last iterate, of the type and on the device of `x0`.

    Raises
    ------
    ShapeError
        If `x0` is not of the operator's domain, or the spacing not of its axes.
    RecipeError
        If there is no iteration, the strength is not positive, or A maps a constant image to zero.

    References
    ----------
    L. I. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 60
    (1992), doi:10.1016/0167-2789(92)90242-F. E. Y. Sidky, J. H. Jørgensen and X. Pan, "Convex optimization problem
    prototyping for image reconstruction in computed tomography with the Chambolle–Pock algorithm", Phys. Med. Biol. 57
    (2012), doi:10.1088/0031-9155/57/10/3065.
    """
    check_iterations(n_iterations)
    if not strength > 0:
        raise RecipeError(f"strength must be positive, got {strength!r}")
    operator.domain.check(x0)
    xp = namespace(x0)
    gradient = relative_gradient(operator, spacing)

    def shrink(v: Array, sigma: float) -> Array:  # the conjugate of α|·| is 0 where |p| ≤ α, and infinite elsewhere
        return v / xp.maximum(magnitude(v, isotropic) / strength, 1)

    def allow(x: Array) -> Array:
        return xp.maximum(x, 0) if non_negative else x

    norm = SAFETY * operator.norm()
    terms = (Term(operator, norm, fidelity.proximal_conjugate), Term(gradient, gradient.norm(), shrink))
    balance = _first_balance(operator, fidelity, x0, norm)
    x = x0
    for iteration, saddle in zip(range(1, n_iterations + 1), primal_dual(terms, allow, x0, balance), strict=False):
        x = saddle.x
        if callback is not None:
            callback(iteration, x)
        if saddle.change < tolerance:
            break
    return x


def relative_gradient(operator: LinearOperator, spacing: tuple[float, ...]) -> GradientOperator:
    """Return differences between voxels of an operator's domain, over distances in units of the smallest spacing."""
    return GradientOperator(operator.domain, tuple(d / min(spacing) for d in spacing))


def magnitude(differences: Array, isotropic: bool) -> Array:
    """Return |∇x| of differences (direction, …): (1, …) if isotropic, else that of each component."""
    xp = namespace(differences)
    size = xp.abs(differences)
    return xp.sqrt(xp.sum(size * size, axis=0, keepdims=True)) if isotropic else size


def total_variation(differences: Array, isotropic: bool) -> float:
    """Return ``Σ |∇x|`` of differences (direction, …)."""
    return float(namespace(differences).sum(magnitude(differences, isotropic), dtype=np.float64))


def _first_balance(operator: LinearOperator, fidelity: Fidelity, x0: Array, norm: float) -> float:
    """Return the ratio of dual to primal distances at a first guess, half of the backprojection that fits the data."""
    guess = operator.adjoint(fidelity.measured)
    image = operator.forward(guess)
    factor = fidelity.fit(image)
    primal = squared_norm(factor / 2 * guess - x0)
    dual = squared_norm(fidelity.pull(factor / 2 * image))
    return sqrt(2 * dual / primal) * norm if primal > 0 and dual > 0 else 1.0
