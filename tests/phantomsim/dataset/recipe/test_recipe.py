"""The five rules of a recipe, its draws and its digest."""

import pickle

import pytest

from phantomsim.dataset.recipe import Recipe
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from tests.kinds import RECIPE, register

KEY = Key(7).fold(0, "recipe")


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    register(monkeypatch)


def with_(old: str, new: str) -> Recipe:
    assert RECIPE.count(old) == 1
    return Recipe.from_text(RECIPE.replace(old, new))


def refused(old: str, new: str) -> str:
    assert old in RECIPE
    with pytest.raises(RecipeError) as error:
        Recipe.from_text(RECIPE.replace(old, new, 1))
    return str(error.value)


def test_a_recipe_becomes_concrete_types():
    drawn = Recipe.from_text(RECIPE).draw(KEY)
    assert drawn.phantom.kind == "blobs"
    assert drawn.grids["image"] == Grid((1, 64, 64), (1e-3, 0.75e-3, 0.75e-3))
    assert drawn.scans["ct"].scanner.geometry.n_views == 90
    assert drawn.images["low"].of == {"data": "take.low"}
    assert drawn.images["better"].of == {"data": "take.low", "prior": "image.low"}
    assert drawn.truths["mu"].scan == "clean"
    assert drawn.truths["mu"].spec.energy_kev == 70
    assert drawn.pairs[0].extra == ("take.low.reading", "phantom.labels")


def test_every_drawn_value_is_kept_by_its_path():
    drawn = Recipe.from_text(RECIPE).draw(KEY)
    assert set(drawn.parameters) == {"phantom.count", "phantom.diameter_mm", "scan.ct.tube.kvp", "take.low.exposure"}
    assert drawn.parameters["phantom.diameter_mm"] == drawn.phantom.diameter_mm


def test_the_same_key_draws_the_same_and_another_key_something_else():
    recipe = Recipe.from_text(RECIPE)
    assert recipe.draw(KEY) == recipe.draw(KEY)
    assert recipe.draw(KEY).parameters != recipe.draw(Key(7).fold(1, "recipe")).parameters


def test_changing_a_take_never_changes_the_anatomy_or_the_scan():
    before = Recipe.from_text(RECIPE).draw(KEY)
    after = with_("{ loguniform = [0.25, 1.0] }", "{ choice = [0.1, { uniform = [0.2, 0.3] }] }").draw(KEY)
    assert after.phantom == before.phantom
    assert after.scans == before.scans
    assert after.takes["low"] != before.takes["low"]


def test_a_distribution_inside_a_choice_is_drawn_independently_of_it():
    recipe = with_(
        "{ loguniform = [0.25, 1.0] }", "{ choice = [{ uniform = [0.0001, 1] }, { uniform = [0.0001, 1] }] }"
    )
    values = [recipe.draw(Key(i)).parameters["take.low.exposure"] for i in range(400)]
    assert sum(value < 0.25 for value in values) == pytest.approx(100, abs=35)  # 4 standard deviations
    assert sum(value < 0.75 for value in values) == pytest.approx(300, abs=35)


def test_a_whole_table_can_be_chosen():
    fan = '{ kind = "fan-arc", n_views = 90, source_to_axis_mm = 541, source_to_detector_mm = 949 }'
    drawn = fan.replace("541", "{ uniform = [500, 600] }")
    recipe = with_(fan, '{ choice = [{ kind = "parallel", n_views = 90 }, ' + drawn + "] }")
    kinds = {recipe.draw(Key(i)).scans["ct"].scanner.geometry.kind for i in range(40)}
    assert kinds == {"parallel", "fan-arc"}


# Rule 1: one namespace of products


