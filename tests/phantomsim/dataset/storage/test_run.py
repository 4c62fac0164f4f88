import json
import os
import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from phantomsim.dataset.job import Sample
from phantomsim.dataset.storage import run as run_module
from phantomsim.dataset.storage import shard as shard_module
from phantomsim.dataset.storage.calibrate import calibrate
from phantomsim.dataset.storage.marker import read_marker, read_records
from phantomsim.dataset.storage.run import Workers, run
from phantomsim.dataset.storage.shard import make_shard
from phantomsim.dataset.storage.store import done_shards, open_store, write_store
from phantomsim.physics.errors import DeviceError, IntegrityError, ResourceError
from tests.phantomsim.dataset.producer import contents, job, make

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    root = tmp_path_factory.mktemp("here") / "cheap.zarr"
    run(root, job(), shard=3)
    return root


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # spawned workers import the producer


def test_the_store_holds_every_sample_to_the_bit(here):
    for index in range(20):
        for name, array in make(index).arrays.items():
            np.testing.assert_array_equal(zarr.open_array(here, path=name, mode="r")[index], array.values)


def test_zarr_and_xarray_open_the_store_without_a_warning(here):
    group = zarr.open_group(here, mode="r")
    assert sorted(dict(group.members())) == ["image", "phantom", "take"]
    assert group.attrs["recipe"] == 'name = "cheap"\n'
    assert (here / "recipe.toml").read_text() == 'name = "cheap"\n'
    take = xr.open_zarr(here, group="take/low", chunks=None)
    assert take.reading.dims == ("sample", "view", "row", "column")
    assert take.reading.attrs["units"] == "1"
    assert set(take.coords) == {"view", "energy_kev"}
    xr.testing.assert_identical(
        take.view.drop_vars("energy_kev"), make(0).arrays["take/low/reading"].view.drop_vars("energy_kev")
    )
    tree = xr.open_datatree(here, engine="zarr", chunks=None)
    assert tree["image/small"].dims == ("sample", "z", "y_small", "x_small")
    assert xr.open_zarr(here).attrs["name"] == "cheap"


def test_every_array_is_sharded_compressed_and_checksummed(here):
    for folder in here.rglob("c"):
        metadata = json.loads((folder.parent / "zarr.json").read_bytes())
        if metadata.get("dimension_names", [])[:1] == ["sample"]:
            (sharding,) = metadata["codecs"]
            inner = sharding["configuration"]
            assert [codec["name"] for codec in inner["codecs"]] == ["bytes", "blosc", "crc32c"]
            assert inner["codecs"][1]["configuration"]["cname"] == "lz4"
            assert inner["codecs"][1]["configuration"]["shuffle"] == "bitshuffle"
            assert inner["chunk_shape"][0] == 1
            assert metadata["chunk_grid"]["configuration"]["chunk_shape"][0] == 3
            assert sorted(file.name for file in folder.iterdir()) == [str(n) for n in range(7)]


def test_records_tell_how_each_sample_was_drawn(here):
    records = [record for shard in range(7) for record in read_records(here, shard)]
    assert [record["index"] for record in records] == list(range(20))
    assert [record["key"] for record in records] == [[7, n] for n in range(20)]
    for record in records:
        sample = make(record["index"])
        assert record["parameters"] == sample.parameters
        assert record["truths"] == sample.truths
        assert record["subject"] == sample.subject
    assert records[2]["attributes"] == {"take/low/reading": {"geometry": "fan 2"}}
    assert records[0]["position"] == records[1]["position"] != records[2]["position"]


# clusters run with allow_mixed: this checkout may be edited between the start of one process and of the next
def test_bytes_do_not_depend_on_the_number_of_workers(here, tmp_path):
    for n in (1, 2):
        report = run(tmp_path / f"{n}.zarr", job(), Workers(n), shard=3, allow_mixed=True)
        assert report.complete
        assert contents(tmp_path / f"{n}.zarr") == contents(here)


@pytest.fixture(scope="module")
def cluster():
    import dask
    from distributed import LocalCluster

    with pytest.MonkeyPatch.context() as patch, dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        patch.setenv("PYTHONPATH", str(ROOT))
        with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:
            yield Workers(scheduler=cluster.scheduler_address)


def test_bytes_do_not_depend_on_a_cluster_of_someone_else(here, tmp_path, cluster):
    run(tmp_path / "a.zarr", job(), cluster, shard=3, allow_mixed=True)
    assert contents(tmp_path / "a.zarr") == contents(here)


def test_a_worker_that_dies_is_replaced(here, tmp_path, cluster):
    mortal = replace(job(), make=partial(_die, os.getpid(), tmp_path / "died"))
    run(tmp_path / "a.zarr", mortal, cluster, shard=3, allow_mixed=True)
    assert (tmp_path / "died").exists()
    assert contents(tmp_path / "a.zarr") == contents(here)


def test_a_shard_that_always_kills_its_worker_ends_the_run(tmp_path, cluster):
    mortal = replace(job(2), make=partial(_die, os.getpid(), None))
    with pytest.raises(ResourceError, match="died again and again while making shard-0"):
        run(tmp_path / "a.zarr", mortal, cluster, shard=3, allow_mixed=True)


def _die(parent: int, once: Path | None, index: int) -> Sample:
    """Kill the worker, every time or once."""
    if os.getpid() != parent and not (once and once.exists()):
        if once:
            once.touch()
        os._exit(9)
    return make(index)


