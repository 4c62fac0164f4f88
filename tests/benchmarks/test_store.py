"""What storing costs beside making a sample, and reading training pairs beside gzip HDF5, in the same run.

``python -m pytest tests/benchmarks/test_store.py --benchmark-only``
"""

import time
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray as xr

from phantomsim.dataset.job import Job, Sample
from phantomsim.dataset.pairs import Pairs
from phantomsim.dataset.storage.run import run

N_PAIRS = 64
BATCH = 16


def slice_and_sinogram(index: int, seconds: float = 0.0) -> Sample:
    """Return a 512² image and a 984 × 888 sinogram, noisy as in use, after some seconds of computing."""
    until = time.thread_time() + seconds  # CPU time: a busy machine must slow making and storing alike
    while time.thread_time() < until:
        np.sqrt(np.arange(10_000.0))
    rng = np.random.default_rng(index)
    y, x = np.mgrid[-1:1:512j, -1:1:512j].astype(np.float32)
    image = 20 * np.exp(-4 * (x**2 + y**2), dtype=np.float32) + rng.normal(0, 0.5, (512, 512)).astype(np.float32)
    chord = 6 * np.sqrt(np.clip(1 - np.linspace(-1, 1, 888) ** 2, 0, 1))
    sinogram = (chord + rng.normal(0, 0.05, (984, 888))).astype(np.float32)
    return Sample(
        {
            "image/low": xr.DataArray(image[None], dims=("z", "y", "x")),
            "take/low/line_integral": xr.DataArray(sinogram[:, None], dims=("view", "row", "column")),
        }
    )


JOB = Job("bench", "", "0", N_PAIRS, slice_and_sinogram, pairs=({"input": "take.low", "target": "image.low"},))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("bench") / "bench.zarr"
    run(root, JOB, shard=32)
    return root


@pytest.fixture(scope="module")
def hdf5(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "bench.h5"
    with h5py.File(path, "w") as file:
        for index in range(N_PAIRS):
            for name, array in slice_and_sinogram(index).arrays.items():
                if name not in file:
                    shape = (N_PAIRS, *array.shape)
                    file.create_dataset(name, shape, "f4", chunks=(1, *array.shape), compression="gzip")
                file[name][index] = array.values
    with h5py.File(path) as file:
        yield file


def best(function, *args, n: int = 5) -> float:
    times = []
    for _ in range(n):
        began = time.perf_counter()
        function(*args)
        times.append(time.perf_counter() - began)
    return min(times)


def test_a_random_batch_reads_five_times_faster_than_gzip_hdf5(benchmark, store, hdf5):
    pairs = Pairs(store)
    batch = np.random.default_rng(0).permutation(N_PAIRS)[:BATCH].tolist()

    def peer():
        return [(hdf5["take/low/line_integral"][i], hdf5["image/low"][i]) for i in batch]

    for ours, theirs in zip(pairs.take(batch), peer(), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
    reference = best(peer)
    alone = best(lambda: [pairs[i] for i in batch])
    benchmark.pedantic(pairs.take, (batch,), rounds=10, warmup_rounds=2)
    ratio = reference / benchmark.stats.stats.min
    benchmark.extra_info |= {"hdf5_s": reference, "ratio": ratio, "ratio_one_thread": reference / alone}
    assert ratio >= 5


def test_storing_costs_at_most_a_twentieth_of_making(benchmark, tmp_path):
    job = replace(JOB, samples=16, make=slow)
    report = benchmark.pedantic(run, (tmp_path / "a.zarr", job), {"shard": 8}, rounds=1)
    share = report.write_s / (report.write_s + report.generate_s)
    benchmark.extra_info |= {"share": share, "write_s_per_sample": report.write_s / 16}
    assert share <= 0.05


def slow(index: int) -> Sample:
    return slice_and_sinogram(index, 0.95)
