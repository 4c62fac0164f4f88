import numpy as np
import pytest

from phantomsim.phantoms.overlay import Overlay, covered
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.volume import LabelBody
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.shapes import ellipsoid
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import get

GRID = Grid((16, 16, 16), (0.002, 0.002, 0.002))


def volume() -> Phantom:
    labels = np.zeros(GRID.shape, np.uint16)
    labels[2:-2, 2:-2, 2:-2] = 1
    return Phantom((get("air"), get("liver")), LabelBody(labels, GRID))


def parts() -> list[Part]:
    return [
        Part(ellipsoid((0.0, 0.0, 0.0), (0.008,) * 3), get("tumor"), "lesion"),
        Part(ellipsoid((0.0, 0.0, 0.0), (0.004,) * 3), get("air"), "hole"),
    ]


def test_volumes_add_up_and_fractions_sum_to_one() -> None:
    phantom = covered(volume(), parts())
    values = phantom.fractions(GRID).values
    cubic = np.prod(GRID.spacing)
    assert [tissue.name for tissue in phantom.tissues] == ["air", "liver", "tumor"]
    assert np.abs(values.sum(axis=0) - 1).max() < 1e-6
    ball, hole = (4 / 3 * np.pi * r**3 for r in (0.008, 0.004))
    assert values[2].sum(dtype=np.float64) * cubic == pytest.approx(ball - hole, rel=5e-3)
    assert values[1].sum(dtype=np.float64) * cubic == pytest.approx(0.024**3 - ball, rel=1e-3)


def test_points_are_of_the_upper_where_it_has_matter() -> None:
    phantom = covered(volume(), parts())
    points = np.array([[0, 0, 0], [0, 0, 0.006], [0, 0, 0.010], [0, 0, 0.015]], float)
    assert phantom.materials(points).tolist() == [0, 2, 1, 0]


def test_parts_of_the_upper_can_be_left_out() -> None:
    phantom = covered(volume(), parts())
    bare = phantom.without(("lesion", "hole"))
    assert np.array_equal(bare.fractions(GRID).values[:2], volume().fractions(GRID).values)
    assert isinstance(phantom.without(("hole",)).body, Overlay)
    assert phantom.without(("hole",)).materials(np.zeros((1, 3))).tolist() == [2]
    assert covered(volume(), []).body.grid == GRID


def test_it_has_no_exact_path_lengths_and_says_so() -> None:
    phantom = covered(volume(), parts())
    assert not phantom.exact
    assert phantom.body.grid == GRID
    with pytest.raises(ShapeError, match="project its fractions"):
        phantom.path_lengths(Rays(np.zeros((1, 3)), np.ones((1, 3))))
