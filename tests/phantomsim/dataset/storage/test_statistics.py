import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phantomsim.dataset.storage.statistics import Moments, combine

values = arrays(np.float32, st.integers(0, 40), elements=st.floats(-1e6, 1e6, width=32))


@given(st.lists(values, max_size=5))
def test_moments_of_parts_combine_to_the_moments_of_the_whole(parts):
    together = combine(Moments.of(part) for part in parts)
    whole = np.concatenate([np.zeros(0, np.float32), *parts]).astype(np.float64)
    assert together.count == whole.size
    if whole.size:
        assert together.mean == pytest.approx(whole.mean(), rel=1e-12, abs=1e-7)
        assert together.std == pytest.approx(whole.std(), rel=1e-9, abs=1e-7)
        assert (together.minimum, together.maximum) == (whole.min(), whole.max())


def test_moments_are_exact_far_from_zero():
    # float32 sums, or E[x²] − E[x]², lose every digit of this
    noise = np.random.default_rng(0).normal(0, 1, 100_000)
    moments = Moments.of(noise + 1e8)
    assert moments.std == pytest.approx(noise.std(), rel=1e-6)


def test_values_that_are_not_finite_do_not_count():
    moments = Moments.of(np.array([1, np.nan, 3, np.inf], np.float32))
    assert (moments.count, moments.mean, moments.maximum) == (2, 2.0, 3.0)
    assert Moments.of(np.full(3, np.nan)) == Moments()
    assert np.isnan(Moments().std)


def test_complex_values_count_by_magnitude():
    assert Moments.of(np.array([3 + 4j], np.complex64)).mean == 5


def test_moments_survive_json():
    moments = Moments.of(np.arange(5))
    assert Moments.from_json(moments.to_json()) == moments
    assert Moments.from_json(Moments().to_json()) == Moments()
