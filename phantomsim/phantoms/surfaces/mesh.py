"""Phantoms from triangle meshes, one file a tissue."""

from __future__ import annotations

from functools import lru_cache
from math import pi
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from phantomsim.formats.mesh import Axes, Unit, read_mesh
from phantomsim.formats.volume import locate
from phantomsim.phantoms.hosts import insert_lesions
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, PositiveRange, Range, between
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.surfaces.body import SurfaceBody, working_grid
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import turn
from phantomsim.physics.surfaces.triangles import Triangles
from phantomsim.spec import Spec
from phantomsim.tissues import get


class MeshFile(Spec):
    """A closed mesh, and the tissue inside it."""

    path: str = Field(description="STL, OBJ, PLY or OFF, from the working directory or the package's folder")
    tissue: str
    name: str | None = Field(default=None, description="what the part is called; its tissue without it")

    @field_validator("tissue")
    @classmethod
    def _check_tissue(cls, value: str) -> str:
        get(value)
        return value

    @property
    def part(self) -> str:
        """Name of the part."""
        return self.name or self.tissue


class MeshPhantom(PhantomSpec):
    """Closed triangle meshes, one file a tissue; a later one replaces what it covers.

    All files share one frame and one pose. Numeric: its lines have no closed form.
    """

    kind: Literal["mesh"]
    files: tuple[MeshFile, ...] = Field(min_length=1, description="from the outermost to the innermost")
    unit: Unit = Field(description="of the files' coordinates, which such files do not state")
    axes: Axes = Field(default="lps", description="lps: x to the left and y to the back; ras: to the right and front")
    package: str | None = Field(default=None, description="installed package that holds the files")
    background: str = Field(default="air", description="tissue around the meshes")
    centred: bool = Field(default=True, description="put the middle of the box around all meshes at the origin")
    scale: PositiveRange = Field(default=(1.0, 1.0), description="factor on all lengths")
    tilt_deg: Range = Field(default=(0.0, 0.0), description="turn about the axis to the left, nodding back")
    turn_deg: Range = Field(default=(0.0, 0.0), description="turn about the axis to the head")
    level_mm: Range = Field(default=(0.0, 0.0), description="height, scaled and turned, that lies at z = 0")
    shift_mm: float = Field(default=0.0, ge=0, le=1000, description="largest random shift along y and along x")
    lesions: Lesions = Field(default=Lesions())
    hosts: tuple[str, ...] = Field(default=(), description="tissues that may hold a lesion; without any, all of them")
    voxel_mm: float = Field(default=1.0, gt=0, le=50, description="voxels on which a scanner projects the meshes")

    @model_validator(mode="after")
    def _check(self) -> MeshPhantom:
        get(self.background)
        for name in ("scale", "tilt_deg", "turn_deg", "level_mm"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must be [smallest, largest], got [{low:g}, {high:g}]")
        if self.scale[0] < 0.01 or self.scale[1] > 100:
            raise ValueError(f"scale must lie within 0.01 to 100, got {list(self.scale)}; unit changes the unit")
        tissues = {file.tissue for file in self.files}
        if strange := sorted(set(self.hosts) - tissues):
            raise ValueError(f"hosts name {', '.join(strange)}, which no file is of; files are of {sorted(tissues)}")
        return self

    def generate(self, key: Key) -> Phantom:
        """Read the files and pose them.

        Raises
        ------
        RecipeError
            If a file is missing or unreadable, or a lesion finds no place.
        ShapeError
            If a mesh is not closed and evenly oriented, naming its file.
        UnitError
            If a mesh is of no size that a body has in `unit`.
        """
        scale = between(key.fold("scale"), self.scale)
        tilt, turned = (between(key.fold(name), getattr(self, f"{name}_deg")) for name in ("tilt", "turn"))
        level = between(key.fold("level"), self.level_mm)
        y, x = (between(key.fold("shift", axis), (-self.shift_mm, self.shift_mm)) for axis in ("y", "x"))
        paths = [locate(file.path, self.package) for file in self.files]
        read = [_closed(path, path.stat().st_mtime_ns, self.unit, self.axes) for path in paths]
        box = np.array([np.min([m.lower for m in read], axis=0), np.max([m.upper for m in read], axis=0)])
        centre = box.mean(axis=0) if self.centred else np.zeros(3)
        pose = scale * np.asarray(turn("z", turned * pi / 180)) @ np.asarray(turn("x", -tilt * pi / 180))
        shift = 1e-3 * np.array([-level, y, x])
        meshes = tuple(_posed(mesh, pose, centre, shift) for mesh in read)
        tissues = list(dict.fromkeys([self.background, *(file.tissue for file in self.files)]))
        codes = tuple(tissues.index(file.tissue) for file in self.files)
        names = tuple(file.part for file in self.files)
        on = working_grid(meshes, 1e-3 * self.voxel_mm, 2e-3 * self.voxel_mm)
        pose_row = {"scale": scale, "tilt_deg": tilt, "turn_deg": turned, "level_mm": level, "shift_mm": [y, x]}
        rows = tuple(
            {"part": file.part, "path": file.path, "tissue": file.tissue, "volume_mm3": 1e9 * mesh.volume} | pose_row
            for file, mesh in zip(self.files, meshes, strict=True)
        )
        body = SurfaceBody(meshes, names, codes, on)
        phantom = Phantom(tuple(get(name) for name in tissues), body, frozenset(names), {"anatomy": rows})
        regions: dict[str, npt.NDArray[np.bool_]] = {}
        if self.lesions.count:
            whole = phantom.fractions(on).values > 0.999
            regions = {name: whole[tissues.index(name)] for name in self.hosts or tissues[1:]}
        return insert_lesions(phantom, self.lesions, regions, on, key)


@lru_cache(maxsize=16)
def _closed(path: Path, modified: int, unit: Unit, axes: Axes) -> Triangles:
    mesh = read_mesh(path, unit, axes)
    try:
        return Triangles(mesh.vertices, mesh.faces)
    except ShapeError as error:
        raise ShapeError(f"{path}: {error}") from error


def _posed(
    mesh: Triangles, pose: npt.NDArray[np.float64], centre: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]
) -> Triangles:
    return Triangles((mesh.vertices - centre) @ pose.T + shift, mesh.faces)
