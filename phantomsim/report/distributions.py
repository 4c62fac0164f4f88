"""What was drawn: a small histogram of every parameter that a recipe leaves to chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from phantomsim.report.panel import FONT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PANELS: Final = 24
_ACROSS: Final = 4
_MAX_BARS: Final = 12
_FILL: Final = "#56B4E9"
_WIDE: Final = 5.0
"""Ratio of the largest to the smallest value from which a histogram is drawn over the logarithm."""


def distribution_figure(drawn: Mapping[str, Sequence[Any]]) -> Figure | None:
    """Draw a histogram of each parameter that varies, at most 24.

    Parameters
    ----------
    drawn
        Values by dotted path.

    Returns
    -------
        The figure, or None if nothing varies.
    """
    varied = {path: values for path, values in drawn.items() if len(set(values)) > 1}
    shown = dict(list(varied.items())[:MAX_PANELS])
    if not shown:
        return None
    across = min(_ACROSS, len(shown))
    down = ceil(len(shown) / across)
    figure = Figure(figsize=(2.9 * across, 1.75 * down), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    for place, (path, values) in enumerate(shown.items()):
        axes = figure.add_subplot(down, across, place + 1)
        _histogram(axes, values)
        axes.set_title(path, fontsize=FONT, loc="left", pad=3)
        axes.tick_params(labelsize=FONT - 1, length=2, width=0.5, pad=1.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        if place % across == 0:
            axes.set_ylabel("draws", fontsize=FONT)
    return figure


def _histogram(axes: Axes, values: Sequence[Any]) -> None:
    counts = Counter(values)
    numeric = all(isinstance(value, int | float) for value in counts)
    if len(counts) <= _MAX_BARS and (not numeric or all(float(value).is_integer() for value in counts)):
        ordered = sorted(counts) if numeric else [name for name, _ in counts.most_common()]
        axes.bar(
            range(len(ordered)), [counts[value] for value in ordered], color=_FILL, edgecolor="#333333", linewidth=0.4
        )
        axes.set_xticks(range(len(ordered)), [f"{v:g}" if numeric else str(v).replace("_", " ") for v in ordered])
        if not numeric:
            axes.tick_params(axis="x", rotation=30)
        return
    if not numeric:
        common = counts.most_common(_MAX_BARS)
        axes.barh([str(name) for name, _ in common][::-1], [n for _, n in common][::-1], color=_FILL)
        return
    points = np.asarray(values, dtype=np.float64)
    low, high = float(points.min()), float(points.max())
    n_bins = int(np.clip(np.sqrt(points.size), 5, 30))
    wide = low > 0 and high / low >= _WIDE
    edges = np.geomspace(low, high, n_bins + 1) if wide else np.linspace(low, high, n_bins + 1)
    edges[0], edges[-1] = low, high
    axes.hist(points, bins=edges.tolist(), color=_FILL, edgecolor="#333333", linewidth=0.4)
    if wide:
        axes.set_xscale("log")
    else:
        axes.locator_params(axis="x", nbins=5)
