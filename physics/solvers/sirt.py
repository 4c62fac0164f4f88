"""The simultaneous iterative reconstruction technique, in the scaling of SART."""

from __future__ import annotations

from phantomsim.physics.array import Array
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.solvers.iterates import Callback
from phantomsim.physics.solvers.os_sart import os_sart
from phantomsim.physics.solvers.subsets import whole


def sirt(
    operator: LinearOperator,
    data: Array,
    x0: Array,
    n_iterations: int,
    *,
    relaxation: float = 1.0,
    non_negative: bool = False,
    callback: Callback | None = None,
) -> Array:
    """Minimise ``‖A x − b‖²_R`` by ``x ← x + λ C Aᵀ R (b − A x)``.

    R holds the inverse sums of the rows of A and C those of its columns, so that all eigenvalues of C Aᵀ R A lie in
    0…1 and the objective falls with every iteration for any 0 < λ < 2. Rays that meet no voxel count for nothing.

    Parameters
    ----------
    operator
        A, without negative entries.
    data
        b, of the operator's range.
    x0
        First iterate, of its domain.
    n_iterations
        Number of iterations; stopping early regularises.
    relaxation
        λ, in (0, 2).
    non_negative
        Whether negative values are set to zero after each iteration.
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
        If there is no iteration, λ is out of range or the operator has negative entries.

    References
    ----------
    P. Gilbert, "Iterative methods for the three-dimensional reconstruction of an object from projections", J. Theor.
    Biol. 36 (1972), doi:10.1016/0022-5193(72)90180-4; scaled as in A. H. Andersen and A. C. Kak, Ultrason. Imaging 6
    (1984), doi:10.1016/0161-7346(84)90008-7.
    """
    return os_sart(
        whole(operator),
        data,
        x0,
        n_iterations,
        relaxation=relaxation,
        non_negative=non_negative,
        callback=callback,
    )
