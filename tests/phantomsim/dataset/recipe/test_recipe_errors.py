"""Wrong recipes: every mutation is either valid or told in at most five lines that name a field; no other error."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.recipe.outline import Header
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from tests.kinds import RECIPE, register
from tests.mutations import mutated
from tests.toml_writer import toml


@pytest.fixture(autouse=True, scope="module")
def _kinds():
    with pytest.MonkeyPatch.context() as patch:
        register(patch)
        yield


def message(text: str) -> str | None:
    """Return what is wrong with a recipe, None if nothing is; any other error gets through."""
    try:
        Recipe.from_text(text)
    except RecipeError as error:
        return str(error)
    return None


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(mutated(RECIPE))
def test_a_mutated_recipe_is_valid_or_told_clearly(tree):
    told = message(toml(tree))
    if told is None:
        recipe = Recipe.from_text(toml(tree))
        for sample in range(5):
            recipe.draw(Key(1).fold(sample))
    else:
        lines = told.splitlines()
        assert 1 <= len(lines) <= 4
        assert all(len(line) < 600 for line in lines)
        section = re.match(r'[\w-]+|"', lines[0])
        assert section
        assert section[0] in {*tree, *Header.model_fields, "schema", "recipe", '"'}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=100).map(lambda data: data.decode("latin-1"))))
def test_any_text_is_refused_as_a_recipe_and_nothing_else_happens(text):
    with pytest.raises(RecipeError):
        Recipe.from_text(text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, len(RECIPE) - 1), st.integers(0, 20), st.text(max_size=5))
def test_a_recipe_with_letters_struck_or_added_raises_nothing_but_recipe_errors(place, struck, added):
    told = message(RECIPE[:place] + added + RECIPE[place + struck :])
    assert told is None or len(told.splitlines()) <= 4


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "a = " + "[" * 900 + "]" * 900, "a = 1" + "0" * 5000, "a = 0x" + "f" * 5000, "x" * 2**21],
    ids=["open", "nested", "digits", "hexadecimal", "long"],
)
def test_monstrous_texts_are_refused(text):
    with pytest.raises(RecipeError):
        Recipe.from_text(text)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kvp =", "kpv =", "scan.ct.tube.kpv: no such field here; did you mean 'kvp'?"),
        (
            "choice = [100, 120]",
            "choice = [100, 400]",
            "scan.ct.tube.kvp = 400 (drawn from { choice = [100, 400] }): should be less than or equal to 150",
        ),
        ('"blobs"', '"blob"', "phantom.kind = \"blob\": did you mean 'blobs'?"),
        ('kind = "blobs"', "", "phantom.kind is missing; one of: blobs"),
        ("fan-arc", "fan-ark", "scan.ct.geometry.kind = \"fan-ark\": did you mean 'fan-arc'?"),
        ('kind = "fan-arc", ', "", "scan.ct.geometry.kind is missing"),
        ('"hann"', '"han"', "image.low.method.window = \"han\": did you mean 'hann'?"),
        ("541", "5410", "scan.ct.geometry: source_to_detector_mm should be beyond source_to_axis_mm"),
        (
            "{ uniform = [4, 20] }",
            "{ normal = [10, 2] }",
            "phantom.diameter_mm = -6.419072303 (drawn from { normal = [10, 2] }): should be greater than 0; "
            "min and max cut tails off",
        ),
        (
            "{ poisson = 2 }",
            "{ uniform = [1, 2] }",
            "phantom.count = 1 (drawn from { uniform = [1, 2] }): should be a whole number; "
            "integers = [low, high] draws them",
        ),
        ("seed = 7", "seed = nan", "seed = nan: should be a finite number"),
        ("seed = 7", 'seed = "7"', 'seed = "7": should be a valid integer'),
        ("samples = 20", "samples = true", "samples = true: should be a valid integer"),
        ("[1.0, 0.75, 0.75]", "[1.0, 0.75]", "grid.image.spacing_mm = [1, 0.75]: value 3 is missing"),
        ("{ poisson = 2 }", "2026-01-01", 'phantom.count = "2026-01-01": dates and times have no place in a recipe'),
        (
            "samples = 20",
            "samples = 20\nsplits = { train = 0.5, test = 0.4 }",
            "splits: should be fractions above 0 that sum to 1; their sum is 0.9",
        ),
    ],
)  # fmt: skip
def test_messages(old, new, expected):
    assert old in RECIPE
    assert message(RECIPE.replace(old, new, 1)) == expected


@pytest.mark.parametrize(
    ("old", "limit"),
    [("samples = 20", "100000000"), ("n_views = 90", "65536"), ("{ poisson = 2 }", "1000"), ("[1, 64, 64]", "65536")],
)
def test_counts_of_a_million_million_are_refused_with_the_limit(old, limit):
    new = re.sub(r"\d+(?=\]?$)|\{.*", "1000000000000", old)
    text = RECIPE.replace(old, new if "=" in old or old.startswith("[") else "1000000000000", 1)
    with pytest.raises(RecipeError, match=limit):
        Recipe.from_text(text)


def test_many_errors_make_four_lines():
    fields = "\n".join(f"field_{i} = 1" for i in range(20))
    with pytest.raises(RecipeError) as error:
        Recipe.from_text(RECIPE.replace('kind = "blobs"', 'kind = "blobs"\n' + fields))
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert lines[-1] == "and 17 more in phantom"


@pytest.mark.parametrize("kind", ["tests.kinds:Blobs", "os:system", "__import__('os').getcwd()", "{kind}", "%s"])
def test_a_kind_names_no_code(kind):
    told = message(RECIPE.replace('"blobs"', f'"{kind}"'))
    assert told == f'phantom.kind = "{kind}": known: blobs'
