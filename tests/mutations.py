"""Recipes that went wrong, for hypothesis: values, names, missing, added and moved fields, deep nests."""

import tomllib
from typing import Any

from hypothesis import strategies as st

from phantomsim.dataset.recipe.distribution import KINDS
from tests.toml_writer import toml


def positions(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every table, list and value."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(deeper for step, value in inner for deeper in positions(value, (*path, step)))]


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


NUMBERS = st.one_of(
    st.sampled_from([0, -1, 1e12, 10**12, 2**63, 2**200, 1e300, 5e-324, float("nan"), float("inf"), -float("inf")]),
    st.integers(),
    st.floats(),
)
WORDS = st.one_of(
    st.text(max_size=12), st.sampled_from(["none", "scan.ct", "take.low", "image.low", "hann", "1", "\n" * 9])
)
VALUES = st.recursive(
    st.one_of(NUMBERS, WORDS, st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(WORDS, inner, max_size=4),
        st.dictionaries(st.sampled_from([*KINDS, "min", "max", "weights"]), inner, min_size=1, max_size=2),
    ),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, recipe: str) -> dict[str, Any]:
    """Return a recipe with one to three things changed."""
    tree = tomllib.loads(recipe)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in positions(tree) if path]))
        parent, step = at(tree, path[:-1]), path[-1]
        change = draw(st.sampled_from(["value", "value", "rename", "typo", "drop", "add", "wrap", "copy", "deep"]))
        match change:
            case "value":
                parent[step] = draw(VALUES)
            case "rename" | "typo" if isinstance(parent, dict):
                letters = str(step)
                cut = draw(st.integers(0, len(letters)))
                parent[draw(WORDS) if change == "rename" else letters[:cut] + letters[cut + 1 :]] = parent.pop(step)
            case "drop":
                del parent[step]
            case "add" if isinstance(parent[step], dict):
                parent[step][draw(WORDS)] = draw(VALUES)
            case "wrap":
                parent[step] = draw(st.sampled_from([{"choice": [parent[step]]}, [parent[step]], {"x": parent[step]}]))
            case "copy":
                parent[step] = tomllib.loads(toml({"x": at(tree, draw(st.sampled_from(positions(tree))))}))["x"]
            case "deep":
                for _ in range(draw(st.sampled_from([3, 30, 60]))):
                    parent[step] = draw(st.sampled_from([[parent[step]], {"choice": [parent[step]]}]))
    return tree
