"""The simultaneous algebraic reconstruction technique over ordered subsets."""

from __future__ import annotations

from collections.abc import Sequence

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.solvers.iterates import Callback, check_iterations, inverse
from phantomsim.physics.solvers.subsets import Subset, parts


def os_sart(
    subsets: Sequence[Subset],
    data: Array,
    x0: Array,
    n_iterations: int,
    *,
    relaxation: float = 1.0,
    non_negative: bool = False,
    callback: Callback | None = None,
) -> Array:
    """Solve ``A x = b`` by ``x ← x + λ C_s A_sᵀ R_s (b_s − A_s x)``, subset after subset.

    R_s holds the inverse sums of the rows of A_s and C_s those of its columns. With one subset this is SART, or SIRT;
    with one view to a subset, the original order of Andersen and Kak. Where the equations contradict each other, more
    than one subset end in a cycle about the solution, the smaller the smaller λ.

    Parameters
    ----------
    subsets
        Parts of the system, in the order of their use; their operators have no negative entries.
    data
        b, the whole of it.
    x0
        First iterate.
    n_iterations
        Number of passes over all subsets.
    relaxation
        λ, in (0, 2).
    non_negative
        Whether negative values are set to zero after each step.
    callback
        Sees the iterate after each pass.

    Returns
    -------
        The last iterate, of the type and on the device of `x0`.

    Raises
    ------
    ShapeError
        If `data` or `x0` do not fit the subsets.
    RecipeError
        If there is no iteration, λ is out of range or an operator has negative entries.

    References
    ----------
    A. H. Andersen and A. C. Kak, "Simultaneous algebraic reconstruction technique (SART): a superior implementation of
    the ART algorithm", Ultrason. Imaging 6 (1984), doi:10.1016/0161-7346(84)90008-7. G. Wang and M. Jiang,
    "Ordered-subset simultaneous algebraic reconstruction techniques (OS-SART)", J. X-Ray Sci. Technol. 12 (2004).
    """
    check_iterations(n_iterations)
    if not 0 < relaxation < 2:
        raise RecipeError(f"relaxation must lie between 0 and 2, got {relaxation!r}")
    measured = parts(subsets, data)
    xp = namespace(data, x0)
    scales = []
    for subset, part in zip(subsets, measured, strict=True):
        rows = inverse(subset.operator.forward(xp.ones_like(x0)))
        columns = inverse(subset.operator.adjoint(xp.ones_like(part)))
        scales.append((rows, columns * columns.dtype.type(relaxation)))
    x = x0.copy()
    for iteration in range(1, n_iterations + 1):
        for subset, part, (rows, columns) in zip(subsets, measured, scales, strict=True):
            x += columns * subset.operator.adjoint(rows * (part - subset.operator.forward(x)))
            if non_negative:
                xp.maximum(x, 0, out=x)
        if callback is not None:
            callback(iteration, x)
    return x
