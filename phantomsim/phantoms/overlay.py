"""A body on top of another: inserts in a volume, a scene around an organ."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from phantomsim.phantoms.phantom import Body, Phantom
from phantomsim.phantoms.scene import Part, Scene
from phantomsim.physics.array import Array, device_namespace
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.geometry import Rays


@dataclass(frozen=True)
class Overlay(Body):
    """A body that covers another one; where the upper has its background, the lower shows.

    In a voxel that the upper fills by a fraction f, the lower's materials share the rest, 1 − f, as they would share
    the whole voxel: borders of the two that meet in one voxel are taken as independent.

    Parameters
    ----------
    below, above
        The two bodies.
    materials_above
        Material in this body of each of the upper's, from its material 1 on.
    """

    below: Body
    above: Body
    materials_above: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """Lines through two bodies are not composed."""
        return False

    @property
    def grid(self) -> Grid | None:
        """Grid of the lower body, or of the upper one if that has none."""
        return self.below.grid or self.above.grid

    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x)."""
        upper = self.above.fractions(grid, len(self.materials_above) + 1, device)
        values = self.below.fractions(grid, n_materials, device)
        values *= upper[0]
        for material, fraction in zip(self.materials_above, upper[1:], strict=True):
            values[material] += fraction
        return values

    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Refuse: lines through both bodies are the projector's business."""
        raise ShapeError("a body on top of another has no exact path lengths; project its fractions")

    def materials(self, points: Array, device: str) -> Array:
        """Return the material (…), int32, at points (…, 3) [m]: the upper's where it has one."""
        xp = device_namespace(device)
        upper = self.above.materials(points, device)
        renamed = xp.asarray([0, *self.materials_above], dtype=xp.int32)[upper]
        return xp.where(upper > 0, renamed, self.below.materials(points, device))

    def without(self, parts: Collection[str]) -> Overlay:
        """Return both bodies without the parts of these names."""
        return replace(self, below=self.below.without(parts), above=self.above.without(parts))


def covered(phantom: Phantom, parts: Sequence[Part]) -> Phantom:
    """Return a phantom with parts on top of its body, whatever that is; a later part replaces what it covers."""
    if not parts:
        return phantom
    tissues = {tissue.name: tissue for tissue in phantom.tissues} | {p.tissue.name: p.tissue for p in parts}
    index = {name: material for material, name in enumerate(tissues)}
    used = list(dict.fromkeys(part.tissue.name for part in parts))
    scene = Scene(
        tuple(part.shape for part in parts),
        tuple(part.name for part in parts),
        tuple(1 + used.index(part.tissue.name) for part in parts),
    )
    return replace(
        phantom,
        tissues=tuple(tissues.values()),
        body=Overlay(phantom.body, scene, tuple(index[name] for name in used)),
        parts=phantom.parts | {part.name for part in parts},
    )
