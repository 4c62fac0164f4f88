"""Texture: its covariance in closed form, the same world at every resolution, and seen by every modality."""

import numpy as np
import pytest

from phantomsim.phantoms.scene import Part, compose
from phantomsim.phantoms.texture import SPAN, Texture, sampled
from phantomsim.phantoms.textured import textured
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import ellipsoid
from phantomsim.tissues import get

TEXTURE = Texture(tissue="liver", shortest_mm=4.0, longest_mm=16.0)
BALL = compose(get("air"), [Part(ellipsoid((0, 0, 0), (0.03, 0.03, 0.03)), get("liver"), "liver")])


def test_two_resolutions_are_one_world():
    coarse, fine = (Grid((1, n, n), (1e-3, 0.064 / n, 0.064 / n)) for n in (64, 256))
    averaged = sampled(TEXTURE, Key(1), fine).reshape(1, 64, 4, 64, 4).mean((2, 4))
    assert np.abs(averaged - sampled(TEXTURE, Key(1), coarse)).max() < 1e-4


def test_its_covariance_is_that_of_its_law():
    law, tile = TEXTURE.field()
    line = Grid((1, 1, 8), tile.spacing, (0.0, 0.0, 0.0))
    n = 400
    draws = np.stack([sampled(TEXTURE, Key(seed), line)[0, 0] for seed in range(n)])
    lag = np.zeros((8, 3))
    lag[:, 2] = tile.spacing[2] * np.arange(8)
    # voxels of the tile's spacing average over a quarter of the shortest wave: at most 1 % of the variance
    expected = law.covariance(lag, tile)
    found = (draws[:, :1] * draws).mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(2 / n) + 0.01)
    assert expected[0] == pytest.approx(1)


def test_every_modality_sees_its_own_contrast_of_one_field():
    phantom = textured(BALL, [TEXTURE], Key(3))
    grid = Grid((1, 48, 48), (1e-3, 0.8e-3, 0.8e-3))
    inside = BALL.fractions(grid).values[1] > 0.999
    field = sampled(TEXTURE, Key(3).fold("texture", "liver"), grid)[inside]
    for prop, deviation in (("density", 0.02), ("acoustic.sound_speed", 0.003), ("pet.fdg_suv", 0.1)):
        plain = BALL.map(prop, grid)[inside] if prop != "pet.fdg_suv" else get("liver").pet.fdg_suv
        np.testing.assert_allclose(phantom.map(prop, grid)[inside] / plain - 1, deviation * field, atol=2e-5)


def test_fractions_still_sum_to_one_and_the_mean_stays():
    phantom = textured(BALL, [TEXTURE], Key(4))
    grid = Grid((4, 40, 40), (2e-3, 2e-3, 2e-3))
    values = phantom.fractions(grid).values
    np.testing.assert_allclose(values.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(values[1] + values[2], BALL.fractions(grid).values[1], atol=1e-6)
    assert values.min() >= 0


def test_enhanced_liver_has_the_livers_texture():
    enhanced = get("liver").with_element("I", 2.0)
    phantom = textured(
        compose(get("air"), [Part(ellipsoid((0, 0, 0), (0.03,) * 3), enhanced, "liver")]), [TEXTURE], Key(1)
    )
    assert [tissue.density for tissue in phantom.tissues[1:]] == pytest.approx(
        [enhanced.density * (1 + sign * SPAN * TEXTURE.density) for sign in (-1, 1)]
    )


def test_a_phantom_without_the_tissue_stays_exact():
    assert textured(BALL, [Texture(tissue="spleen")], Key(1)) is BALL


def test_lines_are_refused():
    phantom = textured(BALL, [TEXTURE], Key(1))
    assert not phantom.exact
    with pytest.raises(ShapeError, match="texture"):
        phantom.body.path_lengths(None, 3, "cpu")


def test_wrong_textures_are_refused_by_name():
    with pytest.raises(ValueError, match=r"must be 1\.5 to 12 times shortest_mm = 2"):
        Texture(tissue="liver", shortest_mm=2, longest_mm=50)
    with pytest.raises(ValueError, match="did you mean 'liver'"):
        Texture(tissue="livr")
    with pytest.raises(RecipeError, match="two textures"):
        textured(BALL, [TEXTURE, TEXTURE], Key(1))
