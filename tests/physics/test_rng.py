"""Samplers against their distributions.

All keys are fixed, so no test can flake. Some 300 p-values are computed here; that one of them lies below 1e-6 by
chance would happen in one of 3000 choices of the keys, and what is wrong shows far below it with a million draws.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key, binomial, exponential, integers, normal, permutation, poisson, uniform

N = 1_000_000
UNLIKELY = 1e-6
SEEDS = [0, 1, 20261122]
MEANS = [1e-3, 0.5, 3.0, 9.9, 10.1, 30.0, 1e3, 1e5, 1e9]
REAL_SAMPLERS = [uniform, normal, exponential]
KEY = Key(5, ("test",))

Draws = npt.NDArray[Any]


def draw_count(key: Key, n: int) -> Draws:
    return poisson(key, np.resize(np.array([0.01, 4.0, 60.0, 1e5], np.float32), n))


def draw_successes(key: Key, n: int) -> Draws:
    return binomial(key, np.resize([3, 50, 10_000], n), 0.4)


SAMPLERS: list[Callable[[Key, int], Draws]] = [*REAL_SAMPLERS, draw_count, draw_successes]


def chi_square(draws: Draws, cdf: Callable[[Draws], Draws], low: float, high: float, n_bins: int = 60) -> float:
    """Return the p-value of whole-numbered draws against a distribution function, in bins of at least 10 expected."""
    edges = np.unique(np.round(np.linspace(low - 1, high, n_bins)))
    expected = np.diff(np.concatenate([[0.0], cdf(edges), [1.0]])) * draws.size
    found = np.bincount(np.searchsorted(edges, draws, side="left"), minlength=expected.size).astype(np.float64)
    enough = expected >= 10
    pooled_expected = np.append(expected[enough], expected[~enough].sum())
    pooled_found = np.append(found[enough], found[~enough].sum())
    if pooled_expected[-1] < 10:  # too little even together: join it to its largest neighbour
        largest = int(np.argmax(pooled_expected[:-1]))
        pooled_expected[largest] += pooled_expected[-1]
        pooled_found[largest] += pooled_found[-1]
        pooled_expected, pooled_found = pooled_expected[:-1], pooled_found[:-1]
    if pooled_expected.size == 1:
        return 1.0
    return float(stats.chisquare(pooled_found, pooled_expected).pvalue)


def z_p_value(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))


# The key


def test_keys_of_different_paths_differ() -> None:
    paths: list[tuple[str | int, ...]] = [
        (),
        (1,),
        ("1",),
        ("a", "b"),
        ("a\x1fb",),
        ("ab",),
        ('a", "b',),
        (1, 2),
        (12,),
    ]
    words = {Key(seed, path).words for seed in (0, 1) for path in paths}
    assert len(words) == 2 * len(paths)


def test_folding_is_the_same_at_once_and_in_steps() -> None:
    assert Key(3).fold("take", 7) == Key(3).fold("take").fold(7)


def test_a_numpy_integer_folds_like_a_plain_one() -> None:
    assert Key(3).fold(np.int64(7)).words == Key(3).fold(7).words  # type: ignore[arg-type]


def test_a_fraction_cannot_be_folded_in() -> None:
    with pytest.raises(TypeError):
        Key(3).fold(0.5).words  # type: ignore[arg-type]  # noqa: B018


# Every sampler


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("n", [0, 1, 1023, 1025, 3000, 4097, 9000])
def test_an_element_depends_on_key_and_index_alone(sampler: Callable[[Key, int], Draws], n: int) -> None:
    np.testing.assert_array_equal(sampler(KEY, n), sampler(KEY, 10_000)[:n])


@pytest.mark.parametrize("sampler", [uniform, normal, exponential])
def test_float64_elements_depend_on_key_and_index_alone(sampler: Callable[..., Draws]) -> None:
    np.testing.assert_array_equal(sampler(KEY, 2500, dtype=np.float64), sampler(KEY, 9000, dtype=np.float64)[:2500])


@pytest.mark.parametrize("sampler", REAL_SAMPLERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_only_arranges_the_draws(sampler: Callable[..., Draws], dtype: type) -> None:
    draws = sampler(KEY, (3, 40, 50), dtype=dtype)
    assert draws.shape == (3, 40, 50)
    assert draws.dtype == dtype
    np.testing.assert_array_equal(draws.ravel(), sampler(KEY, 6000, dtype=dtype))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_draws_do_not_depend_on_the_number_of_threads(sampler: Callable[[Key, int], Draws]) -> None:
    with threads(1):
        expected = sampler(KEY, 100_000)
    for n in (2, 3, 7):
        with threads(n):
            np.testing.assert_array_equal(sampler(KEY, 100_000), expected)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_neighbouring_keys_are_uncorrelated(sampler: Callable[[Key, int], Draws]) -> None:
    family = [Key(9).fold(0), Key(9).fold(1), Key(10).fold(0), Key(9).fold(0, 0)]
    n = 200_000 - 200_000 % 12  # whole periods of the parameters
    draws = np.array([sampler(key, n) for key in family], np.float64).reshape(4, -1, 12)
    draws = ((draws - draws.mean(axis=1, keepdims=True)) / draws.std(axis=1, keepdims=True).clip(1e-9)).reshape(4, -1)
    correlation = np.corrcoef(draws)[np.triu_indices(4, 1)]
    assert z_p_value(np.abs(correlation).max() * np.sqrt(n)) > UNLIKELY


@pytest.mark.parametrize("lag", [1, 2, 1024, 2048, 4096])
@pytest.mark.parametrize("power", [1, 2])
def test_normals_of_one_stream_are_uncorrelated(lag: int, power: int) -> None:
    draws = normal(KEY, N).astype(np.float64) ** power  # squares: the radius of a Box-Muller pair is shared
    correlation = np.corrcoef(draws[:-lag], draws[lag:])[0, 1]
    assert z_p_value(correlation * np.sqrt(N - lag)) > UNLIKELY


@pytest.mark.parametrize("other", [Key(9).fold(1), Key(10).fold(0)])
def test_uniforms_of_neighbouring_keys_fill_the_square_evenly(other: Key) -> None:
    cells = (uniform(Key(9).fold(0), N) * 16).astype(int) * 16 + (uniform(other, N) * 16).astype(int)
    assert stats.chisquare(np.bincount(cells, minlength=256)).pvalue > UNLIKELY


# Reals


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("sampler", "distribution"), [(uniform, "uniform"), (normal, "norm"), (exponential, "expon")], ids=str
)
def test_reals_follow_their_distribution(
    sampler: Callable[..., Draws], distribution: str, seed: int, dtype: type
) -> None:
    draws = sampler(Key(seed), N, dtype=dtype).astype(np.float64)
    exact = getattr(stats, distribution)
    assert stats.kstest(draws, exact.cdf, method="asymp").pvalue > UNLIKELY
    mean, variance, _, excess = (float(m) for m in exact.stats(moments="mvsk"))
    assert z_p_value((draws.mean() - mean) / np.sqrt(variance / N)) > UNLIKELY
    spread = np.sqrt((excess + 2) * variance**2 / N)
    assert z_p_value((np.var(draws) - variance) / spread) > UNLIKELY


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("sampler", "distribution"), [(normal, "norm"), (exponential, "expon")], ids=str)
def test_tails_hold_as_many_draws_as_they_should(
    sampler: Callable[..., Draws], distribution: str, seed: int, dtype: type
) -> None:
    draws, exact = sampler(Key(seed), 4 * N, dtype=dtype), getattr(stats, distribution)
    for probability in (1e-3, 1e-4, 1e-5, 2e-6):
        n_above = int(np.count_nonzero(draws > exact.isf(probability)))
        assert stats.binomtest(n_above, 4 * N, probability).pvalue > UNLIKELY
        n_below = int(np.count_nonzero(draws < exact.ppf(probability)))
        assert stats.binomtest(n_below, 4 * N, probability).pvalue > UNLIKELY


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_reals_stay_where_they_must(dtype: type) -> None:
    u, e = uniform(KEY, 4 * N, dtype=dtype), exponential(KEY, 4 * N, dtype=dtype)
    assert u.min() > 0
    assert u.max() < 1
    assert e.min() > 0
    assert np.all(np.isfinite(normal(KEY, 4 * N, dtype=dtype)))


def test_float32_uniforms_use_all_their_values_evenly() -> None:
    steps = uniform(KEY, 4 * N).astype(np.float64) * 2**24
    assert np.all(steps % 2 == 1)  # odd multiples of 2⁻²⁴, exact
    assert stats.chisquare(np.bincount((steps // 2).astype(np.int64) & 0xFF, minlength=256)).pvalue > UNLIKELY


def test_draws_of_another_dtype_are_refused() -> None:
    with pytest.raises(TypeError, match="float32 or float64, got int64"):
        uniform(KEY, 3, dtype=np.int64)


# Counts


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mean", MEANS)
def test_poisson_counts_follow_their_distribution(mean: float, seed: int) -> None:
    draws = poisson(Key(seed).fold("poisson"), np.full(N, mean))
    exact = stats.poisson(mean)
    assert draws.dtype == np.int64
    assert chi_square(draws, exact.cdf, *exact.ppf([1e-7, 1 - 1e-7])) > UNLIKELY
    assert z_p_value((draws.mean() - mean) / np.sqrt(mean / N)) > UNLIKELY
    spread = np.sqrt((2 * mean**2 + mean) / N)  # of the mean of (count − mean)²
    if N * mean > 1e4:  # enough counts for the normal law to hold
        assert z_p_value((np.mean((draws - mean) ** 2) - mean) / spread) > UNLIKELY


@pytest.mark.parametrize("mean", [1e-6, 1e-5])
def test_the_smallest_poisson_means_give_as_many_counts_as_they_should(mean: float) -> None:
    total = sum(int(poisson(Key(seed), np.full(4 * N, mean, np.float32)).sum()) for seed in range(8))
    exact = stats.poisson(8 * 4 * N * float(np.float32(mean)))
    assert 2 * min(exact.cdf(total), exact.sf(total - 1)) > 1e-3  # one draw of a sum: a tight bound is safe


def test_poisson_tails_hold_as_many_counts_as_they_should() -> None:
    for mean in (8.0, 12.0, 500.0):
        draws, exact = poisson(KEY, np.full(4 * N, mean, np.float32)), stats.poisson(mean)
        for probability in (1e-3, 1e-5):
            above, below = exact.isf(probability), exact.ppf(probability)
            assert stats.binomtest(int((draws > above).sum()), 4 * N, exact.sf(above)).pvalue > UNLIKELY
            assert stats.binomtest(int((draws < below).sum()), 4 * N, exact.cdf(below - 1)).pvalue > UNLIKELY


def test_a_count_does_not_depend_on_the_means_around_it() -> None:
    mean = np.resize(np.array([0.1, 5, 11, 1e4], np.float32), 5000)
    changed = mean.copy()
    changed[::2] *= 3
    np.testing.assert_array_equal(poisson(KEY, mean)[1::2], poisson(KEY, changed)[1::2])


@pytest.mark.parametrize("mean", [3.0, [3.0], [[3, 4]], np.ones((2, 3, 4), np.float32).T, np.ones((0, 2))])
def test_counts_have_the_shape_of_their_means(mean: Any) -> None:
    assert poisson(KEY, mean).shape == np.shape(mean)


def test_float32_and_float64_means_give_the_same_counts() -> None:
    mean = np.resize(np.array([0.5, 4, 25, 1e4], np.float32), 10_000)
    np.testing.assert_array_equal(poisson(KEY, mean), poisson(KEY, mean.astype(np.float64)))


def test_a_mean_of_zero_gives_no_counts() -> None:
    assert not poisson(KEY, np.zeros(N, np.float32)).any()


@pytest.mark.parametrize("mean", [-1.0, np.nan, np.inf, 1e16])
def test_impossible_means_are_refused(mean: float) -> None:
    with pytest.raises(ValueError, match="mean must lie between 0 and 1e"):
        poisson(KEY, np.array([1.0, mean]))


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.3), (20, 0.1), (25, 0.5), (90, 0.9), (10**4, 0.01), (10**6, 0.5), (10**9, 0.99), (10**12, 1e-11)]
)
def test_binomial_counts_follow_their_distribution(n: int, p: float) -> None:
    draws = binomial(KEY.fold(n), np.full(N, n), p)
    exact = stats.binom(n, p)
    assert draws.min() >= 0
    assert draws.max() <= n
    assert chi_square(draws, exact.cdf, *exact.ppf([1e-7, 1 - 1e-7])) > UNLIKELY
    mean, variance, _, excess = (float(m) for m in exact.stats(moments="mvsk"))
    assert z_p_value((draws.mean() - mean) / np.sqrt(variance / N)) > UNLIKELY
    spread = np.sqrt((excess + 2) * variance**2 / N)
    assert z_p_value((np.mean((draws - mean) ** 2) - variance) / spread) > UNLIKELY


def test_thinned_poisson_counts_are_poisson() -> None:
    mean, kept = 400.0, 0.3
    counts = poisson(KEY.fold("all"), np.full(N, mean, np.float32))
    exact = stats.poisson(mean * kept)
    thinned = binomial(KEY.fold("kept"), counts, kept)
    assert chi_square(thinned, exact.cdf, *exact.ppf([1e-7, 1 - 1e-7])) > UNLIKELY


def test_certain_and_impossible_trials_need_no_luck() -> None:
    n = np.array([0, 1, 17, 10**12])
    np.testing.assert_array_equal(binomial(KEY, n, 0.0), 0)
    np.testing.assert_array_equal(binomial(KEY, n, 1.0), n)


def test_numbers_of_trials_and_probabilities_broadcast() -> None:
    assert binomial(KEY, np.arange(4)[:, None], np.linspace(0, 1, 3)).shape == (4, 3)


@pytest.mark.parametrize(("n", "p"), [(-1, 0.5), (5, 1.1), (5, np.nan), (10**16, 0.5)])
def test_impossible_trials_are_refused(n: int, p: float) -> None:
    with pytest.raises(ValueError, match="must lie between 0 and"):
        binomial(KEY, np.array([n]), p)


# Whole numbers


def test_integers_are_even_over_their_range() -> None:
    draws = integers(KEY, N, -3, 8)
    assert stats.chisquare(np.bincount(draws + 3, minlength=11)).pvalue > UNLIKELY


def test_an_empty_range_of_integers_is_refused() -> None:
    with pytest.raises(ValueError, match="low < high"):
        integers(KEY, 3, 4, 4)


def test_permutations_are_even_over_all_orders() -> None:
    orders = [json.dumps(permutation(KEY.fold(i), 4).tolist()) for i in range(6000)]
    _, counts = np.unique(orders, return_counts=True)
    assert counts.size == 24
    assert stats.chisquare(counts).pvalue > UNLIKELY
