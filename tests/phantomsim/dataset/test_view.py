import numpy as np
import pytest

from phantomsim.dataset.storage.run import run
from phantomsim.dataset.view import open_contents, open_dataset
from phantomsim.physics.errors import IntegrityError
from tests.phantomsim.dataset.producer import job, make


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root = tmp_path_factory.mktemp("view") / "cheap.zarr"
    run(root, job(20, fail=(4,)), shard=3)
    return root


@pytest.mark.parametrize("split", ["train", "test", None])
def test_the_view_holds_the_samples_of_a_split_with_their_labels(path, split):
    tree = open_dataset(path, split)
    assert 4 not in tree.sample
    if split:
        assert set(tree["split"].values) == {split}
    for name, array in make(0).arrays.items():
        stacked = np.stack([make(int(i)).arrays[name].values for i in tree.sample])
        np.testing.assert_array_equal(tree[name].values, stacked)
        assert tree[name].attrs["units"] == array.attrs["units"] if "units" in array.attrs else True


def test_the_table_holds_every_drawn_parameter(path):
    tree = open_dataset(path)
    for index in tree.sample.values.tolist():
        row = tree.to_dataset().sel(sample=index)
        for name, value in make(index).parameters.items():
            assert row[name] == value
        assert row["subject"] == make(index).subject


@pytest.mark.parametrize("split", ["train", None])
def test_statistics_are_those_of_the_split(path, split):
    contents = open_contents(path)
    indices = [record["index"] for record in contents.select(split)]
    assert indices
    for name, moments in contents.statistics(split).items():
        values = np.concatenate([make(i).arrays[name].values.ravel() for i in indices]).astype(np.float64)
        assert moments.count == values.size
        assert moments.mean == pytest.approx(values.mean(), rel=1e-12)
        assert moments.std == pytest.approx(values.std(), rel=1e-9)
        assert (moments.minimum, moments.maximum) == (values.min(), values.max())
        attributes = open_dataset(path, split)[name].attrs
        assert (attributes["mean"], attributes["std"]) == (moments.mean, moments.std)


def test_a_growing_set_shows_what_is_finished(tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(12), shard=3)
    (root / "markers/000001.json").unlink()
    assert open_dataset(root).sample.values.tolist() == [0, 1, 2, 6, 7, 8, 9, 10, 11]


def test_what_is_not_there_is_named(path, tmp_path):
    with pytest.raises(ValueError, match="no split 'x'"):
        open_dataset(path, "x")
    with pytest.raises(IntegrityError, match="holds no data set"):
        open_dataset(tmp_path)
