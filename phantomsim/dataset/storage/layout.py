"""How samples lie in a store: arrays, chunks, shards and coordinates, all decided by one calibration sample."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from phantomsim.dataset.job import Sample
from phantomsim.physics.array import to_host
from phantomsim.physics.errors import IntegrityError, ShapeError

if TYPE_CHECKING:
    import xarray as xr

CHUNK_BYTES = 64 * 2**20
SHARD_BYTES = 256 * 2**20
SHARD_SAMPLES = 32
SHARD_SECONDS = 60.0
FEWEST_SHARDS = 8

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")


@dataclass(frozen=True)
class ArrayLayout:
    """One array of the set, described by one sample of it.

    Parameters
    ----------
    name
        Stored name, ``"group/…/array"``.
    dims
        Axes of one sample, as stored (`sample` comes in front).
    shape
        Shape of one sample.
    dtype
        numpy's spelling with the byte order, ``"<f4"``.
    renamed
        Stored name of each axis or coordinate that had to be renamed, by its name in the sample.
    attributes
        Attributes of the array, JSON-able.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    renamed: Mapping[str, str]
    attributes: Mapping[str, Any]

    @property
    def n_bytes(self) -> int:
        """Bytes of one sample."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def chunk(self) -> tuple[int, ...]:
        """Shape of one chunk: the sample, cut along its first axes until it holds at most 64 MiB."""
        chunk = list(self.shape)
        for axis, size in enumerate(self.shape):
            rest = self.n_bytes // prod(self.shape[: axis + 1])
            if rest * size <= CHUNK_BYTES:
                break
            chunk[axis] = max(1, CHUNK_BYTES // rest)
        return tuple(chunk)

    @property
    def shard(self) -> tuple[int, ...]:
        """Shape of one sample in a shard: its shape rounded up to whole chunks."""
        return tuple(-(-n // c) * c for n, c in zip(self.shape, self.chunk, strict=True))

    @property
    def fill_value(self) -> Any:
        """What a failed sample holds: NaN where the type has it, else 0."""
        kind = np.dtype(self.dtype).kind
        return np.dtype(self.dtype).type({"f": np.nan, "c": complex(np.nan, np.nan)}.get(kind, 0))


@dataclass(frozen=True)
class Coordinate:
    """One coordinate shared by all samples: its stored name ``"group/…/coordinate"``, axes, values and attributes."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    values: Any
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """Arrays and coordinates of a set, and how many samples share a shard."""

    shard: int
    arrays: tuple[ArrayLayout, ...]
    coordinates: tuple[Coordinate, ...]

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample, uncompressed."""
        return sum(array.n_bytes for array in self.arrays)

    def n_shards(self, samples: int) -> int:
        """Return how many shards hold so many samples."""
        return -(-samples // self.shard)

    def to_json(self) -> dict[str, Any]:
        """Return the layout as JSON-able data."""
        return json_able(asdict(self))  # type: ignore[no-any-return]

    @property
    def digest(self) -> str:
        """Hash of the layout, recorded with each shard written by it."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        """Return the layout that `to_json` wrote."""
        arrays = (dict(a, dims=tuple(a["dims"]), shape=tuple(a["shape"])) for a in data["arrays"])
        coordinates = (dict(c, dims=tuple(c["dims"])) for c in data["coordinates"])
        return cls(data["shard"], tuple(ArrayLayout(**a) for a in arrays), tuple(Coordinate(**c) for c in coordinates))

    @classmethod
    def of(cls, sample: Sample, shard: int) -> Layout:
        """Lay out a set whose samples all look like this one.

        Arrays of one group share their axes. Where two disagree (images on two grids), the later one's axis or
        coordinate is stored as ``axis_array``: ``y_sharp`` in ``image/sharp``.

        Raises
        ------
        ShapeError
            If a name cannot be stored.
        """
        arrays: list[ArrayLayout] = []
        coordinates: dict[str, Coordinate] = {}
        sizes: dict[str, int] = {}
        for name, array in sample.arrays.items():
            check_name(name, sample)
            group, _, leaf = name.rpartition("/")
            own = {str(c): _coordinate(f"{group}/{c}", array.coords[c]) for c in array.coords}
            renamed = {
                axis: f"{axis}_{leaf}"
                for axis in dict.fromkeys([*map(str, array.dims), *own])
                if _disagree(f"{group}/{axis}", axis, array, own, coordinates, sizes)
            }
            dims = tuple(renamed.get(str(d), str(d)) for d in array.dims)
            stored = [
                Coordinate(
                    f"{group}/{renamed.get(axis, axis)}",
                    tuple(renamed.get(d, d) for d in c.dims),
                    c.dtype,
                    c.values,
                    c.attributes,
                )
                for axis, c in own.items()
            ]
            coordinates |= {c.name: c for c in stored}
            sizes |= {f"{group}/{d}": n for d, n in zip(dims, array.shape, strict=True)}
            attributes = dict(array.attrs)
            if beside := [c.name.rpartition("/")[2] for c in stored if c.name.rpartition("/")[2] not in dims]:
                attributes["coordinates"] = " ".join(beside)  # CF: this is how xarray knows them as coordinates
            dtype = np.dtype(array.dtype).newbyteorder("<").str
            arrays.append(ArrayLayout(name, dims, tuple(array.shape), dtype, renamed, json_able(attributes)))
        return cls(shard, tuple(arrays), tuple(coordinates.values()))


def shard_samples(sample_bytes: int, seconds: float, samples: int) -> int:
    """Return how many samples share a shard, a power of two.

    At most 32, 256 MiB, and a minute of work; and an eighth of a small set, so that a few workers share it. The power
    of two keeps the answer, and with it the bytes of the store, from following every wobble of the measured time.

    Parameters
    ----------
    sample_bytes
        Bytes of one sample.
    seconds
        Time that one sample takes [s].
    samples
        Number of samples planned.
    """
    most = min(
        SHARD_SAMPLES,
        SHARD_BYTES // max(sample_bytes, 1),
        int(SHARD_SECONDS / max(seconds, 1e-3)),
        -(-samples // FEWEST_SHARDS),
    )
    return 1 << (max(most, 1).bit_length() - 1)


def conform(sample: Sample, layout: Layout) -> dict[str, np.ndarray[Any, Any]]:
    """Return a sample's arrays on the host after checking that they fit the layout.

    Raises
    ------
    ShapeError
        If an array is missing, new, or differs in axes, shape, type or coordinates from the calibration sample.
    """
    if sorted(sample.arrays) != sorted(array.name for array in layout.arrays):
        raise ShapeError(
            f"arrays differ from the set's: got {sorted(sample.arrays)}, "
            f"expected {sorted(array.name for array in layout.arrays)}"
        )
    coordinates = {c.name: c for c in layout.coordinates}
    arrays = {}
    for expected in layout.arrays:
        array = sample.arrays[expected.name]
        dims = tuple(expected.renamed.get(str(d), str(d)) for d in array.dims)
        got = (dims, tuple(array.shape), np.dtype(array.dtype).newbyteorder("<").str)
        if got != (expected.dims, expected.shape, expected.dtype):
            raise ShapeError(
                f"{expected.name} is {got[2]} {dict(zip(*got[:2], strict=True))}, the set's other samples are "
                f"{expected.dtype} {dict(zip(expected.dims, expected.shape, strict=True))}"
            )
        group = expected.name.rpartition("/")[0]
        for axis, values in array.coords.items():
            name = f"{group}/{expected.renamed.get(str(axis), str(axis))}"
            if name not in coordinates or not _same(coordinates[name], values):
                raise ShapeError(f"{expected.name}: coordinate {axis!r} differs from the set's other samples")
        arrays[expected.name] = np.asarray(to_host(array.data), dtype=expected.dtype, order="C")
    return arrays


def check_name(name: str, sample: Sample) -> None:
    """Refuse a stored name that is no path of at least one folder, or that is a folder of another array.

    Raises
    ------
    ShapeError
        If it is.
    """
    if not _NAME.fullmatch(name) or name.split("/")[0] in {"samples", "markers"}:
        raise ShapeError(f"an array must be stored as 'group/…/array' in letters, digits, '_', '.', '-', got {name!r}")
    if any(other.startswith(f"{name}/") for other in sample.arrays):
        raise ShapeError(f"{name!r} is the name of an array and of a group of arrays")


def json_able(value: Any) -> Any:
    """Return a value as plain JSON types: numpy scalars and arrays become numbers and lists, tables are sorted.

    Raises
    ------
    IntegrityError
        If it holds anything else.
    """
    if isinstance(value, Mapping):
        return {
            key: json_able(v)
            for key, v in sorted({str(k): v for k, v in value.items()}.items(), key=lambda item: item[0])
        }
    if isinstance(value, list | tuple):
        return [json_able(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return json_able(value.tolist())
    if value is None or isinstance(value, str | int | float):
        return value
    raise IntegrityError(f"only numbers, texts, lists and tables can be recorded, got {type(value).__name__}")


def _coordinate(name: str, values: xr.DataArray) -> Coordinate:
    if values.dtype.kind not in "biufU":
        raise ShapeError(f"coordinate {name!r} must hold numbers or names, got {values.dtype}")
    dtype = "str" if values.dtype.kind == "U" else values.dtype.newbyteorder("<").str
    return Coordinate(name, tuple(map(str, values.dims)), dtype, json_able(values.values), json_able(values.attrs))


def _same(coordinate: Coordinate, values: xr.DataArray) -> bool:
    ours = np.asarray(coordinate.values, dtype=coordinate.dtype)
    return np.array_equal(ours, values.values, equal_nan=ours.dtype.kind == "f")


def _disagree(
    name: str,
    axis: str,
    array: xr.DataArray,
    own: Mapping[str, Coordinate],
    coordinates: Mapping[str, Coordinate],
    sizes: Mapping[str, int],
) -> bool:
    if axis in array.dims and sizes.get(name, array.sizes[axis]) != array.sizes[axis]:
        return True
    return axis in own and coordinates.get(name, own[axis]) != own[axis]
