"""Images that are projected again: on a grid that holds all of what the scan saw, whatever grid was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
import xarray as xr

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.geometry import FanBeam, PlanarScan
from phantomsim.physics.xray.projector import JosephProjector
from phantomsim.recon.fbp import fbp
from phantomsim.recon.take import measured


@dataclass(frozen=True, eq=False)
class PlanarTake:
    """The rows of a planar scan that a grid needs.

    Parameters
    ----------
    scan
        Geometry.
    z
        Plane of each row (row) [m].
    line_integrals
        (view, row, column) [1].
    grid
        That of the image, grown so that it holds the field of view.
    """

    scan: PlanarScan
    z: npt.NDArray[np.float64]
    line_integrals: Array
    grid: Grid

    def image(self, line_integrals: Array) -> Array:
        """Return attenuation (z, y, x) [1/m] on `grid` of line integrals of this scan; 0 outside the field of view."""
        image = fbp(line_integrals, self.scan, self.z, self.grid, filter="hann")
        y, x = self.grid.coordinates(1)[:, None], self.grid.coordinates(2)
        seen = np.hypot(y, x) <= self.scan.field_of_view / 2
        return image * namespace(image).asarray(seen, image.dtype)

    def project(self, image: Array) -> Array:
        """Return the line integrals (view, row, column) of an image (z, y, x) on `grid`."""
        return JosephProjector(self.scan, self.grid)(image.astype("float32"))


def planar_take(products: Mapping[str, xr.Dataset], kind: str, grid: Grid) -> PlanarTake:
    """Return the product ``"data"`` as a planar scan of the planes of a grid.

    Raises
    ------
    RecipeError
        If it is no take of a parallel or fan beam; `kind` is the reconstructor that asks.
    """
    scan, z, line_integrals = measured(products, kind)
    if not isinstance(scan, PlanarScan):
        raise RecipeError(f"{kind} works on parallel and fan beams in their planes, not on cone beams")
    rows = np.abs(grid.coordinates(0)[:, None] - z).argmin(axis=1)  # filtered backprojection refuses those too far off
    return PlanarTake(scan, z[rows], line_integrals[:, rows.tolist()], grown(grid, scan))


def grown(grid: Grid, scan: PlanarScan) -> Grid:
    """Return a grid with whole voxels added in y and x, so that it holds the field of view of a scan."""
    half = scan.field_of_view / 2
    if isinstance(scan, FanBeam):  # its corners must stay inside the circle of the source
        half = min(half, 0.7 * scan.source_to_axis - max(grid.spacing[1:]))
    shape, centre = list(grid.shape), list(grid.centre)
    for axis in (1, 2):
        lower = grid.lower[axis]
        before = max(0, ceil((lower + half) / grid.spacing[axis] - 1e-9))
        after = max(0, ceil((half - lower - grid.extent[axis]) / grid.spacing[axis] - 1e-9))
        shape[axis] += before + after
        centre[axis] += (after - before) / 2 * grid.spacing[axis]
    return Grid((shape[0], shape[1], shape[2]), grid.spacing, (centre[0], centre[1], centre[2]))


def part_of(image: Array, grown_grid: Grid, grid: Grid) -> Array:
    """Return the part of an image on a grown grid that lies on the grid it grew from."""
    first = [round((grid.lower[axis] - grown_grid.lower[axis]) / grid.spacing[axis]) for axis in (1, 2)]
    return image[:, first[0] : first[0] + grid.shape[1], first[1] : first[1] + grid.shape[2]]
