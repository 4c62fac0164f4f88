import numpy as np
import pytest

from phantomsim.physics import shapes as s
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.paths import path_lengths
from tests.scenes import crossings, held, random_shape


def oracle(shapes, edges, material_at, start, end, n_materials):  # type: ignore[no-untyped-def]
    """Sum the stretches between all crossings; the material is asked for at each stretch's middle."""
    length = np.linalg.norm(end - start, axis=1)
    t = np.sort(np.vstack([edges, np.zeros(len(start)), np.ones(len(start))]), axis=0)
    middle = start + ((t[1:] + t[:-1]) / 2)[..., None] * (end - start)
    lengths = np.zeros((len(start), n_materials))
    ray = np.broadcast_to(np.arange(len(start)), t[1:].shape)
    np.add.at(lengths, (ray, material_at(held(shapes, middle))), np.diff(t, axis=0) * length)
    lengths[:, 0] = 0
    return lengths


def random_rays(rng: np.random.Generator, n: int):  # type: ignore[no-untyped-def]
    start, end = rng.uniform(-0.4, 0.4, (2, n, 3))
    start[: n // 4], end[: n // 4] = rng.uniform(-0.1, 0.1, (2, n // 4, 3))  # some begin and end inside
    end[n // 4 : n // 2, :2] = start[n // 4 : n // 2, :2]  # and some run along x
    return start, end


def test_path_lengths_of_1000_overlapping_scenes_agree_with_a_search_for_every_crossing() -> None:
    rng = np.random.default_rng(20261122)
    scenes = [[random_shape(rng) for _ in range(rng.integers(1, 9))] for _ in range(1000)]
    rays = [random_rays(rng, 8) for _ in scenes]
    starts, ends = ([r[i] for r, scene in zip(rays, scenes, strict=True) for _ in scene] for i in (0, 1))
    enter, leave = crossings([shape for scene in scenes for shape in scene], np.stack(starts), np.stack(ends))
    shape, worst = 0, 0.0
    for scene, (start, end) in zip(scenes, rays, strict=True):
        materials = rng.integers(0, 4, len(scene))
        own = slice(shape, shape + len(scene))
        shape = own.stop

        def topmost(holds, materials=materials):  # type: ignore[no-untyped-def]
            return np.where(holds.any(axis=0), materials[len(materials) - 1 - np.argmax(holds[::-1], axis=0)], 0)

        expected = oracle(scene, np.vstack([enter[own], leave[own]]), topmost, start, end, 4)
        found = path_lengths(s.layered(scene, materials.tolist()), start, end, 4, np.float64)
        length = np.linalg.norm(end - start, axis=1, keepdims=True)
        worst = max(worst, (np.abs(found - expected) / length).max())
    assert worst < 1e-9


def test_codes_of_an_additive_scene_add_up_along_a_ray() -> None:
    rng = np.random.default_rng(5)
    shapes = [random_shape(rng) for _ in range(6)]
    codes = [5, -2, -2, 1, 1, 3]
    sums = {total: 1 + i for i, total in enumerate(t for t in range(-4, 11) if t != 0)}
    start, end = random_rays(rng, 400)

    def summed(holds):  # type: ignore[no-untyped-def]
        return np.vectorize({**sums, 0: 0}.get)(np.tensordot(codes, holds.astype(int), 1))

    edges = np.vstack(crossings(shapes, *(np.broadcast_to(p, (6, *p.shape)) for p in (start, end))))
    expected = oracle(shapes, edges, summed, start, end, len(sums) + 1)
    found = path_lengths(s.additive(shapes, codes, sums), start, end, len(sums) + 1, np.float64)
    assert np.abs(found - expected).max() < 1e-9


def test_chord_of_an_ellipsoid_is_exact() -> None:
    """Rays through points of known gauge: ``|A(m + t d)|² = 1`` is solved by hand from the nearest point m."""
    rng = np.random.default_rng(6)
    shape = s.ellipsoid((0.01, -0.02, 0.03), (0.02, 0.05, 0.11), s.along((0.2, -0.5, 0.4)))
    n = 2000
    across, toward = rng.normal(size=(2, n, 3))
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    across -= toward * (across * toward).sum(axis=1, keepdims=True)  # canonical coordinates: at right angles
    offset = rng.uniform(0, 0.999, n)
    across *= offset[:, None] / np.linalg.norm(across, axis=1, keepdims=True)
    middle = across @ shape.matrix.T + shape.centre
    direction = toward @ shape.matrix.T
    stretch = np.linalg.norm(direction, axis=1)
    expected = 2 * np.sqrt((1 - offset) * (1 + offset)) * stretch
    reach = 0.6 * direction / stretch[:, None]
    found = path_lengths(s.layered([shape], [1]), middle - reach, middle + reach, 2, np.float64)[:, 1]
    assert np.abs(found - expected).max() < 1e-12


def test_chords_of_a_spherical_cap_are_exact() -> None:
    """A ball of radius 1 cut at z = h: along z a chord at distance r ends at min(h, s), s = √(1 − r²) its height."""
    rng = np.random.default_rng(9)
    for height in (-0.6, 0.0, 0.3):
        table = s.layered([s.ellipsoid((0, 0, 0), (1.0, 1.0, 1.0)).clipped((5.0, 0.0, 0.0), height)], [1])
        start = np.column_stack([np.full(500, -2.0), *rng.uniform(-0.7, 0.7, (2, 500))])
        reach = np.sqrt(1 - start[:, 1] ** 2 - start[:, 2] ** 2)
        found = path_lengths(table, start, start * [-1, 1, 1], 2, np.float64)[:, 1]
        assert found == pytest.approx(np.clip(height + reach, 0, 2 * reach), abs=1e-14)
        across = start * 1.0
        across[:, 0] = rng.uniform(-1, 1, 500)
        across[:, 2] = -2.0
        found = path_lengths(table, across, across * [1, 1, -1], 2, np.float64)[:, 1]
        half = np.sqrt(np.maximum(1 - across[:, 0] ** 2 - across[:, 1] ** 2, 0))
        assert found == pytest.approx(np.where(across[:, 0] <= height, 2 * half, 0), abs=1e-14)


@pytest.mark.parametrize("add", [False, True])
def test_the_two_sides_of_a_plane_make_the_whole_shape(add: bool) -> None:
    rng = np.random.default_rng(10)
    start, end = random_rays(rng, 400)
    for _ in range(20):
        shape, normal, offset = random_shape(rng), rng.normal(size=3), rng.uniform(-0.05, 0.05)
        near, far = shape.clipped(tuple(normal), offset), shape.clipped(tuple(-normal), -offset)
        sums = {1: 1, 2: 2}
        table = s.additive([near, far], [1, 2], sums) if add else s.layered([near, far], [1, 2])
        found = path_lengths(table, start, end, 3, np.float64)
        whole = path_lengths(s.layered([shape], [1]), start, end, 2, np.float64)
        assert found.sum(axis=1) == pytest.approx(whole.sum(axis=1), abs=1e-12)
        unit = normal / np.linalg.norm(normal)
        crosses = (start @ unit - offset) * (end @ unit - offset) < 0
        assert (np.minimum(found[:, 1], found[:, 2])[~crosses] < 1e-12).all()


def test_a_segment_inside_a_shape_counts_only_itself() -> None:
    table = s.layered([s.ellipsoid((0, 0, 0), (1.0, 1.0, 1.0))], [1])
    start, end = np.array([[0.0, 0.0, -0.25]]), np.array([[0.0, 0.0, 0.5]])
    assert path_lengths(table, start, end, 2, np.float64).tolist() == [[0.0, 0.75]]


def test_shapes_of_the_background_cut_holes() -> None:
    outer, hole = s.ellipsoid((0, 0, 0), (1.0, 1.0, 1.0)), s.box((0, 0, 0), (0.25, 0.25, 0.25))
    found = path_lengths(s.layered([outer, hole], [1, 0]), np.array([[0, 0, -2.0]]), np.array([[0, 0, 2.0]]), 2)
    assert found.tolist() == [[0.0, 1.5]]


def test_touching_and_equal_shapes_make_no_gap_and_no_double_count() -> None:
    left, right = s.box((0, 0, -0.5), (1, 1, 0.5)), s.box((0, 0, 0.5), (1, 1, 0.5))
    table = s.layered([left, right, right], [1, 1, 2])
    found = path_lengths(table, np.array([[0, 0, -3.0]]), np.array([[0, 0, 3.0]]), 3, np.float64)
    assert found.tolist() == [[0.0, 1.0, 1.0]]


def test_no_shapes_no_rays_and_points_give_zero() -> None:
    ends = np.zeros((2, 5, 3))
    assert not path_lengths(s.layered([], []), ends, ends + 1, 3).any()
    ball = s.layered([s.ellipsoid((0, 0, 0), (1.0, 1.0, 1.0))], [1])
    assert path_lengths(ball, ends[:0], ends[:0], 3).shape == (0, 5, 3)
    assert not path_lengths(ball, ends, ends, 3).any()


def test_lengths_do_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(8)
    table = s.layered([random_shape(rng) for _ in range(20)], list(range(1, 21)))
    start, end = random_rays(rng, 1003)
    results = []
    for n in (1, 2, 3):
        with threads(n):
            results.append(path_lengths(table, start, end, 21).tobytes())
    assert len(set(results)) == 1


def test_a_sum_without_a_material_is_an_error() -> None:
    ball = s.ellipsoid((0, 0, 0), (1.0, 1.0, 1.0))
    table = s.additive([ball, ball], [1, 1], {1: 1})
    with pytest.raises(ShapeError, match="sum of their codes"):
        path_lengths(table, np.array([[0, 0, -2.0]]), np.array([[0, 0, 2.0]]), 2)


def test_rays_of_two_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match="starts and ends"):
        path_lengths(s.layered([], []), np.zeros((4, 3)), np.zeros((5, 3)), 2)
