from dataclasses import replace
from math import pi

import numpy as np
import pytest

from phantomsim.physics import shapes
from phantomsim.physics.errors import ShapeError, UnitError
from tests.scenes import held, random_shape


def each_kind(rng: np.random.Generator) -> list[shapes.Shape]:
    found: dict[str, shapes.Shape] = {}
    while len(found) < 5:
        shape = random_shape(rng)
        found[shape.kind] = shape
    return list(found.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_shape_holds_the_points_of_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for shape in each_kind(rng):
        points = np.asarray(shape.centre) + rng.uniform(-1.2, 1.2, (40, 50, 3)) * shape.half_extent
        assert np.array_equal(shape.holds(points), held([shape], points)[0])


def test_volume_and_bounding_box_agree_with_random_points() -> None:
    rng = np.random.default_rng(1)
    for shape in each_kind(rng):
        reach = 1.3 * np.asarray(shape.half_extent)
        points = np.asarray(shape.centre) + rng.uniform(-reach, reach, (400_000, 3))
        within = held([shape], points)[0]
        assert (np.abs(points[within] - shape.centre) <= shape.half_extent).all()
        expected = shape.volume / np.prod(2 * reach)
        assert abs(within.mean() - expected) < 4 * np.sqrt(expected / len(points))


def test_bounding_box_is_the_smallest() -> None:
    rng = np.random.default_rng(2)
    for shape in each_kind(rng):
        ring = np.linspace(0, 2 * pi, 2001)
        polar = np.linspace(0, pi, 401)[:, None]
        ball = np.stack(np.broadcast_arrays(np.cos(polar), np.sin(polar) * np.sin(ring), np.sin(polar) * np.cos(ring)))
        z, y, x = ball
        surface = {
            "ellipsoid": ball,
            "capsule": np.stack([z + shape.param * np.sign(z), y, x]),
            "box": np.stack([np.sign(z), np.sign(y), np.sign(x)]),
        }.get(shape.kind)
        if surface is None:
            widths = {-1: 1.0, 1: shape.param if shape.kind == "cone" else 1.0}
            surface = np.stack(
                [np.stack([0 * ring + e, w * np.sin(ring), w * np.cos(ring)]) for e, w in widths.items()], 1
            )
        reach = np.abs(np.tensordot(shape.matrix, surface, 1)).reshape(3, -1).max(axis=1)
        assert reach == pytest.approx(shape.half_extent, rel=1e-4)


def test_a_ball_of_the_inner_radius_fits() -> None:
    rng = np.random.default_rng(3)
    for shape in each_kind(rng) + each_kind(rng):
        ball = rng.normal(size=(5000, 3))
        ball *= shape.inner_radius * (1 - 1e-9) / np.linalg.norm(ball, axis=1, keepdims=True)
        assert held([shape], np.asarray(shape.centre) + ball).all()


@pytest.mark.parametrize(("axis", "source", "target"), [("z", 2, 1), ("y", 0, 2), ("x", 1, 0)])
def test_turn_takes_x_to_y_z_to_x_and_y_to_z(axis: str, source: int, target: int) -> None:
    turned = np.asarray(shapes.turn(axis, pi / 2)) @ np.eye(3)[source]
    assert turned == pytest.approx(np.eye(3)[target])


def test_along_takes_z_to_the_direction() -> None:
    direction = np.asarray((-0.3, 0.5, 0.2))
    rotation = np.asarray(shapes.along(tuple(direction)))
    assert rotation[:, 0] == pytest.approx(direction / np.linalg.norm(direction))
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_a_clipped_shape_holds_what_lies_on_its_side_of_the_planes() -> None:
    rng = np.random.default_rng(4)
    for shape in each_kind(rng):
        normals, points = rng.normal(size=(2, 3)), rng.uniform(-0.2, 0.2, (5000, 3))
        offsets = [float(n @ shape.centre / np.linalg.norm(n)) + rng.uniform(-0.02, 0.04) for n in normals]
        part = shape.clipped(tuple(normals[0]), offsets[0]).clipped(tuple(normals[1]), offsets[1])
        sides = points @ normals.T <= np.asarray(offsets) * np.linalg.norm(normals, axis=1)
        assert np.array_equal(part.holds(points), shape.holds(points) & sides.all(axis=1))
        assert part.half_extent == shape.half_extent
        assert part.uncut == shape
        ball = rng.normal(size=(5000, 3))
        ball *= part.inner_radius * (1 - 1e-9) / np.linalg.norm(ball, axis=1, keepdims=True)
        assert part.inner_radius == 0 or part.holds(np.asarray(shape.centre) + ball).all()


def test_clips_move_with_their_shape() -> None:
    half = shapes.cylinder((0.0, 0.0, 0.0), (0.1, 0.1, 0.1)).clipped((0.0, 1.0, 0.0), 0.02)
    moved = replace(half, centre=(0.0, 0.3, 0.0))
    assert moved.holds(np.array([[0.0, 0.319, 0.0], [0.0, 0.321, 0.0]])).tolist() == [True, False]
    assert moved.planes == pytest.approx(np.array([[0.0, 1.0, 0.0, 0.32]]))


@pytest.mark.parametrize("depth", [-0.7, 0.0, 0.4, 2.0])
def test_volume_of_a_cut_ball_is_that_of_its_spherical_cap(depth: float) -> None:
    part = shapes.ellipsoid((0.1, 0.2, 0.3), (0.5, 0.5, 0.5)).clipped((1.0, 2.0, -2.0), 0.5 * depth - 0.1 / 3)
    height = 0.5 * (1 + min(depth, 1.0))
    assert part.volume == pytest.approx(pi * height**2 * (3 * 0.5 - height) / 3)


def test_volume_of_other_cut_shapes_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="no closed form"):
        _ = shapes.box((0, 0, 0), (1, 1, 1)).clipped((1.0, 0.0, 0.0), 0.0).volume


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: shapes.ellipsoid((0, 0, 0), (0.0, 1.0, 1.0)), UnitError, "positive"),
        (lambda: shapes.box((0, 0, np.nan), (1.0, 1.0, 1.0)), UnitError, "finite"),
        (lambda: shapes.cone((0, 0, 0), (1.0, 1.0, 1.0), -0.1), UnitError, "negative"),
        (lambda: shapes.capsule((0, 0, 0), (0.5, 1.0, 1.0)), UnitError, "cap"),
        (
            lambda: shapes.cylinder((0, 0, 0), (1.0, 1.0, 1.0), ((1, 0, 0), (0, 1, 0.1), (0, 0, 1))),
            ShapeError,
            "orthonormal",
        ),
        (lambda: shapes.along((0.0, 0.0, 0.0)), UnitError, "direction"),
        (lambda: shapes.box((0, 0, 0), (1, 1, 1)).clipped((0.0, 0.0, 0.0), 0.0), UnitError, "normal"),
        (lambda: shapes.box((0, 0, 0), (1, 1, 1)).clipped((1.0, 0.0, 0.0), np.inf), UnitError, "offset"),
        (lambda: shapes.Shape("box", (0, 0, 0), (1, 1, 1), clips=((1, 0, 0, np.nan),)), UnitError, "clips"),
        (lambda: shapes.layered([], [1]), ShapeError, "materials"),
        (lambda: shapes.additive([], [1], {}), ShapeError, "codes"),
        (lambda: shapes.additive([shapes.ellipsoid((0, 0, 0), (1, 1, 1))], [1 << 30], {}), ShapeError, "span"),
    ],
)
def test_impossible_shapes_are_refused(make, error, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=says):
        make()
