from pathlib import Path

import numpy as np
import pytest
import trimesh

from phantomsim.formats.mesh import read_mesh
from phantomsim.physics.errors import PhantomsimError, RecipeError, ShapeError, UnitError
from phantomsim.physics.surfaces.triangles import Triangles


@pytest.mark.parametrize("suffix", ["stl", "obj", "ply", "off"])
def test_a_mesh_comes_back_from_each_format(tmp_path: Path, suffix: str) -> None:
    solid = trimesh.creation.icosphere(2, 20.0)
    solid.apply_translation([5.0, 6.0, 7.0])
    solid.export(tmp_path / f"ball.{suffix}")
    mesh = read_mesh(tmp_path / f"ball.{suffix}", "mm")
    body = Triangles(mesh.vertices, mesh.faces)
    assert len(mesh.vertices) == len(solid.vertices)
    assert body.volume == pytest.approx(1e-9 * solid.volume, rel=1e-5)
    assert np.add(body.lower, body.upper) / 2 == pytest.approx([0.007, 0.006, 0.005], abs=1e-6)


def test_units_and_axes_are_applied(tmp_path: Path) -> None:
    solid = trimesh.creation.box((1.0, 2.0, 3.0))
    solid.apply_translation([10.0, 20.0, 30.0])
    solid.export(tmp_path / "box.stl")
    mesh = read_mesh(tmp_path / "box.stl", "cm", "ras")
    assert mesh.vertices.mean(axis=0) == pytest.approx([0.30, -0.20, -0.10])
    assert np.ptp(mesh.vertices, axis=0) == pytest.approx([0.03, 0.02, 0.01])


@pytest.mark.parametrize(
    ("name", "text", "unit", "error", "says"),
    [
        ("a.vtk", "", "mm", RecipeError, "is none of .stl"),
        ("a.stl", "solid nothing\nendsolid", "mm", PhantomsimError, "cannot be read|no triangles"),
        ("b.stl", "not a mesh at all", "mm", PhantomsimError, "cannot be read|no triangles"),
        ("a.obj", "v 0 0 0\nv 1 0 0\n", "mm", PhantomsimError, "no triangles|cannot be read"),
        ("b.obj", "v nan 0 0\nv 9 0 0\nv 0 9 0\nf 1 2 3\n", "mm", PhantomsimError, "not finite|no triangles"),
        ("c.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "um", UnitError, r"measures 1 um.*\(mm or cm or m would"),
        ("d.obj", "v 0 0 0\nv 400 0 0\nv 0 1 0\nf 1 2 3\n", "m", UnitError, r"\(um or mm would fit\)"),
    ],
)
def test_files_that_are_no_body_are_refused(tmp_path: Path, name, text, unit, error, says) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / name).write_text(text)
    with pytest.raises(error, match=says):
        read_mesh(tmp_path / name, unit)


def test_a_mesh_without_volume_is_no_body(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 10 0 0\nv 0 10 0\nf 1 2 3\nf 3 2 1\n")
    mesh = read_mesh(tmp_path / "a.obj", "mm")
    with pytest.raises(ShapeError):
        Triangles(mesh.vertices, mesh.faces)
