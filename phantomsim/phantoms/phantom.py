"""What is scanned: a body of tissues, and the truth about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.contrast import Enhancement
from phantomsim.physics.array import Array, namespace, parse_device
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.motion.motion import Motion
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import Tissue

Truths = Mapping[str, tuple[dict[str, Any], ...]]


class Body(ABC):
    """Where each material is; a material is an index into the phantom's tissues, 0 the background."""

    @property
    @abstractmethod
    def exact(self) -> bool:
        """Whether `path_lengths` exist; otherwise a scanner projects `fractions` on a grid of its choice."""

    @property
    @abstractmethod
    def grid(self) -> Grid | None:
        """Grid that the body was given on; None for one that has no voxels."""

    @abstractmethod
    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x) float32, sum 1, on a device."""

    @abstractmethod
    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Return lengths (…, material) [m] float32 on a device, 0 for the background."""

    @abstractmethod
    def materials(self, points: Array, device: str) -> Array:
        """Return the material (…), int32, at points (…, 3), (z, y, x) [m], on a device."""

    def transform(self, values: npt.NDArray[np.float64], k: Array) -> Array:
        """Return the Fourier transform of a property of each material (material), as `Phantom.transform` does."""
        raise ShapeError(f"a {type(self).__name__} has no exact Fourier transform; transform a map of it on a grid")

    def moved(self, matrix: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> Body | None:
        """Return the exact image under ``now = matrix · rest + shift``; None for a body that has none of its kind."""
        return None

    @abstractmethod
    def without(self, parts: Collection[str]) -> Body:
        """Return the body without the parts of these names."""


@dataclass(frozen=True)
class Fractions:
    """Volume fractions (material, z, y, x) of `tissues` in the voxels of a grid, float32, sum 1."""

    values: Array
    tissues: tuple[Tissue, ...]


@dataclass(frozen=True)
class Phantom:
    """A body of tissues, and the truth about it.

    Parameters
    ----------
    tissues
        Tissue of each material; 0 is the background, which surrounds the object and fills the air scan.
    body
        Where each material is.
    parts
        Names that `without` understands, whether or not this draw of the phantom has such parts.
    truths
        Tables of what was put in, each row with its ``"part"``: plain numbers and names, lengths in mm.
    device
        Where arrays are made: ``"cpu"`` or ``"cuda:n"``.
    subject
        Whose body it is, where several phantoms come from one; None: this phantom is its own subject.
    motion
        How it moves; None for a phantom at rest. All else describes it at rest: `at` shows it at a time.
    enhancement
        What an injection makes of its tissues at each time; None without one. `tissues` are those before it.

    Raises
    ------
    ShapeError
        If two tissues have one name.
    """

    tissues: tuple[Tissue, ...]
    body: Body
    parts: frozenset[str] = frozenset()
    truths: Truths = field(default_factory=dict, hash=False)
    device: str = "cpu"
    subject: str | None = None
    motion: Motion | None = None
    enhancement: Enhancement | None = None

    def __post_init__(self) -> None:
        names = [tissue.name for tissue in self.tissues]
        if len(set(names)) != len(names) or not names:
            raise ShapeError(f"a phantom needs tissues of different names, the background first, got {names}")

    @property
    def exact(self) -> bool:
        """Whether `path_lengths` exist."""
        return self.body.exact

    def fractions(self, grid: Grid) -> Fractions:
        """Return the volume fraction of each tissue in each voxel; memory is that of the result."""
        return Fractions(self.body.fractions(grid, len(self.tissues), self.device), self.tissues)

    def labels(self, grid: Grid) -> Array:
        """Return the material that fills most of each voxel (z, y, x): uint8, or uint16 for more than 256 tissues."""
        values = self.fractions(grid).values
        return values.argmax(axis=0).astype(np.uint8 if len(self.tissues) <= 256 else np.uint16)

    def map(self, prop: str | Callable[[Tissue], float], grid: Grid) -> Array:
        """Return the volume-weighted mean of a tissue property in each voxel.

        Parameters
        ----------
        prop
            A function of a tissue, or the path of a property such as ``"density"`` or ``"acoustic.sound_speed"``.
        grid
            Voxels to fill.

        Returns
        -------
            Mean property (z, y, x), float32, in the property's unit.

        Raises
        ------
        RecipeError
            If a tissue of the phantom does not know the property.
        """
        values = [self._property(prop, tissue) for tissue in self.tissues]
        fractions = self.fractions(grid).values
        xp = namespace(fractions)
        result = xp.zeros(grid.shape, dtype=xp.float32)
        for value, fraction in zip(values, fractions, strict=True):
            result += xp.float32(value) * fraction
        return result

    @staticmethod
    def _property(prop: str | Callable[[Tissue], float], tissue: Tissue) -> float:
        if callable(prop):
            return prop(tissue)
        try:
            return float(attrgetter(prop)(tissue))
        except (AttributeError, TypeError) as error:
            raise RecipeError(f"tissue {tissue.name!r} has no number {prop!r}") from error

    def path_lengths(self, rays: Rays) -> Array:
        """Return how far each ray runs in each tissue.

        Returns
        -------
            Lengths (…, material) [m], float32. The background's column is 0: what surrounds the object fills the air
            scan too, so that a scanner compares the others with it.

        Raises
        ------
        ShapeError
            If the phantom was made from a volume, see `exact`.
        """
        return self.body.path_lengths(rays, len(self.tissues), self.device)

    def transform(self, prop: str | Callable[[Tissue], float], k: Array) -> Array:
        """Return the exact Fourier transform of a tissue property, less that of the background.

        Parameters
        ----------
        prop
            As for `map`.
        k
            Spatial frequencies (…, 3), (z, y, x) [cycles/m].

        Returns
        -------
            ∫ (p(r) − p(background)) exp(−2πi k·r) d³r (…), complex128, in the property's unit times m³.

        Raises
        ------
        RecipeError
            If a tissue of the phantom does not know the property.
        ShapeError
            If the body has no closed form: it is no scene, shapes overlap partly, or one is a cone, capsule or cut.
        """
        values = np.array([self._property(prop, tissue) for tissue in self.tissues])
        return self.body.transform(values, k)

    def materials(self, points: Array) -> Array:
        """Return the material at each point, an index into `tissues`.

        Parameters
        ----------
        points
            Positions (…, 3), (z, y, x) [m].

        Returns
        -------
            Materials (…), int32. A scene answers exactly; a label volume by the voxel that holds the point; a volume of
            mixtures by the largest fraction there, while the truth about it is its `fractions`.
        """
        return self.body.materials(points, self.device)

    def without(self, parts: Collection[str]) -> Phantom:
        """Return the phantom without some of its parts, all else the same.

        Raises
        ------
        RecipeError
            If it can never have a part of such a name.
        """
        for part in parts:
            if part not in self.parts:
                near = get_close_matches(part, self.parts, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(self.parts)) or 'none'}"
                raise RecipeError(f"the phantom has no part {part!r}; {hint}")
        left = {name: tuple(row for row in rows if row.get("part") not in parts) for name, rows in self.truths.items()}
        return replace(self, body=self.body.without(parts), truths=left)

    def still(self) -> Phantom:
        """Return the phantom at rest, as it was drawn, and as it was before any injection."""
        return replace(self, motion=None, enhancement=None)

    def enhanced(self, time: float) -> Phantom:
        """Return the phantom with its tissues as the injection has made them at a time [s], and no further change."""
        if self.enhancement is None:
            return self
        tissues = tuple(self.enhancement.tissue(tissue, time) for tissue in self.tissues)
        return replace(self, tissues=tissues, enhancement=None)

    def at(self, time: float) -> Phantom:
        """Return the phantom as it is at a time [s], at rest from then on: moved, and its tissues enhanced.

        A scene stays a scene, and exact, under a rigid or affine motion that keeps volumes, where the image of each
        shape is a shape again; otherwise the body is a `phantomsim.phantoms.deformed.DeformedBody`. Centres in the
        tables of truths move along.
        """
        if self.enhancement is not None:
            return self.enhanced(time).at(time)
        if self.motion is None:
            return self
        from phantomsim.phantoms.deformed import COMPRESSED, DeformedBody

        affine, body = self.motion.affine(time), None
        if affine is not None and abs(np.linalg.det(affine[0]) - 1) <= COMPRESSED:
            body = self.body.moved(*affine)
        if body is None:
            names = [tissue.name for tissue in self.tissues]
            body = DeformedBody(self.body, self.motion, time, names.index("air") if "air" in names else 0)
        truths = {name: tuple(self._moved(row, time) for row in rows) for name, rows in self.truths.items()}
        return replace(self, body=body, truths=truths, motion=None)

    def _moved(self, row: dict[str, Any], time: float) -> dict[str, Any]:
        if self.motion is None or "centre_mm" not in row:
            return row
        rest = 1e-3 * np.asarray(row["centre_mm"], np.float64)
        return {**row, "centre_mm": [float(c) for c in 1e3 * (rest + self.motion.displacement(rest, time))]}

    def displacement(self, grid: Grid, time: float) -> npt.NDArray[np.float32]:
        """Return how far what rests in the middle of each voxel is from there at a time.

        Returns
        -------
            Displacement (3, z, y, x) [m], its first axis along (z, y, x), on the host; 0 for a phantom at rest.
        """
        if self.motion is None:
            return np.zeros((3, *grid.shape), np.float32)
        places = np.stack(np.meshgrid(*(grid.coordinates(axis) for axis in range(3)), indexing="ij"), axis=-1)
        moved = self.motion.displacement(places, time)
        return np.ascontiguousarray(np.moveaxis(moved, -1, 0), np.float32)

    def to(self, device: str) -> Phantom:
        """Return the phantom with its arrays made on another device.

        Raises
        ------
        DeviceError
            If the text names no device.
        """
        parse_device(device)
        return replace(self, device=device)
