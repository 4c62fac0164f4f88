"""The JSON Schema: shipped recipes pass, common mistakes do not."""

import tomllib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import tests.kinds
from phantomsim.dataset.recipe import shipped
from phantomsim.dataset.recipe.schema import recipe_schema


@pytest.fixture
def validator(monkeypatch):
    for name in ("PHANTOMS", "SCANNERS", "RECONSTRUCTORS"):
        monkeypatch.setattr(f"phantomsim.dataset.recipe.schema.{name}", getattr(tests.kinds, name))
    return Draft202012Validator(recipe_schema())


def changed(*path: Any, value: Any) -> dict[str, Any]:
    tree = tomllib.loads(tests.kinds.RECIPE)
    node = tree
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return tree


def test_a_recipe_with_every_rule_passes(validator):
    Draft202012Validator.check_schema(validator.schema)
    assert not list(validator.iter_errors(tomllib.loads(tests.kinds.RECIPE)))


@pytest.mark.parametrize(
    "tree",
    [
        changed("phantom", "diametre_mm", value=3),
        changed("phantom", "diameter_mm", value=-3),
        changed("phantom", "diameter_mm", value={"uniform": [1, 2, 3]}),
        changed("phantom", "diameter_mm", value={"unifrom": [1, 2]}),
        changed("phantom", "kind", value="blob"),
        changed("scan", "ct", "geometry", "kind", value="fan-ark"),
        changed("scan", "ct", "geometry", "n_views", value=10**12),
        changed("take", "low", "of", value=3),
        changed("truth", "mu", "energy", value=3),
        changed("grid", "image", "shape", value=[1, 2]),
        changed("samples", value="many"),
        changed("pair", value=[]),
        changed("phantmo", value={}),
    ],
)
def test_mistakes_are_marked(validator, tree):
    assert list(validator.iter_errors(tree))


def test_shipped_recipes_pass():
    validator = Draft202012Validator(recipe_schema())
    for name in shipped.names():
        tree = tomllib.loads(shipped.find(name).read_text())
        assert not [error.message for error in validator.iter_errors(tree)]
