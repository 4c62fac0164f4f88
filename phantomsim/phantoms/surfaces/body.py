"""Bodies made of numeric surfaces, which voxels can be filled from but no line has a closed form through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from phantomsim.phantoms.phantom import Body
from phantomsim.physics.array import Array, to_device, to_host
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.surfaces.surface import Surface
from phantomsim.physics.xray.geometry import Rays


@dataclass(frozen=True)
class SurfaceBody(Body):
    """Ordered surfaces of which a later one replaces what it covers; numbers are made on the host.

    Where two surfaces cut one voxel, the upper takes its fraction f and the rest keeps its shares of 1 − f: right where
    they are apart or one lies well inside the other, an estimate where they run side by side within a voxel.

    Parameters
    ----------
    surfaces
        From the lowest to the topmost.
    names
        What each is called.
    codes
        Material of each.
    on
        Grid on which a scanner that needs path lengths projects the body.
    """

    surfaces: tuple[Surface, ...]
    names: tuple[str, ...]
    codes: tuple[int, ...]
    on: Grid

    @property
    def exact(self) -> bool:
        """Numeric surfaces have no exact path lengths."""
        return False

    @property
    def grid(self) -> Grid | None:
        """Grid to project it on."""
        return self.on

    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x)."""
        values = np.zeros((n_materials, *grid.shape), np.float32)
        values[0] = 1
        for surface, material in zip(self.surfaces, self.codes, strict=True):
            share = surface.occupancy(grid)
            values *= 1 - share
            values[material] += share
        return to_device(values, device)

    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Refuse: lines through numeric surfaces are the projector's business."""
        raise ShapeError("a phantom of numeric surfaces has no exact path lengths; project its fractions")

    def materials(self, points: Array, device: str) -> Array:
        """Return the material (…), int32, at points (…, 3) [m]."""
        places = np.asarray(to_host(points), dtype=np.float64)
        result = np.zeros(places.shape[:-1], np.int32)
        for surface, material in zip(self.surfaces, self.codes, strict=True):
            result[surface.holds(places)] = material
        return to_device(result, device)

    def without(self, parts: Collection[str]) -> SurfaceBody:
        """Return the body without the surfaces of these names: what they covered appears."""
        kept = [i for i, name in enumerate(self.names) if name not in parts]
        return SurfaceBody(
            tuple(self.surfaces[i] for i in kept),
            tuple(self.names[i] for i in kept),
            tuple(self.codes[i] for i in kept),
            self.on,
        )


def working_grid(surfaces: Collection[Surface], spacing: float, margin: float) -> Grid:
    """Return a grid of cubic voxels about the origin, wide enough for the surfaces with a margin [m]."""
    reach = np.max([np.abs([s.lower, s.upper]).max(axis=0) for s in surfaces], axis=0) + margin
    z, y, x = (2 * int(np.ceil(r / spacing)) + 1 for r in reach)
    return Grid((z, y, x), (spacing,) * 3)