def test_products_come_after_what_they_are_made_of():
    drawn = with_('[take.low]\nof = "scan.ct"', '[take.low]\nof = "take.ladder"').draw(KEY)
    names = list(drawn.takes)
    assert names.index("ladder") < names.index("low") < names.index("clean")
    assert drawn.scan_of("take.low") is drawn.scans["ct"]
    assert drawn.scanner_of("truth.mu") is drawn.scans["clean"].scanner


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('of = "take.low"', 'of = "take.lwo"', "image.low.of = \"take.lwo\": no such product; did you mean 'take.low'"),
        ('of = "take.low"', 'of = "image.better"', "made of itself: image.low -> image.better -> image.low"),
        ('of = "scan.ct"\nexposure', 'of = "take.clean"\nexposure', "itself: take.low -> take.clean -> take.low"),
        ('of = "take.low"', 'of = "scan.ct"', "make a take of it"),
        ('of = "take.low"', 'of = "take.low.reading"', "should be a whole product: 'take.low'"),
        ('of = "scan.clean"\nmap', 'of = "take.clean"\nmap', "did you mean 'scan.clean'"),
        ('"phantom.labels"', '"phantom.label"', "pair[0].extra[1] = \"phantom.label\": no such"),
        ('target = "truth.mu"', 'target = "truth.nu"', "did you mean 'truth.mu'"),
        ('grid = "image"', 'grid = "imag"', "image.low.grid = \"imag\": no such grid; did you mean 'image'?"),
        ("[take.low]", "[take.Low]", "take.Low: names are"),
        ("prior", "Prior", "image.better.of.Prior: names are"),
    ],
)  # fmt: skip
def test_wrong_names_are_refused(old, new, told):
    assert told in refused(old, new)


# Rule 2: variants and twins


def test_a_variant_leaves_parts_out():
    drawn = Recipe.from_text(RECIPE).draw(KEY)
    assert drawn.scans["ct"].variant is None
    assert drawn.variants[drawn.scans["clean"].variant].without == ("metal",)


@pytest.mark.parametrize("change", ["", "motion = true"])
def test_a_variant_that_changes_nothing_is_refused(change):
    assert "should change something" in refused('without = ["metal"]', change)


def test_twins_have_the_drawn_values_of_each_other():
    recipe = Recipe.from_text(RECIPE)
    for sample in range(20):
        drawn = recipe.draw(Key(sample))
        assert drawn.scans["clean"].scanner == drawn.scans["ct"].scanner
        assert drawn.takes["clean"].levels == drawn.takes["low"].levels


def test_own_fields_of_a_twin_win_and_their_neighbours_stay():
    drawn = with_('variant = "bare"', 'variant = "bare"\ntube = { kvp = 80 }').draw(KEY)
    assert drawn.scans["clean"].scanner.tube.kvp == 80
    assert drawn.scans["clean"].scanner.tube.filter_al_mm == drawn.scans["ct"].scanner.tube.filter_al_mm


def test_a_table_of_another_kind_replaces_the_inherited_one():
    drawn = with_('variant = "bare"', 'variant = "bare"\ngeometry = { kind = "parallel", n_views = 90 }').draw(KEY)
    assert drawn.scans["clean"].scanner.geometry.kind == "parallel"


def test_a_twin_inherits_what_it_is_made_of_but_has_its_own_noise():
    drawn = with_('of = "scan.clean"\nlike = "take.low"', 'like = "take.low"').draw(KEY)
    assert drawn.takes["clean"].of == "scan.ct"
    assert drawn.takes["clean"].noise == "clean"


@pytest.mark.parametrize("like", ["scan.cta", "take.low", "scan.clean", "ct"])
def test_like_names_another_of_the_same_section(like):
    assert "scan.clean.like" in refused('like = "scan.ct"', f'like = "{like}"')


def test_twins_in_a_circle_are_refused():
    assert "made of itself" in refused('[scan.ct]\nkind = "machine"', '[scan.ct]\nlike = "scan.clean"')


def test_unknown_variants_are_refused():
    assert "scan.clean.variant" in refused('variant = "bare"', 'variant = "bear"')


# Rule 3: noise streams


def test_noise_has_the_name_of_the_take_or_the_given_one_or_none():
    assert Recipe.from_text(RECIPE).draw(KEY).takes["low"].noise == "low"
    assert Recipe.from_text(RECIPE).draw(KEY).takes["ladder"].noise == "low"
    assert with_('noise = "low"', 'noise = "none"').draw(KEY).takes["ladder"].noise is None
    assert "take.ladder.noise" in refused('noise = "low"', 'noise = "a b"')


