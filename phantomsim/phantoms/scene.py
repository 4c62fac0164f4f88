"""Scenes: bodies made of shapes, with exact path lengths."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.phantom import Body, Phantom, Truths
from phantomsim.physics import inside, voxels
from phantomsim.physics.array import Array, to_device
from phantomsim.physics.grid import Grid
from phantomsim.physics.motion.motion import Motion
from phantomsim.physics.shape_images import transformed
from phantomsim.physics.shape_transforms import scene_transform
from phantomsim.physics.shapes import Shape, ShapeTable, additive, layered
from phantomsim.physics.xray import paths
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import Tissue


@dataclass(frozen=True)
class Part:
    """A shape of a tissue, and what it is called (`name` need not be unique: every vessel is ``"vessel"``)."""

    shape: Shape
    tissue: Tissue
    name: str


@dataclass(frozen=True)
class Scene(Body):
    """Ordered shapes under one of two rules: a later shape replaces what it covers, or codes add up.

    Parameters
    ----------
    shapes
        From the lowest to the topmost.
    names
        What each shape is called.
    codes
        Material of each shape; in a scene whose codes add up, the integer that each adds.
    sums
        Material of each sum of codes; None where a later shape replaces what it covers.
    """

    shapes: tuple[Shape, ...]
    names: tuple[str, ...]
    codes: tuple[int, ...]
    sums: Mapping[int, int] | None = field(default=None, hash=False)

    @property
    def exact(self) -> bool:
        """A scene has exact path lengths."""
        return True

    @property
    def grid(self) -> Grid | None:
        """A scene has no voxels."""
        return None

    def table(self, device: str) -> ShapeTable:
        """Return the shapes as kernels read them, on a device."""
        return self._table.to(device)

    @cached_property
    def _table(self) -> ShapeTable:
        if self.sums is None:
            return layered(self.shapes, self.codes)
        return additive(self.shapes, self.codes, self.sums)

    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x)."""
        return voxels.fractions(self.table(device), grid, n_materials)

    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Return exact lengths (…, material) [m]."""
        start, end = to_device(rays.start, device), to_device(rays.end, device)
        return paths.path_lengths(self.table(device), start, end, n_materials)

    def materials(self, points: Array, device: str) -> Array:
        """Return the material (…) at points (…, 3) [m], by the overlap rule."""
        return inside.materials(self.table(device), to_device(points, device))

    def transform(self, values: npt.NDArray[np.float64], k: Array) -> Array:
        """Return the exact Fourier transform of a property of each material (…), where it has a closed form."""
        return scene_transform(self.shapes, self.codes, values, k, sums=self.sums)

    def moved(self, matrix: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> Scene | None:
        """Return the scene of images of its shapes, if each is a shape again."""
        images = [transformed(shape, matrix, shift) for shape in self.shapes]
        return None if None in images else replace(self, shapes=tuple(image for image in images if image is not None))

    def without(self, parts: Collection[str]) -> Scene:
        """Return the scene without the shapes of these names: what they covered appears."""
        kept = [i for i, name in enumerate(self.names) if name not in parts]
        return Scene(
            tuple(self.shapes[i] for i in kept),
            tuple(self.names[i] for i in kept),
            tuple(self.codes[i] for i in kept),
            self.sums,
        )


def ended(parts: Sequence[Part], low: float, high: float) -> list[Part]:
    """Return parts cut off below z = `low` and above z = `high` [m], without those that lie beyond.

    A part that another replaces stays below it: the order is kept.
    """
    kept = []
    for part in parts:
        z, far = part.shape.centre[0], sum(part.shape.semi_axes) * (1 + part.shape.param)
        if low + far < z < high - far:  # most lie well within, and need no closer look
            kept.append(part)
            continue
        reach = part.shape.half_extent[0]
        if z + reach <= low or z - reach >= high:
            continue
        shape = part.shape
        if z - reach < low:
            shape = shape.clipped((-1.0, 0.0, 0.0), -low)
        if z + reach > high:
            shape = shape.clipped((1.0, 0.0, 0.0), high)
        kept.append(part if shape is part.shape else replace(part, shape=shape))
    return kept


def compose(
    background: Tissue,
    parts: Sequence[Part],
    *,
    names: Iterable[str] = (),
    truths: Truths | None = None,
    motion: Motion | None = None,
) -> Phantom:
    """Return the phantom of parts in which a later one replaces what it covers.

    Parameters
    ----------
    background
        What surrounds the object.
    parts
        From the lowest to the topmost.
    names
        Further names that `Phantom.without` accepts, of parts that this draw happens not to have.
    truths
        Tables of what was put in.
    motion
        How it moves; None for a body at rest.
    """
    tissues = {background.name: background} | {part.tissue.name: part.tissue for part in parts}
    index = {name: material for material, name in enumerate(tissues)}
    scene = Scene(
        tuple(part.shape for part in parts),
        tuple(part.name for part in parts),
        tuple(index[part.tissue.name] for part in parts),
    )
    known = frozenset(names) | {part.name for part in parts}
    return Phantom(tuple(tissues.values()), scene, known, truths if truths else {}, motion=motion)
