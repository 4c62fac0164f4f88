import numpy as np
import pytest
from scipy.special import j1

from phantomsim.physics.canonical_transforms import ball, disc, segment, sincos_turns64

TURNS = np.concatenate([[0.0], np.geomspace(1e-12, 1e4, 20_001)])


def each(function, turns):
    return np.array([function(q) for q in turns])


def test_sine_and_cosine_of_turns_equal_the_library_s_on_the_reduced_angle():
    rng = np.random.default_rng(0)
    turns = np.concatenate([np.linspace(-2, 2, 4097), rng.uniform(-1e9, 1e9, 5000)])
    angle = 2 * np.pi * (turns - np.round(turns))  # |angle| <= π: its rounding is 4e-16
    expected = np.stack([np.sin(angle), np.cos(angle)], -1)
    assert np.abs(each(sincos_turns64, turns) - expected).max() < 6e-16


def test_segment_is_the_sinc():
    assert np.abs(each(segment, TURNS) - np.sinc(2 * TURNS)).max() < 6e-16


def test_disc_is_the_jinc():
    kappa = 2 * np.pi * TURNS[1:]
    assert np.abs(each(disc, TURNS[1:]) - 2 * j1(kappa) / kappa).max() < 1e-15
    assert disc(0.0) == pytest.approx(1.0, abs=2e-16)


def test_ball_is_its_closed_form_and_its_series():
    kappa = 2 * np.pi * TURNS
    away = kappa > 3
    closed = 3 * (np.sin(kappa[away]) - kappa[away] * np.cos(kappa[away])) / kappa[away] ** 3
    assert np.abs(each(ball, TURNS[away]) - closed).max() < 1e-15
    small = kappa[~away] ** 2
    term, series = np.ones_like(small), np.zeros_like(small)
    for n in range(20):  # the ratio of successive terms of (−1)ⁿ 6 (n + 1) κ²ⁿ / (2n + 3)!
        series += term
        term *= -small * (n + 2) / ((n + 1) * (2 * n + 4) * (2 * n + 5))
    assert np.abs(each(ball, TURNS[~away]) - series).max() < 1e-15
