"""What every linear operator must do, for the whole table of `tests.operators`."""

from __future__ import annotations

import numpy as np
import pytest

from phantomsim.physics.array import Array, to_host
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.kernel import threads
from phantomsim.physics.operator import LinearOperator, Space
from tests.operators import OPERATORS

ADJOINT_TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


@pytest.fixture(params=OPERATORS.items(), ids=OPERATORS.keys())
def build(request: pytest.FixtureRequest):
    return request.param[1]


def draw(space: Space, seed: int, *, positive: bool = False) -> Array:
    rng = np.random.default_rng(seed)
    x = rng.random(space.shape) if positive else rng.standard_normal(space.shape)
    if np.issubdtype(space.dtype, np.complexfloating):
        x = x + 1j * rng.standard_normal(space.shape)
    return x.astype(space.dtype)


def inner(a: Array, b: Array) -> complex:
    wide = np.complex128 if np.iscomplexobj(a) or np.iscomplexobj(b) else np.float64
    return complex(np.vdot(to_host(a).astype(wide), to_host(b).astype(wide)))


def norm(a: Array) -> float:
    return abs(inner(a, a)) ** 0.5


@pytest.mark.parametrize("positive", [False, True], ids=["signed", "positive"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adjoint_is_the_transpose(build, dtype: str, positive: bool) -> None:
    operator: LinearOperator = build(dtype)
    x, y = draw(operator.domain, 1, positive=positive), draw(operator.range, 2, positive=positive)
    image = operator.forward(x)
    mismatch = abs(inner(image, y) - inner(x, operator.adjoint(y)))
    assert norm(image) > 0
    assert mismatch <= ADJOINT_TOLERANCE[dtype] * norm(image) * norm(y)


def test_operator_is_linear(build) -> None:
    operator: LinearOperator = build("float64")
    x, y = draw(operator.domain, 3), draw(operator.domain, 4)
    together = operator.forward(2.5 * x - y)
    apart = 2.5 * operator.forward(x) - operator.forward(y)
    assert norm(together - apart) <= 1e-13 * norm(apart)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_have_the_shape_and_dtype_of_their_space(build, dtype: str) -> None:
    operator: LinearOperator = build(dtype)
    image = operator.forward(draw(operator.domain, 5))
    back = operator.adjoint(draw(operator.range, 6))
    assert (image.shape, str(image.dtype)) == (operator.range.shape, operator.range.dtype)
    assert (back.shape, str(back.dtype)) == (operator.domain.shape, operator.domain.dtype)
    assert len(operator.domain.dims) == back.ndim
    assert len(operator.range.dims) == image.ndim


def test_an_array_of_another_shape_is_refused(build) -> None:
    operator: LinearOperator = build("float32")
    with pytest.raises(ShapeError, match="expected"):
        operator.forward(np.zeros((*operator.domain.shape, 2), np.float32))
    with pytest.raises(ShapeError, match="expected"):
        operator.adjoint(np.zeros((*operator.range.shape, 2), np.float32))


def test_arguments_are_left_as_they_are_and_may_be_strided(build) -> None:
    operator: LinearOperator = build("float32")
    x, y = draw(operator.domain, 7), draw(operator.range, 8)
    spread_x, spread_y = np.repeat(x, 2, axis=-1)[..., ::2], np.repeat(y, 2, axis=-1)[..., ::2]
    np.testing.assert_array_equal(operator.forward(spread_x), operator.forward(x))
    np.testing.assert_array_equal(operator.adjoint(spread_y), operator.adjoint(y))
    np.testing.assert_array_equal(x, draw(operator.domain, 7))
    np.testing.assert_array_equal(y, draw(operator.range, 8))


def test_threads_do_not_change_a_bit(build) -> None:
    operator: LinearOperator = build("float32")
    x, y = draw(operator.domain, 9), draw(operator.range, 10)
    results = []
    for n in (1, 2, 5):
        with threads(n):
            results.append((operator.forward(x), operator.adjoint(y)))
    for image, back in results[1:]:
        np.testing.assert_array_equal(image, results[0][0])
        np.testing.assert_array_equal(back, results[0][1])


@pytest.mark.gpu
def test_device_gives_what_the_host_gives(build) -> None:
    cupy = pytest.importorskip("cupy")
    operator: LinearOperator = build("float32")
    x, y = draw(operator.domain, 11), draw(operator.range, 12)
    image, back = operator.forward(cupy.asarray(x)), operator.adjoint(cupy.asarray(y))
    assert norm(to_host(image) - operator.forward(x)) <= 1e-6 * norm(image)
    assert norm(to_host(back) - operator.adjoint(y)) <= 1e-6 * norm(back)
