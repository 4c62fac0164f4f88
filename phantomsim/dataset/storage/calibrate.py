"""What a data set will be, measured on its first samples: layout, shards, bytes, time."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phantomsim.dataset.job import Job, Sample
from phantomsim.dataset.storage.layout import Layout, conform, shard_samples
from phantomsim.dataset.storage.store import Store, encode
from phantomsim.physics.errors import DeviceError, ResourceError

ATTEMPTS = 8
"""How many first samples may fail before nothing is known about the set."""


@dataclass(frozen=True)
class Calibration:
    """A layout and what one sample costs.

    Parameters
    ----------
    layout
        How the samples will lie.
    seconds
        Time of one sample on one worker, compiled and warm [s].
    stored_bytes
        Bytes of one sample on disk.
    """

    layout: Layout
    seconds: float
    stored_bytes: int

    def disk_bytes(self, samples: int) -> int:
        """Return the bytes that so many samples need on disk."""
        return samples * self.stored_bytes


def calibrate(job: Job, shard: int | None = None) -> Calibration:
    """Make the first samples of a job and measure them.

    The first sample that succeeds decides the layout; the next one is timed, because the first also compiles.

    Parameters
    ----------
    job
        What makes the samples.
    shard
        Samples in a shard; None chooses by size and time. The choice is kept in the store, but another machine may
        choose otherwise for a new store: give it where two stores must be the same.

    Raises
    ------
    Exception
        What the first sample raised, if the first 8 all fail.
    """
    index, sample, seconds = _first(job)
    if index + 1 < job.samples:
        began = time.perf_counter()
        try:
            job.make(index + 1)
        except (DeviceError, ResourceError):
            raise
        except Exception:  # noqa: BLE001  the run will record it; the first sample's time has to do
            pass
        else:
            seconds = time.perf_counter() - began
    layout = Layout.of(sample, 1)
    layout = Layout.of(sample, shard or shard_samples(layout.sample_bytes, seconds, job.samples))
    probe = Store(Path(), job.digest, 1, layout, {})
    arrays = conform(sample, layout)
    stored = sum(len(encode(probe, array, 0, arrays[array.name][np.newaxis])) for array in layout.arrays)
    return Calibration(layout, seconds, stored)


def check_disk(root: Path, samples: int, stored_bytes: float) -> None:
    """Refuse to write so many samples of `stored_bytes` bytes each where they will not fit.

    Raises
    ------
    ResourceError
        If they will not.
    """
    there = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    free, needed = shutil.disk_usage(there).free, samples * stored_bytes
    if needed > free:
        raise ResourceError(
            f"{samples} samples need {needed / 1e9:.3g} GB on disk, {there} has {free / 1e9:.3g} GB free; "
            "ask for fewer samples or write to another disk"
        )


def _first(job: Job) -> tuple[int, Sample, float]:
    first: Exception | None = None
    for index in range(min(ATTEMPTS, max(job.samples, 1))):
        began = time.perf_counter()
        try:
            return index, job.make(index), time.perf_counter() - began
        except (DeviceError, ResourceError):
            raise
        except Exception as error:  # noqa: BLE001  any sample may fail in any way; a later one may do
            first = first or error
    assert first is not None
    raise first
