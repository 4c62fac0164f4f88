import json

import numpy as np
import pytest
import xarray as xr

from phantomsim.dataset.job import Sample, split_at, split_position
from phantomsim.dataset.storage import layout as layout_module
from phantomsim.dataset.storage.layout import ArrayLayout, Layout, conform, json_able, shard_samples
from phantomsim.physics.errors import IntegrityError, ShapeError
from tests.phantomsim.dataset.producer import make

MIB = 2**20


def array(shape: tuple[int, ...], dtype: str = "<f4") -> ArrayLayout:
    return ArrayLayout("a/b", tuple(f"d{i}" for i in range(len(shape))), shape, dtype, {}, {})


@pytest.mark.parametrize(
    ("sample_bytes", "seconds", "samples", "expected"),
    [
        (5 * MIB, 0.5, 4096, 32),  # never more than 32
        (20 * MIB, 0.5, 4096, 8),  # 256 MiB: 12 would fit, 8 is the power of two below
        (1 * MIB, 10.0, 4096, 4),  # a minute: 6
        (1000 * MIB, 600.0, 4096, 1),  # never less than one
        (1 * MIB, 0.1, 24, 2),  # an eighth of a small set: 3
        (1 * MIB, 0.0, 1, 1),
    ],
)
def test_shards_hold_at_most_32_samples_256_mib_a_minute_and_an_eighth(sample_bytes, seconds, samples, expected):
    assert shard_samples(sample_bytes, seconds, samples) == expected


def test_a_sample_up_to_64_mib_is_one_chunk_and_a_larger_one_is_cut_along_its_first_axes():
    assert array((1, 512, 512)).chunk == (1, 512, 512)
    assert array((16, 1024, 1024)).chunk == (16, 1024, 1024)
    assert array((100, 1024, 1024)).chunk == (16, 1024, 1024)
    assert array((100, 1024, 1024)).shard == (112, 1024, 1024)
    assert array((2, 8192, 8192)).chunk == (1, 2048, 8192)
    assert array(()).chunk == ()
    for shape in [(3, 5000, 5000), (7, 1, 30_000_000), (1, 1, 1)]:
        cut = array(shape)
        assert np.prod(cut.chunk) * 4 <= 64 * MIB
        assert all(n % c == 0 and n >= s for n, c, s in zip(cut.shard, cut.chunk, shape, strict=True))


def test_a_failed_sample_is_nan_where_the_type_has_it_and_zero_elsewhere():
    assert np.isnan(array((1,), "<f4").fill_value)
    assert np.isnan(array((1,), "<c8").fill_value)
    assert array((1,), "<u2").fill_value == 0


def test_layout_survives_json():
    layout = Layout.of(make(0), 4)
    again = Layout.from_json(json.loads(json.dumps(layout.to_json())))
    assert again == layout
    assert again.digest == layout.digest
    assert Layout.of(make(0), 8).digest != layout.digest
    assert Layout.of(make(1), 4).arrays[0] == layout.arrays[0]


def test_two_grids_in_one_group_keep_their_own_axes():
    layout = Layout.of(make(0), 4)
    arrays = {a.name: a for a in layout.arrays}
    assert arrays["image/low"].dims == ("z", "y", "x")
    assert arrays["image/small"].dims == ("z", "y_small", "x_small")
    assert {c.name for c in layout.coordinates if c.name.startswith("image")} == {"image/y", "image/x", "image/y_small"}
    assert arrays["take/low/reading"].attributes["coordinates"] == "energy_kev"


@pytest.mark.parametrize("name", ["low", "/a/b", "a//b", "a/b/", "../a/b", "samples/a", "markers/a", "a/ä", "a/b c"])
def test_names_that_are_no_paths_are_refused(name):
    with pytest.raises(ShapeError, match="stored as"):
        Layout.of(Sample({name: xr.DataArray(np.zeros(2))}), 1)


def test_an_array_cannot_be_a_group():
    one = xr.DataArray(np.zeros(2))
    with pytest.raises(ShapeError, match="array and of a group"):
        Layout.of(Sample({"a/b": one, "a/b/c": one}), 1)


def test_a_sample_that_differs_from_the_calibration_sample_is_refused():
    layout = Layout.of(make(0), 4)
    arrays = dict(make(1).arrays)
    conform(Sample(arrays), layout)
    low = arrays["image/low"]
    for changed, message in [
        (low.astype(np.float64), "is <f8"),
        (low.isel(y=slice(4)), "'y': 4"),
        (low.transpose("z", "x", "y"), "is <f4"),
        (low.assign_coords(y=low.y + 1e-9), "coordinate 'y' differs"),
        (low.assign_coords(time=3.0), "coordinate 'time' differs"),
    ]:
        with pytest.raises(ShapeError, match=message):
            conform(Sample(arrays | {"image/low": changed}), layout)
    with pytest.raises(ShapeError, match="arrays differ"):
        conform(Sample(arrays | {"image/new": low}), layout)


def test_names_and_nan_are_coordinates_too():
    tissue = xr.DataArray(
        np.zeros((2, 2)), {"tissue": ["air", "water"], "depth": ("d", [0.0, np.nan])}, ("tissue", "d")
    )
    layout = Layout.of(Sample({"a/b": tissue}), 1)
    conform(Sample({"a/b": tissue}), layout)


def test_only_what_json_holds_can_be_recorded():
    assert json_able({"a": (np.float32(0.5), np.arange(2), None, True)}) == {"a": [0.5, [0, 1], None, True]}
    with pytest.raises(IntegrityError, match="got set"):
        json_able({"a": {1}})


def test_splits_by_subject_hold_their_fractions_and_never_move():
    splits = {"train": 0.8, "validation": 0.1, "test": 0.1}
    names = [split_at(split_position(f"patient {i}"), splits) for i in range(20_000)]
    for split, fraction in splits.items():
        sigma = (20_000 * fraction * (1 - fraction)) ** 0.5
        assert abs(names.count(split) - 20_000 * fraction) < 4 * sigma
    assert split_position("patient 1") == 0.2998884704154954  # a set that grows relies on it for ever
    assert split_at(1 - 2**-53, {"a": 0.1, "b": 0.2}) == "b"
    with pytest.raises(ValueError, match="at least one"):
        split_at(0.5, {})


def test_chunk_limit_is_a_module_constant(monkeypatch):
    monkeypatch.setattr(layout_module, "CHUNK_BYTES", 64)
    assert array((4, 8)).chunk == (2, 8)
