from math import pi

import numpy as np
import pytest
from scipy.special import j1

from phantomsim.phantoms.shepp_logan import SECTION, SheppLogan
from phantomsim.physics import shapes as s
from phantomsim.physics import voxels
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key
from phantomsim.physics.shape_transforms import scene_transform, transform
from phantomsim.physics.xray.paths import path_lengths
from tests.scenes import held

TILT = s.along((1.0, 2.0, -0.5))
ORIGIN = (0.0, 0.0, 0.0)
KINDS = (s.ellipsoid, s.cylinder, s.box)


def frequencies(n, largest, seed=0):
    return np.random.default_rng(seed).uniform(-largest, largest, (n, 3))


def one(shape, k):
    return transform([shape], [1.0], np.asarray(k))


@pytest.mark.parametrize("make", KINDS)
def test_value_at_zero_is_the_volume(make):
    shape = make((1.0, 2.0, 3.0), (0.1, 0.2, 0.3), TILT)
    assert one(shape, np.zeros((1, 3)))[0] == pytest.approx(shape.volume, rel=1e-14)


@pytest.mark.parametrize("make", KINDS)
def test_transform_equals_quadrature(make):
    # Gauss-Legendre in coordinates in which the body is a box or has smooth density along each axis
    shape = make((0.02, -0.01, 0.03), (0.1, 0.2, 0.15), TILT)
    t, w = np.polynomial.legendre.leggauss(48)
    ring = 2 * pi * np.arange(64) / 64
    radius, dr = (t + 1) / 2, w / 2
    if make is s.box:
        points = np.stack(np.meshgrid(t, t, t, indexing="ij"), -1)
        weights = np.einsum("i,j,k->ijk", w, w, w)
    else:
        z, r, phi = np.meshgrid(t, radius, ring, indexing="ij")
        weights = np.einsum("i,j,k->ijk", w, dr * radius, np.full(64, 2 * pi / 64))
        if make is s.ellipsoid:  # polar: z = r cos θ
            points = np.stack([r * z, r * np.sqrt(1 - z * z) * np.sin(phi), r * np.sqrt(1 - z * z) * np.cos(phi)], -1)
            weights = weights * r
        else:
            points = np.stack([z, r * np.sin(phi), r * np.cos(phi)], -1)
    world = points.reshape(-1, 3) @ shape.matrix.T + np.asarray(shape.centre)
    k = frequencies(10, 20.0)
    expected = np.exp(-2j * pi * k @ world.T) @ weights.ravel() * np.linalg.det(shape.matrix)
    assert np.abs(one(shape, k) - expected).max() < 1e-13 * shape.volume


def test_ball_cylinder_and_box_on_their_axes():
    q = np.linspace(0.5, 40, 80)
    kappa = 2 * pi * 0.1 * q
    for axis in range(3):
        k = q[:, None] * np.eye(3)[axis]
        sinc = np.sin(kappa) / kappa
        ball = 4 * pi * 1e-3 * (np.sin(kappa) - kappa * np.cos(kappa)) / kappa**3
        assert one(s.ellipsoid(ORIGIN, (0.1,) * 3), k) == pytest.approx(ball, abs=1e-16)
        assert one(s.box(ORIGIN, (0.1,) * 3), k) == pytest.approx(8e-3 * sinc, abs=1e-17)
        rod = 2e-3 * pi * (sinc if axis == 0 else 2 * j1(kappa) / kappa)
        assert one(s.cylinder(ORIGIN, (0.1,) * 3), k) == pytest.approx(rod, abs=1e-17)


@pytest.mark.parametrize("make", KINDS)
def test_shift_rotation_and_stretch_follow_the_fourier_theorems(make):
    k = frequencies(200, 30.0)
    plain = make(ORIGIN, (0.1, 0.1, 0.1))
    shift = (0.3, -0.2, 0.5)
    assert one(make(shift, (0.1,) * 3), k) == pytest.approx(
        one(plain, k) * np.exp(-2j * pi * k @ np.asarray(shift)), abs=1e-16
    )
    turned = one(make(ORIGIN, (0.1,) * 3, TILT), k)
    assert turned == pytest.approx(one(plain, k @ np.asarray(TILT)), abs=1e-16)
    stretched = one(make(ORIGIN, (0.1, 0.2, 0.3)), k)
    assert stretched == pytest.approx(6 * one(plain, k * (1, 2, 3)), abs=1e-16)


