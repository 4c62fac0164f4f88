"""Distributions: their quantile functions are the right ones, their ends hold, wrong ones are refused."""

import math

import numpy as np
import pytest
from scipy import stats

from phantomsim.dataset.recipe.distribution import LOWEST, is_distribution, parse, unit
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key

CONTINUOUS = {
    "uniform": ({"uniform": [4, 20]}, stats.uniform(4, 16)),
    "loguniform": ({"loguniform": [0.25, 4]}, stats.loguniform(0.25, 4)),
    "normal": ({"normal": [5, 2]}, stats.norm(5, 2)),
    "normal, cut": ({"normal": [5, 2], "min": 4, "max": 10}, stats.truncnorm(-0.5, 2.5, 5, 2)),
    "lognormal": ({"lognormal": [3, 0.4]}, stats.lognorm(0.4, scale=3)),
}
DISCRETE = {
    "integers": ({"integers": [1, 4]}, stats.randint(1, 5)),
    "poisson 0.1": ({"poisson": 0.1}, stats.poisson(0.1)),
    "poisson 7.3": ({"poisson": 7.3}, stats.poisson(7.3)),
    "poisson 700": ({"poisson": 700}, stats.poisson(700)),
}
PROBABILITIES = (1e-6, 0.01, 0.3, 0.49, 0.77, 0.999, 1 - 1e-6)


@pytest.mark.parametrize(("table", "reference"), CONTINUOUS.values(), ids=CONTINUOUS)
def test_quantiles_equal_those_of_scipy(table, reference):
    found = parse(table, ("x",))
    for u in PROBABILITIES:
        assert found.quantile(u) == pytest.approx(reference.ppf(u), rel=1e-9)


@pytest.mark.parametrize(("table", "reference"), DISCRETE.values(), ids=DISCRETE)
def test_counts_equal_those_of_scipy(table, reference):
    found = parse(table, ("x",))
    for u in PROBABILITIES:
        assert found.quantile(u) == reference.ppf(u)
        assert isinstance(found.quantile(u), int)


def test_a_cut_poisson_has_the_conditional_probabilities():
    found = parse({"poisson": 3, "min": 1, "max": 4}, ("x",))
    drawn = [found.quantile((i + 0.5) / 40000) for i in range(40000)]
    expected = stats.poisson(3).pmf([1, 2, 3, 4])
    assert np.allclose(np.bincount(drawn)[1:] / 40000, expected / expected.sum(), atol=1e-4)


def test_choices_come_as_often_as_their_weights():
    found = parse({"choice": ["a", "b", "c"], "weights": [1, 0, 3]}, ("x",))
    drawn = [found.quantile((i + 0.5) / 400) for i in range(400)]
    assert (drawn.count("a"), drawn.count("b"), drawn.count("c")) == (100, 0, 300)
    assert found.options == ("a", "c")


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_no_draw_lies_beyond_the_ends(name):
    low, high = parse((CONTINUOUS | DISCRETE)[name][0], ("x",)).ends
    quantile = parse((CONTINUOUS | DISCRETE)[name][0], ("x",)).quantile
    assert low <= quantile(LOWEST) <= quantile(0.5) <= quantile(1 - LOWEST) <= high
    assert math.isfinite(low)
    assert math.isfinite(high)


def test_ends_of_a_uniform_are_the_numbers_in_the_recipe():
    assert parse({"uniform": [0.1, 0.7]}, ("x",)).ends == (0.1, 0.7)


def test_unit_numbers_of_keys_are_uniform_and_inside_the_open_interval():
    draws = np.array([unit(Key(3).fold("x", i)) for i in range(20_000)])
    assert stats.kstest(draws, "uniform").pvalue > 1e-3
    assert LOWEST <= draws.min() <= draws.max() <= 1 - LOWEST


def test_largest_unit_number_is_below_one():
    class Ones:
        words = (2**32 - 1, 2**32 - 1, 0)

    class Zeros:
        words = (0, 0, 0)

    assert unit(Ones()) == 1 - LOWEST
    assert unit(Zeros()) == LOWEST


def test_only_a_table_with_the_name_of_a_distribution_is_one():
    assert is_distribution({"uniform": 3})
    assert not is_distribution({"kind": "uniform"})
    assert not is_distribution([1, 2])


WRONG = [
    ({"uniform": [4, 20], "normal": [1, 2]}, "one name"),
    ({"uniform": [4, 20], "min": 4}, "'min'"),
    ({"normal": [4, 2], "mni": 4}, "did you mean 'min'"),
    ({"uniform": [20, 4]}, "low may not be above high"),
    ({"uniform": 4}, "two numbers"),
    ({"uniform": [True, False]}, "two numbers"),
    ({"uniform": ["4", 20]}, "two numbers"),
    ({"loguniform": [0, 1]}, "0 < low"),
    ({"integers": [1.0, 2.0]}, "whole numbers"),
    ({"normal": [1, 0]}, "above 0"),
    ({"normal": [0, 1], "min": 2, "max": 2}, "min below max"),
    ({"normal": [0, 1], "min": 9}, "of the distribution lies between"),
    ({"lognormal": [-1, 1]}, "above 0"),
    ({"lognormal": [1e308, 9]}, "floating-point"),
    ({"poisson": -1}, "mean from 0"),
    ({"poisson": 1e9}, "write a normal"),
    ({"poisson": 2, "max": -1}, "of the distribution lies between"),
    ({"choice": []}, "list of 1 to"),
    ({"choice": [1, 2], "weights": [1]}, "one for each"),
    ({"choice": [1, 2], "weights": [0, 0]}, "not all 0"),
    ({"choice": [1, 2], "weights": [-1, 2]}, "0 or more"),
]


@pytest.mark.parametrize(("table", "told"), WRONG, ids=[str(table) for table, _ in WRONG])
def test_a_wrong_distribution_is_refused_with_its_path(table, told):
    with pytest.raises(RecipeError, match=told) as error:
        parse(table, ("phantom", "x"))
    assert str(error.value).startswith("phantom.x = ")
