"""The store of a data set: a Zarr group on disk, its metadata, and how it is created, opened and grown.

    NAME.zarr/
        zarr.json                        recipe, digest, splits, pairs; consolidated metadata of all arrays
        image/low/zarr.json              one array a product, axis ``sample`` in front
        image/low/c/SHARD/0/0/0          one file a shard
        recipe.toml
        samples/SHARD.jsonl              one line a sample: key, split, parameters, truths, checksums, error
        markers/SHARD.json               the shard is done
        markers/layout.json              how the samples lie, and the hashes of all metadata

"The same bytes" means every file but the markers, which hold times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phantomsim.dataset.job import Job
from phantomsim.dataset.storage.durable import sync_folders, write_file
from phantomsim.dataset.storage.layout import ArrayLayout, Layout
from phantomsim.dataset.storage.marker import LAYOUT, Marker, Stored, read_marker, read_sealed, stands, write_sealed
from phantomsim.physics.errors import IntegrityError

RECIPE = "recipe.toml"
"""The recipe, in the store."""
SCHEMA = 1
"""Version of this arrangement of files."""


@dataclass(frozen=True)
class Store:
    """A data set on disk, as its layout marker describes it.

    Parameters
    ----------
    root
        Folder of the Zarr group.
    digest
        Hash of the recipe that it is made from.
    samples
        Length of the sample axis.
    layout
        How the samples lie.
    metadata
        Every metadata file (zarr.json, coordinates, recipe.toml) by its path.
    """

    root: Path
    digest: str
    samples: int
    layout: Layout
    metadata: Mapping[str, Stored]

    def span(self, shard: int) -> tuple[int, int]:
        """Return the first sample of a shard and the one after its last."""
        return shard * self.layout.shard, min((shard + 1) * self.layout.shard, self.samples)

    def array_file(self, array: ArrayLayout, shard: int) -> str:
        """Return the path of an array's file in a shard."""
        return "/".join([array.name, "c", str(shard), *("0" for _ in array.shape)])

    def damaged_metadata(self) -> list[str]:
        """Return the metadata files that are missing or not as written."""
        found = {name: _stored(self.root / name) for name in self.metadata}
        return [name for name, file in self.metadata.items() if found[name] != file]


def open_store(root: Path) -> Store | None:
    """Return the store in a folder, or None if there is none.

    Raises
    ------
    IntegrityError
        If its layout marker is damaged or of a newer schema.
    """
    content = read_sealed(root, LAYOUT)
    if content is None:
        return None
    if content["schema"] > SCHEMA:
        raise IntegrityError(f"{root} has schema {content['schema']}, this program reads up to {SCHEMA}; update it")
    metadata = {name: Stored(**file) for name, file in content["metadata"].items()}
    return Store(root, content["digest"], content["samples"], Layout.from_json(content["layout"]), metadata)


def write_store(root: Path, job: Job, layout: Layout, samples: int) -> Store:
    """Write all metadata of a set of so many samples: creates, grows or mends a store.

    Raises
    ------
    ResourceError
        If the disk is full or may not be written.
    """
    files = render(job, layout, samples)
    store = Store(root, job.digest, samples, layout, {name: Stored.of(data) for name, data in files.items()})
    for name in reversed(files):  # the root's zarr.json last: before it, nobody sees a data set
        if _stored(root / name) != store.metadata[name]:
            write_file(root, name, files[name])
    sync_folders(root, list(files))
    content = {
        "schema": SCHEMA,
        "digest": store.digest,
        "samples": samples,
        "layout": layout.to_json(),
        "metadata": {name: asdict(file) for name, file in store.metadata.items()},
    }
    write_sealed(root, LAYOUT, content)
    return store


def done_shards(store: Store) -> dict[int, Marker]:
    """Return the markers of the shards that are done, by number.

    A marker stands if its files are there in full length and it speaks of this layout and range; `verify` reads the
    files as well. A damaged marker counts as none: its shard is made again.

    Raises
    ------
    IntegrityError
        If a marker belongs to another recipe.
    """
    done = {}
    for shard in range(store.layout.n_shards(store.samples)):
        try:
            marker = read_marker(store.root, shard)
        except IntegrityError:
            continue
        if marker is None:
            continue
        if marker.digest != store.digest:
            raise IntegrityError(
                f"shard {shard} of {store.root} was made from recipe {marker.digest[:12]}, "
                f"the store is of {store.digest[:12]}; they are never mixed"
            )
        whole = (shard, *store.span(shard), store.layout.digest)
        if whole == (marker.shard, marker.start, marker.stop, marker.layout) and stands(store.root, marker):
            done[shard] = marker
    return done


