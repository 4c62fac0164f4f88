"""A volume on its way through the kernels that trace single rays."""

from __future__ import annotations

from typing import Any

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray import cone_joseph_rays as rays
from phantomsim.physics.xray import cone_joseph_rays_adjoint as rays_adjoint
from phantomsim.physics.xray.cone import Views
from phantomsim.physics.xray.cone_joseph_planes import ORDERS, add_planes, stack_planes
from phantomsim.physics.xray.cone_joseph_poses import place_views, shape_profiles

BEFORE = 1  # zeros before the voxels of a line


class RayTracer:
    """Forward and adjoint projection for a source and a detector in any pose.

    Parameters
    ----------
    views
        Source and detector of each view.
    grid
        Position of the voxels [m].
    dtype
        Type of all arrays.
    """

    def __init__(self, views: Views, grid: Grid, dtype: str) -> None:
        self.shape, self.voxels, self.dtype = views.shape, grid.shape, dtype
        poses = [place_views(views, grid, axis) for axis in range(3)]
        self.poses = [tuple(self._real(x) for x in (p.frames, p.local, p.spacing)) for p in poses]
        self.directions = self._real(place_views(views, grid, 0).frames)
        self.profiles = tuple(self._real(profile) for profile in shape_profiles(views))
        self.pixels = self._real(views.rows), self._real(views.columns)
        self.form = self._real(np.array([("flat", "cylinder", "sphere").index(views.surface), views.radius]))

    def forward(self, volume: Array) -> Array:
        """Return the line integrals (view, row, column) of a contiguous volume (z, y, x)."""
        xp = namespace(volume)
        result = xp.empty(self.shape, self.dtype)
        ways = self._choose_ways(xp)
        profiles = [xp.asarray(profile) for profile in self.profiles]
        n_blocks = rays.n_forward_blocks(self.shape)
        for axis, present in _group(xp, ways):
            planes = stack_planes(volume, axis, BEFORE, *self._plane(axis))
            frames, _, spacing = (xp.asarray(x) for x in self.poses[axis])
            for way in present:
                arguments = (planes, frames, spacing, *profiles, ways, way, result.reshape(-1))
                rays.FORWARD(n_blocks, result.size, *arguments)
        return result

    def adjoint(self, line_integrals: Array) -> Array:
        """Return what contiguous line integrals (view, row, column) give back to the volume (z, y, x)."""
        xp = namespace(line_integrals)
        volume = xp.zeros(self.voxels, self.dtype)
        ways = self._choose_ways(xp)
        profiles, pixels = ([xp.asarray(x) for x in pair] for pair in (self.profiles, self.pixels))
        for axis, present in _group(xp, ways):
            planes = xp.zeros((self.voxels[axis], *self._plane(axis)), self.dtype)
            frames, local, spacing = (xp.asarray(x) for x in self.poses[axis])
            for way in present:
                poses = (frames, local, xp.asarray(self.form), spacing)
                arguments = (line_integrals.reshape(-1), *poses, *profiles, *pixels, ways, way, planes)
                rays_adjoint.ADJOINT(rays_adjoint.n_adjoint_blocks(len(planes)), planes.size, *arguments)
            add_planes(planes, axis, BEFORE, volume)
        return volume

    def _plane(self, axis: int) -> tuple[int, int]:
        lines, heights = (self.voxels[i] + rays.PADDING for i in ORDERS[axis][1:])
        return lines, heights

    def _choose_ways(self, xp: Any) -> Array:
        ways = xp.empty(self.shape, xp.uint8)
        profiles = [xp.asarray(profile) for profile in self.profiles]
        rays.CHOOSE(self.shape[0], ways.size, xp.asarray(self.directions), *profiles, ways)
        return ways

    def _real(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.ascontiguousarray(x, self.dtype)


def _group(xp: Any, ways: Array) -> list[tuple[int, list[int]]]:
    """Return the axes along which rays run, and for each the ways that occur."""
    present = [way for way in range(6) if bool((ways == way).any())]
    return [(axis, found) for axis in range(3) if (found := [way for way in present if way // 2 == axis])]
