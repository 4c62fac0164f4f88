"""Each file that cannot be used is refused with a sentence that says which and what to do."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.from_volume import CTVolume, NiftiLabels
from phantomsim.physics.errors import PhantomsimError, RecipeError, ShapeError, UnitError
from phantomsim.physics.rng import Key

LPS = np.diag([-2.0, -3.0, 4.0, 1.0])
TILTED = LPS @ np.array([[0.9, 0.1, 0, 0], [-0.1, 0.9, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
LABELS = np.zeros((4, 4, 4), np.int16)
CT = np.linspace(-1000, 1000, 64).reshape(4, 4, 4).astype(np.float32)
TABLE = {0: "air", 1: "liver"}
RGB = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])


def save(folder: Path, values: np.ndarray, affine: np.ndarray | None = LPS, units: str = "mm") -> str:
    image = nibabel.Nifti1Image(values, None)
    if affine is not None:
        image.header.set_sform(affine, code=2)
    image.header.set_xyzt_units(units)
    nibabel.save(image, folder / "file.nii")
    return str(folder / "file.nii")


def marked(values: np.ndarray, value: float) -> np.ndarray:
    changed = values.astype(np.float32)
    changed[1, 2, 3] = value
    return changed


CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], type[PhantomsimError], str]] = {
    "tilted axes": ("labels", {"values": LABELS, "affine": TILTED}, {}, ShapeError, r"tilted by .* resample it"),
    "no affine": ("labels", {"values": LABELS, "affine": None}, {}, RecipeError, r"does not state its axes.*set_sform"),
    "flat affine": ("labels", {"values": LABELS, "affine": np.diag([2.0, 2, 0, 1])}, {}, ShapeError, "inverse"),
    "unknown label": (
        "labels",
        {"values": marked(LABELS, 5)},
        {},
        RecipeError,
        "label 5 in 1 voxels, which labels does",
    ),
    "no labels": ("labels", {"values": marked(LABELS, 0.5)}, {}, RecipeError, r"such as 0\.5.*kind = 'ct-volume'"),
    "NaN": ("labels", {"values": marked(LABELS, np.nan)}, {}, UnitError, "1 values that are not finite"),
    "NaN in CT": ("ct", {"values": marked(CT, np.inf)}, {}, UnitError, "1 values that are not finite"),
    "colours": ("labels", {"values": RGB}, {}, UnitError, "colours or complex.*one number a voxel"),
    "complex": ("ct", {"values": CT.astype(np.complex64)}, {}, UnitError, "one number a voxel"),
    "4D": ("labels", {"values": np.zeros((4, 4, 4, 3), np.int16)}, {}, ShapeError, "4 axes .*time series.*select one"),
    "2D": ("labels", {"values": np.zeros((4, 4), np.int16)}, {}, ShapeError, r"a volume has three"),
    "metres": ("labels", {"values": LABELS, "units": "meter"}, {}, UnitError, r"2000 x 3000 x 4000 mm.*unit"),
    "microns": ("ct", {"values": CT, "affine": 1e-4 * LPS, "units": "micron"}, {}, UnitError, "is the unit"),
    "raw CT": ("ct", {"values": CT + 1024}, {}, UnitError, "from 24 to 2024, .*without their offset"),
    "scaled CT": ("ct", {"values": CT / 2000 + 0.5}, {}, UnitError, "an image scaled to 1"),
    "huge CT": ("ct", {"values": CT * 1000}, {}, UnitError, "of another modality"),
    "slices": ("ct", {"values": CT}, {"slices": (2, 9)}, RecipeError, r"\[2, 9\] but .* has 4"),
    "large lesion": (
        "labels",
        {"values": np.ones((4, 4, 4), np.int16)},
        {"hosts": ("liver",), "lesions": {"count": 1, "diameter_mm": (30, 30)}},
        RecipeError,
        "no region of liver holds a lesion of 30 mm",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    kind, file, fields, error, says = CASES[name]
    path = save(tmp_path, **file)
    if kind == "labels":
        spec: Any = NiftiLabels(**({"kind": "nifti-labels", "path": path, "labels": TABLE} | fields))
    else:
        spec = CTVolume(**({"kind": "ct-volume", "path": path} | fields))
    with pytest.raises(error, match=says) as caught:
        spec.generate(Key(0))
    assert "file.nii" in str(caught.value) or name == "large lesion"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"labels": {1: "livre"}}, "did you mean 'liver'"),
        ({"labels": {"one": "liver"}}, "valid integer"),
        ({"background": "vacum"}, "unknown tissue 'vacum'"),
        ({"slices": (3, 3)}, "first, one after the last"),
        ({"shift_mm": -1.0}, "greater than or equal to 0"),
        ({"crop_mm": (0.0, 10.0)}, "greater than 0"),
        ({"hosts": ("spleen",)}, "no label stands for"),
        ({"lesions": {"count": 1}}, "lesions need hosts"),
    ],
)
def test_a_spec_that_cannot_be_used_says_so_before_any_file_is_read(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        NiftiLabels(**({"kind": "nifti-labels", "path": "absent.nii", "labels": TABLE} | fields))


def test_another_format_under_nibabel_is_named(tmp_path: Path) -> None:
    nibabel.save(nibabel.MGHImage(CT, LPS), tmp_path / "brain.mgz")
    spec = NiftiLabels(kind="nifti-labels", path=str(tmp_path / "brain.mgz"), labels=TABLE)
    with pytest.raises(RecipeError, match=r"MGHImage, not NIfTI; convert"):
        spec.generate(Key(0))


def test_lesions_lie_inside_their_label_and_can_be_left_out(tmp_path: Path) -> None:
    values = np.zeros((40, 30, 12), np.int16)
    values[4:36, 4:26, 1:11] = 1
    values[15:20, 10:15, 3:9] = 2
    spec = NiftiLabels(
        kind="nifti-labels",
        path=save(tmp_path, values),
        labels={0: "air", 1: "liver", 2: "cortical_bone"},
        mirror=True,
        shift_mm=5.0,
        hosts=("liver",),
        lesions={"count": 3, "diameter_mm": (6, 9), "tissue": "tumor", "depth_mm": 20},
    )
    for seed in range(5):
        phantom = spec.generate(Key(seed))
        bare = phantom.without(("lesion",))
        assert len(phantom.truths["lesions"]) == 3
        assert bare.truths["lesions"] == ()
        for row in phantom.truths["lesions"]:
            ball = np.random.default_rng(0).normal(size=(200, 3))
            ball *= 0.5e-3 * row["diameter_mm"] / np.linalg.norm(ball, axis=1, keepdims=True)
            points = 1e-3 * np.asarray(row["centre_mm"]) + ball
            assert (bare.materials(points) == 1).all()
            assert abs(row["centre_mm"][0]) <= 10
            assert phantom.materials(points[:1] - ball[:1]).tolist() == [3]
    grid = phantom.body.grid
    assert np.abs(phantom.fractions(grid).values.sum(axis=0) - 1).max() < 1e-6
