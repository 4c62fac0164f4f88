import numpy as np
import pytest

from phantomsim.phantoms.scene import Part, compose
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.shapes import ellipsoid
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import get

GRID = Grid((8, 16, 16), (0.02, 0.01, 0.01))
AXIS = Rays(np.array([[0.0, 0.0, -1.0]]), np.array([[0.0, 0.0, 1.0]]))


def ball_with_lesion():  # type: ignore[no-untyped-def]
    return compose(
        get("air"),
        [
            Part(ellipsoid((0, 0, 0), (0.06, 0.06, 0.06)), get("liver"), "liver"),
            Part(ellipsoid((0, 0, 0), (0.02, 0.02, 0.02)), get("tumor"), "lesion"),
        ],
        names=("metal",),
        truths={"lesions": ({"part": "lesion", "diameter_mm": 40.0},)},
    )


def test_tissues_are_numbered_from_the_background_in_order_of_appearance() -> None:
    assert [tissue.name for tissue in ball_with_lesion().tissues] == ["air", "liver", "tumor"]


def test_path_lengths_leave_the_background_out() -> None:
    assert ball_with_lesion().path_lengths(AXIS)[0].tolist() == pytest.approx([0.0, 0.08, 0.04])


def test_without_a_part_what_it_covered_appears() -> None:
    phantom = ball_with_lesion().without(["lesion"])
    assert phantom.path_lengths(AXIS)[0].tolist() == pytest.approx([0.0, 0.12, 0.0])
    assert phantom.truths == {"lesions": ()}
    assert phantom.tissues == ball_with_lesion().tissues


def test_without_accepts_parts_that_this_draw_lacks_and_names_the_nearest_of_unknown_ones() -> None:
    phantom = ball_with_lesion()
    assert phantom.without(["metal"]).body == phantom.body
    with pytest.raises(RecipeError, match="did you mean 'lesion'"):
        phantom.without(["leison"])


def test_labels_are_the_material_that_fills_most() -> None:
    phantom = ball_with_lesion()
    labels = phantom.labels(GRID)
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, phantom.fractions(GRID).values.argmax(axis=0))


def test_a_map_is_the_mean_of_a_property_by_volume() -> None:
    phantom = ball_with_lesion()
    fractions = phantom.fractions(GRID)
    expected = sum(t.density * f for t, f in zip(fractions.tissues, fractions.values, strict=True))
    assert phantom.map("density", GRID) == pytest.approx(expected, rel=1e-6)
    assert phantom.map(lambda tissue: tissue.density, GRID) == pytest.approx(expected, rel=1e-6)
    middle = Grid((1, 1, 1), (0.001, 0.001, 0.001))
    assert phantom.map("acoustic.density", middle).item() == pytest.approx(get("tumor").acoustic.density)


def test_a_property_that_is_missing_is_an_error() -> None:
    with pytest.raises(RecipeError, match=r"'air' has no number 'densty'"):
        ball_with_lesion().map("densty", GRID)


def test_two_tissues_of_one_name_are_refused() -> None:
    phantom = ball_with_lesion()
    with pytest.raises(ShapeError, match="different names"):
        type(phantom)((get("air"), get("air")), phantom.body)
