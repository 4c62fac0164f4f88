"""NIfTI volumes."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError

from phantomsim.formats.volume import Volume, on_patient_axes
from phantomsim.physics.errors import RecipeError

MILLIMETRES: Final = {"unknown": 1.0, "mm": 1.0, "meter": 1e3, "micron": 1e-3}


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI volume and turn it from the file's axes (RAS) onto the patient's (LPS).

    Trailing axes of length 1 are dropped; the header's scale factors are applied.

    Raises
    ------
    RecipeError
        If the file cannot be read as NIfTI.
    ShapeError
        If it has more than three axes, or is tilted against the patient's.
    UnitError
        If a value is not finite.
    """
    try:
        image = nibabel.load(path)
        values = np.asanyarray(image.dataobj)
    except (ImageFileError, OSError, EOFError, zlib.error) as error:
        raise RecipeError(f"{path} cannot be read as NIfTI: {error}") from error
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    affine[:3] *= MILLIMETRES[image.header.get_xyzt_units()[0]]
    return on_patient_axes(values, affine, str(path))
