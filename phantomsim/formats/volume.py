"""Volumes from files: found on disk or inside an installed package, and turned onto patient axes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import RecipeError, ShapeError, UnitError
from phantomsim.physics.grid import Grid

MOST_TILT: Final = 1e-3
"""Sine of the angle by which a file's axes may differ from the patient's."""
SPACINGS: Final = (1e-6, 0.1)
"""Smallest and largest edge of a voxel that can be meant [m]."""


@dataclass(frozen=True, eq=False)
class Volume:
    """Values (z, y, x) and the grid that they stand on, in patient coordinates (LPS)."""

    values: npt.NDArray[Any]
    grid: Grid


def locate(path: str, package: str | None = None) -> Path:
    """Return the path of an input, which may lie inside an installed package.

    Parameters
    ----------
    path
        File or folder, relative to the working directory, or to the package's folder.
    package
        Top-level name of an installed package (``"data_store"`` of the distribution pydicom-data); it is not imported.

    Raises
    ------
    RecipeError
        If the package or the file is not there.
    """
    if package is None:
        found = Path(path).expanduser()
        if not found.exists():
            raise RecipeError(f"no file or folder {path!r} (looked in {Path.cwd()})")
        return found
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise RecipeError(f"package {package!r} is not installed; {path!r} was to be read from it")
    for folder in spec.submodule_search_locations:
        if (Path(folder) / path).exists():
            return Path(folder) / path
    raise RecipeError(f"package {package!r} has no file or folder {path!r}")


def on_patient_axes(values: npt.NDArray[Any], affine: npt.NDArray[np.float64], name: str) -> Volume:
    """Permute and flip the axes of an array so that they run along patient z, y and x.

    Parameters
    ----------
    values
        Array of three axes, in the file's order.
    affine
        Map (4, 4) from its indices to patient coordinates (x, y, z), LPS [mm].
    name
        What messages call the volume.

    Raises
    ------
    ShapeError
        If there are not three axes, or they are tilted against the patient's.
    UnitError
        If a value is not finite or no number, or voxels are of no size that is meant.
    """
    if values.ndim != 3 or not values.size:
        kind = " (a time series, or several maps)" if values.ndim == 4 else ""
        raise ShapeError(f"{name} has {values.ndim} axes {values.shape}{kind}; a volume has three: select one first")
    if values.dtype.kind not in "biuf":
        raise UnitError(f"{name} holds {values.dtype} values (colours or complex numbers); save one number a voxel")
    if not np.isfinite(values).all():
        raise UnitError(f"{name} has {np.count_nonzero(~np.isfinite(values))} values that are not finite (NaN)")
    columns = affine[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    if not (np.isfinite(affine).all() and (spacing > 0).all()):
        raise ShapeError(f"{name} has an affine without an inverse: {affine.tolist()}")
    if not (SPACINGS[0] <= 1e-3 * spacing.min() and 1e-3 * spacing.max() <= SPACINGS[1]):
        size = " x ".join(f"{s:.4g}" for s in spacing)
        raise UnitError(
            f"{name} has voxels of {size} mm, beyond 1 um to 0.1 m: is the unit of lengths in its header right?"
        )
    direction = columns / spacing
    patient_axis = np.abs(direction).argmax(axis=0)  # x, y, z of each array axis
    tilt = np.sqrt(1 - np.minimum(np.abs(direction).max(axis=0), 1) ** 2).max()
    if len(set(patient_axis)) < 3 or tilt > MOST_TILT:
        raise ShapeError(
            f"{name} is tilted by {np.degrees(np.arcsin(min(tilt, 1))):.1f} degrees against the patient's axes; "
            "resample it onto them first"
        )
    order = [int(np.flatnonzero(patient_axis == axis)[0]) for axis in (2, 1, 0)]
    backwards = [direction[axis, index] < 0 for axis, index in zip((2, 1, 0), order, strict=True)]
    middle = affine[:3] @ [*(np.asarray(values.shape) - 1) / 2, 1.0]
    turned = values.transpose(order)[tuple(slice(None, None, -1 if b else 1) for b in backwards)]
    depth, height, width = turned.shape
    dz, dy, dx = (1e-3 * float(spacing[index]) for index in order)
    x, y, z = (1e-3 * float(c) for c in middle)
    return Volume(np.ascontiguousarray(turned), Grid((depth, height, width), (dz, dy, dx), (z, y, x)))
