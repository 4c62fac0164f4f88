"""A data set as its users see it: the table of samples, normalisation statistics, labelled arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phantomsim.dataset.job import split_at
from phantomsim.dataset.storage.marker import Marker, read_records
from phantomsim.dataset.storage.statistics import Moments, combine
from phantomsim.dataset.storage.store import Store, done_shards, open_store
from phantomsim.physics.errors import IntegrityError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Contents:
    """What is finished of a data set.

    Parameters
    ----------
    store
        The store.
    attributes
        Of the root group: name, recipe, splits, pairs.
    markers
        Markers of the shards that are done, by number.
    """

    store: Store
    attributes: Mapping[str, Any]
    markers: Mapping[int, Marker]

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """Record of every finished sample in order, with the name of its ``split``; failed ones included."""
        splits = self.attributes["splits"]
        found = [record for shard in sorted(self.markers) for record in read_records(self.store.root, shard)]
        return [{**record, "split": split_at(record["position"], splits)} for record in found]

    def select(self, split: str | None) -> list[dict[str, Any]]:
        """Return the records of the valid samples of a split, or of all.

        Raises
        ------
        ValueError
            If there is no such split.
        """
        if split is not None and split not in self.attributes["splits"]:
            raise ValueError(f"there is no split {split!r}; this set has {', '.join(self.attributes['splits'])}")
        return [r for r in self.records if r["valid"] and split in (None, r["split"])]

    def statistics(self, split: str | None = None) -> dict[str, Moments]:
        """Return the moments of each array over the valid samples of a split, or of all.

        Merged in the order of the samples: the same numbers whoever made the set.
        """
        size = self.store.layout.shard
        places = [divmod(record["index"], size) for record in self.select(split)]
        return {
            array.name: combine(
                Moments.from_json(self.markers[shard].statistics[array.name][place]) for shard, place in places
            )
            for array in self.store.layout.arrays
        }


def open_contents(path: str | Path) -> Contents:
    """Open a data set to read what is finished of it.

    Raises
    ------
    IntegrityError
        If there is no data set, or it is damaged.
    """
    root = Path(path).absolute()
    store = open_store(root)
    if store is None:
        raise IntegrityError(f"{root} holds no data set")
    attributes = json.loads((root / "zarr.json").read_bytes())["attributes"]
    return Contents(store, attributes, done_shards(store))


def open_dataset(path: str | Path, split: str | None = None) -> xr.DataTree:
    """Open the finished, valid samples of a data set as labelled arrays, read when used.

    The root holds the table: `split`, `subject` and every drawn parameter by its dotted path, all by `sample`, the
    sample's number in the set. Each array carries the moments of these samples as attributes `mean`, `std`, `minimum`
    and `maximum`. Loading many samples at once is slow; train through `Pairs`.

    Parameters
    ----------
    path
        Folder of the store, ``NAME.zarr``.
    split
        Name of a split; None takes all.

    Raises
    ------
    IntegrityError
        If there is no data set, or it is damaged.
    ValueError
        If there is no such split.
    """
    import xarray as xr

    contents = open_contents(path)
    records = contents.select(split)
    statistics = contents.statistics(split)
    index = np.array([record["index"] for record in records], dtype=np.int64)
    columns = {"split": [r["split"] for r in records], "subject": [r["subject"] for r in records]}
    names = dict.fromkeys(name for record in records for name in record["parameters"])
    columns |= {name: [record["parameters"].get(name) for record in records] for name in names}
    table = xr.Dataset(
        {name: ("sample", _column(values)) for name, values in columns.items()},
        {"sample": index},
        dict(contents.attributes),
    )
    opened = xr.open_datatree(contents.store.root, engine="zarr", chunks=None)
    nodes = {"/": table}
    for node in opened.subtree:
        if node.data_vars:
            chosen = node.to_dataset(inherit=False).isel(sample=index).assign_coords(sample=index)
            for name in chosen.data_vars:
                moments = statistics[f"{node.path.strip('/')}/{name}"]
                if moments.count:
                    chosen[name].attrs |= {
                        "mean": moments.mean,
                        "std": moments.std,
                        "minimum": moments.minimum,
                        "maximum": moments.maximum,
                    }
            nodes[node.path] = chosen
    return xr.DataTree.from_dict(nodes)


def _column(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return a column of the table: numbers as they are (NaN where missing), anything else as text."""
    kinds = {type(value) for value in values}
    if kinds <= {int} or kinds <= {bool}:
        return np.array(values)
    if kinds <= {int, float, type(None)}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.array([value if isinstance(value, str) else json.dumps(value) for value in values], dtype=np.str_)
