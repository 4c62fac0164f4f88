"""How far the input of a pair is from its target: numbers, and what they depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log10, sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from phantomsim.report.panel import FONT
from phantomsim.report.window import unit_text

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from phantomsim.dataset.job import Sample
    from phantomsim.dataset.recipe.outline import PairSpec

FEWEST: Final = 4
"""Samples below which no trend is drawn."""
WEAKEST: Final = 0.5
"""Rank correlation below which a parameter explains nothing."""
_POINT: Final = "#0072B2"
_FILL: Final = "#56B4E9"


@dataclass(frozen=True)
class Agreement:
    """Difference, input minus target, of one sample.

    Parameters
    ----------
    bias, deviation
        Mean and standard deviation of the difference, in the unit of the arrays.
    peak
        Largest less smallest value of the target.
    """

    bias: float
    deviation: float
    peak: float

    @property
    def rmse(self) -> float:
        """Root of the mean squared difference."""
        return sqrt(self.bias**2 + self.deviation**2)

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio [dB], the peak being the target's range; infinite for equal arrays."""
        return 20 * log10(self.peak / self.rmse) if self.rmse and self.peak else inf


@dataclass(frozen=True)
class PairAgreement:
    """Agreement of one pair over several samples.

    Parameters
    ----------
    names
        Stored names of input and target.
    unit
        Unit of both.
    each
        One a sample.
    differences
        Differences of all samples, flat, finite.
    """

    names: tuple[str, str]
    unit: str
    each: tuple[Agreement, ...]
    differences: npt.NDArray[np.float64]

    def summary(self, quantity: str) -> tuple[float, float]:
        """Return mean and standard deviation over samples of ``"rmse"``, ``"psnr"``, ``"bias"`` or ``"deviation"``."""
        values = np.array([getattr(one, quantity) for one in self.each])
        return float(values.mean()), float(values.std()) if np.isfinite(values).all() else inf


def pair_agreement(samples: Sequence[Sample], pair: PairSpec) -> PairAgreement | None:
    """Compare input and target of a pair, or return None where they are no two arrays of a shape and unit.

    Parameters
    ----------
    samples
        Samples to compare.
    pair
        Pair of the recipe.
    """
    one, two = pair.input.replace(".", "/"), pair.target.replace(".", "/")
    each, differences, unit = [], [], ""
    for sample in samples:
        if one not in sample.arrays or two not in sample.arrays:
            return None
        given, wanted = sample.arrays[one], sample.arrays[two]
        if given.shape != wanted.shape or given.attrs.get("units") != wanted.attrs.get("units"):
            return None
        if np.iscomplexobj(given) or np.iscomplexobj(wanted):
            return None
        unit = unit_text(wanted)
        difference = np.subtract(given.values, wanted.values, dtype=np.float64).ravel()
        difference = difference[np.isfinite(difference)]
        if not difference.size:
            return None
        differences.append(difference)
        peak = float(np.nanmax(wanted.values)) - float(np.nanmin(wanted.values))
        each.append(Agreement(float(difference.mean()), float(difference.std()), peak))
    return PairAgreement((one, two), unit, tuple(each), np.concatenate(differences)) if each else None


def strongest_parameter(parameters: Sequence[Mapping[str, Any]], values: Sequence[float]) -> str | None:
    """Return the drawn number whose ranks follow those of `values` best, by Spearman's |ρ|; None if none does.

    Parameters
    ----------
    parameters
        Drawn values by dotted path, of each sample.
    values
        One number a sample.
    """
    best, strongest = None, WEAKEST
    for path in parameters[0] if parameters else ():
        points = [sample.get(path) for sample in parameters]
        if not all(isinstance(point, int | float) for point in points) or len(set(points)) < FEWEST:
            continue
        one, two = (np.argsort(np.argsort(np.asarray(s, dtype=np.float64))) for s in (points, values))
        correlation = abs(float(np.corrcoef(one, two)[0, 1]))
        if correlation > strongest:
            best, strongest = path, correlation
    return best


def followed_parameter(agreement: PairAgreement, parameters: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the drawn parameter that the deviation follows best, or None with too few samples or no such parameter."""
    if len(agreement.each) < FEWEST:
        return None
    return strongest_parameter(parameters, [one.deviation for one in agreement.each])


def agreement_figure(
    agreement: PairAgreement, parameters: Sequence[Mapping[str, Any]], path: str | None = None
) -> Figure:
    """Draw the distribution of the difference, and its deviation over one drawn parameter.

    Parameters
    ----------
    agreement
        What `pair_agreement` found.
    parameters
        Drawn values of the same samples, in the same order.
    path
        Name of the parameter; None draws the distribution alone.
    """
    deviations = [one.deviation for one in agreement.each]
    figure = Figure(figsize=(4.0 * (2 if path else 1), 2.7), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    unit = f" [{agreement.unit}]" if agreement.unit else ""
    panels = figure.subplots(1, 2 if path else 1, squeeze=False)[0]
    _distribution(panels[0], agreement.differences)
    panels[0].set_xlabel(f"input − target{unit}", fontsize=FONT)
    panels[0].set_ylabel("probability density", fontsize=FONT)
    if path:
        points = [float(sample[path]) for sample in parameters]
        panels[1].scatter(points, deviations, s=14, color=_POINT, edgecolor="white", linewidth=0.4)
        panels[1].set_xlabel(path, fontsize=FONT)
        panels[1].set_ylabel(f"standard deviation of input − target{unit}", fontsize=FONT)
        if min(points) > 0 and max(points) / min(points) > 3 and 0 < 1.5 * min(deviations) < max(deviations):
            panels[1].set(xscale="log", yscale="log")
            for axis in (panels[1].xaxis, panels[1].yaxis):
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter(StrMethodFormatter("{x:g}"))
                axis.set_minor_formatter(NullFormatter())
    for axes in panels:
        axes.tick_params(which="both", labelsize=FONT - 0.5, length=2.5, width=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _distribution(axes: Axes, differences: npt.NDArray[np.float64]) -> None:
    """Draw a histogram on a logarithmic axis with the normal curve of the same median and interquartile range."""
    edge = float(np.percentile(np.abs(differences), 99.95)) or 1.0
    axes.hist(differences, bins=np.linspace(-edge, edge, 81).tolist(), density=True, color=_FILL, label="all pixels")
    first, middle, third = np.percentile(differences, (25, 50, 75))
    width = float(third - first) / 1.349  # interquartile range of a standard normal variable
    if width > 0:
        x = np.linspace(max(-edge, middle - 4 * width), min(edge, middle + 4 * width), 200)
        curve = np.exp(-0.5 * ((x - middle) / width) ** 2) / (width * sqrt(2 * np.pi))
        axes.plot(x, curve, color="#D55E00", linewidth=1.0, label="normal, same quartiles")
    axes.set_yscale("log")
    axes.legend(fontsize=FONT - 1, frameon=False)
