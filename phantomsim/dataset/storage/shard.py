"""One task: make the samples of one shard, write it, mark it done."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import google_crc32c
import numpy as np
from threadpoolctl import threadpool_limits

from phantomsim.dataset.job import Job, split_position
from phantomsim.dataset.storage.durable import sync_folders, write_file
from phantomsim.dataset.storage.environment import difference, environment
from phantomsim.dataset.storage.layout import Layout, conform, json_able
from phantomsim.dataset.storage.marker import Marker, Stored, records_name, retract, write_marker
from phantomsim.dataset.storage.statistics import Moments
from phantomsim.dataset.storage.store import Store, encode
from phantomsim.physics.errors import DeviceError, IntegrityError, ResourceError
from phantomsim.physics.rng import Key


@dataclass(frozen=True)
class Attempt:
    """A sample on the host, checked against the layout; without arrays if it failed.

    Parameters
    ----------
    arrays
        Arrays by stored name, or None.
    record
        The sample's line in the records, still without its checksums.
    traceback
        Where it failed; empty if it did not.
    """

    arrays: Mapping[str, np.ndarray[Any, Any]] | None
    record: Mapping[str, Any]
    traceback: str = ""


@dataclass(frozen=True)
class Summary:
    """What a shard's marker and records keep of a sample once its arrays are in the buffers.

    Parameters
    ----------
    line
        The sample's line in the records, with the CRC-32C of each array.
    crc32c
        CRC-32C over all arrays in the layout's order, or None if it failed.
    statistics
        Moments by array name, as JSON; None in each place if it failed.
    failure
        Index, error and traceback, or None.
    """

    line: bytes
    crc32c: int | None
    statistics: Mapping[str, list[float] | None]
    failure: Mapping[str, Any] | None


def make_shard(store: Store, job: Job, shard: int, expected: Mapping[str, Any] | None = None) -> Marker:
    """Make, write and mark one shard; the only writer of its files.

    Parameters
    ----------
    store
        Where it goes.
    job
        What makes the samples.
    shard
        Number of the shard.
    expected
        Environment that this process must have; None takes any.

    Raises
    ------
    IntegrityError
        If this process would compute other bits than the rest of the set.
    ResourceError
        If disk or memory run out.
    """
    here = environment(job.device)
    if expected is not None and (changed := difference(here, expected)):
        raise IntegrityError(
            f"this worker differs from the rest of the set in {changed}; --allow-mixed takes it anyway"
        )
    start, stop = store.span(shard)
    buffers = {
        array.name: np.full((stop - start, *array.shape), array.fill_value, array.dtype)
        for array in store.layout.arrays
    }
    began = time.perf_counter()
    summaries, writing = [], 0.0
    for index in range(start, stop):
        with threadpool_limits(1):  # BLAS may sum in another order on another number of threads
            made = attempt(job, store.layout, index)
        finished = time.perf_counter()
        for name, values in (made.arrays or {}).items():
            buffers[name][index - start] = values
        summaries.append(summarise(made, store.layout))
        writing += time.perf_counter() - finished
    generated = time.perf_counter()
    files = _write(store, shard, buffers, b"".join(summary.line for summary in summaries))
    marker = Marker(
        shard=shard,
        start=start,
        stop=stop,
        size=store.layout.shard,
        digest=store.digest,
        layout=store.layout.digest,
        environment=here,
        files=files,
        crc32c=tuple(summary.crc32c for summary in summaries),
        statistics={array.name: [s.statistics[array.name] for s in summaries] for array in store.layout.arrays},
        failures=tuple(summary.failure for summary in summaries if summary.failure),
        generate_s=generated - began - writing,
        write_s=time.perf_counter() - generated + writing,
        written=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_marker(store.root, marker)
    return marker


def attempt(job: Job, layout: Layout, index: int) -> Attempt:
    """Make one sample; if it fails, return the record of its failure.

    Raises
    ------
    ResourceError
        If memory runs out: that is the machine's failure, not the sample's.
    DeviceError
        If the device is gone, for the same reason.
    """
    key = Key(job.seed).fold(index)
    record: dict[str, Any] = {"index": index, "key": [key.seed, *key.path]}
    try:
        sample = job.make(index)
        arrays = conform(sample, layout)
        subject = str(index) if sample.subject is None else sample.subject
        attributes = {
            array.name: changed
            for array in layout.arrays
            if (changed := _changed(array.attributes, json_able(sample.arrays[array.name].attrs)))
        }
        record |= {
            "subject": subject,
            "position": split_position(subject),
            "valid": True,
            "parameters": json_able(sample.parameters),
            "truths": json_able(sample.truths),
            "attributes": attributes,
        }
        json.dumps(record, allow_nan=False)
    except MemoryError as error:
        raise ResourceError(f"out of memory in sample {index}; use fewer workers or smaller grids") from error
    except (DeviceError, ResourceError):
        raise
    except Exception as error:  # noqa: BLE001  a sample may fail in any way, and must not take its shard along
        return _failure(job, record, error)
    return Attempt(arrays, record)


def summarise(made: Attempt, layout: Layout) -> Summary:
    """Return the checksums and moments of a sample, or the record of its failure."""
    statistics: dict[str, list[float] | None] = dict.fromkeys(array.name for array in layout.arrays)
    if made.arrays is None:
        failure = {"index": made.record["index"], "error": made.record["error"], "traceback": made.traceback}
        return Summary(_line(made.record), None, statistics, failure)
    crc, checksums = 0, {}
    for name in statistics:
        data = made.arrays[name].reshape(-1).view(np.uint8)
        crc = google_crc32c.extend(crc, data)
        checksums[name] = f"{google_crc32c.value(data):08x}"
        statistics[name] = Moments.of(made.arrays[name]).to_json()
    return Summary(_line({**made.record, "crc32c": checksums}), crc, statistics, None)


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True).encode() + b"\n"


def _failure(job: Job, record: Mapping[str, Any], error: Exception) -> Attempt:
    index = record["index"]
    failed = {
        "index": index,
        "key": record["key"],
        "subject": str(index),
        "position": split_position(str(index)),
        "valid": False,
        "error": f"{type(error).__name__}: {error}",
        "repeat": job.repeat.format(index=index),
    }
    return Attempt(None, failed, "".join(traceback.format_exception(error)))


def _changed(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes in which a sample differs from the set's, such as a geometry that is drawn."""
    return {name: own[name] for name in own if own[name] != shared.get(name)}


def _write(store: Store, shard: int, buffers: dict[str, np.ndarray[Any, Any]], records: bytes) -> dict[str, Stored]:
    retract(store.root, shard)  # an older marker must not speak for the new files
    files = {}
    for array in store.layout.arrays:
        name, data = store.array_file(array, shard), encode(store, array, shard, buffers.pop(array.name))
        write_file(store.root, name, data)
        files[name] = Stored.of(data)
    write_file(store.root, records_name(shard), records)
    files[records_name(shard)] = Stored.of(records)
    sync_folders(store.root, list(files))
    return files