# Rule 4: each


def test_each_makes_levels():
    ladder = Recipe.from_text(RECIPE).draw(KEY).takes["ladder"]
    assert [level.exposure for level in ladder.levels] == [1.0, 0.5, 0.25]
    assert ladder.each == {"exposure": (1.0, 0.5, 0.25)}
    assert Recipe.from_text(RECIPE).draw(KEY).takes["low"].each == {}


def test_a_twin_inherits_levels_unless_it_has_that_field_itself():
    twin = '\n[take.twin]\nlike = "take.ladder"\n'
    assert len(Recipe.from_text(RECIPE + twin).draw(KEY).takes["twin"].levels) == 3
    alone = Recipe.from_text(RECIPE + twin + "exposure = 0.1\n").draw(KEY).takes["twin"]
    assert [level.exposure for level in alone.levels] == [0.1]


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("exposure = []", "should be 1 to 256 values"),
        ("exposure = [1.0, -1.0]", "take.ladder.exposure = -1: should be greater than 0"),
        ("exposur = [1.0]", "did you mean 'exposure'"),
        ("exposure = [1.0, 2.0], n_skipped = [0, 1]", "should be the same in all"),
        ("exposure = [1.0, 2.0], n_skipped = [0]", "take.ladder.each: each field needs as many values"),
        ("exposure = 1.0", "take.ladder.each.exposure = 1: should be a valid"),
    ],
)
def test_wrong_levels_are_refused(new, told):
    assert told in refused("exposure = [1.0, 0.5, 0.25]", new)


# Shapes, digest, loading


@pytest.mark.parametrize("views", ["{ integers = [80, 90] }", "{ choice = [80, 90] }"])
def test_what_shapes_an_array_may_not_be_drawn(views):
    assert "scan.ct.geometry.n_views" in refused("n_views = 90", f"n_views = {views}")


def test_an_option_deep_in_a_choice_is_checked_too():
    bad = "{ choice = [{ choice = [100, 120] }, { choice = [80, { choice = [90, 400] }] }] }"
    assert "scan.ct.tube.kvp = 400" in refused("{ choice = [100, 120] }", bad)


def test_more_options_than_can_be_tried_are_refused():
    wide = "{ choice = [" + ", ".join(["{ choice = [" + ", ".join(["100"] * 250) + "] }"] * 30) + "] }"
    assert "too many" in refused("{ choice = [100, 120] }", wide)


def test_the_digest_ignores_samples_and_splits_and_layout_of_the_text_and_nothing_else():
    digest = Recipe.from_text(RECIPE).digest
    assert len(digest) == 64
    assert with_("samples = 20", "samples = 21  # more\nsplits = { all = 1.0 }").digest == digest
    assert with_("seed = 7", "seed = 8").digest != digest
    assert with_("diameter_mm = { uniform = [4, 20] }", "diameter_mm = { uniform = [4, 21] }").digest != digest


def test_a_recipe_travels_to_other_processes():
    recipe = Recipe.from_text(RECIPE)
    assert pickle.loads(pickle.dumps(recipe)).draw(KEY) == recipe.draw(KEY)


def test_a_recipe_loads_from_a_file_or_its_folder(tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    assert Recipe.load(tmp_path / "recipe.toml").digest == Recipe.load(str(tmp_path)).digest


def test_what_cannot_be_read_is_a_recipe_error(tmp_path):
    with pytest.raises(RecipeError, match="did you mean 'ct-low-dose'"):
        Recipe.load("ct-low-dos")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="UTF-8"):
        Recipe.load(tmp_path / "binary.toml")


def test_the_whole_phantom_may_be_a_choice():
    start = RECIPE.index("[phantom]")
    end = RECIPE.index("\n[", start + 1)
    body = RECIPE[start + len("[phantom]") : end]
    text = RECIPE[:start] + f"[[phantom.choice]]{body}\n[[phantom.choice]]\nkind = 'blobs'\ncount = 0\n" + RECIPE[end:]
    recipe = Recipe.from_text(text)
    counts = {recipe.draw(Key(i)).phantom.count for i in range(40)}
    assert 0 in counts
    assert len(counts) > 1
