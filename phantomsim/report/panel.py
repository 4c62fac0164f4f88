"""One panel: an array as a picture with its axes in millimetres or degrees, in radiological orientation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import degrees, sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Circle

from phantomsim.physics.array import to_host

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage

    from phantomsim.report.palette import Palette
    from phantomsim.report.window import Window

FONT: Final = 7.0
OUTLINE: Final = "#E69F00"

_UNIT_ON_PAPER: Final = {"m": ("mm", 1e3), "rad": ("°", degrees(1.0)), "s": ("ms", 1e3)}
"""Unit of a coordinate to the one on the axis, and the factor between."""


def plane(array: xr.DataArray) -> xr.DataArray:
    """Return the 2D picture of an array, on the host: the middle of every axis but the last two.

    Projections (view, row, column) become a sinogram (view, column), volumes (z, y, x) an axial slice (y, x).
    """
    keep = [dim for dim in array.dims if dim in ("view", "column")] if "view" in array.dims else list(array.dims[-2:])
    picture = array.isel({dim: array.sizes[dim] // 2 for dim in array.dims if dim not in keep})
    values = to_host(picture.data)
    return picture.copy(data=np.abs(values) if np.iscomplexobj(values) else values)


def draw(axes: Axes, picture: xr.DataArray, window: Window, palette: Palette | None = None) -> AxesImage:
    """Draw a 2D array, pixel by pixel, the first axis downward and the second to the right.

    With patient axes (LPS) that is the radiological view from the feet: left of the patient at the right, back below.

    Parameters
    ----------
    axes
        Where to draw.
    picture
        Two-dimensional array with a coordinate for each axis (without one, indices are shown).
    window
        Range and colours.
    palette
        Colours of the labels, for a categorical window.
    """
    colours: str | Colormap = ListedColormap(palette.colours) if palette else window.colours
    low, high = (-0.5, len(palette.colours) - 0.5) if palette else (window.low, window.high)
    (top, bottom), (left, right) = (_edges(picture, dim) for dim in picture.dims)
    image = axes.imshow(
        np.asarray(picture.values),
        cmap=colours,
        vmin=low,
        vmax=high,
        extent=(left, right, bottom, top),
        interpolation="nearest",
        aspect="equal" if _spatial(picture) else "auto",
    )
    axes.set_box_aspect(None if _spatial(picture) else 1)
    axes.tick_params(labelsize=FONT, length=2.5, width=0.6, pad=2)
    axes.locator_params(nbins=5)
    axes.set_xlabel(axis_text(picture, picture.dims[1]), fontsize=FONT, labelpad=1.5)
    axes.set_ylabel(axis_text(picture, picture.dims[0]), fontsize=FONT, labelpad=1.5)
    return image


def axis_text(picture: xr.DataArray, dim: Any) -> str:
    """Return the label of an axis: its name and the unit on paper."""
    unit, _ = _on_paper(picture, dim)
    return f"{dim} [{unit}]" if unit else f"{dim}"


def mark_directions(axes: Axes, picture: xr.DataArray) -> None:
    """Write the patient's right, left, anterior and posterior at the borders of a panel, if it is axial."""
    if picture.dims != ("y", "x"):
        return
    for text, x, y in (("R", 0.03, 0.5), ("L", 0.97, 0.5), ("A", 0.5, 0.97), ("P", 0.5, 0.03)):
        box = {"facecolor": "black", "alpha": 0.55, "pad": 0.8, "linewidth": 0}
        mark = axes.text(x, y, text, color="white", fontsize=FONT - 1.5, bbox=box, transform=axes.transAxes)
        mark.set(ha="center", va="center")


def outline_lesions(axes: Axes, lesions: Iterable[Mapping[str, Any]], z: float) -> None:
    """Circle the lesions that cut an axial plane.

    Parameters
    ----------
    axes
        An axial panel with axes in mm.
    lesions
        Rows of the truth table, with ``centre_mm`` (z, y, x) and ``diameter_mm``; rows without them are left out.
    z
        Position of the plane [m].
    """
    for lesion in lesions:
        if not ("centre_mm" in lesion and "diameter_mm" in lesion):
            continue
        lesion_z, y, x = lesion["centre_mm"]
        squared = (lesion["diameter_mm"] / 2) ** 2 - (lesion_z - 1e3 * z) ** 2
        if squared > 0:
            margin = 1.5
            circle = Circle((x, y), sqrt(squared) + margin, fill=False, edgecolor=OUTLINE, linewidth=0.8)
            axes.add_patch(circle)


def _spatial(picture: xr.DataArray) -> bool:
    return all(picture[dim].attrs.get("units") == "m" for dim in picture.dims)


def _on_paper(picture: xr.DataArray, dim: Any) -> tuple[str, float]:
    unit = str(picture[dim].attrs.get("units", "")) if dim in picture.coords else ""
    return _UNIT_ON_PAPER.get(unit, (unit, 1.0))


def _edges(picture: xr.DataArray, dim: Any) -> tuple[float, float]:
    """Return the outer edges of the first and the last pixel along an axis, in the unit on paper."""
    n = picture.sizes[dim]
    if dim not in picture.coords:
        return -0.5, n - 0.5
    positions = np.asarray(picture[dim].values, dtype=np.float64) * _on_paper(picture, dim)[1]
    half = (positions[-1] - positions[0]) / (n - 1) / 2 if n > 1 else 0.5
    return float(positions[0] - half), float(positions[-1] + half)
