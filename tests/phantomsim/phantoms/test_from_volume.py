from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.from_volume import CTVolume, NiftiLabels
from phantomsim.phantoms.hounsfield import hounsfield
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key

LPS = np.diag([-2.0, -3.0, 4.0, 1.0])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    values = np.zeros((8, 6, 4), np.int16)  # (x, y, z)
    values[1, 2, 3], values[6, 2, 1], values[4, 4, 0] = 7, 7, 9
    nibabel.save(nibabel.Nifti1Image(values, LPS), tmp_path / "labels.nii")
    return tmp_path / "labels.nii"


def labels(file: Path, **fields):  # type: ignore[no-untyped-def]
    table = {0: "air", 7: "liver", 9: "cortical_bone"}
    return NiftiLabels(**({"kind": "nifti-labels", "path": str(file), "labels": table} | fields))


def test_labels_become_tissues_about_the_origin(file: Path) -> None:
    phantom = labels(file).generate(Key(0))
    grid = Grid((4, 6, 8), (0.004, 0.003, 0.002))
    found = phantom.labels(grid)
    assert [tissue.name for tissue in phantom.tissues] == ["air", "liver", "cortical_bone"]
    assert phantom.body.grid == grid
    assert np.argwhere(found == 1).tolist() == [[1, 2, 6], [3, 2, 1]]
    assert np.argwhere(found == 2).tolist() == [[0, 4, 4]]


def test_keys_of_a_toml_table_are_labels(file: Path) -> None:
    assert labels(file, labels={"0": "air", "7": "liver", "9": "tumor"}).labels[9] == "tumor"


def test_slices_and_crops_select_a_region(file: Path) -> None:
    phantom = labels(file, slices=(1, 3), crop_mm=(12.0, 12.0)).generate(Key(0))
    assert phantom.body.grid == Grid((2, 4, 6), (0.004, 0.003, 0.002))
    assert np.argwhere(phantom.labels(phantom.body.grid) == 1).tolist() == [[0, 1, 5]]
    assert phantom.truths["source"][0]["slices"] == [1, 3]


def test_half_of_the_draws_are_mirrored_and_all_shifted_within_the_limit(file: Path) -> None:
    spec = labels(file, mirror=True, shift_mm=5.0)
    rows = []
    for seed in range(200):
        phantom = spec.generate(Key(seed))
        row = phantom.truths["source"][0]
        rows.append([row["mirrored"], *row["shift_mm"]])
        assert phantom.body.grid.centre == pytest.approx((0, 1e-3 * row["shift_mm"][0], 1e-3 * row["shift_mm"][1]))
        column = np.argwhere(phantom.labels(phantom.body.grid) == 2)[0, 2]
        assert column == (3 if row["mirrored"] else 4)
    rows = np.asarray(rows)
    assert abs(rows[:, 0].sum() - 100) < 4 * np.sqrt(50)
    assert np.abs(rows[:, 1:]).max() < 5
    assert np.abs(rows[:, 1:]).max(axis=0).min() > 4.5


def test_a_label_that_is_not_listed_is_named_with_its_count(file: Path) -> None:
    with pytest.raises(RecipeError, match=r"label 7 in 2 voxels, which labels does not list"):
        labels(file, labels={0: "air", 9: "tumor"}).generate(Key(0))


def test_an_unknown_tissue_is_named_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean 'liver'"):
        NiftiLabels(kind="nifti-labels", path="a.nii", labels={0: "air", 1: "livre"})


def test_slices_beyond_the_file_are_refused(file: Path) -> None:
    with pytest.raises(RecipeError, match=r"slices = \[2, 9\] but .* has 4"):
        labels(file, slices=(2, 9)).generate(Key(0))
    with pytest.raises(ValidationError, match="first, one after the last"):
        labels(file, slices=(2, 2))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(RecipeError, match=r"no file or folder 'absent\.nii'"):
        CTVolume(kind="ct-volume", path="absent.nii").generate(Key(0))


def test_a_real_slice_gives_its_ct_numbers_back() -> None:
    spec = CTVolume(kind="ct-volume", package="data_store", path="data/explicit_VR-UN.dcm", thickness_mm=5.0)
    phantom = spec.generate(Key(0))
    grid = phantom.body.grid
    stored = phantom.body.values
    assert grid.shape == (1, 512, 512)
    assert grid.centre == (0.0, 0.0, 0.0)
    assert np.abs(phantom.map(hounsfield, grid) - np.maximum(stored, -1000)).max() < 0.05
    assert np.abs(phantom.fractions(grid).values.sum(axis=0) - 1).max() < 1e-6


def test_ct_in_nifti_is_read_too(tmp_path: Path) -> None:
    values = np.linspace(-1000, 1500, 64).reshape(4, 4, 4).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, LPS), tmp_path / "ct.nii.gz")
    phantom = CTVolume(kind="ct-volume", path=str(tmp_path / "ct.nii.gz")).generate(Key(0))
    assert phantom.map(hounsfield, phantom.body.grid) == pytest.approx(values.transpose(2, 1, 0), abs=0.01)
