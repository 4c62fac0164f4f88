"""The penalty of a pairwise Markov random field: every voxel against its 8 or 26 neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import sqrt

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.solvers.potentials import Potential

Slices = tuple[slice, ...]


@dataclass(frozen=True)
class Roughness:
    """``R(x) = Σ_pairs ω ψ(x_j − x_k)`` over all pairs of voxels that touch, corners included.

    ω is the smallest spacing over the distance of the two: 1 for the nearest neighbours.

    Parameters
    ----------
    potential
        ψ.
    spacing
        Distance of voxels along each axis of the image, in any unit; axes before these are of independent images.
    """

    potential: Potential
    spacing: tuple[float, ...]

    def value(self, x: Array) -> float:
        """Return R(x)."""
        xp = namespace(x)
        return float(
            sum(
                weight * xp.sum(self.potential.value(x[after] - x[before]), dtype=np.float64)
                for after, before, weight in self._pairs(x.shape)
            )
        )

    def gradient(self, x: Array) -> Array:
        """Return the gradient of R, of the shape of x."""
        result = namespace(x).zeros_like(x)
        for after, before, weight in self._pairs(x.shape):
            pull = self.potential.derivative(x[after] - x[before]) * x.dtype.type(weight)
            result[after] += pull
            result[before] -= pull
        return result

    def curvature(self, x: Array) -> Array:
        """Return the diagonal of a separable parabola that lies above R and touches it anywhere (De Pierro)."""
        result = namespace(x).zeros_like(x)
        for after, before, weight in self._pairs(x.shape):
            result[after] += x.dtype.type(2 * weight)
            result[before] += x.dtype.type(2 * weight)
        return result

    def _pairs(self, shape: tuple[int, ...]) -> Iterator[tuple[Slices, Slices, float]]:
        """Yield the slices of the two ends, and the weight, of all pairs of one direction."""
        n_axes, least = len(self.spacing), min(self.spacing)
        if len(shape) < n_axes:
            raise ShapeError(f"an image of shape {shape} has fewer axes than the {n_axes} spacings of its neighbours")
        for steps in product((-1, 0, 1), repeat=n_axes):
            if steps <= (0,) * n_axes:
                continue  # of each pair of directions one
            distance = sqrt(sum((step * d) ** 2 for step, d in zip(steps, self.spacing, strict=True)))
            after = (..., *(_ahead(step) for step in steps))
            before = (..., *(_ahead(-step) for step in steps))
            yield after, before, least / distance  # type: ignore[misc]


def _ahead(step: int) -> slice:
    """Return what is left of an axis when the first (step 1) or last (step −1) voxel has no neighbour behind."""
    return {-1: slice(None, -1), 0: slice(None), 1: slice(1, None)}[step]
