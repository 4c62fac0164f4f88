"""Samples back from a store, labelled as they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from phantomsim.dataset.job import Sample
from phantomsim.dataset.storage.chunks import read_sample

if TYPE_CHECKING:
    from phantomsim.dataset.storage.layout import ArrayLayout
    from phantomsim.dataset.storage.store import Store


def stored_samples(store: Store, records: Sequence[Mapping[str, Any]]) -> list[Sample]:
    """Read samples of a store with their axes, coordinates, attributes, parameters and truths.

    Parameters
    ----------
    store
        The store.
    records
        Records of the samples wanted; valid ones.

    Raises
    ------
    IntegrityError
        If a shard is missing or damaged.
    """
    coordinates = _coordinates(store)
    samples = []
    for record in records:
        arrays = {}
        for array in store.layout.arrays:
            values = read_sample(store, array, record["index"])
            own = record.get("attributes", {}).get(array.name, {})
            arrays[array.name] = _labelled(array, values, coordinates, own)
        samples.append(Sample(arrays, record["parameters"], record["truths"], record["subject"]))
    return samples


def _coordinates(store: Store) -> dict[str, tuple[tuple[str, ...], Any, Mapping[str, Any]]]:
    return {
        c.name: (c.dims, np.asarray(c.values, dtype=None if c.dtype == "str" else c.dtype), c.attributes)
        for c in store.layout.coordinates
    }


def _labelled(
    array: ArrayLayout,
    values: np.ndarray[Any, Any],
    coordinates: Mapping[str, tuple[tuple[str, ...], Any, Mapping[str, Any]]],
    own: Mapping[str, Any],
) -> xr.DataArray:
    """Give one array its axes by the names they had in the sample, and every coordinate of its group that fits."""
    group = array.name.rpartition("/")[0]
    original = {stored: name for name, stored in array.renamed.items()}
    dims = [original.get(dim, dim) for dim in array.dims]
    coords = {}
    for name, (axes, points, attributes) in coordinates.items():
        folder, _, leaf = name.rpartition("/")
        own_leaf = leaf in array.dims or leaf in str(array.attributes.get("coordinates", "")).split()
        if folder == group and own_leaf and set(axes) <= set(array.dims):
            coords[original.get(leaf, leaf)] = ([original.get(axis, axis) for axis in axes], points, attributes)
    return xr.DataArray(values, dims=dims, coords=coords, attrs={**array.attributes, **own})
