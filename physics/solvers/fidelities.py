"""How well an image explains the data, as convex functions that a primal-dual method can take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError


class Fidelity(ABC):
    """A convex function F(u) of predicted data u."""

    @abstractmethod
    def value(self, u: Array) -> float:
        """Return F(u)."""

    @property
    @abstractmethod
    def measured(self) -> Array:
        """The data."""

    @abstractmethod
    def fit(self, u: Array) -> float:
        """Return the factor c for which c u explains the data best, or so; 0 if none does."""

    @abstractmethod
    def pull(self, u: Array) -> Array:
        """Return the gradient of F at u."""

    @abstractmethod
    def proximal_conjugate(self, v: Array, sigma: float) -> Array:
        """Return ``argmin_p F*(p) + ‖p − v‖² / (2 σ)``, where F* is the convex conjugate."""


@dataclass(frozen=True, eq=False)
class WeightedLeastSquares(Fidelity):
    """``F(u) = ½ Σ w |u − b|²``.

    Parameters
    ----------
    data
        b.
    weights
        w, not negative: a number, or an array that broadcasts against the data.

    Raises
    ------
    RecipeError
        If a weight is negative.
    """

    data: Array
    weights: Array | float = 1.0

    def __post_init__(self) -> None:
        xp = namespace(self.data, self.weights)
        if not bool(xp.all(xp.asarray(self.weights) >= 0)):
            raise RecipeError("weights must not be negative")

    def value(self, u: Array) -> float:
        """Return F(u)."""
        xp = namespace(u, self.data)
        return float(xp.sum(self.weights * xp.square(xp.abs(u - self.data)), dtype=np.float64)) / 2

    @property
    def measured(self) -> Array:
        """The data."""
        return self.data

    def fit(self, u: Array) -> float:
        """Return ``<u, w b> / <u, w u>``."""
        xp = namespace(u, self.data)
        along = xp.sum((self.weights * u.conj() * self.data).real, dtype=np.float64)
        size = xp.sum(self.weights * xp.square(xp.abs(u)), dtype=np.float64)
        return float(along / size) if size > 0 else 0.0

    def pull(self, u: Array) -> Array:
        """Return the gradient of F at u."""
        return self.weights * (u - self.data)

    def proximal_conjugate(self, v: Array, sigma: float) -> Array:
        """Return ``w (v − σ b) / (w + σ)``."""
        return (v - sigma * self.data) * (self.weights / (self.weights + sigma))


@dataclass(frozen=True, eq=False)
class KullbackLeibler(Fidelity):
    """``F(u) = Σ (u + r) − y − y log((u + r) / y)`` for u ≥ −r: Poisson counts y of emission.

    Parameters
    ----------
    counts
        y, not negative.
    background
        r, expected counts that the image does not explain, not negative: a number, or an array that broadcasts.

    Raises
    ------
    RecipeError
        If counts or background are negative.
    """

    counts: Array
    background: Array | float = 0.0

    def __post_init__(self) -> None:
        xp = namespace(self.counts, self.background)
        if not bool(xp.all(self.counts >= 0)) or not bool(xp.all(xp.asarray(self.background) >= 0)):
            raise RecipeError("counts and background must not be negative")

    def value(self, u: Array) -> float:
        """Return F(u), infinite where counts meet no expectation."""
        xp = namespace(u, self.counts)
        expected, y = (u + self.background).astype(np.float64), self.counts
        if bool(xp.any((expected < 0) | ((expected == 0) & (y > 0)))):
            return np.inf
        ratio = xp.where(y > 0, expected, 1) / xp.where(y > 0, y, 1)
        return float(xp.sum(expected - y - y * xp.log(ratio)))

    @property
    def measured(self) -> Array:
        """The counts."""
        return self.counts

    def fit(self, u: Array) -> float:
        """Return the factor that gives as many counts as there are beyond the background."""
        xp = namespace(u, self.counts)
        net, total = (xp.sum(v, dtype=np.float64) for v in (xp.maximum(self.counts - self.background, 0), u))
        return float(net / total) if total > 0 else 0.0

    def pull(self, u: Array) -> Array:
        """Return the gradient of F at u, and 0 where nothing is expected."""
        xp = namespace(u, self.counts)
        expected = u + self.background
        seen = expected > 0
        return xp.where(seen, 1 - self.counts / xp.where(seen, expected, 1), 0)

    def proximal_conjugate(self, v: Array, sigma: float) -> Array:
        """Return ``(1 + z − sqrt((z − 1)² + 4 σ y)) / 2`` with z = v + σ r."""
        z = v + sigma * self.background
        return (1 + z - namespace(v).sqrt((z - 1) ** 2 + 4 * sigma * self.counts)) / 2
