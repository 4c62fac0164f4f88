"""Read one sample of one array straight from its shard file.

zarr-python takes about 3 ms and the interpreter lock for each read; training reads little else. This reads the same
bytes (index at the shard's end, blosc, CRC-32C) with two system calls and one call that decompresses without the lock,
and needs no event loop, so that threads, forks and spawned workers are all the same to it
(``tests/benchmarks/test_store.py``).

References
----------
Zarr core specification 3.1, "sharding_indexed" codec, zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed
"""

from __future__ import annotations

import os
from itertools import product
from math import prod
from typing import Any

import google_crc32c
import numpy as np
from numcodecs import blosc

from phantomsim.dataset.storage.layout import ArrayLayout
from phantomsim.dataset.storage.store import Store
from phantomsim.physics.errors import IntegrityError

_CRC_BYTES = 4
_ABSENT = 2**64 - 1


def read_sample(store: Store, array: ArrayLayout, index: int) -> np.ndarray[Any, Any]:
    """Return one sample of one array.

    Parameters
    ----------
    store
        Where it lies.
    array
        Which array.
    index
        Which sample; its shard must be done.

    Raises
    ------
    IntegrityError
        If the shard is missing or damaged there.
    """
    shard, place = divmod(index, store.layout.shard)
    name = store.array_file(array, shard)
    cuts = tuple(n // c for n, c in zip(array.shard, array.chunk, strict=True))
    try:
        chunks = _read(store, name, place * prod(cuts), prod(cuts), store.layout.shard * prod(cuts))
        if prod(cuts) == 1:
            sample = np.empty(array.shape, array.dtype)
            blosc.decompress(chunks[0], sample)
            return sample
        whole = np.empty(array.shard, array.dtype)
        chunk = np.empty(array.chunk, array.dtype)
        for position, data in zip(product(*map(range, cuts)), chunks, strict=True):
            blosc.decompress(data, chunk)
            corner = (p * c for p, c in zip(position, array.chunk, strict=True))
            whole[tuple(slice(a, a + c) for a, c in zip(corner, array.chunk, strict=True))] = chunk
    except (OSError, ValueError, RuntimeError) as error:
        raise IntegrityError(
            f"{store.root / name}: sample {index} cannot be read ({error}); phantomsim verify"
        ) from error
    return whole[tuple(slice(n) for n in array.shape)]


def _read(store: Store, name: str, first: int, n: int, total: int) -> list[bytes]:
    """Return the compressed chunks `first` to ``first + n`` of a shard of `total` chunks, checksums checked."""
    descriptor = os.open(store.root / name, os.O_RDONLY)
    try:
        size = 16 * total + _CRC_BYTES
        index = _checked(os.pread(descriptor, size, max(0, os.fstat(descriptor).st_size - size)), size)
        places = np.frombuffer(index, "<u8").reshape(total, 2)[first : first + n].tolist()
        if any(offset == _ABSENT for offset, _ in places):
            raise ValueError("it was never written")
        return [_checked(os.pread(descriptor, length, offset), length) for offset, length in places]
    finally:
        os.close(descriptor)


def _checked(data: bytes, length: int) -> bytes:
    body = data[:-_CRC_BYTES]
    if len(data) != length or google_crc32c.value(body) != int.from_bytes(data[-_CRC_BYTES:], "little"):
        raise ValueError("checksum differs")
    return body
