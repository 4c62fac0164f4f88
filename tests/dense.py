"""A small matrix as a linear operator, for tests of solvers against direct solutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.solvers.subsets import Subset


class Dense(LinearOperator):
    """Multiply an image of some shape by a matrix (row, column), real or complex."""

    def __init__(self, matrix: np.ndarray[Any, Any], shape: tuple[int, ...] | None = None) -> None:
        self.matrix = matrix
        shape = shape or (matrix.shape[1],)
        self.domain = Space(shape, tuple(f"axis {n}" for n in range(len(shape))), str(matrix.dtype))
        self.range = Space((matrix.shape[0],), ("row",), str(matrix.dtype))

    def forward(self, x: Array) -> Array:
        self.domain.check(x)
        return self.matrix @ x.ravel()

    def adjoint(self, y: Array) -> Array:
        self.range.check(y)
        return (self.matrix.conj().T @ y).reshape(self.domain.shape)


def interleaved(matrix: np.ndarray[Any, Any], n_subsets: int) -> list[Subset]:
    """Return every n-th row of a matrix as a subset."""
    return [Subset(Dense(matrix[k::n_subsets]), slice(k, None, n_subsets)) for k in range(n_subsets)]


def positive_system(n_rows: int, n_columns: int, seed: int = 0) -> tuple[Dense, Any, Any]:
    """Return an operator with entries in 0…1, a third of them zero, an image in 0…1 and data that contradict it."""
    rng = np.random.default_rng(seed)
    matrix = np.maximum(rng.random((n_rows, n_columns)) - 1 / 3, 0)
    x = rng.random(n_columns)
    return Dense(matrix), x, matrix @ x + 0.1 * rng.standard_normal(n_rows)
