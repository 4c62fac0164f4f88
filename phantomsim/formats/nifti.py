"""NIfTI volumes."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from phantomsim.formats.volume import Volume, on_patient_axes
from phantomsim.physics.errors import RecipeError

MILLIMETRES: Final = {"unknown": 1.0, "mm": 1.0, "meter": 1e3, "micron": 1e-3}


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI volume and turn it from the file's axes (RAS) onto the patient's (LPS).

    Trailing axes of length 1 are dropped; the header's scale factors are applied.

    Raises
    ------
    RecipeError
        If the file cannot be read as NIfTI, or does not state how it lies in the patient.
    ShapeError
        If it has more than three axes, or is tilted against the patient's.
    UnitError
        If a value is not finite or no number, or voxels are of no size that is meant.
    """
    try:
        image = nibabel.load(path)
        values = np.asanyarray(image.dataobj)
    except (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error) as error:
        raise RecipeError(f"{path} cannot be read as NIfTI: {error}") from error
    if not isinstance(image, nibabel.Nifti1Pair):
        raise RecipeError(f"{path} is {type(image).__name__}, not NIfTI; convert it, for example with nibabel.save")
    if not int(image.header["sform_code"]) and not int(image.header["qform_code"]):
        raise RecipeError(
            f"{path} does not state its axes (sform_code and qform_code are 0): which side is left is unknown; "
            "set them where it is known, as by nibabel's image.set_sform(affine, code=1)"
        )
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    affine[:3] *= MILLIMETRES[image.header.get_xyzt_units()[0]]
    return on_patient_axes(values, affine, str(path))
