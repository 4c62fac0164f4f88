"""CT slices in DICOM: one file, or a folder that holds one series."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.errors import InvalidDicomError

from phantomsim.formats.volume import Volume, on_patient_axes
from phantomsim.physics.errors import RecipeError, ShapeError, UnitError

Float64 = npt.NDArray[np.float64]


def read_dicom(path: Path, thickness_mm: float | None = None) -> Volume:
    """Read CT numbers [HU] from a DICOM file or a folder with one series, in any order; other files are passed over.

    Parameters
    ----------
    path
        File or folder.
    thickness_mm
        Thickness of a single slice that does not state its own [mm].

    Raises
    ------
    RecipeError
        If nothing can be read as CT, the pixels cannot be decoded, or a folder holds several series.
    UnitError
        If values cannot be CT numbers, or voxels are of no size that is meant.
    ShapeError
        If slices differ in shape or axes, are not equally spaced, or are tilted against the patient's axes.
    """
    with warnings.catch_warnings():  # an ill-formed identifier says nothing of the image
        warnings.filterwarnings("ignore", "Invalid value for VR UI", UserWarning)
        return _series(path, thickness_mm)


def _series(path: Path, thickness_mm: float | None) -> Volume:
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    found = [dataset for dataset in map(_read, files) if dataset is not None]
    if not found:
        raise RecipeError(f"{path} holds no DICOM image")
    series = {str(dataset.get("SeriesInstanceUID", "")) for dataset in found}
    if len(series) > 1:
        raise RecipeError(f"{path} holds {len(series)} series; keep one in a folder: {', '.join(sorted(series))}")
    for dataset in found:
        _check(dataset, path)
    across = _orientation(found[0])
    normal = np.cross(across[0], across[1])
    found.sort(key=lambda dataset: float(normal @ _position(dataset)))
    shapes = {(int(d.Rows), int(d.Columns), tuple(map(float, d.PixelSpacing))) for d in found}
    if len(shapes) > 1 or any(np.abs(_orientation(d) - across).max() > 1e-4 for d in found):
        raise ShapeError(f"slices of {path} differ in shape, spacing or orientation")
    step = _step(found, normal, thickness_mm, path)
    row_spacing, column_spacing = (float(s) for s in found[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = row_spacing * across[1]  # a row further down lies along the column direction
    affine[:3, 2] = column_spacing * across[0]
    affine[:3, 3] = _position(found[0])
    return on_patient_axes(np.stack([_hounsfield(d, path) for d in found]), affine, str(path))


def _read(path: Path) -> pydicom.Dataset | None:
    try:
        dataset = pydicom.dcmread(path)
    except InvalidDicomError:
        return None
    return dataset if "PixelData" in dataset else None


def _check(dataset: pydicom.Dataset, path: Path) -> None:
    if dataset.get("Modality") != "CT":
        raise RecipeError(f"{path} is of modality {dataset.get('Modality')!r}, not 'CT'")
    if int(dataset.get("NumberOfFrames", 1)) > 1 or int(dataset.get("SamplesPerPixel", 1)) > 1:
        raise ShapeError(f"{path} has several frames or colours in a file; slices of one grey image are read")
    for name in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        if dataset.get(name) is None:
            raise RecipeError(f"{path} does not state its {name}; without it a slice has no place or no HU")

    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        raise UnitError(f"{path} has RescaleSlope {slope:g} and RescaleIntercept {intercept:g}: no CT numbers follow")
    kind = dataset.get("RescaleType")
    if kind not in (None, "", "HU", "US"):  # US is unspecified
        raise RecipeError(f"{path} is in units of {kind!r}, not HU; export CT numbers")


def _orientation(dataset: pydicom.Dataset) -> Float64:
    return np.asarray(dataset.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)


def _position(dataset: pydicom.Dataset) -> Float64:
    return np.asarray(dataset.ImagePositionPatient, dtype=np.float64)


def _step(found: list[pydicom.Dataset], normal: Float64, thickness_mm: float | None, path: Path) -> Float64:
    """Return the way from one slice to the next [mm]."""
    if len(found) == 1:
        thickness = found[0].get("SliceThickness") or thickness_mm
        if not thickness or float(thickness) <= 0:
            raise RecipeError(f"{path} does not state its slice's thickness; say it in thickness_mm")
        return np.asarray(float(thickness) * normal)
    steps = np.diff([_position(dataset) for dataset in found], axis=0)
    mean = steps.mean(axis=0)
    if np.abs(steps - mean).max() > 0.01 * np.linalg.norm(mean):
        raise ShapeError(f"slices of {path} are not equally spaced: one is missing, or there are two at one place")
    return np.asarray(mean)


def _hounsfield(dataset: pydicom.Dataset, path: Path) -> npt.NDArray[np.float32]:
    try:
        stored = dataset.pixel_array
    except (RuntimeError, NotImplementedError, AttributeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise RecipeError(f"the pixels of {path} cannot be decoded: {reason}") from error
    return (stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)).astype(np.float32)
