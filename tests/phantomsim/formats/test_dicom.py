from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from phantomsim.formats.dicom import read_dicom
from phantomsim.formats.volume import locate
from phantomsim.physics.errors import RecipeError, ShapeError, UnitError


def save(path: Path, pixels: np.ndarray, position: Sequence[float], **fields: Any) -> None:
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = pydicom.uid.generate_uid()
    dataset.SOPClassUID = CTImageStorage
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 1
    dataset.PixelData = pixels.astype(np.int16).tobytes()
    values = {
        "Modality": "CT",
        "SeriesInstanceUID": "1.2.3",
        "ImagePositionPatient": list(position),
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [0.5, 0.25],
        "SliceThickness": 3,
        "RescaleSlope": 2,
        "RescaleIntercept": -1000,
    }
    for name, value in (values | fields).items():
        if value is not None:
            setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)


PIXELS = np.arange(12).reshape(3, 4)


def test_one_slice_has_hounsfield_units_and_its_place(tmp_path: Path) -> None:
    save(tmp_path / "a", PIXELS, [10, 20, 30])
    volume = read_dicom(tmp_path / "a")
    assert np.array_equal(volume.values, (2 * PIXELS - 1000)[None])
    assert volume.grid.spacing == pytest.approx((0.003, 0.0005, 0.00025))
    assert volume.grid.centre == pytest.approx((0.030, 0.020 + 0.0005, 0.010 + 1.5 * 0.00025))


def test_slices_are_ordered_by_their_place_and_other_files_passed_over(tmp_path: Path) -> None:
    for name, z in zip("dacb", (0.0, 2.5, 5.0, 7.5), strict=True):
        save(tmp_path / name, PIXELS + int(10 * z), [0, 0, z])
    (tmp_path / "README").write_text("not an image")
    volume = read_dicom(tmp_path)
    assert volume.values[:, 0, 0].tolist() == [-1000, -950, -900, -850]
    assert volume.grid.spacing[0] == pytest.approx(0.0025)  # the distance, not the thickness
    assert volume.grid.centre[0] == pytest.approx(0.00375)


def test_rows_that_run_backwards_are_turned(tmp_path: Path) -> None:
    save(tmp_path / "a", PIXELS, [0, 0, 0], ImageOrientationPatient=[-1, 0, 0, 0, -1, 0])
    volume = read_dicom(tmp_path / "a")
    assert np.array_equal(volume.values[0], 2 * PIXELS[::-1, ::-1] - 1000)
    assert volume.grid.centre == pytest.approx((0, -0.0005, -1.5 * 0.00025))


def test_a_coronal_slice_stands_on_z_and_x(tmp_path: Path) -> None:
    save(tmp_path / "a", PIXELS, [0, 0, 0], ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    volume = read_dicom(tmp_path / "a")
    assert volume.values.shape == (3, 1, 4)
    assert np.array_equal(volume.values[:, 0], 2 * PIXELS[::-1] - 1000)


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"Modality": "MR"}, RecipeError, "modality 'MR'"),
        ({"RescaleSlope": None}, RecipeError, "RescaleSlope"),
        ({"PixelSpacing": None}, RecipeError, "PixelSpacing"),
        ({"SliceThickness": None}, RecipeError, "thickness_mm"),
        ({"RescaleType": "OD"}, RecipeError, "units of 'OD', not HU"),
        ({"PixelSpacing": [0.5, 0]}, ShapeError, "without an inverse"),
        ({"PixelSpacing": [500, 500]}, UnitError, "voxels of"),
        ({"RescaleSlope": 0}, UnitError, "no CT numbers follow"),
        ({"NumberOfFrames": 2}, ShapeError, "several frames"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.9848, 0.1736]}, ShapeError, "tilted by 10"),
        ({"PixelData": b"\0\0"}, RecipeError, "cannot be decoded"),
    ],
)
def test_what_cannot_be_a_slice_in_hounsfield_units_is_refused(tmp_path: Path, fields, error, says) -> None:  # type: ignore[no-untyped-def]
    save(tmp_path / "a", PIXELS, [0, 0, 0], **fields)
    with pytest.raises(error, match=says):
        read_dicom(tmp_path / "a")


def test_a_thickness_may_be_given(tmp_path: Path) -> None:
    save(tmp_path / "a", PIXELS, [0, 0, 0], SliceThickness=None)
    assert read_dicom(tmp_path / "a", 4.0).grid.spacing[0] == pytest.approx(0.004)


def test_series_that_do_not_make_a_volume_are_refused(tmp_path: Path) -> None:
    for name, z in zip("abc", (0.0, 2.0, 6.0), strict=True):
        save(tmp_path / name, PIXELS, [0, 0, z])
    with pytest.raises(ShapeError, match="not equally spaced"):
        read_dicom(tmp_path)
    save(tmp_path / "c", PIXELS, [0, 0, 4], SeriesInstanceUID="1.2.4")
    with pytest.raises(RecipeError, match=r"2 series"):
        read_dicom(tmp_path)
    save(tmp_path / "c", PIXELS[:2], [0, 0, 4])
    with pytest.raises(ShapeError, match="differ in shape"):
        read_dicom(tmp_path)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no DICOM image"):
        read_dicom(tmp_path)


def test_the_abdomen_of_pydicom_data_is_read_with_the_back_below_and_the_left_on_the_right() -> None:
    """Air surrounds it, the couch is behind the back, and bone (spine) lies behind the middle."""
    values = read_dicom(locate("data/explicit_VR-UN.dcm", "data_store"), 5.0).values[0]
    assert values.shape == (512, 512)
    assert values[:40].max() < -900
    rows, columns = np.nonzero(values > 400)
    assert rows.mean() > 256
    assert abs(columns.mean() - 256) < 40
    liver, stomach = values[230:290, 120:180], values[190:220, 300:360]
    assert 60 < np.median(liver) < 160
    assert stomach.min() < -700  # gas
