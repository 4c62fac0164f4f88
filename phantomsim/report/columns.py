"""What a preview shows: which products of a recipe, side by side, and in which window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from phantomsim.report.palette import Palette, common_labels, palette_of
from phantomsim.report.panel import plane
from phantomsim.report.window import Window, difference_window, window_of

if TYPE_CHECKING:
    import xarray as xr

    from phantomsim.dataset.job import Sample
    from phantomsim.dataset.recipe.outline import PairSpec

MAX_COLUMNS: Final = 7


@dataclass(frozen=True)
class Column:
    """One product of every sample: a column of the picture.

    Parameters
    ----------
    title
        Heading: the role of the product and its name.
    pictures
        One 2D array a sample, or None where a sample lacks it.
    window
        Range and colours that the whole column shares.
    palette
        Colours of labels, for a label map.
    outlined
        Whether lesions are circled.
    """

    title: str
    pictures: tuple[xr.DataArray | None, ...]
    window: Window
    palette: Palette | None = None
    outlined: bool = False

    @property
    def example(self) -> xr.DataArray:
        """The first picture there is."""
        return next(picture for picture in self.pictures if picture is not None)


def columns_of(samples: Sequence[Sample], pairs: Sequence[PairSpec]) -> list[Column]:
    """Choose the columns of a preview: the first pair's input, target, difference and extras, at most seven.

    Parameters
    ----------
    samples
        Samples to show.
    pairs
        Pairs of the recipe; without any, every array is a column.

    Raises
    ------
    ValueError
        If there is nothing to show.
    """
    columns = []
    if pairs:
        pair = pairs[0]
        for role, product in (("input", pair.input), ("target", pair.target)):
            columns += [_column(samples, name, role) for name in stored_names(samples, product)]
        difference = _difference(samples, pair)
        columns += [difference] if difference else []
        shown = [name for product in pair.extra for name in stored_names(samples, product)]
    else:
        shown = sorted(_pictorial(samples))
    columns += [_column(samples, name, "") for name in shown]
    if not columns:
        raise ValueError("there is nothing to preview: no sample has an array of the recipe's first pair")
    return columns[:MAX_COLUMNS]


def stored_names(samples: Sequence[Sample], product: str) -> list[str]:
    """Return the stored arrays of at least two axes that a product's name stands for, e.g. ``"take.low"``."""
    stored = product.replace(".", "/")
    return [name for name in _pictorial(samples) if name == stored or name.startswith(stored + "/")]


def _pictorial(samples: Sequence[Sample]) -> list[str]:
    return list(dict.fromkeys(name for sample in samples for name, array in sample.arrays.items() if array.ndim >= 2))


def _column(samples: Sequence[Sample], name: str, role: str) -> Column:
    arrays = tuple(sample.arrays.get(name) for sample in samples)
    pictures = tuple(plane(array) if array is not None else None for array in arrays)
    there = [picture for picture in pictures if picture is not None]
    window = window_of(there)
    title = f"{role}: {name}" if role else name
    if not window.categorical:
        return Column(title, pictures, window, outlined=role == "target")
    there = common_labels(there)
    renumbered = iter(there)
    pictures = tuple(next(renumbered) if picture is not None else None for picture in pictures)
    return Column(title, pictures, window, palette_of(there, _lesion_tissues(samples)), outlined=role == "target")


def _lesion_tissues(samples: Sequence[Sample]) -> set[str]:
    return {str(lesion.get("tissue")) for sample in samples for lesion in sample.truths.get("lesions", ())}


def _difference(samples: Sequence[Sample], pair: PairSpec) -> Column | None:
    names = (pair.input.replace(".", "/"), pair.target.replace(".", "/"))
    pictures = tuple(_subtract(*(sample.arrays.get(name) for name in names)) for sample in samples)
    there = [picture for picture in pictures if picture is not None]
    return Column("input − target", pictures, difference_window(there)) if there else None


def _subtract(one: xr.DataArray | None, two: xr.DataArray | None) -> xr.DataArray | None:
    """Return the picture of one minus two, or None where they do not compare."""
    if one is None or two is None or one.dims != two.dims or one.shape != two.shape:
        return None
    if one.attrs.get("units") != two.attrs.get("units"):
        return None
    picture, other = plane(one), plane(two)
    values = np.subtract(picture.values, other.values, dtype=np.float64)
    difference = picture.copy(data=values)
    difference.attrs = {"units": one.attrs.get("units", ""), "long_name": "input − target"}
    return difference
