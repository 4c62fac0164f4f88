"""A small case of the transform of shapes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics import shapes as s
from phantomsim.physics.shape_transforms import LANES


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    rng = np.random.default_rng(2)
    tilt = s.along((1.0, 2.0, -0.5))
    found = [make((0.1, -0.2, 0.3), (0.1, 0.2, 0.15), tilt) for make in (s.ellipsoid, s.cylinder, s.box)]
    affine = np.asarray([np.column_stack([shape.matrix, shape.centre]) for shape in found])
    volumes = np.asarray([shape.volume for shape in found])
    weights = rng.normal(size=(2, 3))
    n = LANES + 5
    k = np.concatenate([np.zeros((1, 3)), rng.uniform(-10, 10, (n - 1, 3))])  # both sides of every series
    kinds = np.asarray([s.CODES[shape.kind] for shape in found], np.int32)
    yield "shape_transforms", 2, n, (kinds, affine, volumes, weights, k, np.zeros((2, n, 2))), (5,), 1e-13
