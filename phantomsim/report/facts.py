"""What a report tells of a data set, from the store's layout, markers and records; no array is opened here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phantomsim.dataset.recipe.outline import PairSpec
from phantomsim.dataset.view import Contents, open_contents

if TYPE_CHECKING:
    from phantomsim.dataset.storage.layout import ArrayLayout
    from phantomsim.dataset.storage.marker import Marker
    from phantomsim.dataset.storage.statistics import Moments
    from phantomsim.dataset.storage.store import Store


@dataclass(frozen=True)
class ArrayFacts:
    """One array: how it lies on disk and what its values are like.

    Parameters
    ----------
    layout
        Name, axes, shape, dtype, chunk and attributes.
    n_bytes
        Bytes on disk so far.
    moments
        Of all values of valid samples; labels and counts included.
    """

    layout: ArrayLayout
    n_bytes: int
    moments: Moments

    @property
    def axes(self) -> list[tuple[str, int]]:
        """Name and length of each axis of one sample."""
        return list(zip(self.layout.dims, self.layout.shape, strict=True))

    @property
    def dtype(self) -> str:
        """Name of the dtype, ``"float32"``."""
        return np.dtype(self.layout.dtype).name


@dataclass(frozen=True)
class Facts:
    """A data set as its store describes it.

    Parameters
    ----------
    contents
        What is finished of it.
    """

    contents: Contents

    @property
    def store(self) -> Store:
        """Layout and metadata."""
        return self.contents.store

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Name, recipe, digest, seed, splits and pairs, from the root group."""
        return self.contents.attributes

    @property
    def markers(self) -> list[Marker]:
        """Markers of the shards that are done."""
        return list(self.contents.markers.values())

    @property
    def n_done(self) -> int:
        """Number of samples that are done, failed ones included."""
        return len(self.contents.records)

    @property
    def valid(self) -> list[dict[str, Any]]:
        """Records of the samples that did not fail."""
        return self.contents.select(None)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Records of the samples that failed."""
        return [record for record in self.contents.records if not record["valid"]]

    @property
    def pairs(self) -> list[PairSpec]:
        """Pairs of the recipe."""
        return [PairSpec.model_validate(pair) for pair in self.attributes["pairs"]]

    @property
    def arrays(self) -> list[ArrayFacts]:
        """Every array."""
        moments = self.contents.statistics()
        return [
            ArrayFacts(
                array,
                sum(marker.files[self.store.array_file(array, marker.shard)].n_bytes for marker in self.markers),
                moments[array.name],
            )
            for array in self.store.layout.arrays
        ]

    @property
    def n_bytes(self) -> int:
        """Bytes on disk of all shards that are done."""
        return sum(marker.n_bytes for marker in self.markers)

    @property
    def seconds(self) -> tuple[float, float]:
        """Time spent on making and on writing samples, summed over workers [s]."""
        return sum(marker.generate_s for marker in self.markers), sum(marker.write_s for marker in self.markers)

    @property
    def splits(self) -> dict[str, int]:
        """Number of valid samples in each split."""
        count = Counter(record["split"] for record in self.valid)
        return {name: count[name] for name in self.attributes["splits"]}

    @property
    def environments(self) -> list[Mapping[str, Any]]:
        """The different environments that made the shards; one, unless they were mixed on purpose."""
        different: dict[str, Mapping[str, Any]] = {}
        for marker in self.markers:
            different.setdefault(json.dumps(marker.environment, sort_keys=True), marker.environment)
        return list(different.values())

    @property
    def drawn(self) -> dict[str, list[Any]]:
        """Drawn numbers and names of the valid samples, by dotted path; each entry of a list counts."""
        values: dict[str, list[Any]] = {}
        for record in self.valid:
            for path, value in record["parameters"].items():
                values.setdefault(path, []).extend(_scalars(value))
        return {path: found for path, found in values.items() if found}


def facts_of(root: Path | str) -> Facts:
    """Read what a report tells of a data set, complete or not.

    Parameters
    ----------
    root
        Folder of the store.

    Raises
    ------
    IntegrityError
        If there is no data set, or it is damaged.
    """
    return Facts(open_contents(root))


def _scalars(value: Any) -> Iterator[float | str]:
    if isinstance(value, list):
        for entry in value:
            yield from _scalars(entry)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, int | float | str):
        yield value
