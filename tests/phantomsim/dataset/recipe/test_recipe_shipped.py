"""The shipped recipes: right as they are, told clearly when changed, and every count in them has a limit."""

import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from phantomsim.dataset.recipe import Recipe, shipped
from phantomsim.dataset.recipe.tree import dotted, leaves
from phantomsim.dataset.recipe.trials import is_count
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from tests.mutations import mutated
from tests.toml_writer import toml

LOW_DOSE = shipped.find("ct-low-dose").read_text()


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_recipe_is_right_and_named_like_its_folder(name):
    recipe = Recipe.load(name)
    assert recipe.name == name
    for sample in range(100):
        recipe.draw(Key(recipe.seed).fold(sample, "recipe"))


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_recipe_begins_with_a_line_that_says_what_it_is(name):
    assert shipped.find(name).read_text().startswith("# ")
    assert 20 < len(shipped.summary(name)) < 120


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(mutated(LOW_DOSE))
def test_a_mutated_recipe_of_real_kinds_is_valid_or_told_clearly(tree):
    try:
        recipe = Recipe.from_text(toml(tree))
    except RecipeError as error:
        lines = str(error).splitlines()
        assert 1 <= len(lines) <= 4
        assert all(len(line) < 600 for line in lines)
    else:
        recipe.draw(Key(1))


def numbers(tree: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = [
        path for path, value in leaves(tree) if isinstance(value, int | float) and path[0] not in ("schema", "seed")
    ]
    return [
        path for path in found if path[0] == "samples" or is_count(str(path[-1])) or "shape" in path or "count" in path
    ]


@pytest.mark.parametrize("path", numbers(tomllib.loads(LOW_DOSE)), ids=dotted)
def test_a_million_million_of_anything_is_refused_with_the_limit(path):
    tree = tomllib.loads(LOW_DOSE)
    node = tree
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = 10**12
    with pytest.raises(RecipeError, match=r"less than or equal to|should be|limit"):
        Recipe.from_text(toml(tree))
