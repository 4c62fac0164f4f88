"""Distributions as data: a table such as ``{ uniform = [4, 20] }`` wherever a recipe could hold a number.

    { uniform = [low, high] }               { normal = [mean, standard deviation] }
    { loguniform = [low, high] }            { lognormal = [median, standard deviation of the natural logarithm] }
    { integers = [first, last] }            { poisson = mean }
    { choice = [a, b, c], weights = [1, 1, 2] }

Those on the right may be cut by ``min`` and ``max``. The options of a choice may be anything, whole tables too, with
distributions in them; ``weights`` may be left out.

Each distribution is its quantile function, so one uniform number makes one draw and its ends are known: a recipe is
right only if both ends are. Uniform numbers come from 52 bits of a key, hence tails end at 8.2 standard deviations.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from math import exp, fsum, inf, log
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

from phantomsim.dataset.recipe.tree import Path, complaint, nearest

if TYPE_CHECKING:
    from phantomsim.physics.rng import Key

Table = dict[str, Any]

LOWEST: Final = 2.0**-53
"""Smallest uniform number that a key can give; the largest is 1 - LOWEST."""

SMALLEST_MASS: Final = 1e-6
"""Least probability that may be left between min and max."""

LARGEST_MEAN: Final = 700.0
"""Largest Poisson mean: exp(-mean) is still a normal float64."""

MOST_OPTIONS: Final = 256


@dataclass(frozen=True)
class Distribution:
    """A quantile function with its ends.

    Parameters
    ----------
    quantile
        Value at a probability in (0, 1).
    ends
        Smallest and largest value that can be drawn.
    options
        The values of a choice; empty for numbers.
    """

    quantile: Callable[[float], Any]
    ends: tuple[Any, Any]
    options: tuple[Any, ...] = ()


def unit(key: Key) -> float:
    """Return one uniform number in (0, 1) from a key: its first 52 bits, so never 0 or 1."""
    k0, k1, _ = key.words
    return float(((k0 << 32 | k1) >> 12) + 0.5) * 2.0**-52


def is_distribution(node: Any) -> bool:
    """Whether a value of a recipe is a distribution: a table with the name of one among its keys."""
    return isinstance(node, dict) and not _BUILDERS.keys().isdisjoint(node)


def parse(table: Table, path: Path) -> Distribution:
    """Read a distribution.

    Raises
    ------
    RecipeError
        If the table holds anything but one distribution with right parameters.
    """
    kinds = [name for name in table if name in _BUILDERS]
    if len(kinds) != 1:
        raise complaint(path, table, "a distribution has one name, here are " + " and ".join(kinds))
    build, extras = _BUILDERS[kinds[0]]
    for name in table:
        if name != kinds[0] and name not in extras:
            extra = f"beside {kinds[0]} stands {name!r}; {nearest(name, extras)}"
            raise complaint(path, table, extra)
    try:
        return build(table[kinds[0]], table)
    except ValueError as error:
        raise complaint(path, table, str(error)) from None
    except OverflowError:
        raise complaint(path, table, "reaches beyond the largest floating-point number") from None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _two(value: Any, meaning: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_number, value)):
        raise ValueError(f"should be {meaning}, two numbers")
    return value[0], value[1]


def _between(low: float, high: float) -> Callable[[float], float]:
    return lambda value: float(min(max(value, low), high))  # rounding may step over an end


def _uniform(value: Any, _: Table) -> Distribution:
    low, high = _two(value, "[low, high]")
    if not low <= high:
        raise ValueError("low may not be above high")
    clamp = _between(low, high)
    return Distribution(lambda u: clamp((1 - u) * low + u * high), (float(low), float(high)))


def _loguniform(value: Any, _: Table) -> Distribution:
    low, high = _two(value, "[low, high]")
    if not 0 < low <= high:
        raise ValueError("should be 0 < low <= high, for the logarithm is uniform")
    clamp = _between(low, high)
    return Distribution(lambda u: clamp(exp((1 - u) * log(low) + u * log(high))), (float(low), float(high)))


def _integers(value: Any, _: Table) -> Distribution:
    low, high = _two(value, "[low, high], both included")
    if not (isinstance(low, int) and isinstance(high, int) and low <= high):
        raise ValueError("should be [low, high], two whole numbers, both included")
    return Distribution(lambda u: min(low + int(u * (high - low + 1)), high), (low, high))


def _limits(table: Table) -> tuple[float, float]:
    low, high = table.get("min", -inf), table.get("max", inf)
    if not _number(low) or not _number(high) or not low < high:
        raise ValueError("min and max should be numbers, min below max")
    return low, high


def _truncated(
    cumulative: tuple[float, float], quantile: Callable[[float], float], clamp: Callable[[float], float]
) -> Distribution:
    below, mass = cumulative[0], cumulative[1] - cumulative[0]
    if mass < SMALLEST_MASS:
        raise ValueError(f"less than {SMALLEST_MASS:g} of the distribution lies between min and max")

    def inside(u: float) -> float:
        return clamp(quantile(min(max(below + u * mass, LOWEST), 1 - LOWEST)))

    return Distribution(inside, (inside(0.0), inside(1.0)))


def _normal(value: Any, table: Table) -> Distribution:
    mean, deviation = _two(value, "[mean, standard deviation]")
    if deviation <= 0:
        raise ValueError("the standard deviation should be above 0")
    low, high = _limits(table)
    normal = NormalDist(mean, deviation)
    return _truncated((normal.cdf(low), normal.cdf(high)), normal.inv_cdf, _between(low, high))


def _lognormal(value: Any, table: Table) -> Distribution:
    median, deviation = _two(value, "[median, standard deviation of the natural logarithm]")
    if not (median > 0 and 0 < deviation <= 10):
        raise ValueError(
            "should be [median, standard deviation of the natural logarithm], above 0, the second up to 10"
        )
    low, high = _limits(table)
    normal = NormalDist(log(median), deviation)
    cumulative = tuple(normal.cdf(log(end)) if end > 0 else 0.0 for end in (low, high))
    return _truncated((cumulative[0], cumulative[1]), lambda u: exp(normal.inv_cdf(u)), _between(low, high))


def _poisson(value: Any, table: Table) -> Distribution:
    if not _number(value) or not 0 <= value <= LARGEST_MEAN:
        raise ValueError(f"should be a mean from 0 to {LARGEST_MEAN:g}; beyond, write a normal")
    low, high = _limits(table)
    probabilities = [exp(-value)]
    while len(probabilities) <= value or probabilities[-1] > LOWEST / 128:
        probabilities.append(probabilities[-1] * value / len(probabilities))
    sums = [total / fsum(probabilities) for total in accumulate(probabilities)]
    below = sums[min(-int(-low // 1), len(sums)) - 1] if low > 0 else 0.0
    above = sums[min(int(high), len(sums) - 1)] if 0 <= high < inf else float(high > 0)
    if above - below < SMALLEST_MASS:
        raise ValueError(f"less than {SMALLEST_MASS:g} of the distribution lies between min and max")

    def count_at(u: float) -> int:
        return min(bisect_right(sums, below + u * (above - below)), len(sums) - 1)

    return Distribution(count_at, (count_at(LOWEST), count_at(1 - LOWEST)))


def _choice(value: Any, table: Table) -> Distribution:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_OPTIONS:
        raise ValueError(f"should be a list of 1 to {MOST_OPTIONS} values")
    weights = table.get("weights", [1] * len(value))
    if not isinstance(weights, list) or len(weights) != len(value) or not all(map(_number, weights)):
        raise ValueError("weights should be a list of numbers, one for each value")
    if min(weights) < 0 or not 0 < sum(weights) < inf:
        raise ValueError("weights should be 0 or more, and not all 0")
    options = tuple(option for option, weight in zip(value, weights, strict=True) if weight > 0)
    sums = list(accumulate(weight for weight in weights if weight > 0))

    def pick(u: float) -> Any:
        return options[min(bisect_right(sums, u * sums[-1]), len(options) - 1)]

    return Distribution(pick, (options[0], options[-1]), options)


_BUILDERS: Final[dict[str, tuple[Callable[[Any, Table], Distribution], tuple[str, ...]]]] = {
    "uniform": (_uniform, ()),
    "loguniform": (_loguniform, ()),
    "integers": (_integers, ()),
    "normal": (_normal, ("min", "max")),
    "lognormal": (_lognormal, ("min", "max")),
    "poisson": (_poisson, ("min", "max")),
    "choice": (_choice, ("weights",)),
}

KINDS: Final = tuple(_BUILDERS)
"""Names of the distributions."""