def render(job: Job, layout: Layout, samples: int) -> dict[str, bytes]:
    """Return every metadata file of a store by its path, the root's zarr.json first."""
    import zarr
    from zarr.storage import MemoryStore

    written: dict[str, Any] = {}
    memory = MemoryStore(written)
    attributes = {
        "schema": SCHEMA,
        "name": job.name,
        "recipe": job.recipe,
        "digest": job.digest,
        "seed": job.seed,
        "samples": samples,
        "splits": dict(job.splits),
        "pairs": [dict(pair) for pair in job.pairs],
    }
    zarr.create_group(memory, attributes=attributes, zarr_format=3)
    for array in layout.arrays:
        _create(memory, array, layout.shard, samples)
    for coordinate in layout.coordinates:
        values = np.asarray(coordinate.values, dtype=object if coordinate.dtype == "str" else coordinate.dtype)
        stored = zarr.create_array(
            memory,
            name=coordinate.name,
            shape=values.shape,
            chunks=tuple(max(n, 1) for n in values.shape),
            dtype=coordinate.dtype,
            dimension_names=coordinate.dims,
            attributes=dict(coordinate.attributes),
            zarr_format=3,
            config={"write_empty_chunks": True},
        )
        stored[...] = values
    files = {name: data.to_bytes() for name, data in written.items()} | {RECIPE: job.recipe.encode()}
    return _consolidated(files)


def encode(store: Store, array: ArrayLayout, shard: int, values: np.ndarray[Any, Any]) -> bytes:
    """Return the bytes of an array's file in a shard.

    Whole in memory, so that the file on disk is written once, by `write_file`, and hashed without being read.

    Parameters
    ----------
    store
        Where the shard belongs.
    array
        Which array.
    shard
        Number of the shard.
    values
        Samples of the shard (sample, …).
    """
    from zarr.storage import MemoryStore

    start, stop = store.span(shard)
    written: dict[str, Any] = {}
    _create(MemoryStore(written), array, store.layout.shard, store.samples)[start:stop] = values
    return written[store.array_file(array, shard)].to_bytes()  # type: ignore[no-any-return]


def _create(memory: Any, array: ArrayLayout, shard: int, samples: int) -> Any:
    import zarr
    from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec

    blosc = BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle", typesize=np.dtype(array.dtype).itemsize)
    return zarr.create_array(
        memory,
        name=array.name,
        shape=(samples, *array.shape),
        chunks=(1, *array.chunk),
        shards=(shard, *array.shard),
        dtype=array.dtype,
        filters=None,
        serializer=BytesCodec(),
        compressors=[blosc, Crc32cCodec()],
        fill_value=array.fill_value,
        dimension_names=("sample", *array.dims),
        attributes=dict(array.attributes),
        zarr_format=3,
        config={"write_empty_chunks": True},  # or a sample of zeros would be stored like a missing one
    )


def _consolidated(files: dict[str, bytes]) -> dict[str, bytes]:
    """Put a copy of the metadata below each group into its zarr.json.

    Readers then open one file, and never trip over the folders that are not Zarr's. Written here because zarr-python
    warns whenever it does so itself.
    """
    nodes = {
        name.removesuffix("zarr.json").rstrip("/"): json.loads(files[name])
        for name in sorted(files)
        if name.endswith("zarr.json")
    }
    for path, node in nodes.items():
        if node["node_type"] == "group":
            prefix = f"{path}/" if path else ""
            below = {name.removeprefix(prefix): n for name, n in nodes.items() if name and name.startswith(prefix)}
            metadata = {name: {k: v for k, v in n.items() if k != "consolidated_metadata"} for name, n in below.items()}
            node["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": metadata}
            files[f"{prefix}zarr.json"] = json.dumps(node, indent=2).encode()
    return {"zarr.json": files.pop("zarr.json")} | files


def _stored(file: Path) -> Stored | None:
    try:
        return Stored.of(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
