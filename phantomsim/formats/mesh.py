"""Triangle meshes in STL, OBJ, PLY or OFF files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import trimesh

from phantomsim.physics.errors import RecipeError, ShapeError, UnitError

Unit = Literal["um", "mm", "cm", "m"]
Axes = Literal["lps", "ras"]

METRES: Final[dict[Unit, float]] = {"um": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0}
SIZES: Final = (1e-4, 3.0)
"""Smallest and largest edge of the box around a mesh that can be meant [m]."""
FORMATS: Final = (".stl", ".obj", ".ply", ".off")


@dataclass(frozen=True, eq=False)
class Mesh:
    """Vertices (vertex, 3), (z, y, x) in patient coordinates (LPS) [m], and the three of each face (face, 3)."""

    vertices: npt.NDArray[np.float64]
    faces: npt.NDArray[np.int64]


def read_mesh(path: Path, unit: Unit, axes: Axes = "lps") -> Mesh:
    """Read a mesh; vertices in one place are joined, and triangles with two corners in one place dropped.

    Parameters
    ----------
    path
        STL, OBJ, PLY or OFF file; the parts of one that holds several are read together.
    unit
        Unit of the coordinates: such files do not state it.
    axes
        Whether the file's x and y run to the patient's left and back (``"lps"``) or right and front (``"ras"``).

    Raises
    ------
    RecipeError
        If the file is of another kind or cannot be read.
    ShapeError
        If it holds no triangles.
    UnitError
        If a coordinate is not finite, or the mesh is of no size that a body has in this unit.
    """
    if path.suffix.lower() not in FORMATS:
        raise RecipeError(f"{path} is none of {', '.join(FORMATS)}; convert it to one of them")
    try:
        read = trimesh.load_mesh(path)
        read.merge_vertices(merge_tex=True, merge_norm=True)
        points, faces = np.asarray(read.vertices, np.float64), np.asarray(read.faces, np.int64)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OSError) as error:
        raise RecipeError(f"{path} cannot be read as a mesh: {error}") from error
    if not len(faces):
        raise ShapeError(f"{path} holds no triangles (points and lines enclose nothing); export its surface")
    if not np.isfinite(points).all():
        raise UnitError(f"{path} has {np.count_nonzero(~np.isfinite(points))} coordinates that are not finite (NaN)")
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    size = float(np.ptp(points[faces], axis=(0, 1)).max()) if len(faces) else 0.0
    if not SIZES[0] <= METRES[unit] * size <= SIZES[1]:
        fits = [name for name, factor in METRES.items() if SIZES[0] <= factor * size <= SIZES[1]]
        raise UnitError(
            f"{path} measures {size:.4g} {unit}; a body is 0.1 mm to 3 m wide. Its file does not state the unit: "
            f"say it in unit ({' or '.join(fits) or 'none'} would fit)"
        )
    signs = (1.0, -1.0, -1.0) if axes == "ras" else (1.0, 1.0, 1.0)
    return Mesh(METRES[unit] * points[:, ::-1] * signs, faces)
