"""The response of a scan, from its data."""

from __future__ import annotations

import xarray as xr

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.xray.response import Response


def response_of(data: xr.Dataset, kind: str) -> Response:
    """Return what the signal of a take is made of, by energy.

    Raises
    ------
    RecipeError
        If the data does not say; `kind` is the reconstructor that asks.
    """
    if "response" not in data.attrs:
        raise RecipeError(f"{kind} needs 'response' among the attributes of its data: the share of each energy in them")
    return Response.from_json(data.attrs["response"])
