"""Arrays with names, positions and units: how images leave a scanner or a reconstructor."""

from __future__ import annotations

from typing import Any

import xarray as xr

from phantomsim.physics.array import Array
from phantomsim.physics.grid import Grid

AXES = {"z": "position towards the head", "y": "position towards the back", "x": "position towards the left"}


def image(values: Array, grid: Grid, units: str, long_name: str, **attrs: Any) -> xr.DataArray:
    """Label values on a grid (z, y, x) with positions [m], unit and name."""
    coordinates = {
        axis: (axis, grid.coordinates(number), {"units": "m", "long_name": name})
        for number, (axis, name) in enumerate(AXES.items())
    }
    return xr.DataArray(values, coordinates, tuple(AXES), attrs={"units": units, "long_name": long_name} | attrs)
