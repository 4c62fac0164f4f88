from pathlib import Path

import numpy as np
import pytest
import trimesh
from pydantic import ValidationError

from phantomsim.phantoms.surfaces.mesh import MeshPhantom
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key

GRID = Grid((30, 30, 30), (0.003, 0.003, 0.003))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    body = trimesh.creation.box((60.0, 48.0, 42.0))  # x, y, z
    organ = trimesh.creation.icosphere(3, 15.0)
    organ.apply_translation([10.0, 0.0, 0.0])
    body.export(tmp_path / "body.stl")
    organ.export(tmp_path / "organ.obj")
    return tmp_path


def phantom(folder: Path, **fields):  # type: ignore[no-untyped-def]
    files = (
        {"path": str(folder / "body.stl"), "tissue": "soft_tissue"},
        {"path": str(folder / "organ.obj"), "tissue": "liver", "name": "organ"},
    )
    return MeshPhantom(**({"kind": "mesh", "files": files, "unit": "mm"} | fields))


def test_nested_meshes_have_the_volumes_of_their_solids(folder: Path) -> None:
    made = phantom(folder).generate(Key(0))
    values = made.fractions(GRID).values
    volumes = 1e9 * values.sum(axis=(1, 2, 3), dtype=np.float64) * np.prod(GRID.spacing)
    ball = trimesh.creation.icosphere(3, 15.0).volume
    assert [tissue.name for tissue in made.tissues] == ["air", "soft_tissue", "liver"]
    assert volumes[2] == pytest.approx(ball, rel=1e-3)
    assert volumes[1] == pytest.approx(60 * 48 * 42 - ball, rel=1e-3)
    assert np.abs(values.sum(axis=0) - 1).max() < 1e-6
    assert made.truths["anatomy"][1]["volume_mm3"] == pytest.approx(ball, rel=1e-5)
    assert made.without(("organ",)).fractions(GRID).values[2].max() == 0


def test_axes_of_the_file_are_those_of_the_patient(folder: Path) -> None:
    """The organ lies at positive x: to the left (lps), or to the right (ras), where x falls."""
    for axes, x in (("lps", 0.010), ("ras", -0.010)):
        made = phantom(folder, axes=axes).generate(Key(0))
        assert made.materials(np.array([[0.0, 0.0, x], [0.0, 0.0, -x - np.sign(x) * 0.004]])).tolist() == [2, 1]


def test_poses_and_scales_are_drawn_and_recorded(folder: Path) -> None:
    made = phantom(folder, scale=(0.5, 0.5), turn_deg=(90.0, 90.0), level_mm=(5.0, 5.0), shift_mm=3.0).generate(Key(1))
    row = made.truths["anatomy"][0]
    y, x = row["shift_mm"]
    assert row["volume_mm3"] == pytest.approx(60 * 48 * 42 / 8, rel=1e-6)
    lower, upper = made.body.surfaces[0].lower, made.body.surfaces[0].upper  # type: ignore[attr-defined]
    assert np.allclose(np.subtract(upper, lower), [0.021, 0.030, 0.024])
    assert np.allclose(np.add(upper, lower) / 2, [-0.005, 1e-3 * y, 1e-3 * x])
    assert row["turn_deg"] == 90.0


def test_lesions_lie_inside_their_host(folder: Path) -> None:
    lesions = {"count": 2, "diameter_mm": (4, 6), "tissue": "tumor"}
    made = phantom(folder, lesions=lesions, hosts=("liver",)).generate(Key(3))
    for row in made.truths["lesions"]:
        z, y, x = row["centre_mm"]
        assert row["host"] == "liver"
        assert np.linalg.norm([z, y, x - 10]) + row["diameter_mm"] / 2 < 15
    assert made.parts >= {"lesion", "organ"}


def test_the_body_is_given_on_a_grid_that_holds_it(folder: Path) -> None:
    grid = phantom(folder, voxel_mm=2.0).generate(Key(0)).body.grid
    assert grid.spacing == (0.002, 0.002, 0.002)
    assert np.all(np.asarray(grid.extent) >= [0.042, 0.048, 0.060])


def test_a_mesh_with_a_hole_is_named(folder: Path) -> None:
    broken = trimesh.load_mesh(folder / "body.stl")
    broken.update_faces(np.arange(len(broken.faces)) > 0)
    broken.export(folder / "body.stl")
    with pytest.raises(ShapeError, match=r"body\.stl: the mesh is not watertight: 3 of 18 edges"):
        phantom(folder).generate(Key(0))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"scale": (2.0, 1.0)}, "scale must be"),
        ({"scale": (0.001, 1.0)}, "unit changes the unit"),
        ({"hosts": ("kidney_cortex",)}, "which no file is of"),
        ({"files": ()}, "at least 1"),
        ({"unit": "inch"}, "'um', 'mm', 'cm' or 'm'"),
    ],
)
def test_what_cannot_be_a_phantom_is_refused(folder: Path, fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        phantom(folder, **fields)
