"""What all solvers share: the hook that sees every iterate, and inner products that hold long sums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError

Callback = Callable[[int, Array], None]
"""Called after each iteration with its number, from 1 on, and the iterate, which it must not change."""


def squared_norm(x: Array) -> float:
    """Return ‖x‖² of a real or complex array.

    numpy adds in pairs, in an order of its own, and in float64 here; BLAS would add in an order that depends on the
    number of threads.
    """
    xp = namespace(x)
    return float(xp.sum(xp.square(xp.abs(x)), dtype=np.float64))


def check_iterations(n_iterations: int) -> None:
    """Raise `RecipeError` if there is no iteration to do."""
    if n_iterations < 1:
        raise RecipeError(f"n_iterations must be at least 1, got {n_iterations!r}")


def check_positive(name: str, value: float) -> None:
    """Raise `RecipeError` if a parameter is not positive and finite."""
    if not 0 < value < np.inf:
        raise RecipeError(f"{name} must be positive, got {value!r}")


def inverse(sums: Array) -> Array:
    """Return 1 / sums, and 0 where a sum is zero.

    Raises
    ------
    RecipeError
        If a sum is negative or not finite: the operator, or the weights, then have entries that this method forbids.
    """
    xp = namespace(sums)
    if not bool(xp.all((sums >= 0) & xp.isfinite(sums))):
        raise RecipeError("this solver needs an operator, and weights, without negative or infinite entries")
    seen = sums > 0
    return xp.where(seen, 1, 0).astype(sums.dtype) / xp.where(seen, sums, 1)