def test_a_real_scene_is_hermitian_and_complex_weights_are_linear():
    shapes = [make((0.01, 0.02, 0.03), (0.1, 0.2, 0.3), TILT) for make in KINDS]
    k = frequencies(50, 30.0)
    values = transform(shapes, [1.0, -2.0, 0.5], k)
    assert transform(shapes, [1.0, -2.0, 0.5], -k) == pytest.approx(values.conj(), abs=1e-17)
    mixed = transform(shapes, [[1 + 2j, 0, 0], [0, 3j, -1]], k)
    parts = transform(shapes, np.eye(3), k)
    assert mixed == pytest.approx(np.stack([(1 + 2j) * parts[0], 3j * parts[1] - parts[2]]), abs=1e-16)


def test_fourier_slice_theorem_on_exact_path_lengths():
    # F at k across the rays is the plain transform of the exact projection: quadrature over each body's shadow
    body = [s.ellipsoid((0.0, 0.01, -0.02), (0.05, 0.08, 0.1)), s.ellipsoid((0.0, 0.02, 0.01), (0.02, 0.03, 0.025))]
    values = np.array([0.0, 1.0, 1.7])
    toward, across = np.array([0.0, np.cos(0.4), np.sin(0.4)]), np.array([0.0, -np.sin(0.4), np.cos(0.4)])
    t, w = np.polynomial.legendre.leggauss(100)
    first, second = np.meshgrid(pi / 2 * t, pi / 2 * t, indexing="ij")  # sines of them take away the edges' roots
    weights = np.einsum("i,j->ij", w, w) * (pi / 2) ** 2 * np.cos(first) ** 2 * np.cos(second)
    line = np.linspace(-25, 25, 21)
    expected = np.zeros(21, complex)
    for n in (1, 2):
        shape = body[n - 1]
        half = float(np.hypot(*(np.asarray(shape.semi_axes) * across)[1:]))
        z = shape.centre[0] + shape.semi_axes[0] * np.sin(first)
        u = float(np.asarray(shape.centre) @ across) + half * np.cos(first) * np.sin(second)
        middle = z[..., None] * np.eye(3)[0] + u[..., None] * across
        ends = middle - 0.5 * toward, middle + 0.5 * toward
        scene, below = s.layered(body[:n], [1, 2][:n]), s.layered(body[: n - 1], [1][: n - 1])
        added = (path_lengths(scene, *ends, 3, np.float64) - path_lengths(below, *ends, 3, np.float64)) @ values
        added *= weights * shape.semi_axes[0] * half
        expected += np.exp(-2j * pi * line[:, None] * u.ravel()) @ added.ravel()
    exact = scene_transform(body, [1, 2], values, line[:, None] * across)
    assert np.abs(expected - exact).max() < 1e-9 * np.abs(exact).max()


def test_parseval_for_a_ball():
    radius, k = 0.1, np.linspace(0, 600, 60_001)
    values = one(s.ellipsoid(ORIGIN, (radius,) * 3), k[:, None] * np.eye(3)[1])
    within = np.trapezoid(4 * pi * k**2 * np.abs(values) ** 2, k)
    beyond = 2 * radius**2 / (pi * k[-1])  # |F|² is R² cos²(2πkR) / (π k²)² there
    assert within + beyond == pytest.approx(4 * pi / 3 * radius**3, rel=1e-4)


