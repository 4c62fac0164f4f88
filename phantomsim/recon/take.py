"""What analytic reconstruction needs of a take of an X-ray scan, and its image in the unit that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from phantomsim import geometry, labelled
from phantomsim.physics.array import Array
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid

Unit = Literal["mu", "hu"]


def measured(products: Mapping[str, xr.Dataset], kind: str) -> tuple[geometry.Scan, npt.NDArray[np.float64], Array]:
    """Return geometry, positions of the rows [m] and line integrals (view, row, column) of the product ``"data"``.

    Parameters
    ----------
    products
        Products by role.
    kind
        Reconstructor that asks, for messages.

    Raises
    ------
    RecipeError
        If there is no such product, or it lacks one of these.
    """
    if "data" not in products:
        raise RecipeError(f"{kind} needs a product in the role 'data', got the roles {sorted(products)}")
    data = products["data"]
    for name, held in (("line_integral", data.data_vars), ("geometry", data.attrs)):
        if name not in held:
            raise RecipeError(f"{kind} needs {name!r} in its data, which holds {', '.join(map(str, held)) or 'none'}")
    scan, z = geometry.from_json(data.attrs["geometry"])
    line_integral = data["line_integral"]
    if set(line_integral.dims) != {"view", "row", "column"}:
        found = ", ".join(map(str, line_integral.dims))
        raise RecipeError(f"{kind} needs line_integral with the axes (view, row, column), got ({found})")
    return scan, z, line_integral.transpose("view", "row", "column").data


def attenuation_image(image: Array, grid: Grid, unit: Unit, data: xr.Dataset) -> xr.DataArray:
    """Label linear attenuation (z, y, x) [1/m], or turn it into Hounsfield units by the calibration in the data.

    Raises
    ------
    RecipeError
        If Hounsfield units are asked for, and the data has no possible ``mu_water_per_m`` [1/m].
    """
    if unit == "mu":
        return labelled.image(image, grid, "1/m", "linear attenuation coefficient")
    return labelled.image(1000 * (image / image.dtype.type(water_attenuation(data)) - 1), grid, "HU", "CT number")


def water_attenuation(data: xr.Dataset) -> float:
    """Return the linear attenuation of water that the scanner's calibration found [1/m]."""
    name = "mu_water_per_m"
    if name in data.attrs:
        value = float(data.attrs[name])
    elif name in data.coords:
        value = float(data.coords[name])
    else:
        raise RecipeError(f"Hounsfield units need {name!r} in the data, which this scan did not store; take unit 'mu'")
    if not 0 < value < np.inf:
        raise RecipeError(f"{name} must be positive [1/m], got {value!r}")
    return value
