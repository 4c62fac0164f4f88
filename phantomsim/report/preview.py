"""The preview: one picture of a few samples, input beside target beside all that comes with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from phantomsim.report.columns import Column, columns_of
from phantomsim.report.panel import FONT, draw, mark_directions, outline_lesions
from phantomsim.report.window import quantity_text, unit_text

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from phantomsim.dataset.job import Sample
    from phantomsim.dataset.recipe.outline import PairSpec

COLUMN_INCHES: Final = 2.0
ROW_INCHES: Final = 1.78
KEY_INCHES: Final = 0.85
MARGIN_INCHES: Final = (0.5, 0.2)

_PARAMETERS: Final = (("kvp", "{:g} kV"), ("exposure", "exposure {:.3g}"), ("rotation_mas", "{:g} mAs"))
"""Last part of a drawn parameter's path and how it reads beside a sample, in this order, as far as they are there."""


def preview(
    samples: Sequence[Sample],
    pairs: Sequence[PairSpec],
    path: Path | str,
    *,
    indices: Sequence[int] | None = None,
    lesions: bool = True,
    dpi: int = 160,
) -> Path:
    """Write a picture (PNG) of a few samples: a row each, with input, target, their difference and the extras.

    Parameters
    ----------
    samples
        Samples to show; the same products in each.
    pairs
        Pairs of the recipe; the first is shown, or every array where there are none.
    path
        Where the PNG goes.
    indices
        Numbers of the samples; from 0 by default.
    lesions
        Whether to circle the lesions in the target, where the truth table has any.
    dpi
        Dots per inch.

    Returns
    -------
        The path written.

    Raises
    ------
    ValueError
        If there is no sample, or none has a product of the pair.
    """
    numbers = list(range(len(samples))) if indices is None else list(indices)
    if not samples or len(numbers) != len(samples):
        raise ValueError(f"a preview needs samples and an index for each, got {len(samples)} and {len(numbers)}")
    figure = preview_figure(samples, pairs, numbers, lesions=lesions)
    figure.savefig(path, format="png", dpi=dpi, metadata={"Software": "phantomsim"})
    return Path(path)


def preview_figure(
    samples: Sequence[Sample], pairs: Sequence[PairSpec], indices: Sequence[int], *, lesions: bool
) -> Figure:
    """Draw what `preview` writes."""
    columns = columns_of(samples, pairs)
    n_rows, n_columns = len(samples), len(columns)
    width, height = (COLUMN_INCHES * n_columns + MARGIN_INCHES[0], ROW_INCHES * n_rows + KEY_INCHES + MARGIN_INCHES[1])
    spacing = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)
    figure = Figure(figsize=(width, height), layout=spacing, facecolor="white")
    FigureCanvasAgg(figure)
    cells = figure.add_gridspec(n_rows + 1, n_columns, height_ratios=[ROW_INCHES] * n_rows + [KEY_INCHES])
    for c, column in enumerate(columns):
        image: AxesImage | None = None
        for r, (sample, picture) in enumerate(zip(samples, column.pictures, strict=True)):
            axes = figure.add_subplot(cells[r, c])
            if c == 0:
                _name_row(axes, row_text(indices[r], sample.parameters))
            if r == 0:
                axes.set_title(column.title, fontsize=FONT + 1, pad=4)
            if picture is None:
                axes.set_axis_off()
                continue
            image = draw(axes, picture, column.window, column.palette)
            if c == 0:
                mark_directions(axes, picture)
            if lesions and column.outlined and "z" in picture.coords:
                outline_lesions(axes, sample.truths.get("lesions", ()), float(picture["z"]))
            shared = c > 0 and _same_axes(columns[c - 1].pictures[r], picture)
            _declutter(axes, first=not shared, last=r == n_rows - 1)
        if image is not None:
            _draw_key(figure, figure.add_subplot(cells[n_rows, c]), column, image)
    return figure


def row_text(index: int, parameters: Mapping[str, Any]) -> str:
    """Name a sample by its number and the drawn parameters that matter to a reader, three at most.

    Parameters
    ----------
    index
        Number of the sample.
    parameters
        Drawn values by dotted path.
    """
    found = []
    for last, form in _PARAMETERS:
        values = [v for path, v in parameters.items() if path.split(".")[-1] == last and isinstance(v, int | float)]
        found += [form.format(value) for value in dict.fromkeys(values)]
    return f"sample {index}" + (f"\n{', '.join(found[:3])}" if found else "")


def _name_row(axes: Axes, text: str) -> None:
    name = axes.text(
        -0.34, 0.5, text, fontsize=FONT + 1, rotation=90, ha="right", va="center", transform=axes.transAxes
    )
    name.set_multialignment("center")


def _same_axes(one: xr.DataArray | None, two: xr.DataArray) -> bool:
    if one is None or one.dims != two.dims or one.shape != two.shape:
        return False
    return all(np.array_equal(one[dim].values, two[dim].values) for dim in two.dims)


def _declutter(axes: Axes, *, first: bool, last: bool) -> None:
    """Drop the labels of an axis that the panel to the left or below says again."""
    if not first:
        axes.set_ylabel("")
        axes.tick_params(left=False, labelleft=False)
    if not last:
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)


def _draw_key(figure: Figure, axes: Axes, column: Column, image: AxesImage) -> None:
    """Draw the colour bar of a column, or the legend of its labels, into the cell below it."""
    axes.set_axis_off()
    if column.palette:
        spacing = {"borderaxespad": 0, "handletextpad": 0.4, "columnspacing": 0.8, "labelspacing": 0.25}
        size = {"fontsize": FONT - 1, "handlelength": 1.0, "handleheight": 1.0}
        axes.legend(handles=column.palette.handles(), loc="upper center", ncols=2, frameon=False, **spacing, **size)
        return
    inset = axes.inset_axes((0.06, 0.72, 0.88, 0.13))
    clipped = "both" if unit_text(column.example) == "HU" else "neither"
    bar = figure.colorbar(image, cax=inset, orientation="horizontal", extend=clipped)
    bar.ax.tick_params(labelsize=FONT, length=2.5, width=0.6, pad=2)
    bar.ax.locator_params(axis="x", nbins=4)
    bar.set_label(quantity_text(column.example), fontsize=FONT, labelpad=2)
