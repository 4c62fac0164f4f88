"""Where a phantom is."""

import numpy as np
import pytest

from phantomsim.phantoms.extent import object_box
from phantomsim.phantoms.scene import Part, compose
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.shapes import ellipsoid
from phantomsim.tissues import get

OFF = compose(get("air"), [Part(ellipsoid((0.1, -0.05, 0.02), (0.03, 0.05, 0.08)), get("liver"), "liver")])


def test_the_box_holds_the_object_tightly():
    lower, upper = object_box(OFF)
    np.testing.assert_allclose((lower + upper) / 2, (0.1, -0.05, 0.02), atol=0.003)
    assert (upper - lower >= 2 * np.array([0.03, 0.05, 0.08]) - 1e-9).all()
    np.testing.assert_allclose(upper - lower, 2 * np.array([0.03, 0.05, 0.08]), rtol=0.12)


def test_nothing_there_is_an_error():
    with pytest.raises(ShapeError, match="nothing but air"):
        object_box(compose(get("air"), [Part(ellipsoid((50.0, 0, 0), (1, 1, 1)), get("liver"), "liver")]))