NESTED = (
    [
        s.ellipsoid((0.0, 0.0, 0.0), (0.08, 0.09, 0.1), TILT),
        s.box((0.0, -0.02, 0.03), (0.02, 0.02, 0.03), TILT),
        s.cylinder((0.0, 0.04, -0.03), (0.02, 0.015, 0.01), TILT),
        s.ellipsoid((0.0, 0.04, -0.03), (0.004, 0.003, 0.005)),
        s.box((0.0, 0.2, 0.0), (0.03, 0.02, 0.02)),
        s.capsule((0.0, 0.2, 0.0), (0.01, 0.005, 0.005)),
        s.ellipsoid((0.0, 0.2, 0.0), (0.05, 0.05, 0.05)),  # covers the two below it wholly
    ],
    [1, 2, 3, 1, 2, 3, 4],
)
VALUES = np.array([0.0, 1.0, 3.0, -2.0, 0.5])


def test_voxels_tend_to_the_transform_of_a_layered_scene_with_order_two():
    k = frequencies(12, 8.0)
    exact = scene_transform(*NESTED, VALUES, k)
    errors = []
    for n in (24, 48, 96):
        grid = Grid((n, n, n), (0.22 / n, 0.36 / n, 0.22 / n), (0.0, 0.07, 0.0))
        fractions = voxels.fractions(s.layered(*NESTED), grid, 5, dtype=np.float64)
        found = np.tensordot(VALUES, fractions, 1) * np.prod(grid.spacing)
        waves = [np.exp(-2j * pi * np.outer(k[:, axis], grid.coordinates(axis))) for axis in range(3)]
        errors.append(np.abs(np.einsum("zyx,kz,ky,kx->k", found, *waves, optimize=True) - exact).max())
    assert errors[-1] < 1e-3 * np.abs(exact).max()
    assert 1.8 < np.log2(errors[0] / errors[1]) < 2.2
    assert 1.8 < np.log2(errors[1] / errors[2]) < 2.2


def test_regions_of_the_materials_sum_to_the_scene_and_their_zeros_are_their_volumes():
    k = np.concatenate([np.zeros((1, 3)), frequencies(20, 30.0)])
    regions = scene_transform(*NESTED, np.eye(5), k)
    assert VALUES @ regions == pytest.approx(scene_transform(*NESTED, VALUES, k), abs=1e-17)
    points = np.random.default_rng(4).uniform((-0.11, -0.11, -0.11), (0.11, 0.25, 0.11), (300_000, 3))
    within = held(NESTED[0], points)
    material = np.zeros(len(points), int)
    for covered, code in zip(within, NESTED[1], strict=True):
        material[covered] = code
    box = 0.22 * 0.36 * 0.22
    for m in range(1, 5):
        share = (material == m).mean()
        assert regions[m, 0].real / box == pytest.approx(share, abs=4 * np.sqrt(share / len(points)) + 1e-5)
    assert regions[0, 0] == pytest.approx(-regions[1:, 0].sum())  # the background less itself


def test_additive_nested_scene_equals_the_layered_one_for_values_that_do_not_follow_the_sums():
    shapes = [s.ellipsoid(ORIGIN, (0.1, 0.1, 0.1)), s.box(ORIGIN, (0.02,) * 3, TILT), s.box(ORIGIN, (0.01,) * 3)]
    k, values = frequencies(20, 30.0), [0.3, 1.0, 7.0, 2.0]
    found = scene_transform(shapes, [5, 1, -2], values, k, sums={5: 1, 6: 2, 4: 3})
    assert found == pytest.approx(scene_transform(shapes, [1, 2, 3], values, k), abs=1e-17)


