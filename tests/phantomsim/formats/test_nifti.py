from pathlib import Path

import nibabel
import numpy as np
import pytest

from phantomsim.formats.nifti import read_nifti
from phantomsim.formats.volume import locate
from phantomsim.physics.errors import RecipeError, ShapeError, UnitError

RAS = np.diag([2.0, 3.0, 4.0, 1.0])  # i to the right, j to the front, k to the head


def save(folder: Path, values: np.ndarray, affine: np.ndarray, **header: str) -> Path:
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units(header.get("units", "mm"))
    path = folder / "volume.nii.gz"
    nibabel.save(image, path)
    return path


def test_axes_become_head_back_left(tmp_path: Path) -> None:
    affine = RAS.copy()
    affine[:3, 3] = [10.0, 20.0, 30.0]
    values = np.zeros((5, 6, 7), np.int16)
    values[4, 5, 6] = 1  # the corner that lies right, front, up
    volume = read_nifti(save(tmp_path, values, affine))
    assert volume.values.shape == (7, 6, 5)
    assert np.argwhere(volume.values).tolist() == [[6, 0, 0]]  # up is the end of z; front and right begin y and x
    assert volume.grid.spacing == pytest.approx((0.004, 0.003, 0.002))
    assert volume.grid.coordinates(0)[6] == pytest.approx(0.030 + 6 * 0.004)
    assert volume.grid.coordinates(1)[0] == pytest.approx(-(0.020 + 5 * 0.003))
    assert volume.grid.coordinates(2)[0] == pytest.approx(-(0.010 + 4 * 0.002))


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_sense_of_axes_gives_the_same_volume(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected = read_nifti(save(tmp_path, rng.integers(0, 99, (3, 4, 5)).astype(np.int16), RAS))
    image = nibabel.load(tmp_path / "volume.nii.gz")
    codes = tuple(str(rng.choice(pair)) for pair in rng.permutation([["L", "R"], ["P", "A"], ["I", "S"]]))
    turned = image.as_reoriented(
        nibabel.orientations.ornt_transform(
            nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(codes)
        )
    )
    (tmp_path / "turned").mkdir()
    found = read_nifti(save(tmp_path / "turned", np.asarray(turned.dataobj), turned.affine))
    assert np.array_equal(found.values, expected.values)
    assert np.allclose([found.grid.spacing, found.grid.centre], [expected.grid.spacing, expected.grid.centre])


def test_metres_in_the_header_are_read(tmp_path: Path) -> None:
    volume = read_nifti(save(tmp_path, np.zeros((2, 2, 2), np.int16), np.diag([0.002, 0.003, 0.004, 1]), units="meter"))
    assert volume.grid.spacing == pytest.approx((0.004, 0.003, 0.002))


def test_trailing_axes_of_one_are_dropped_and_time_series_refused(tmp_path: Path) -> None:
    assert read_nifti(save(tmp_path, np.zeros((2, 3, 4, 1), np.int16), RAS)).values.shape == (4, 3, 2)
    with pytest.raises(ShapeError, match=r"4 axes \(2, 3, 4, 2\)"):
        read_nifti(save(tmp_path, np.zeros((2, 3, 4, 2), np.int16), RAS))


def test_tilted_axes_are_refused(tmp_path: Path) -> None:
    tilted = RAS.copy()
    sin, cos = np.sin(0.1), np.cos(0.1)
    tilted[:3, :3] = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    with pytest.raises(ShapeError, match=r"tilted by 5\.7 degrees"):
        read_nifti(save(tmp_path, np.zeros((2, 2, 2), np.int16), tilted))


def test_values_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    values = np.zeros((2, 2, 2), np.float32)
    values[0, 1, 1] = np.nan
    with pytest.raises(UnitError, match=r"has 1 values that are not finite"):
        read_nifti(save(tmp_path, values, RAS))


def test_other_files_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "note.nii").write_text("no image")
    with pytest.raises(RecipeError, match="cannot be read as NIfTI"):
        read_nifti(tmp_path / "note.nii")
    path = save(tmp_path, np.arange(64000, dtype=np.int16).reshape(40, 40, 40), RAS)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(RecipeError, match="cannot be read as NIfTI"):
        read_nifti(path)


def test_inputs_are_found_on_disk_and_inside_packages_without_importing_them(tmp_path: Path) -> None:
    assert locate(str(tmp_path)) == tmp_path
    assert locate("data/liver.dcm", "data_store").is_file()
    with pytest.raises(RecipeError, match="no file or folder 'absent"):
        locate("absent.nii")
    with pytest.raises(RecipeError, match="'data_store' has no file or folder 'data/absent"):
        locate("data/absent.dcm", "data_store")
    for package in ("not_installed", "not.a.package", ""):
        with pytest.raises(RecipeError, match="is not installed"):
            locate("file", package)
