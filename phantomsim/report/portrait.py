"""A phantom's portrait: three planes through it, in the contrast of each modality."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from phantomsim.labelled import image
from phantomsim.phantoms.extent import object_box
from phantomsim.physics.array import to_host
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.report.panel import FONT, draw, mark_directions, outline_lesions
from phantomsim.report.window import SOFT_TISSUE, Window, quantity_text
from phantomsim.tissues import get

if TYPE_CHECKING:
    from phantomsim.phantoms.phantom import Phantom
    from phantomsim.tissues import Tissue

PIXELS: Final = 512
"""Pixels along the longer side of a picture."""
TALLEST: Final = 13.0
"""Height that the planes share at most [inch]."""
KEV: Final = 70.0
FIELD: Final = 3.0
"""Field strength of the relaxation times [T]."""


@dataclass(frozen=True)
class Contrast:
    """What one modality sees of a tissue; nan where it sees nothing, which is shown as the window's lowest value."""

    name: str
    units: str
    of: Callable[[Tissue], float]
    window: Window


def _hounsfield(tissue: Tissue) -> float:
    water, here = (
        float(linear_attenuation([(t.density, t.mass_fractions)], np.array([KEV]))[0, 0])
        for t in (get("water"), tissue)
    )
    return 1000 * (here / water - 1)


def _relaxation(name: str) -> Callable[[Tissue], float]:
    def of(tissue: Tissue) -> float:
        protons = tissue.mr.relaxation if tissue.mr and tissue.mr.proton_density > 0.02 else ()
        times = [getattr(r, name) for r in protons if r.field_strength == FIELD]
        return 1e3 * float(times[0]) if times else nan

    return of


CONTRASTS: Final = (
    Contrast(f"CT number at {KEV:g} keV", "HU", _hounsfield, Window(*SOFT_TISSUE, "gray")),
    Contrast(f"T1 at {FIELD:g} T", "ms", _relaxation("t1"), Window(0.0, 2200.0, "gray")),
    Contrast(f"T2 at {FIELD:g} T", "ms", _relaxation("t2"), Window(0.0, 160.0, "gray")),
    Contrast("FDG uptake", "SUV", lambda t: t.pet.fdg_suv if t.pet else nan, Window(0.0, 8.0, "magma")),
    Contrast(
        "sound speed", "m/s", lambda t: t.acoustic.sound_speed if t.acoustic else nan, Window(1400.0, 1700.0, "viridis")
    ),
)
PLANES: Final = (("axial", 0), ("coronal", 1), ("sagittal", 2))


def portrait(phantom: Phantom, title: str, path: Path | str, *, dpi: int = 130) -> Path:
    """Write a picture (PNG) of a phantom: a row for each plane through its middle, a column for each modality.

    Parameters
    ----------
    phantom
        What is shown; a phantom of one slice has its axial plane only.
    title
        Heading.
    path
        Where the PNG goes.
    dpi
        Dots per inch.

    Raises
    ------
    ShapeError
        If there is nothing but background that a scanner could see.
    """
    figure = portrait_figure(phantom, title)
    figure.savefig(path, format="png", dpi=dpi, metadata={"Software": "phantomsim"})
    return Path(path)


