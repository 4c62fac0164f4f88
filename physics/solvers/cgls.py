"""Conjugate gradients for least squares."""

from __future__ import annotations

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.solvers.iterates import Callback, check_iterations, squared_norm


def cgls(
    operator: LinearOperator,
    data: Array,
    x0: Array,
    n_iterations: int,
    *,
    damping: float = 0.0,
    tolerance: float = 0.0,
    callback: Callback | None = None,
) -> Array:
    """Minimise ``‖A x − b‖² + damping² ‖x − x0‖²`` by conjugate gradients on the normal equations.

    Without rounding it ends after as many steps as A has distinct singular values. Each iterate has the least residual
    of its Krylov space, so that the residual never rises; without damping, stopping early regularises.

    Parameters
    ----------
    operator
        A, real or complex.
    data
        b, of the operator's range.
    x0
        First iterate, of its domain.
    n_iterations
        Greatest number of iterations.
    damping
        Tikhonov's parameter.
    tolerance
        Stop when the gradient is so much smaller than at `x0`.
    callback
        Sees each iterate.

    Returns
    -------
        The last iterate, of the type and on the device of `x0`.

    Raises
    ------
    ShapeError
        If `data` or `x0` are not of the operator's spaces.
    RecipeError
        If there is no iteration, or damping or tolerance are negative.

    References
    ----------
    M. R. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems", J. Res. Natl. Bur.
    Stand. 49 (1952), section 10, doi:10.6028/jres.049.044. C. C. Paige and M. A. Saunders, "LSQR: an algorithm for
    sparse linear equations and sparse least squares", ACM Trans. Math. Softw. 8 (1982), section 7.1,
    doi:10.1145/355984.355989.
    """
    check_iterations(n_iterations)
    if damping < 0 or tolerance < 0:
        raise RecipeError(f"damping and tolerance must not be negative, got {damping!r} and {tolerance!r}")
    operator.range.check(data)
    namespace(data, x0)
    real = x0.real.dtype.type
    x = x0.copy()
    residual = data - operator.forward(x)
    gradient = operator.adjoint(residual)
    direction = gradient.copy()
    first = size = squared_norm(gradient)
    for iteration in range(1, n_iterations + 1):
        if size <= tolerance**2 * first:
            break
        image = operator.forward(direction)
        curvature = squared_norm(image) + damping**2 * squared_norm(direction)
        step = real(size / curvature)
        x += step * direction
        residual -= step * image
        gradient = operator.adjoint(residual) - real(damping**2) * (x - x0)
        previous, size = size, squared_norm(gradient)
        direction = gradient + real(size / previous) * direction
        if callback is not None:
            callback(iteration, x)
    return x
