"""Ordered subsets: parts of the data, each with the operator that gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from phantomsim.physics.array import Array
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.operator import LinearOperator


@dataclass(frozen=True)
class Subset:
    """Part of a system of equations.

    Parameters
    ----------
    operator
        Gives this part of the data, from the whole image.
    selection
        Index of this part within the whole data: ``data[selection]`` is of the operator's range.
    """

    operator: LinearOperator
    selection: Any


def whole(operator: LinearOperator) -> tuple[Subset, ...]:
    """Return the one subset that holds all data of an operator."""
    return (Subset(operator, ...),)


def parts(subsets: Sequence[Subset], values: Array) -> list[Array]:
    """Return the part of an array of the whole data that belongs to each subset.

    Raises
    ------
    ShapeError
        If there is no subset, one does not fit, or together they hold more or less than the data.
    """
    if not subsets:
        raise ShapeError("a solver needs at least one subset")
    found = [values[subset.selection] for subset in subsets]
    for subset, part in zip(subsets, found, strict=True):
        subset.operator.range.check(part)
    if (size := sum(part.size for part in found)) != values.size:
        raise ShapeError(f"the subsets hold {size} values, the data {values.size}")
    return found
