from itertools import pairwise

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.surfaces.triangles import Triangles

GRID = Grid((40, 44, 42), (0.002, 0.0018, 0.0021), (0.0003, 0.0001, 0.0002))
GOLDEN = (1 + 5**0.5) / 2


def icosphere(n: int, radius: float) -> Triangles:
    """Return an icosahedron of which each triangle was cut into four, `n` times, blown up to a sphere."""
    corners = [(a, b, 0.0) for a in (-1.0, 1.0) for b in (-GOLDEN, GOLDEN)]
    vertices = np.array([np.roll(c, i) for i in range(3) for c in corners])
    away = np.linalg.norm(vertices[:, None] - vertices, axis=-1)
    near = np.abs(away - 2) < 1e-9
    faces = [
        (i, j, k) if np.linalg.det(vertices[[i, j, k]]) < 0 else (i, k, j)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    for _ in range(n):
        cut = np.array([[vertices[[a, b]].mean(axis=0) for a, b in pairwise((*f, f[0]))] for f in faces])
        old = np.array([vertices[list(f)] for f in faces])
        a, b, c = old.transpose(1, 0, 2)
        ab, bc, ca = cut.transpose(1, 0, 2)
        new = np.concatenate([np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
        vertices, index = np.unique(new.reshape(-1, 3).round(12), axis=0, return_inverse=True)
        faces = index.reshape(-1, 3).tolist()
    vertices = radius * vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    return Triangles(vertices, np.asarray(faces))


def block(size: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices and faces of a box about the origin."""
    vertices = np.array([[z, y, x] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]) * size
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return vertices, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])


def filled(mesh: Triangles, grid: Grid, n_lines: int = 4) -> float:
    return float(mesh.occupancy(grid, n_lines).sum(dtype=np.float64)) * float(np.prod(grid.spacing))


def test_a_box_on_voxel_borders_fills_them_exactly() -> None:
    """Every edge and corner of it, and the diagonals of its faces, meet lines of the lattice or of symmetry."""
    mesh = Triangles(*block((0.02, 0.032, 0.04)))
    assert mesh.volume == pytest.approx(0.02 * 0.032 * 0.04, rel=1e-12)
    grid = Grid((30, 30, 30), (0.002, 0.002, 0.002))
    found = mesh.occupancy(grid)
    expected = np.zeros(grid.shape)
    expected[10:20, 7:23, 5:25] = 1
    assert found == pytest.approx(expected, abs=1e-6)
    assert found.max() <= 1


@pytest.mark.parametrize("n_lines", [1, 2, 3, 4])
def test_lines_that_run_through_edges_and_corners_leave_no_streak(n_lines: int) -> None:
    """A box whose sides and diagonals lie on lines: beyond it every voxel is empty, within full."""
    grid = Grid((8, 8, 8), (1.0, 1.0, 1.0))
    half = 0.5 / n_lines
    mesh = Triangles(*block((4 + 2 * half, 4 + 2 * half, 4.0)))
    found = mesh.occupancy(grid, n_lines)
    assert (found[[0, -1]] == 0).all()
    assert (found[:, :, [0, 1, -2, -1]] == 0).all()
    assert (found[2:6, 2:6, 2:6] == 1).all()


def test_the_volume_of_a_sphere_converges_to_that_of_its_mesh() -> None:
    mesh = icosphere(3, 0.03)
    errors = [abs(filled(mesh, GRID, n) / mesh.volume - 1) for n in (1, 2, 4, 8)]
    assert errors[0] < 2e-3
    assert errors[2] < 2e-4
    assert errors[3] < 5e-5


def test_the_volume_of_a_finer_icosphere_nears_that_of_the_ball() -> None:
    """Facets of edge h lie h²/8R inside the sphere at most: each cut takes the loss down four times."""
    ball = 4 / 3 * np.pi * 0.03**3
    lost = [1 - icosphere(n, 0.03).volume / ball for n in range(4)]
    assert all(3.5 < a / b < 4.5 for a, b in pairwise(lost[1:]))


def test_points_are_held_as_lines_say() -> None:
    mesh = icosphere(3, 0.03)
    points = np.random.default_rng(0).uniform(-0.04, 0.04, (20000, 3))
    away = np.linalg.norm(points, axis=1)
    held = mesh.holds(points)
    assert held[away < 0.0297].all()
    assert not held[away > 0.03].any()
    assert mesh.holds(points.reshape(100, 200, 3)).shape == (100, 200)


def test_a_mesh_inside_out_is_turned() -> None:
    vertices, faces = block((0.02, 0.02, 0.02))
    grid = Grid((8, 8, 8), (0.004, 0.004, 0.004))
    turned = Triangles(vertices, faces[:, ::-1])
    assert np.array_equal(turned.occupancy(grid), Triangles(vertices, faces).occupancy(grid))
    assert turned.volume == pytest.approx(8e-6)


def test_a_cavity_is_a_shell_that_faces_inwards() -> None:
    outer, faces = block((0.02, 0.02, 0.02))
    inner, _ = block((0.01, 0.01, 0.01))
    mesh = Triangles(np.concatenate([outer, inner]), np.concatenate([faces, faces[:, ::-1] + 8]))
    assert filled(mesh, Grid((12, 12, 12), (0.002, 0.002, 0.002))) == pytest.approx(8e-6 - 1e-6, rel=1e-9)


def test_meshes_that_enclose_nothing_are_refused() -> None:
    vertices, faces = block((0.02, 0.02, 0.02))
    with pytest.raises(ShapeError, match="3 of 18 edges do not join exactly two"):
        Triangles(vertices, faces[1:])
    odd = faces.copy()
    odd[0] = odd[0][::-1]
    with pytest.raises(ShapeError, match="not oriented alike: along 3 of 18 edges"):
        Triangles(vertices, odd)
    with pytest.raises(ShapeError, match="no volume"):
        Triangles(vertices * [0, 1, 1], faces)
    with pytest.raises(ShapeError, match="two corners in one place"):
        Triangles(vertices, np.concatenate([faces, [[0, 0, 1], [1, 0, 0]]]))
    with pytest.raises(UnitError, match="finite"):
        Triangles(vertices * [np.nan, 1, 1], faces)
