from itertools import pairwise

import numpy as np
import pytest

from phantomsim.physics.overlaps import sweep


def swept(enter, leave, codes, length, additive):  # type: ignore[no-untyped-def]
    """Return the length of each state, and the stretches sorted by where they begin."""
    n = len(enter)
    stretches, states = np.empty((2, 2 * n + 1)), np.empty(2 * n + 1, np.int64)
    near, covered = np.arange(n), np.empty((2, n + 1))
    found = sweep(enter[:, None], leave[:, None], codes, near, n, 0, length, additive, covered, stretches, states)
    order = np.argsort(stretches[0, :found])
    totals: dict[int, float] = {}
    for i in order:
        totals[int(states[i])] = totals.get(int(states[i]), 0.0) + stretches[1, i] - stretches[0, i]
    return totals, stretches[:, order]


def asked(enter, leave, codes, length, additive):  # type: ignore[no-untyped-def]
    """Ask for the state in the middle between any two neighbouring ends of intervals."""
    ends = np.unique(np.concatenate([[0.0, length], enter, leave]))
    ends = ends[(ends >= 0) & (ends <= length)]
    totals: dict[int, float] = {}
    for a, b in pairwise(ends):
        over = codes[(enter <= (a + b) / 2) & (leave > (a + b) / 2)]
        state = int(over.sum()) if additive else int(over.max(initial=-1))
        totals[state] = totals.get(state, 0.0) + b - a
    return totals


@pytest.mark.parametrize("additive", [False, True])
def test_stretches_of_many_intervals_are_those_of_a_question_between_any_two_ends(additive: bool) -> None:
    rng = np.random.default_rng(7)
    for trial in range(300):
        n = int(rng.integers(0, 40))
        # whole numbers, so that many intervals touch, agree, are empty or lie outside
        enter, leave = np.sort(rng.integers(-3, 24, (2, n)), axis=0).astype(float)
        if trial % 2:
            enter, leave = enter + rng.normal(size=n), leave + rng.normal(size=n)
        codes = rng.integers(-2, 9, n) if additive else np.arange(n)
        totals, stretches = swept(enter, leave, codes, 20.0, additive)
        expected = asked(enter, leave, codes, 20.0, additive)
        assert {k: v for k, v in totals.items() if v > 0} == pytest.approx(expected, abs=1e-12)
        assert stretches[0, 0] == 0.0
        assert stretches[1, -1] == 20.0
        assert np.array_equal(stretches[1, :-1], stretches[0, 1:])  # no gap, no overlap
