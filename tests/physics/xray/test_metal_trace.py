import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError
from phantomsim.physics.xray.metal_trace import interpolate, interpolate_normalised, widened


def test_straight_lines_pass_through_the_trace():
    ramp = np.linspace(1, 3, 21) * np.array([1.0, 2.0])[:, None, None]
    trace = np.zeros(ramp.shape, bool)
    trace[0, 0, 5:9] = trace[1, 0, 12] = trace[0, 0, 15:17] = True
    spoiled = np.where(trace, 99.0, ramp)
    np.testing.assert_allclose(interpolate(spoiled, trace), ramp)
    single = interpolate(spoiled.astype(np.float32), trace)
    assert single.dtype == np.float32


def test_at_the_end_of_the_detector_the_neighbour_goes_on():
    line, trace = np.array([[[9.0, 2.0, 3.0, 9.0]]]), np.array([[[True, False, False, True]]])
    np.testing.assert_array_equal(interpolate(line, trace), [[[2, 2, 3, 3]]])
    np.testing.assert_array_equal(interpolate(line, np.ones_like(trace)), np.zeros((1, 1, 4)))


def test_a_prior_that_is_right_up_to_a_factor_restores_everything():
    body = 2 + np.sin(np.linspace(0, 9, 50))[None, None, :] * np.ones((3, 2, 1))
    trace = np.random.default_rng(0).random(body.shape) < 0.3
    trace[..., [0, -1]] = False
    spoiled = np.where(trace, -5.0, body)
    np.testing.assert_allclose(interpolate_normalised(spoiled, trace, 0.8 * body), body)


def test_outside_the_trace_nothing_changes():
    data, trace = np.random.default_rng(0).normal(size=(4, 1, 30)), np.zeros((4, 1, 30), bool)
    trace[:, :, 10:14] = True
    for filled in (interpolate(data, trace), interpolate_normalised(data, trace, np.ones_like(data))):
        np.testing.assert_array_equal(filled[~trace], data[~trace])
        assert np.all(np.isfinite(filled))


def test_a_trace_is_widened_to_either_side():
    trace = np.array([False, False, False, True, False, False, False, True])
    np.testing.assert_array_equal(widened(trace, 2), [0, 1, 1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(widened(trace, 0), trace)


def test_shapes_must_match():
    with pytest.raises(ShapeError, match="match"):
        interpolate(np.zeros((1, 1, 3)), np.zeros((1, 1, 4), bool))
    with pytest.raises(ShapeError, match="match"):
        interpolate_normalised(np.zeros((1, 1, 3)), np.zeros((1, 1, 3), bool), np.ones((1, 1, 4)))
