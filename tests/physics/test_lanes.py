from __future__ import annotations

import numba
import numpy as np
import pytest

from phantomsim.physics.lanes import _add_blend, add_blend


@numba.njit
def add_to_one(total, line, first, second, weights):  # type: ignore[no-untyped-def]
    add_blend(total, np.uint64(3), line, np.uint64(first), np.uint64(second), weights)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_vectors_give_what_the_loop_of_eight_gives(real: type) -> None:
    rng = np.random.default_rng(3)
    total, line = rng.normal(size=20).astype(real), rng.normal(size=30).astype(real)
    expected, weights = total.copy(), (real(0.3), real(-1.7))
    _add_blend(expected, 3, line, 5, 22, weights)
    add_to_one(total, line, 5, 22, weights)
    np.testing.assert_allclose(total, expected, rtol=0, atol=8 * np.finfo(real).eps)
    assert total.dtype == real
