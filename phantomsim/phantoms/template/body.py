"""The body of a template: probabilities as fractions, seen through a smooth map of space."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from phantomsim.phantoms.phantom import Body
from phantomsim.phantoms.template.maps import Maps
from phantomsim.physics.array import Array, to_device, to_host
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid, Triple
from phantomsim.physics.xray.geometry import Rays

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Warp:
    """A map from the patient to the template: plane waves of displacement, then an affine map.

    Parameters
    ----------
    matrix
        Linear part (3, 3), from patient (z, y, x) to template.
    origin
        Point of the template at the patient's origin (z, y, x) [m].
    waves
        Wave vectors (wave, 3) [rad/m].
    amplitudes
        Displacement (wave, 3) [m] of each wave.
    phases
        Phase of each (wave) [rad].
    """

    matrix: Float64
    origin: Triple
    waves: Float64
    amplitudes: Float64
    phases: Float64

    def __call__(self, points: Float64) -> Float64:
        """Return the template's points (n, 3) at the patient's (n, 3) [m]."""
        moved = points + np.sin(points @ self.waves.T + self.phases) @ self.amplitudes
        return np.asarray(moved @ self.matrix.T + np.asarray(self.origin))


@dataclass(frozen=True, eq=False)
class TemplateBody(Body):
    """Grey and white matter by their probabilities, and shells around them.

    Materials: 1 skin, 2 scalp, 3 skull, 4 cerebrospinal fluid, 5 grey, 6 white matter. What lies inside the skull and
    is neither grey nor white is fluid. A voxel's fractions are the mean over points in it, no further apart than two
    of the template's voxels: the maps are smooth over that.

    Parameters
    ----------
    maps
        The template.
    warp
        From the patient to the template.
    shells
        Distances from the closed outline of the brain at which skull, scalp, skin and air begin, in the template [m].
    on
        Grid on which a scanner projects the body.
    """

    maps: Maps
    warp: Warp
    shells: tuple[float, float, float, float]
    on: Grid

    @property
    def exact(self) -> bool:
        """Probabilities have no exact path lengths."""
        return False

    @property
    def grid(self) -> Grid | None:
        """Grid to project it on."""
        return self.on

    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x)."""
        values = np.zeros((n_materials, *grid.shape), np.float32)
        fine = [ceil(s / (2 * self.maps.on.spacing[0]) - 1e-9) for s in grid.spacing]
        offsets = [(np.arange(n) + 0.5) / n - 0.5 for n in fine]
        for z in range(grid.shape[0]):
            for shift in np.stack(np.meshgrid(*offsets, indexing="ij"), axis=-1).reshape(-1, 3):
                centres = [grid.coordinates(axis) + shift[axis] * grid.spacing[axis] for axis in range(3)]
                centres[0] = centres[0][z : z + 1]
                points = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1).reshape(-1, 3)
                for material, share in enumerate(self._shares(points), 1):
                    values[material, z] += share.reshape(grid.shape[1:])
        values[1:] /= np.prod(fine)
        values[0] = np.maximum(1 - values[1:].sum(axis=0), 0)
        return to_device(values, device)

    def _shares(self, points: Float64) -> Iterator[Float64]:
        """Yield the fraction of each material but the background at points (n, 3) [m]."""
        places = self.warp(points)
        away = _sample(self.maps.distance, self.maps.wide, places, "nearest")
        base, step = self.maps.wide.lower[0], self.maps.on.spacing[0]
        near = np.flatnonzero(away < self.shells[-1] + step)
        grey, white = np.zeros(len(points)), np.zeros(len(points))
        grey[near] = _sample(self.maps.grey, self.maps.on, places[near], "constant")
        white[near] = _sample(self.maps.white, self.maps.on, places[near], "constant")
        cut = np.clip(0.5 + (places[:, 0] - base) / step, 0, 1)  # the template's lowest plane
        matter = grey + white
        covers = [matter]
        for shell in self.shells:
            covers.append(np.maximum(covers[-1], cut * np.clip(0.5 - (away - shell) / step, 0, 1)))
        yield from (covers[i] - covers[i - 1] for i in (4, 3, 2, 1))
        yield grey
        yield white

    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Refuse: lines through probabilities are the projector's business."""
        raise ShapeError("a template has no exact path lengths; project its fractions")

    def materials(self, points: Array, device: str) -> Array:
        """Return the material (…), int32, of the largest fraction at points (…, 3) [m]."""
        places = np.asarray(to_host(points), dtype=np.float64)
        shares = np.stack(list(self._shares(places.reshape(-1, 3))))
        shares = np.concatenate([1 - shares.sum(axis=0, keepdims=True), shares])
        return to_device(shares.argmax(axis=0).astype(np.int32).reshape(places.shape[:-1]), device)

    def without(self, parts: Collection[str]) -> TemplateBody:
        """Return the body itself: it has no parts."""
        return self


def _sample(values: npt.NDArray[np.float32], on: Grid, places: Float64, mode: str) -> Float64:
    first = [on.coordinates(axis)[0] for axis in range(3)]
    index = (places - first) / np.asarray(on.spacing)
    return np.asarray(map_coordinates(values, index.T, np.float64, order=1, mode=mode))
