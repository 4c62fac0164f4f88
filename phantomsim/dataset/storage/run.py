"""A run: the shards that are not done yet, made here or by a dask cluster, one task a shard."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from phantomsim.dataset.job import Job
from phantomsim.dataset.storage.calibrate import calibrate, check_disk
from phantomsim.dataset.storage.durable import locked
from phantomsim.dataset.storage.environment import difference, environment
from phantomsim.dataset.storage.marker import FOLDER, Marker
from phantomsim.dataset.storage.shard import make_shard
from phantomsim.dataset.storage.store import RECIPE, Store, done_shards, open_store, write_store
from phantomsim.physics.errors import IntegrityError, ResourceError

IN_FLIGHT = 256
"""Tasks handed to a cluster ahead of the ones that finish."""


@dataclass(frozen=True)
class Workers:
    """Where the shards are made.

    Parameters
    ----------
    n
        Worker processes of a local dask cluster; 0 works in this process, without dask.
    scheduler
        Address of a running dask scheduler, used instead; its workers must see the store under the same path.
    """

    n: int = 0
    scheduler: str | None = None


HERE = Workers()
"""This process alone."""


@dataclass(frozen=True)
class RunReport:
    """What a run did, or has done so far.

    Parameters
    ----------
    root
        Folder of the store.
    samples, shards
        Number of samples and shards of the set.
    found
        Shards that were done before.
    made
        Shards that this run made.
    made_samples, failed_samples
        Samples that this run tried, and how many of those failed.
    failed
        Number of failed samples in the whole set, as far as it is done.
    n_bytes
        Bytes that this run wrote.
    seconds
        Since the run began [s].
    generate_s, write_s
        Time spent on making and on writing samples, summed over workers [s].
    """

    root: Path
    samples: int
    shards: int
    found: int
    made: int = 0
    made_samples: int = 0
    failed_samples: int = 0
    failed: int = 0
    n_bytes: int = 0
    seconds: float = 0.0
    generate_s: float = 0.0
    write_s: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every shard is done."""
        return self.found + self.made == self.shards

    def with_shard(self, marker: Marker, seconds: float) -> RunReport:
        """Return the report after one more shard."""
        return replace(
            self,
            made=self.made + 1,
            made_samples=self.made_samples + marker.stop - marker.start,
            failed_samples=self.failed_samples + len(marker.failures),
            failed=self.failed + len(marker.failures),
            n_bytes=self.n_bytes + marker.n_bytes,
            seconds=seconds,
            generate_s=self.generate_s + marker.generate_s,
            write_s=self.write_s + marker.write_s,
        )


def run(
    root: Path,
    job: Job,
    workers: Workers = HERE,
    *,
    shard: int | None = None,
    allow_mixed: bool = False,
    retry_failed: bool = False,
    progress: Callable[[RunReport], None] | None = None,
) -> RunReport:
    """Make what a data set still lacks: all of it, the rest after a stop, or what it grew by.

    Parameters
    ----------
    root
        Folder of the store, ``NAME.zarr``.
    job
        What to make.
    workers
        Where to make it; the bytes do not depend on it.
    shard
        Samples in a shard of a new store; None chooses by size and time. An existing store keeps its own.
    allow_mixed
        Take shards made by other code, libraries, device or processor.
    retry_failed
        Make shards that hold failed samples again.
    progress
        Called at the start and after each shard.

    Raises
    ------
    IntegrityError
        If the store belongs to another recipe or environment, or its metadata is damaged.
    ResourceError
        If disk or memory run out, or another run holds the store. What is done is kept; run again to go on.
    """
    root = Path(root).absolute()
    began = time.perf_counter()
    with locked(root):
        store = _prepare(root, job, shard)
        done = done_shards(store)
        if retry_failed:
            done = {number: marker for number, marker in done.items() if not marker.failures}
        failed = sum(len(marker.failures) for marker in done.values())
        expected = None if allow_mixed else _one_environment(done.values())
        # fewer samples than the store has room for: make no more than what is asked for
        todo = [n for n in range(store.layout.n_shards(min(job.samples, store.samples))) if n not in done]
        _check_disk(store, done.values(), todo)
        report = RunReport(root, store.samples, len(done) + len(todo), found=len(done), failed=failed)
        if progress:
            progress(report)
        if not todo:
            return report
        with _executor(workers, job, expected, allow_mixed) as execute:
            for marker in execute(store, job, todo):
                report = report.with_shard(marker, time.perf_counter() - began)
                if progress:
                    progress(report)
    return report


