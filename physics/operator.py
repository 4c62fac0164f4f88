"""Linear operators: what a reconstructor sees of a scanner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError


@dataclass(frozen=True)
class Space:
    """Shape, axis names and dtype of the arrays on one side of an operator."""

    shape: tuple[int, ...]
    dims: tuple[str, ...]
    dtype: str = "float32"

    def check(self, x: Array) -> None:
        """Raise `ShapeError` if an array is not of this space."""
        if tuple(x.shape) != self.shape:
            raise ShapeError(
                f"expected {dict(zip(self.dims, self.shape, strict=True))}, got an array of shape {tuple(x.shape)}"
            )


class LinearOperator(ABC):
    """A linear map with its exact adjoint.

    Attributes
    ----------
    domain, range
        Spaces of the arrays that `forward` takes and gives.
    """

    domain: Space
    range: Space

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Apply the operator to an array of `domain`."""

    @abstractmethod
    def adjoint(self, y: Array) -> Array:
        """Apply the adjoint to an array of `range`."""

    @property
    def H(self) -> LinearOperator:  # noqa: N802 (the field's symbol)
        """The adjoint as an operator."""
        return _Adjoint(self)

    def __call__(self, x: Array) -> Array:
        """Apply the operator."""
        return self.forward(x)

    def __matmul__(self, other: LinearOperator) -> LinearOperator:
        """Compose: ``(A @ B)(x) = A(B(x))``."""
        return _Composition(self, other)

    def __add__(self, other: LinearOperator) -> LinearOperator:
        """Add: ``(A + B)(x) = A(x) + B(x)``."""
        return _Sum(self, other)

    def norm(self, n_iterations: int = 30) -> float:
        """Return the largest singular value, by power iteration from a constant array."""
        x = np.ones(self.domain.shape, self.domain.dtype)
        value = 0.0
        for _ in range(n_iterations):
            x = x / _length(x)
            x = self.adjoint(self.forward(x))
            value = _length(x)
            if value == 0.0:
                return 0.0
        return sqrt(value)


def _length(x: Array) -> float:
    """Return ‖x‖ with the same bits for any number of threads, which BLAS, and so ``linalg.norm``, does not promise."""
    xp = namespace(x)
    return sqrt(float(xp.sum(xp.square(xp.abs(x)), dtype=np.float64)))


class _Adjoint(LinearOperator):
    def __init__(self, inner: LinearOperator) -> None:
        self.inner, self.domain, self.range = inner, inner.range, inner.domain

    def forward(self, x: Array) -> Array:
        return self.inner.adjoint(x)

    def adjoint(self, y: Array) -> Array:
        return self.inner.forward(y)

    @property
    def H(self) -> LinearOperator:  # noqa: N802
        return self.inner


class _Composition(LinearOperator):
    def __init__(self, outer: LinearOperator, inner: LinearOperator) -> None:
        if outer.domain.shape != inner.range.shape:
            raise ShapeError(
                f"cannot compose: the inner operator gives {inner.range}, the outer one takes {outer.domain}"
            )
        self.outer, self.inner, self.domain, self.range = outer, inner, inner.domain, outer.range

    def forward(self, x: Array) -> Array:
        return self.outer.forward(self.inner.forward(x))

    def adjoint(self, y: Array) -> Array:
        return self.inner.adjoint(self.outer.adjoint(y))


class _Sum(LinearOperator):
    def __init__(self, first: LinearOperator, second: LinearOperator) -> None:
        if first.domain.shape != second.domain.shape or first.range.shape != second.range.shape:
            raise ShapeError(
                f"cannot add operators from {first.domain} to {first.range} and {second.domain} to {second.range}"
            )
        self.first, self.second, self.domain, self.range = first, second, first.domain, first.range

    def forward(self, x: Array) -> Array:
        return self.first.forward(x) + self.second.forward(x)

    def adjoint(self, y: Array) -> Array:
        return self.first.adjoint(y) + self.second.adjoint(y)