@pytest.mark.parametrize("variant", ["original", "toft"])
def test_shepp_logan_has_its_known_k_space(variant):
    phantom = SheppLogan(kind="shepp-logan", variant=variant).generate(Key(1))
    density = [tissue.density / 1000 for tissue in phantom.tissues]
    k = frequencies(300, 400.0) * (0, 1, 1)
    scene = phantom.body
    found = scene_transform(scene.shapes, scene.codes, density, k, sums=scene.sums) / 0.4
    unit = 0.230 / 1.84
    right, front = k[:, 2] * unit, -k[:, 1] * unit  # in the units of the table, whose second axis is to the front
    toft = (1.0, -0.8, -0.2, -0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    expected = np.zeros(len(k), complex)
    for row, high in zip(SECTION, toft, strict=True):  # ρ a b J₁(2πK) / K, Van de Walle et al. 2000, equation (20)
        a, b, _, x, y, _, degrees, value = row
        turn = np.deg2rad(degrees)
        along = a * (right * np.cos(turn) + front * np.sin(turn))
        aside = b * (front * np.cos(turn) - right * np.sin(turn))
        size = np.hypot(along, aside)
        amplitude = high if variant == "toft" else value
        expected += amplitude * a * b * j1(2 * pi * size) / size * np.exp(-2j * pi * (right * x + front * y))
    assert np.abs(found - unit**2 * expected).max() < 1e-9 * unit**2 * np.abs(expected).max()


OVERLAP = [s.ellipsoid(ORIGIN, (0.1,) * 3), s.ellipsoid((0.0, 0.0, 0.1), (0.05,) * 3)]


def test_partial_overlap_is_an_error_unless_it_makes_no_difference():
    k = frequencies(5, 10.0)
    with pytest.raises(ShapeError, match=r"shapes 0 .* and 1 .* overlap in part"):
        scene_transform(OVERLAP, [1, 2], [0.0, 1.0, 2.0], k)
    with pytest.raises(ShapeError, match="overlap in part"):
        scene_transform(OVERLAP, [1, 2], [0.0, 1.0, 2.0, 5.0], k, sums={1: 1, 2: 2, 3: 3})
    linear = scene_transform(OVERLAP, [1, 2], [0.0, 1.0, 2.0, 3.0], k, sums={1: 1, 2: 2, 3: 3})
    assert linear == pytest.approx(transform(OVERLAP, [1.0, 2.0], k))
    unseen = scene_transform(OVERLAP, [1, 2], [0.3, 0.3, 2.0], k)
    assert unseen == pytest.approx(transform(OVERLAP[1:], [1.7], k))
    # an island of the background's own value may be overlapped: 0.1 + 0.7 - 0.8 leaves a rounding error
    body = [s.ellipsoid(ORIGIN, (0.3,) * 3), s.ellipsoid(ORIGIN, (0.2,) * 3), *OVERLAP]
    island = scene_transform(body, [1, 2, 2, 3], [0.1, 0.8, 0.3, 2.0], k)
    assert island == pytest.approx(transform([*body[:2], body[3]], [0.7, -0.5, 1.7], k))


def test_what_has_no_transform_is_an_error():
    with pytest.raises(ShapeError, match="clipped ellipsoid"):
        one(s.ellipsoid(ORIGIN, (1.0, 1.0, 1.0)).clipped((1.0, 0.0, 0.0), 0.0), [[0.0, 0.0, 0.0]])
    k = np.zeros((1, 3))
    with pytest.raises(ShapeError, match=r"capsule .* has no closed form"):
        transform([s.capsule(ORIGIN, (0.2, 0.1, 0.1))], [1.0], k)
    with pytest.raises(ShapeError, match="shape 1 makes the sum 3"):
        scene_transform([OVERLAP[0]] * 2, [1, 2], [0.0, 1.0, 5.0], k, sums={1: 1, 2: 2})
    with pytest.raises(ShapeError, match="one weight for each of 2 shapes"):
        transform(OVERLAP, [1.0], k)
    with pytest.raises(ShapeError, match="0 to 2"):
        scene_transform(OVERLAP, [1, 2], [0.0, 1.0], k)
    with pytest.raises(ShapeError, match="as many codes"):
        scene_transform(OVERLAP, [1], [0.0, 1.0], k)
    with pytest.raises(ShapeError, match="finite"):
        scene_transform(OVERLAP, [1, 1], [0.0, np.nan], k)


def test_result_does_not_depend_on_threads():
    k = frequencies(1000, 100.0)
    with threads(1):
        one_thread = scene_transform(*NESTED, VALUES, k)
    with threads(3):
        assert scene_transform(*NESTED, VALUES, k).tobytes() == one_thread.tobytes()


def test_no_shapes_and_no_frequencies_are_no_error():
    assert not scene_transform([], [], [0.0], np.zeros((4, 3))).any()
    assert scene_transform(*NESTED, VALUES, np.zeros((0, 2, 3))).shape == (0, 2)
