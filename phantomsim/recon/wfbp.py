"""Weighted filtered backprojection of helical cone beams."""

from __future__ import annotations

from collections.abc import Mapping
from math import asin, cos, hypot, pi
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.filtering import Window, filter_projections
from phantomsim.physics.xray.rebinning import Wedge, rebin
from phantomsim.physics.xray.wedge_backprojection import backproject_wedge
from phantomsim.recon.fdk import central_fan
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.take import Unit, attenuation_image, measured


def wfbp(
    line_integrals: Array,
    scan: ConeBeam,
    grid: Grid,
    *,
    filter: Window = "ram-lak",
    cutoff: float = 1.0,
    plateau: float = 0.6,
) -> Array:
    """Reconstruct linear attenuation from a cone beam on a helix.

    Rays are sorted into views that are parallel across the axis, filtered along the rows, and backprojected; views half
    a turn apart are averaged, so that every pitch uses all dose. Exact, but for interpolation, for objects that do not
    change along z. Elsewhere the rows of a wedge are treated as if they were planes: what changes along z leaves
    windmills that grow with the cone angle.

    Parameters
    ----------
    line_integrals
        Line integrals (view, row, column), dimensionless.
    scan
        Geometry: a cylinder on a helix.
    grid
        Voxels of the image; all that lie in the field of view must be measured.
    filter
        Window on the ramp, which filters along the rows.
    cutoff
        Highest frequency that passes, in units of the Nyquist frequency of the columns, in (0, 1].
    plateau
        Part of the detector's height, in [0, 1), that counts fully; from there weights fall to 0 at the edge.

    Returns
    -------
        Linear attenuation (z, y, x) [1/m], of the dtype and on the device of `line_integrals`. Outside the scan's
        field of view it means nothing.

    Raises
    ------
    ShapeError
        If the line integrals are not of this scan.
    RecipeError
        If the trajectory, the detector, the pitch, the filter or the cutoff cannot be reconstructed, or part of the
        grid is not measured.

    References
    ----------
    K. Stierstorfer et al., "Weighted FBP: a simple approximate 3D FBP algorithm for multislice spiral CT with good dose
    usage for arbitrary pitch", Phys. Med. Biol. 49, 2209 (2004), doi:10.1088/0031-9155/49/11/007.
    """
    central_fan(scan)
    if not scan.feed:
        raise RecipeError("feed = 0 makes a circle; wfbp takes a helix, fdk a circle")
    if abs(scan.column_offset) > 1:
        raise RecipeError(f"column_offset = {scan.column_offset:g} makes a half fan, which wfbp does not take")
    if not 0 <= plateau < 1:
        raise RecipeError(f"plateau must be in [0, 1) of the detector's height, got {plateau!r}")
    wedge = Wedge(scan)
    _check_measured(wedge, grid)
    xp, dtype = namespace(line_integrals), line_integrals.dtype
    cosines = scan.source_to_detector / np.hypot(scan.source_to_detector, scan.rows)  # of rays against their row's fan
    weighted = rebin(line_integrals, wedge) * xp.asarray(pi / wedge.n_half * cosines[:, None], dtype)
    return backproject_wedge(filter_projections(weighted, wedge.parallel, filter, cutoff), wedge, grid, plateau)


def _check_measured(wedge: Wedge, grid: Grid) -> None:
    """Refuse voxels in the field of view that no view of some direction sees."""
    scan = wedge.scan
    y, x = (np.abs(grid.coordinates(axis)).max() for axis in (1, 2))
    if hypot(y, x) >= scan.source_to_axis:
        raise RecipeError(
            f"the grid reaches {1e3 * hypot(y, x):.4g} mm from the axis, to where the source turns "
            f"(source_to_axis_mm = {1e3 * scan.source_to_axis:.4g}); make the grid smaller or move its centre"
        )
    radius = min(hypot(y, x), float(np.abs(wedge.parallel.columns).max()))
    fan = asin(radius / scan.source_to_axis)
    # views half a turn apart see a voxel from both sides: together one collimation, less the cosine of the fan angle
    steepest = cos(fan) / (0.5 + fan / pi)
    if abs(scan.pitch_factor) > steepest:
        raise RecipeError(
            f"the pitch factor {scan.pitch_factor:.3g} leaves gaps {1e3 * radius:.4g} mm off the axis, where at most "
            f"{steepest:.3g} is measured; a smaller feed_mm closes them"
        )
    # the first half turn leaves the lowest voxels behind where the source is nearest, the last one the highest
    reach = np.array([scan.source_to_axis - radius, scan.source_to_axis + radius]) / scan.source_to_detector
    bottom, top = (scan.rows[row] + side * scan.row_pitch / 2 for row, side in ((0, -1), (-1, 1)))
    first, last = np.sort([wedge.heights[0], wedge.heights[-1]])
    turned = abs(wedge.rise) * (pi + fan)
    lowest, highest = first + turned + (bottom * reach).max(), last - turned + (top * reach).min()
    z = grid.coordinates(0)
    if z[0] < lowest or z[-1] > highest:
        raise RecipeError(
            f"the grid's planes run from z = {1e3 * z[0]:.4g} to {1e3 * z[-1]:.4g} mm, but the helix measures only "
            f"{1e3 * lowest:.4g} to {1e3 * highest:.4g} mm whole, {1e3 * radius:.4g} mm off the axis"
        )


class WFBP(Reconstructor):
    """Weighted filtered backprojection of helical cone beams, in linear attenuation or Hounsfield units.

    Parameters
    ----------
    filter
        Window on the ramp: none, or one that falls towards the cutoff.
    cutoff
        Highest frequency that passes, in units of the Nyquist frequency of the columns.
    plateau
        Part of the detector's height that counts fully; a smaller one gives weaker windmills and more noise.
    unit
        ``"mu"`` for linear attenuation [1/m], ``"hu"`` for Hounsfield units, which need the scanner's calibration.
    """

    kind: Literal["wfbp"] = "wfbp"
    filter: Window = "ram-lak"
    cutoff: float = Field(1.0, gt=0, le=1)
    plateau: float = Field(0.6, ge=0, lt=1)
    unit: Unit = "mu"

    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct the line integrals of a take.

        Parameters
        ----------
        products
            ``"data"``: the take, with the variable ``line_integral`` (view, row, column), its geometry in the
            attribute ``geometry``, and for Hounsfield units the attenuation of water in ``mu_water_per_m`` [1/m].
        grid
            Voxels of the image.

        Returns
        -------
            Image (z, y, x), with coordinates [m], unit and name.

        Raises
        ------
        RecipeError
            If the data lacks one of these, or the scan cannot be reconstructed this way.
        """
        scan, _, line_integrals = measured(products, self.kind)
        if not isinstance(scan, ConeBeam):
            raise RecipeError("wfbp reconstructs cone beams on a helix; take fbp for parallel and fan beams")
        image = wfbp(line_integrals, scan, grid, filter=self.filter, cutoff=self.cutoff, plateau=self.plateau)
        return attenuation_image(image, grid, self.unit, products["data"])
