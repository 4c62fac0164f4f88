import numpy as np
import pytest
import xarray as xr

from phantomsim import geometry
from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.sample import make_sample
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.kernel import threads
from phantomsim.scanners.ct import CT

RECIPE = """
schema = 1
name = "little"
seed = 5
samples = 4

[phantom]
kind = "water-cylinder"
diameter_mm = { uniform = [150.0, 180.0] }
inserts = [{ tissue = "cortical_bone", diameter_mm = 20.0, radius_mm = 40.0, count = 2 }]
lesions = { count = 1, diameter_mm = [8.0, 12.0] }

[variant.healthy]
without = ["lesion"]

[grid.image]
shape = [1, 48, 48]
spacing_mm = [1.0, 4.0, 4.0]

[scan.ct]
kind = "ct"
tube = { kvp = { choice = [80, 120] }, rotation_mas = 50.0, filter_al_mm = 4.0 }
detector = { kind = "energy-integrating" }

[scan.ct.geometry]
kind = "fan-arc"
n_views = 96
n_columns = 96
pitch_mm = 6.0
source_to_axis_mm = 541.0
source_to_detector_mm = 949.0

[scan.healthy]
like = "scan.ct"
variant = "healthy"

[take.full]
of = "scan.ct"

[take.healthy]
of = "scan.healthy"
noise = "full"

[take.clean]
of = "scan.ct"
noise = "none"

[take.sparse]
of = "take.full"
keep_every = 4

[take.ladder]
of = "scan.ct"
each = { exposure = [1.0, 0.5, 0.25] }

[image.ladder]
of = "take.ladder"
method = { kind = "fbp", unit = "hu" }
grid = "image"

[truth.mu]
of = "scan.healthy"
map = "mu"
grid = "image"

[[pair]]
input = "take.full"
target = "take.clean"
extra = [
  "take.healthy.reading", "take.sparse.reading", "take.ladder.reading", "image.ladder", "truth.mu",
  "phantom.labels", "scan.ct", "scan.healthy", "phantom.lesions",
]
"""


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe.from_text(RECIPE)


@pytest.fixture(scope="module")
def arrays(recipe: Recipe) -> dict[str, xr.DataArray]:
    return dict(make_sample(recipe, 0).arrays)


def test_what_the_pairs_name_is_what_a_sample_holds(arrays: dict[str, xr.DataArray]) -> None:
    assert sorted(arrays) == [
        "image/ladder",
        "phantom/labels",
        "scan/ct/path_length",
        "scan/healthy/path_length",
        "take/clean/line_integral",
        "take/clean/reading",
        "take/full/line_integral",
        "take/full/reading",
        "take/healthy/reading",
        "take/ladder/reading",
        "take/sparse/reading",
        "truth/mu",
    ]
    assert all({"units", "long_name"} <= set(array.attrs) for array in arrays.values())


def test_a_sample_has_the_same_bits_whatever_the_threads_and_the_order(
    recipe: Recipe, arrays: dict[str, xr.DataArray]
) -> None:
    make_sample(recipe, 3)
    with threads(1):
        again = make_sample(recipe, 0)
    for name, array in arrays.items():
        assert array.identical(again.arrays[name]), name


def test_samples_differ(recipe: Recipe, arrays: dict[str, xr.DataArray]) -> None:
    other = make_sample(recipe, 1)
    assert not other.arrays["take/full/reading"].equals(arrays["take/full/reading"])
    assert other.parameters["phantom.diameter_mm"] != make_sample(recipe, 0).parameters["phantom.diameter_mm"]


def test_twins_share_what_was_drawn_and_differ_by_their_variant_alone(arrays: dict[str, xr.DataArray]) -> None:
    with_lesion, without = arrays["scan/ct/path_length"], arrays["scan/healthy/path_length"]
    differs = np.abs(with_lesion - without).max(("view", "row", "column"))
    assert float(with_lesion.sum("material").max()) == pytest.approx(float(without.sum("material").max()), rel=1e-6)
    assert float(differs.sel(material="cortical_bone")) == pytest.approx(0.0, abs=1e-6)
    assert float(differs.sel(material="water")) > 1e-3


def test_takes_that_name_one_noise_stream_share_their_noise(arrays: dict[str, xr.DataArray]) -> None:
    same = np.all(arrays["scan/ct/path_length"].values == arrays["scan/healthy/path_length"].values, axis=-1)
    equal = arrays["take/full/reading"].values == arrays["take/healthy/reading"].values
    assert same.mean() > 0.5
    assert equal[same].all()


