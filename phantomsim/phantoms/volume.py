"""Bodies given on a grid: labels, or CT numbers that stand for mixtures of tissues."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.phantom import Body
from phantomsim.physics.array import Array, device_namespace, namespace, to_device
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.geometry import Rays


@dataclass(frozen=True, eq=False)
class VolumeBody(Body):
    """Values (z, y, x) on a grid, and what fraction of each material they stand for; outside is background."""

    values: npt.NDArray[Any]
    on: Grid

    def __post_init__(self) -> None:
        if self.values.shape != self.on.shape:
            raise ShapeError(f"values {self.values.shape} do not fit their grid {self.on.shape}")

    @property
    def exact(self) -> bool:
        """A volume has no exact path lengths."""
        return False

    @property
    def grid(self) -> Grid | None:
        """Grid of the values."""
        return self.on

    @abstractmethod
    def indicator(self, values: Array, material: int) -> Array:
        """Return the fraction of a material that each value stands for, float32."""

    @abstractmethod
    def majority(self, values: Array) -> Array:
        """Return the material of the largest fraction that each value stands for, int32."""

    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x): overlaps of voxels, so that volumes are conserved."""
        xp = device_namespace(device)
        values = to_device(self.values, device)
        result = xp.zeros((n_materials, *grid.shape), dtype=xp.float32)
        for material in range(1, n_materials):
            result[material] = resample(self.indicator(values, material), self.on, grid)
        result[0] = xp.maximum(1 - result[1:].sum(axis=0), 0)
        return result

    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Refuse: a volume's lines are the projector's business."""
        raise ShapeError("a phantom from a volume has no exact path lengths; project its fractions")

    def materials(self, points: Array, device: str) -> Array:
        """Return the material (…) of the largest fraction in the voxel that holds each point (…, 3) [m]."""
        xp = device_namespace(device)
        values, places = to_device(self.values, device), to_device(points, device)
        lower, spacing = xp.asarray(self.on.lower), xp.asarray(self.on.spacing)
        index = xp.floor((places - lower) / spacing)
        last = xp.asarray(self.on.shape) - 1
        within = ((index >= 0) & (index <= last)).all(axis=-1)
        z, y, x = xp.moveaxis(xp.clip(index, 0, last).astype(xp.int64), -1, 0)
        return xp.where(within, self.majority(values[z, y, x]), 0).astype(xp.int32)

    def without(self, parts: Collection[str]) -> VolumeBody:
        """Return the body itself: it has no parts."""
        return self


class LabelBody(VolumeBody):
    """A volume whose values are materials."""

    def indicator(self, values: Array, material: int) -> Array:
        """Return 1 where a voxel is of the material."""
        return (values == material).astype(np.float32)

    def majority(self, values: Array) -> Array:
        """Return the value itself."""
        return values.astype(np.int32)


@dataclass(frozen=True, eq=False)
class MixtureBody(VolumeBody):
    """A volume whose values lie on a scale: between two nodes they stand for a mixture of those nodes' materials.

    Parameters
    ----------
    nodes
        Value of each pure material, rising; values beyond the ends are those of the end.
    """

    nodes: tuple[float, ...]

    def indicator(self, values: Array, material: int) -> Array:
        """Return the hat function of the material's node."""
        xp = namespace(values)
        hat = xp.zeros(len(self.nodes))
        hat[material] = 1
        return xp.interp(values, xp.asarray(self.nodes), hat).astype(xp.float32)

    def majority(self, values: Array) -> Array:
        """Return the material of the nearest node."""
        xp = namespace(values)
        nodes = xp.asarray(self.nodes)
        return xp.searchsorted((nodes[1:] + nodes[:-1]) / 2, values).astype(xp.int32)


def resample(values: Array, source: Grid, target: Grid) -> Array:
    """Average values over the voxels of another grid, weighted by overlap, with 0 outside the source.

    Parameters
    ----------
    values
        Values (z, y, x) on `source`, float32.
    source, target
        Grids along the same axes.

    Returns
    -------
        Means over the voxels of `target` (z, y, x); sums times voxel volumes are conserved where `target` covers all.
    """
    if source == target:
        return values
    xp = namespace(values)
    for axis in range(3):
        first, weights = _overlaps(source, target, axis)
        index = xp.asarray(first)
        shape = [1, 1, 1]
        shape[axis] = len(first)
        total = None
        for k in range(weights.shape[1]):  # few: source voxels that one target voxel touches
            taken = xp.take(values, xp.minimum(index + k, source.shape[axis] - 1), axis=axis)
            term = taken * xp.asarray(weights[:, k], dtype=values.dtype).reshape(shape)
            total = term if total is None else total + term
        values = total
    return values


def _overlaps(source: Grid, target: Grid, axis: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the first source voxel that each target voxel touches, and the share of it that each one covers."""
    n, spacing = source.shape[axis], source.spacing[axis]
    step = target.spacing[axis] / spacing  # from here on in source voxels
    low = (target.lower[axis] - source.lower[axis]) / spacing + step * np.arange(target.shape[axis])
    first = np.clip(np.floor(low + 1e-9), 0, n - 1).astype(np.int64)
    width = int(np.ceil(step + 1e-9)) + 1
    voxels = first[:, None] + np.arange(width)
    shared = np.minimum(low[:, None] + step, voxels + 1) - np.maximum(low[:, None], voxels)
    weights = np.where(voxels < n, np.clip(shared, 0, 1), 0) / step
    return first, np.where(weights > 1e-9, weights, 0)
