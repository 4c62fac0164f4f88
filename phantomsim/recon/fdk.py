"""Reconstruction of cone beams on a circle after Feldkamp, Davis and Kress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.cone_backprojection import backproject_cone
from phantomsim.physics.xray.filtering import Window, filter_projections
from phantomsim.physics.xray.geometry import FanBeam
from phantomsim.physics.xray.redundancy import completed, missing_columns, view_weights
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.take import Unit, attenuation_image, measured

VIEWS_AT_ONCE: Final = 32  # filtered together: what memory they take does not grow with the scan


def fdk(line_integrals: Array, scan: ConeBeam, grid: Grid, *, filter: Window = "ram-lak", cutoff: float = 1.0) -> Array:
    """Reconstruct linear attenuation from a cone beam on a circle.

    Exact in the plane of the source, where it is filtered backprojection of a fan, and for objects that do not change
    along z. Elsewhere a circle does not measure enough: what lies across the axis blurs and fades with the cone angle.
    A short scan and a half fan weigh every row as the row in the plane of the source, which adds to that error.

    Parameters
    ----------
    line_integrals
        Line integrals (view, row, column), dimensionless.
    scan
        Geometry: flat or cylinder, over whole turns, shifted to a half fan or not, or a short scan.
    grid
        Voxels of the image.
    filter
        Window on the ramp, which filters along the rows.
    cutoff
        Highest frequency that passes, in units of the Nyquist frequency of the columns, in (0, 1].

    Returns
    -------
        Linear attenuation (z, y, x) [1/m], of the dtype and on the device of `line_integrals`. A voxel that some view
        does not see gets nothing from it: outside of the cones of all views it means nothing.

    Raises
    ------
    ShapeError
        If the line integrals are not of this scan.
    RecipeError
        If the trajectory, the detector, the range of angles, the filter, the cutoff or the grid cannot be
        reconstructed.

    References
    ----------
    L. A. Feldkamp, L. C. Davis, J. W. Kress, "Practical cone-beam algorithm", J. Opt. Soc. Am. A 1, 612 (1984),
    doi:10.1364/JOSAA.1.000612.
    """
    fan = central_fan(scan)
    if line_integrals.shape != (expected := (scan.n_views, scan.n_rows, scan.n_columns)):
        raise ShapeError(f"the scan gives (view, row, column) = {expected}, got {tuple(line_integrals.shape)}")
    if scan.feed:
        raise RecipeError(f"feed = {1e3 * scan.feed:g} mm a turn makes a helix; fdk takes a circle, wfbp a helix")
    weights, missing, full = view_weights(fan), missing_columns(fan), completed(fan)
    whole = replace(scan, n_columns=full.n_columns, column_offset=full.column_offset)
    xp, dtype = namespace(line_integrals), line_integrals.dtype
    cosines = xp.asarray(scan.source_to_axis * ray_cosines(scan), dtype)
    columns = xp.zeros((*grid.shape[1:], grid.shape[0]), dtype)
    for first in range(0, scan.n_views, VIEWS_AT_ONCE):
        part = slice(first, min(first + VIEWS_AT_ONCE, scan.n_views))
        share = weights if len(weights) == 1 else weights[part]
        weighted = line_integrals[part] * cosines * xp.asarray(share[:, None, :], dtype)
        weighted = xp.pad(weighted, ((0, 0), (0, 0), missing))
        filtered = filter_projections(weighted, replace(full, n_views=len(weighted)), filter, cutoff)
        backproject_cone(filtered, whole, part, grid, columns)
    return xp.ascontiguousarray(xp.moveaxis(columns, -1, 0))


def central_fan(scan: ConeBeam) -> FanBeam:
    """Return the fan of a cone beam's rays across the axis.

    Raises
    ------
    RecipeError
        If the rays of a row are no fan of equal steps: a sphere, tiles with gaps, a tilted gantry or a flying spot.
    """
    odd = {
        "surface = 'sphere'": scan.surface == "sphere",
        f"tile_gap = {1e3 * scan.tile_gap:g} mm": scan.tile_columns and scan.tile_gap,
        "a tilt": scan.tilt,
        "a flying focal spot": any(any(spot) for spot in scan.spots),
    }
    for name, present in odd.items():
        if present:
            raise RecipeError(f"{name} cannot be reconstructed analytically here; take an iterative method")
    return FanBeam(
        scan.n_views,
        scan.n_columns,
        scan.column_pitch,
        scan.first_angle,
        scan.column_offset,
        scan.angular_range,
        scan.source_to_axis,
        scan.source_to_detector,
        "arc" if scan.surface == "cylinder" else "flat",
    )


def ray_cosines(scan: ConeBeam) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the cosine of each ray's angle with the central ray (row, column)."""
    up, distance = scan.rows[:, None], scan.source_to_detector
    if scan.surface == "flat":
        return np.asarray(distance / np.sqrt(distance**2 + scan.columns**2 + up**2))
    return np.asarray(np.cos(scan.columns / distance) * distance / np.sqrt(distance**2 + up**2))


class FDK(Reconstructor):
    """Feldkamp's reconstruction of cone beams on a circle, in linear attenuation or Hounsfield units.

    Parameters
    ----------
    filter
        Window on the ramp: none, or one that falls towards the cutoff.
    cutoff
        Highest frequency that passes, in units of the Nyquist frequency of the columns.
    unit
        ``"mu"`` for linear attenuation [1/m], ``"hu"`` for Hounsfield units, which need the scanner's calibration.
    """

    kind: Literal["fdk"] = "fdk"
    filter: Window = "ram-lak"
    cutoff: float = Field(1.0, gt=0, le=1)
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
            raise RecipeError("fdk reconstructs cone beams on a circle; take fbp for parallel and fan beams")
        image = fdk(line_integrals, scan, grid, filter=self.filter, cutoff=self.cutoff)
        return attenuation_image(image, grid, self.unit, products["data"])