def portrait_figure(phantom: Phantom, title: str) -> Figure:
    """Draw what `portrait` writes."""
    lower, upper = object_box(phantom)
    rows = list(_planes(lower, upper))
    heights = [grid.shape[0 if axis else 1] / grid.shape[1 if axis == 2 else 2] for axis, _, grid in rows]
    width = min(2.6, TALLEST / sum(heights))
    size = (width * len(CONTRASTS) + 0.8, width * sum(heights) + 1.2)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=FONT + 3)
    cells = figure.subplots(len(rows), len(CONTRASTS), squeeze=False, height_ratios=heights)
    for r, (axis, name, grid) in enumerate(rows):
        for c, (contrast, picture) in enumerate(zip(CONTRASTS, pictures(phantom, grid), strict=True)):
            axes = cells[r, c]
            shown = draw(axes, _upright(picture, axis), contrast.window)
            if r == 0:
                axes.set_title(contrast.name, fontsize=FONT + 1, pad=4)
            if c == 0:
                axes.set_ylabel(f"{name}\n{axes.get_ylabel()}", fontsize=FONT)
                mark_directions(axes, _upright(picture, axis))
                if axis == 0:
                    outline_lesions(axes, phantom.truths.get("lesions", ()), float(grid.centre[0]))
            else:
                axes.set_ylabel("")
                axes.tick_params(labelleft=False)
            if r == len(rows) - 1:
                bar = figure.colorbar(shown, ax=cells[:, c], location="bottom", fraction=0.04, pad=0.02, aspect=30)
                bar.ax.tick_params(labelsize=FONT)
                bar.set_label(quantity_text(picture), fontsize=FONT)
    return figure


def gallery_figure(phantoms: Mapping[str, Phantom]) -> Figure:
    """Draw the axial plane of several phantoms: a row for each modality, a column for each phantom."""
    columns = [next(_planes(*object_box(phantom)))[2] for phantom in phantoms.values()]
    widths = [grid.shape[2] / max(grid.shape[1:]) for grid in columns]
    figure = Figure(figsize=(2.3 * sum(widths) + 0.9, 2.3 * len(CONTRASTS)), layout="constrained", facecolor="black")
    FigureCanvasAgg(figure)
    cells = figure.subplots(len(CONTRASTS), len(columns), squeeze=False, width_ratios=widths)
    for c, ((name, phantom), grid) in enumerate(zip(phantoms.items(), columns, strict=True)):
        for r, (contrast, picture) in enumerate(zip(CONTRASTS, pictures(phantom, grid), strict=True)):
            axes = cells[r, c]
            draw(axes, _upright(picture, 0), contrast.window)
            axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
            axes.spines[:].set_visible(False)
            if r == 0:
                axes.set_title(name, fontsize=FONT + 3, color="white")
            if c == 0:
                axes.set_ylabel(contrast.name, fontsize=FONT + 2, color="white")
    return figure


def _planes(lower: npt.NDArray[np.float64], upper: npt.NDArray[np.float64]) -> Iterator[tuple[int, str, Grid]]:
    """Yield the planes: z = 0 if the body is there, as scanners see it, else its middle; the others at the middle."""
    side, centre = upper - lower, (lower + upper) / 2
    if lower[0] < 0 < upper[0]:
        centre[0] = 0.0
    spacing = side.max() / PIXELS
    for name, axis in PLANES:
        here = centre.copy()
        here[[a for a in range(3) if a != axis]] = ((lower + upper) / 2)[[a for a in range(3) if a != axis]]
        shape = [1 if a == axis else max(1, round(side[a] / spacing)) for a in range(3)]
        if min(n for a, n in enumerate(shape) if a != axis) > 2:
            yield axis, name, Grid((shape[0], shape[1], shape[2]), (spacing,) * 3, (here[0], here[1], here[2]))


def pictures(phantom: Phantom, grid: Grid) -> Iterator[xr.DataArray]:
    """Yield each contrast (z, y, x): the mean over the tissues of a voxel that the modality sees, if half of it."""
    fractions = to_host(phantom.fractions(grid).values)
    for contrast in CONTRASTS:
        values = np.array([contrast.of(tissue) for tissue in phantom.tissues])
        seen = np.isfinite(values)
        weight = np.tensordot(seen.astype(np.float32), fractions, 1)
        total = np.tensordot(np.where(seen, values, 0).astype(np.float32), fractions, 1)
        mean = np.divide(total, weight, out=np.full_like(total, contrast.window.low), where=weight > 0.5)
        yield image(mean, grid, contrast.units, contrast.name)


def _upright(picture: xr.DataArray, axis: int) -> xr.DataArray:
    """Return the plane across an axis, the head up."""
    flat = picture.isel({str(picture.dims[axis]): 0})
    return flat.isel(z=slice(None, None, -1)) if axis else flat
