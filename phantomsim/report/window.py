"""How an array is shown: its window, colours and unit, read from its dtype, dims, units and attributes alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr

Real = npt.NDArray[np.floating[Any]]

SOFT_TISSUE: Final = (-160.0, 240.0)
"""Soft-tissue window of CT: level 40 HU, width 400 HU."""

_UNIT_TEXT: Final = {"1": "", "1/m": "m⁻¹", "1/cm": "cm⁻¹", "m2": "m²", "degC": "°C"}


@dataclass(frozen=True)
class Window:
    """The range of values that a picture spans, and its colours.

    Parameters
    ----------
    low, high
        Values at the ends of the colour map, in the unit of the array.
    colours
        Name of a matplotlib colour map.
    categorical
        Whether values are names (labels), not quantities.
    """

    low: float
    high: float
    colours: str
    categorical: bool = False


def unit_text(array: xr.DataArray) -> str:
    """Return the unit of an array as print wants it, ``""`` for a plain number."""
    unit = str(array.attrs.get("units", ""))
    return _UNIT_TEXT.get(unit, unit)


def quantity_text(array: xr.DataArray) -> str:
    """Return ``"long name [unit]"`` of an array."""
    name, unit = str(array.attrs.get("long_name", array.name or "value")), unit_text(array)
    return f"{name} [{unit}]" if unit else name


def label_names(array: xr.DataArray) -> tuple[str, ...]:
    """Return the tissue of each label value of a label map, empty for any other array."""
    return tuple(str(name) for name in array.attrs.get("tissues", ()))


def real_values(array: xr.DataArray) -> Real:
    """Return the finite values as float64, flat; the magnitude of complex ones."""
    values = np.asarray(array.values)
    values = np.abs(values) if np.iscomplexobj(values) else values
    flat = values.astype(np.float64).ravel()
    return flat[np.isfinite(flat)]


def round_up(value: float) -> float:
    """Return the next number of the series 1, 1.5, 2, 3, 5, 7, 10 at or above a positive value."""
    if not value > 0:
        return 1.0
    decade = 10.0 ** floor(log10(value))
    return next(step * decade for step in (1, 1.5, 2, 3, 5, 7, 10) if step * decade >= value * (1 - 1e-9))


def _labels(array: xr.DataArray) -> bool:
    return bool(label_names(array))


def _hounsfield(array: xr.DataArray) -> bool:
    return array.attrs.get("units") == "HU"


def _projections(array: xr.DataArray) -> bool:
    return "view" in array.dims


def _categories(values: Real) -> Window:
    return Window(-0.5, float(values.max(initial=0)) + 0.5, "", categorical=True)


def _soft_tissue(values: Real) -> Window:
    return Window(*SOFT_TISSUE, "gray")


def _from_zero(values: Real) -> Window:
    top = float(np.percentile(values, 99.9)) if values.size else 0.0
    return Window(0.0, top if top > 0 else 1.0, "magma")


def _percentiles(values: Real) -> Window:
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5))) if values.size else (0.0, 1.0)
    return Window(low, high, "gray") if high > low else Window(low - 0.5, low + 0.5, "gray")


_RULES: Final[tuple[tuple[Callable[[xr.DataArray], bool], Callable[[Real], Window]], ...]] = (
    (_labels, _categories),
    (_hounsfield, _soft_tissue),
    (_projections, _from_zero),
    (lambda array: True, _percentiles),
)
"""First rule whose test holds for an array makes its window; a new kind of array is one line here."""


def window_of(arrays: Sequence[xr.DataArray]) -> Window:
    """Choose one window for several arrays of a kind, so that their pictures compare.

    Parameters
    ----------
    arrays
        The same product of one or more samples.
    """
    values = np.concatenate([real_values(array) for array in arrays])
    return next(make(values) for holds, make in _RULES if holds(arrays[0]))


def difference_window(arrays: Sequence[xr.DataArray]) -> Window:
    """Choose a diverging window, symmetric about zero, that holds 99 % of the differences."""
    values = np.concatenate([real_values(array) for array in arrays])
    high = round_up(float(np.percentile(np.abs(values), 99))) if values.size else 1.0
    return Window(-high, high, "RdBu_r")
