"""Gradient and divergence by finite differences, each the exact negative adjoint of the other."""

from __future__ import annotations

from math import cos, pi, sqrt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.solvers.iterates import check_positive


class GradientOperator(LinearOperator):
    """Forward differences along each axis that has more than one voxel; none across the last border.

    The range is (direction, *axes of the image); its unit is that of the image over that of the spacing.

    Parameters
    ----------
    image
        Space of the images.
    spacing
        Distance of voxels along each axis.

    Raises
    ------
    ShapeError
        If there is not one spacing to an axis, or no axis has two voxels.
    RecipeError
        If a spacing is not positive.
    """

    def __init__(self, image: Space, spacing: tuple[float, ...]) -> None:
        if len(spacing) != len(image.shape):
            raise ShapeError(f"the gradient of an image {image.shape} needs a spacing to each axis, got {spacing}")
        for value in spacing:
            check_positive("spacing", value)
        self._axes = [(axis, d) for axis, d in enumerate(spacing) if image.shape[axis] > 1]
        if not self._axes:
            raise ShapeError("an image of a single voxel has no gradient")
        self.domain = image
        self.range = Space((len(self._axes), *image.shape), ("direction", *image.dims), image.dtype)

    def forward(self, x: Array) -> Array:
        """Return the differences (direction, …) of an image."""
        self.domain.check(x)
        result = namespace(x).zeros(self.range.shape, self.range.dtype)
        for row, (axis, d) in zip(result, self._axes, strict=True):
            row[_part(axis, None, -1)] = (x[_part(axis, 1, None)] - x[_part(axis, None, -1)]) / d
        return result

    def adjoint(self, y: Array) -> Array:
        """Return the transpose of the differences, an image."""
        self.range.check(y)
        result = namespace(y).zeros(self.domain.shape, self.domain.dtype)
        for row, (axis, d) in zip(y, self._axes, strict=True):
            inner = row[_part(axis, None, -1)] / d
            result[_part(axis, 1, None)] += inner
            result[_part(axis, None, -1)] -= inner
        return result

    def norm(self, n_iterations: int = 0) -> float:
        """Return ``sqrt(Σ (2 cos(π / 2n) / d)²)``, the largest singular value; the axes' differences commute.

        That is the square root of the largest eigenvalue of the Laplacian of each axis, whose eigenvectors are cosines.
        """
        return sqrt(sum((2 * cos(pi / (2 * self.domain.shape[axis])) / d) ** 2 for axis, d in self._axes))


class DivergenceOperator(LinearOperator):
    """Divergence of a vector field (direction, …) by backward differences: minus the adjoint of the gradient.

    Parameters
    ----------
    image
        Space of the result.
    spacing
        Distance of voxels along each of its axes.

    Raises
    ------
    ShapeError, RecipeError
        As for `GradientOperator`.
    """

    def __init__(self, image: Space, spacing: tuple[float, ...]) -> None:
        self._gradient = GradientOperator(image, spacing)
        self.domain, self.range = self._gradient.range, self._gradient.domain

    def forward(self, x: Array) -> Array:
        """Return the divergence of a field (direction, …)."""
        return -self._gradient.adjoint(x)

    def adjoint(self, y: Array) -> Array:
        """Return minus the gradient of an image."""
        return -self._gradient.forward(y)

    def norm(self, n_iterations: int = 0) -> float:
        """Return the largest singular value, that of the gradient."""
        return self._gradient.norm()


def _part(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop))
