"""Colours of label maps: the same tissue in the same colour in every sample, a few named ones, grey for the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.patches import Patch

from phantomsim.report.window import label_names

if TYPE_CHECKING:
    import xarray as xr

_COLOURS: Final = (
    "#D9D9D9",
    "#56B4E9",
    "#F0E442",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#0072B2",
    "#E69F00",
    "#882255",
    "#117733",
)
"""Okabe and Ito's colours, which colour-blind readers tell apart, with three of Tol's; the first is the background."""
_OTHER: Final = "#666666"


@dataclass(frozen=True)
class Palette:
    """Colours of the labels that occur, the most frequent ones named.

    Parameters
    ----------
    colours
        Colour of each label value, from 0.
    names
        Tissue and colour of each entry of the legend.
    """

    colours: tuple[str, ...]
    names: tuple[tuple[str, str], ...]

    def handles(self) -> list[Patch]:
        """Return the entries of a legend."""
        return [Patch(facecolor=colour, label=name, edgecolor="#333333", linewidth=0.4) for name, colour in self.names]


def common_labels(arrays: Sequence[xr.DataArray]) -> list[xr.DataArray]:
    """Renumber label maps so that a value is the same tissue in all of them.

    Samples draw their tissues, so value 5 may be a cyst in one and bone in another. Livers with different amounts of
    iodine (``liver+I@1.2``) are one liver here.

    Parameters
    ----------
    arrays
        Label maps with the names of their tissues; a value beyond the names keeps its number as its name.
    """
    tables = [_table(array) for array in arrays]
    names = list(dict.fromkeys(name for table in tables for name in table))
    renumbered = []
    for array, table in zip(arrays, tables, strict=True):
        numbers = np.array([names.index(name) for name in table], dtype=np.int64)
        common = array.copy(data=numbers[array.values])
        common.attrs = array.attrs | {"tissues": names}
        renumbered.append(common)
    return renumbered


def palette_of(arrays: Sequence[xr.DataArray], first: Collection[str] = ()) -> Palette:
    """Give colours to the labels of maps that share their numbering: to the ten largest, grey to the rest.

    Parameters
    ----------
    arrays
        Label maps from `common_labels`.
    first
        Tissues that get a colour however small they are.
    """
    names = label_names(arrays[0])
    count = np.sum([np.bincount(array.values.ravel(), minlength=len(names)) for array in arrays], axis=0)
    wanted = [count[v] > 0 and name in first for v, name in enumerate(names)]
    present = [int(v) for v in np.lexsort((-count, np.logical_not(wanted))) if count[v]]
    shown = sorted(present if len(present) <= len(_COLOURS) else present[: len(_COLOURS) - 1])
    colours = [_OTHER] * len(names)
    hues = _COLOURS if 0 in shown else _COLOURS[1:] + _COLOURS[:1]
    for label, colour in zip(shown, hues, strict=False):
        colours[label] = colour
    entries = [(names[label].replace("_", " "), colours[label]) for label in shown]
    if len(present) > len(shown):
        entries.append((f"{len(present) - len(shown)} others", _OTHER))
    return Palette(tuple(colours), tuple(entries))


def _table(array: xr.DataArray) -> list[str]:
    names, largest = label_names(array), int(array.values.max(initial=0))
    names = tuple(re.split("[+@]", name)[0] for name in names)
    return [*names, *(f"label {value}" for value in range(len(names), largest + 1))]