def test_a_take_without_noise_is_the_expectation(arrays: dict[str, xr.DataArray]) -> None:
    clean, full = arrays["take/clean/reading"].values, arrays["take/full/reading"].values.astype(float)
    relative = (full - clean) / clean
    assert abs(relative.mean()) < 4 * relative.std() / np.sqrt(relative.size)
    assert not np.all(clean == np.round(clean))


def test_a_take_of_a_take_keeps_its_noise(arrays: dict[str, xr.DataArray]) -> None:
    np.testing.assert_array_equal(arrays["take/sparse/reading"], arrays["take/full/reading"][::4])


def test_levels_of_a_take_have_an_axis_with_their_values_and_noise_of_their_own(
    arrays: dict[str, xr.DataArray],
) -> None:
    ladder = arrays["take/ladder/reading"]
    assert ladder.dims[0] == "level"
    assert ladder["level_exposure"].values.tolist() == [1.0, 0.5, 0.25]
    assert arrays["image/ladder"].dims == ("level", "z", "y", "x")
    mean = ladder.values.astype(float)
    assert mean[1].sum() / mean[0].sum() == pytest.approx(0.5, rel=0.05)
    residuals = [(mean[i] - mean[i].mean(0)).ravel() for i in range(2)]
    body = [r[np.abs(r) < np.percentile(np.abs(r), 50)] for r in residuals]
    assert not np.array_equal(body[0], body[1])


def test_a_sample_records_the_geometry_of_each_take_and_its_lesions(recipe: Recipe) -> None:
    truths = make_sample(recipe, 0).truths
    scan, z = geometry.from_json(truths["products"]["take.sparse"]["geometry"])
    assert scan.n_views == 24
    assert z.tolist() == [0.0]
    assert truths["products"]["take.full"]["mu_water_per_m"] == pytest.approx(19.27, rel=2e-3)
    (lesion,) = truths["lesions"]
    assert 8.0 <= lesion["diameter_mm"] <= 12.0


def test_a_variable_that_a_product_lacks_is_named() -> None:
    with pytest.raises(RecipeError, match=r"pair\[0\]\.extra\[0\] = \"take.healthy.readings\": did you mean 'reading'"):
        Recipe.from_text(RECIPE.replace("take.healthy.reading", "take.healthy.readings"))


def test_levels_of_different_shapes_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"take\.ladder\.keep_every = 2 .* should be the same in all"):
        Recipe.from_text(RECIPE.replace("exposure = [1.0, 0.5, 0.25]", "keep_every = [1, 2, 4]"))


def test_a_variant_without_a_part_that_the_phantom_never_has_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"variant\.healthy\.without = .*no part 'lesions'; did you mean 'lesion'"):
        Recipe.from_text(RECIPE.replace('without = ["lesion"]', 'without = ["lesions"]'))


def test_a_variant_without_motion_is_the_phantom_at_rest_and_ct_sees_one_that_moves() -> None:
    still = RECIPE.replace('without = ["lesion"]', "motion = false")
    moving = still.replace("lesions = {", "motion = { begin_s = [0.0, 1.0] }\nlesions = {")
    seen = moving.replace('[scan.ct]\nkind = "ct"', '[scan.ct]\nkind = "ct"\nvariant = "healthy"')
    sample, rest = make_sample(Recipe.from_text(seen), 0), make_sample(Recipe.from_text(still), 0)
    for name, array in rest.arrays.items():
        np.testing.assert_array_equal(sample.arrays[name], array)
    assert sample.truths["motion"][0]["kind"] == "bulk"
    moved = make_sample(Recipe.from_text(moving.replace("begin_s = [0.0, 1.0]", "begin_s = [0.0, 0.0]")), 0)
    assert any(np.any(moved.arrays[name] != array) for name, array in rest.arrays.items())


def test_a_scanner_that_does_not_follow_motion_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CT, "follows_motion", False)
    moving = RECIPE.replace("lesions = {", "motion = { begin_s = [0.0, 1.0] }\nlesions = {")
    with pytest.raises(RecipeError, match=r"scan\.ct: CT scans a phantom at rest.*variant with motion = false"):
        Recipe.from_text(moving)
