import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from phantomsim.dataset.job import Sample
from phantomsim.dataset.pairs import Pairs
from phantomsim.dataset.storage import layout as layout_module
from phantomsim.dataset.storage.chunks import read_sample
from phantomsim.dataset.storage.run import run
from phantomsim.dataset.storage.store import open_store
from phantomsim.physics.errors import IntegrityError, RecipeError
from tests.phantomsim.dataset.producer import job, make

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs") / "cheap.zarr"
    run(root, job(20, fail=(4,)), shard=3)
    return root


def test_a_pair_is_what_the_recipe_says_to_the_bit(path):
    pairs = Pairs(path)
    assert len(pairs) > 8
    for i, index in enumerate(pairs.indices):
        low, labels = pairs[i]
        arrays = make(index).arrays
        np.testing.assert_array_equal(low, arrays["image/low"].values)
        np.testing.assert_array_equal(labels, arrays["phantom/labels"].values)
        assert (low.dtype, labels.dtype) == (np.float32, np.uint8)


def test_splits_share_no_subject_and_hold_every_valid_sample(path):
    train, test, everything = (Pairs(path, split) for split in ("train", "test", None))
    assert sorted(train.indices + test.indices) == list(everything.indices)
    assert set(everything.indices) == set(range(20)) - {4}
    assert not {i // 2 for i in train.indices} & {i // 2 for i in test.indices}


def test_extra_products_and_tables_come_third(path):
    pairs = Pairs(path, input="take.low", target="image.small", extra=["phantom.labels", "phantom.lesions"])
    index = pairs.indices[-1]
    reading, small, extra = pairs[len(pairs) - 1]
    sample = make(index)
    np.testing.assert_array_equal(reading, sample.arrays["take/low/reading"].values)
    np.testing.assert_array_equal(small, sample.arrays["image/small"].values)
    np.testing.assert_array_equal(extra["phantom.labels"], sample.arrays["phantom/labels"].values)
    assert extra["phantom.lesions"] == sample.truths["lesions"]


def test_a_product_of_several_arrays_is_a_table_of_them(path):
    images, _ = Pairs(path, input="image")[0]
    assert sorted(images) == ["low", "small"]


def test_the_transform_makes_the_item(path):
    pairs = Pairs(path, transform=lambda low, labels: {"x": low[0], "y": labels.astype(np.int64)})
    assert pairs[0]["x"].shape == (8, 8)
    assert pairs.take([0])[0]["y"].dtype == np.int64


def test_what_is_not_there_is_named(path, tmp_path):
    with pytest.raises(RecipeError, match=r"no product 'image.none'.*image\.low"):
        Pairs(path, input="image.none")
    with pytest.raises(ValueError, match="no split 'trian'; this set has train, test"):
        Pairs(path, "trian")
    with pytest.raises(IntegrityError, match="holds no data set"):
        Pairs(tmp_path)
    run(tmp_path / "a.zarr", replace(job(2), pairs=()))
    with pytest.raises(RecipeError, match="name the input"):
        Pairs(tmp_path / "a.zarr")


def test_iterating_ends(path):
    assert len(list(Pairs(path))) == len(Pairs(path))


def test_only_finished_samples_are_pairs(tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(12), shard=3)
    (root / "markers/000001.json").unlink()
    assert Pairs(root, None).indices == (0, 1, 2, 6, 7, 8, 9, 10, 11)


def test_damage_is_not_read_over(tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(4), shard=2)
    pairs = Pairs(root, None)
    file = root / "image/low/c/1/0/0/0"
    whole = file.read_bytes()
    for place in (10, len(whole) - 30, len(whole) - 2):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(IntegrityError, match="cannot be read"):
            pairs.take([2, 3])
        pairs[0]
    file.write_bytes(b"")
    with pytest.raises(IntegrityError, match="cannot be read"):
        pairs[3]
    file.unlink()
    with pytest.raises(IntegrityError, match="cannot be read"):
        pairs[3]


def test_samples_of_many_chunks_read_like_zarr(tmp_path, monkeypatch):
    monkeypatch.setattr(layout_module, "CHUNK_BYTES", 64)
    root = tmp_path / "a.zarr"
    run(root, replace(job(5), make=_long), shard=2)
    store = open_store(root)
    for array in store.layout.arrays:
        stored = zarr.open_array(root, path=array.name, mode="r")
        assert stored.chunks[1:] == array.chunk
        for index in range(5):
            np.testing.assert_array_equal(read_sample(store, array, index), stored[index])
            np.testing.assert_array_equal(stored[index], _long(index).arrays[array.name].values)
    assert [array.chunk for array in store.layout.arrays] == [(3, 5), (1, 1, 16), (8,), ()]


def _long(index: int) -> Sample:
    rng = np.random.default_rng(index)
    shapes = {"a/b": (7, 5), "a/c": (2, 3, 33), "a/d": (17,), "a/e": ()}
    types = {"a/b": np.float32, "a/c": np.int32, "a/d": np.complex64, "a/e": np.uint8}
    return Sample(
        {
            n: xr.DataArray(rng.integers(0, 99, s).astype(types[n]), dims=[f"{n[-1]}{i}" for i in range(len(s))])
            for n, s in shapes.items()
        }
    )


def total(pairs: Pairs) -> float:
    return float(sum(low.sum(dtype=np.float64) for low, _ in pairs.take(range(len(pairs)))))


def test_pairs_pickle_and_read_alike_in_threads_and_spawned_processes(path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pairs = Pairs(path)
    expected = total(pairs)
    assert len(pickle.dumps(pairs)) < 20_000
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(total, [pairs] * 16)) == {expected}
    with multiprocessing.get_context("spawn").Pool(1) as processes:
        assert processes.map(total, [pairs]) == [expected]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_pairs_read_alike_in_a_forked_process(path):
    # in a process of its own: forking this one, with its threads, is what newer Pythons warn of
    program = f"""
import multiprocessing
from phantomsim.dataset.pairs import Pairs
from tests.phantomsim.dataset.test_pairs import total
pairs = Pairs({str(path)!r})
expected = total(pairs)  # starts the readers' threads, which the child does not have
with multiprocessing.get_context("fork").Pool(2) as processes:
    assert processes.map(total, [pairs] * 4) == [expected] * 4
"""
    subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program], cwd=ROOT, check=True, timeout=60
    )


def test_pairs_need_neither_dask_nor_xarray_nor_numba():
    program = "import sys, phantomsim.dataset.pairs; print(*({'dask', 'xarray', 'numba', 'zarr'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_a_torch_loader_takes_pairs_as_they_are(path):
    data = pytest.importorskip("torch.utils.data")
    low, labels = next(iter(data.DataLoader(Pairs(path), batch_size=4, num_workers=1)))
    assert tuple(low.shape) == (4, 1, 8, 8)
    assert tuple(labels.shape) == (4, 1, 8, 8)


def test_numpy_takes_pairs_in_three_lines(path):
    pairs = Pairs(path, split="train")
    for batch in np.random.default_rng(0).permutation(len(pairs))[:8].reshape(-1, 4):
        inputs, targets = map(np.stack, zip(*pairs.take(batch), strict=True))
        assert inputs.shape == targets.shape == (4, 1, 8, 8)