def test_bytes_do_not_depend_on_the_order_of_the_shards(here, tmp_path):
    store = write_store(tmp_path, job(), open_store(here).layout, 20)
    for shard in random.Random(0).sample(range(7), 7):
        make_shard(store, job(), shard)
    assert contents(tmp_path) == contents(here)


def test_a_run_makes_only_what_is_not_done(here, tmp_path, monkeypatch):
    root = tmp_path / "a.zarr"
    tried = []
    monkeypatch.setattr(run_module, "make_shard", lambda *a: tried.append(a[2]) or make_shard(*a))

    def stop(report):
        if report.made == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(root, job(), shard=3, progress=stop)
    assert sorted(done_shards(open_store(root))) == [0, 1, 2]
    report = run(root, job(), shard=5)  # an existing store keeps its shards
    assert (report.found, report.made, report.complete) == (3, 4, True)
    assert tried == [0, 1, 2, 3, 4, 5, 6]
    assert contents(root) == contents(here)
    assert run(root, job()).made == 0


def test_a_set_can_grow_to_the_bytes_of_one_made_at_once(here, tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(4), shard=3)
    report = run(root, job(20))
    assert (report.found, report.made) == (1, 6)  # the half-full second shard is made again
    assert contents(root) == contents(here)


def test_asking_for_fewer_samples_keeps_what_is_there(here, tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(20), shard=3, progress=None)
    assert run(root, job(5)).made == 0
    assert contents(root)["image/low/zarr.json"] == contents(here)["image/low/zarr.json"]


def test_another_recipe_is_refused(here):
    with pytest.raises(IntegrityError, match="was made from recipe"):
        run(here, job(size=16))


def test_another_environment_needs_permission(tmp_path, monkeypatch):
    root = tmp_path / "a.zarr"
    run(root, job(4), shard=2)
    old = dict(read_marker(root, 0).environment)
    monkeypatch.setattr(shard_module, "environment", lambda device: old | {"cpu": "another"})
    with pytest.raises(IntegrityError, match=r"cpu .* there, another here.*--allow-mixed"):
        run(root, job(6))
    run(root, job(6), allow_mixed=True)
    with pytest.raises(IntegrityError, match="shards 0 and 2 differ in cpu"):
        run(root, job(8))


def test_a_failed_sample_is_set_apart_and_leaves_the_others_alone(here, tmp_path):
    root = tmp_path / "a.zarr"
    report = run(root, job(fail=(0, 4)), shard=3)
    assert (report.failed, report.failed_samples, report.complete) == (2, 2, True)
    record = read_records(root, 1)[1]
    assert record["error"] == "ValueError: sample 4 was told to fail"
    assert record["repeat"] == "phantomsim preview recipe.toml --sample 4"
    assert (record["valid"], record["key"]) == (False, [7, 4])
    (failure,) = read_marker(root, 1).failures
    assert 'raise ValueError(f"sample {index}' in failure["traceback"]
    images = zarr.open_array(root, path="image/low", mode="r")[:]
    assert np.isnan(images[[0, 4]]).all()
    whole = zarr.open_array(here, path="image/low", mode="r")[:]
    kept = [i for i in range(20) if i not in (0, 4)]
    np.testing.assert_array_equal(images[kept], whole[kept])
    assert (zarr.open_array(root, path="phantom/labels", mode="r")[4] == 0).all()


def test_failed_samples_can_be_tried_again(here, tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(fail=(4,)), shard=3)
    assert run(root, job()).failed == 1
    report = run(root, job(), retry_failed=True)
    assert (report.made, report.failed) == (1, 0)
    assert contents(root) == contents(here)


def test_what_fails_is_the_sample_not_the_machine(tmp_path):
    for error, expected in [(MemoryError(), ResourceError), (DeviceError("gone"), DeviceError)]:
        store = write_store(tmp_path, job(), calibrate(job(), 3).layout, 20)
        broken = replace(job(), make=partial(_raise, error))
        with pytest.raises(expected):
            make_shard(store, broken, 0)
        assert not done_shards(store)


def _raise(error: Exception, index: int) -> Sample:
    raise error


def test_a_sample_of_another_shape_fails_alone(tmp_path):
    changing = replace(job(4), make=_growing)
    report = run(tmp_path / "a.zarr", changing, shard=2)
    assert report.failed == 1
    assert "image/low is <f4" in read_records(tmp_path / "a.zarr", 1)[0]["error"]


def _growing(index: int) -> Sample:
    return make(index, size=16 if index == 2 else 8)


def test_a_job_that_only_fails_says_why_and_leaves_no_store(tmp_path):
    with pytest.raises(ValueError, match="sample 0 was told to fail"):
        run(tmp_path / "a.zarr", job(fail=tuple(range(20))))
    assert open_store(tmp_path / "a.zarr") is None


def test_a_set_that_does_not_fit_the_disk_is_refused(tmp_path):
    with pytest.raises(ResourceError, match=r"samples need .* GB on disk"):
        run(tmp_path / "a.zarr", job(10**12))


def test_a_damaged_marker_is_made_again_by_the_next_run(here, tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(), shard=3)
    marker = root / "markers/000002.json"
    marker.write_bytes(marker.read_bytes()[:-40])
    (root / "image/low/c/4/0/0/0").write_bytes(b"short")
    report = run(root, job())
    assert report.made == 2
    assert contents(root) == contents(here)
