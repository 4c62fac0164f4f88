"""Potentials of differences between neighbours: quadratic near zero with curvature 1, flatter beyond to spare edges."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.solvers.iterates import check_positive


class Potential(ABC):
    """An even function ψ of a difference t, with ψ'(t)/t falling from 1 at zero: parabolas of curvature 1 lie above."""

    @abstractmethod
    def value(self, t: Array) -> Array:
        """Return ψ(t)."""

    @abstractmethod
    def derivative(self, t: Array) -> Array:
        """Return ψ'(t)."""


@dataclass(frozen=True)
class Quadratic(Potential):
    """ψ = t²/2."""

    def value(self, t: Array) -> Array:
        """Return ψ(t)."""
        return t * t / 2

    def derivative(self, t: Array) -> Array:
        """Return ψ'(t)."""
        return t


@dataclass(frozen=True)
class Huber(Potential):
    """ψ = t²/2 up to an edge, then a straight line.

    Parameters
    ----------
    edge
        Difference from which on it is straight, in the unit of the image.

    References
    ----------
    P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35 (1964), doi:10.1214/aoms/1177703732.
    """

    edge: float

    def __post_init__(self) -> None:
        check_positive("edge", self.edge)

    def value(self, t: Array) -> Array:
        """Return ψ(t)."""
        xp = namespace(t)
        inner = xp.minimum(xp.abs(t), self.edge)
        return inner * (xp.abs(t) - inner / 2)

    def derivative(self, t: Array) -> Array:
        """Return ψ'(t)."""
        return namespace(t).clip(t, -self.edge, self.edge)


@dataclass(frozen=True)
class Fair(Potential):
    """ψ = e² (|t|/e − log(1 + |t|/e)): as Huber's, but smooth throughout.

    Parameters
    ----------
    edge
        e, the difference at which the pull is half of what a parabola's would be, in the unit of the image.

    References
    ----------
    R. C. Fair, "On the robust estimation of econometric models", Ann. Econ. Soc. Meas. 3 (1974).
    """

    edge: float

    def __post_init__(self) -> None:
        check_positive("edge", self.edge)

    def value(self, t: Array) -> Array:
        """Return ψ(t)."""
        xp = namespace(t)
        ratio = xp.abs(t) / self.edge
        return self.edge**2 * (ratio - xp.log1p(ratio))

    def derivative(self, t: Array) -> Array:
        """Return ψ'(t)."""
        return t / (1 + namespace(t).abs(t) / self.edge)


@dataclass(frozen=True)
class QGGMRF(Potential):
    """ψ = t²/2 / (1 + |t/e|^(2−q)): the q-generalised Gaussian Markov random field with p = 2.

    Parameters
    ----------
    edge
        e, the difference about which the parabola gives way to |t|^q, in the unit of the image.
    q
        Power of large differences, from 1 (edges cost least) to 2 (a parabola of half the curvature).

    References
    ----------
    J.-B. Thibault, K. D. Sauer, C. A. Bouman and J. Hsieh, "A three-dimensional statistical approach to improved image
    quality for multislice helical CT", Med. Phys. 34 (2007), doi:10.1118/1.2789499.
    """

    edge: float
    q: float = 1.2

    def __post_init__(self) -> None:
        check_positive("edge", self.edge)
        if not 1 <= self.q <= 2:
            raise RecipeError(f"q must lie in 1 to 2, where the potential is convex, got {self.q!r}")

    def value(self, t: Array) -> Array:
        """Return ψ(t)."""
        return t * t / (2 + 2 * self._ratio(t))

    def derivative(self, t: Array) -> Array:
        """Return ψ'(t)."""
        u = self._ratio(t)
        return t * (1 + self.q / 2 * u) / (1 + u) ** 2

    def _ratio(self, t: Array) -> Array:
        return (namespace(t).abs(t) / self.edge) ** (2 - self.q)