def _prepare(root: Path, job: Job, shard: int | None) -> Store:
    store = open_store(root)
    if store is None:
        if any((root / FOLDER).glob("*.json")):
            raise IntegrityError(f"{root} has lost its layout; phantomsim verify --repair makes it again")
        calibration = calibrate(job, shard)
        check_disk(root, job.samples, calibration.stored_bytes)
        return write_store(root, job, calibration.layout, job.samples)
    if store.digest != job.digest:
        raise IntegrityError(
            f"{root} was made from recipe {store.digest[:12]}, this is {job.digest[:12]}; write to another store"
        )
    if damaged := store.damaged_metadata():
        raise IntegrityError(f"{root / damaged[0]} is damaged; phantomsim verify --repair makes it again")
    if job.samples <= store.samples and (root / RECIPE).read_bytes() == job.recipe.encode():
        return store
    return write_store(root, job, store.layout, max(job.samples, store.samples))


def _check_disk(store: Store, done: Collection[Marker], todo: Collection[int]) -> None:
    """Refuse to go on where the rest will not fit, judged by what is done."""
    if done:
        missing = sum(stop - start for start, stop in map(store.span, todo))
        check_disk(store.root, missing, sum(m.n_bytes for m in done) / sum(m.stop - m.start for m in done))


def _one_environment(markers: Collection[Marker]) -> Mapping[str, Any] | None:
    first: Marker | None = None
    for marker in markers:
        first = first or marker
        if changed := difference(marker.environment, first.environment):
            raise IntegrityError(
                f"shards {first.shard} and {marker.shard} differ in {changed}; --allow-mixed takes them anyway"
            )
    return first.environment if first else None


Execute = Callable[[Store, Job, list[int]], Iterator[Marker]]


@contextmanager
def _executor(workers: Workers, job: Job, expected: Mapping[str, Any] | None, allow_mixed: bool) -> Iterator[Execute]:
    if workers.scheduler is None and workers.n == 0:
        yield lambda store, job, todo: (make_shard(store, job, n, expected) for n in todo)
        return
    with _client(workers) as client:
        if not allow_mixed:
            for there in client.run(environment, job.device).values():
                expected = expected or there
                if changed := difference(there, expected):
                    raise IntegrityError(f"a worker differs from the set in {changed}; --allow-mixed takes it anyway")
        yield lambda store, job, todo: _distribute(client, store, job, todo, expected)


@contextmanager
def _client(workers: Workers) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if workers.scheduler is not None:
        with Client(workers.scheduler, set_as_default=False) as client:
            yield client
        return
    cluster = LocalCluster(
        n_workers=workers.n,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",  # None means port 8787, which another run may hold
        memory_limit=0,  # a shard in the making is the only data there is, and must not be paused or killed half-way
        silence_logs=50,
    )
    with cluster, Client(cluster, set_as_default=False) as client:
        yield client


def _distribute(
    client: Any, store: Store, job: Job, todo: list[int], expected: Mapping[str, Any] | None
) -> Iterator[Marker]:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    name = uuid.uuid4().hex  # results of an earlier run on the same scheduler must not be taken for this one's
    waiting = (client.submit(_worker, store, job, n, expected, key=f"shard-{n}-{name}", pure=False) for n in todo)
    running = as_completed(islice(waiting, IN_FLIGHT), loop=client.loop)
    try:
        for future in running:
            try:
                yield future.result()
            except KilledWorker as error:
                raise ResourceError(
                    f"workers died again and again while making {future.key.rpartition('-')[0]}, probably for want "
                    "of memory; use fewer workers"
                ) from error
            for new in islice(waiting, 1):
                running.add(new)
    finally:
        client.cancel(list(running.futures))


def _worker(store: Store, job: Job, shard: int, expected: Mapping[str, Any] | None) -> Marker:
    from phantomsim.physics.kernel import threads  # compiles: the process that hands out tasks need not load numba

    with threads(1):
        return make_shard(store, job, shard, expected)
