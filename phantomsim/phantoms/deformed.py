"""Bodies in motion: what a body that is not rigid looks like at one time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from phantomsim.phantoms.phantom import Body
from phantomsim.physics.array import Array, to_device, to_host
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.motion.motion import Motion
from phantomsim.physics.xray.geometry import Rays

SAMPLES: Final = (4, 4, 4)
"""Points in a voxel that holds a border, along (z, y, x)."""
CHUNK: Final = 1 << 18  # points asked at once
COMPRESSED: Final = 1e-3
"""By how much air may be pressed out of matter before it is an error: rounding, and no more."""

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DeformedBody(Body):
    """A body as a motion has deformed it: each point asks the body at rest where it came from.

    Air fills what a motion dilutes: a tissue keeps 1 / `dilution` of the volume it grew to, so that its mass stays.
    A body at rest answers by `materials`, so that a volume of mixtures gives the largest fraction at each point.

    Parameters
    ----------
    body
        The body at rest.
    motion, time
        How it moves, and when it is seen [s].
    air
        Material that fills diluted tissue.
    """

    body: Body
    motion: Motion
    time: float
    air: int

    @property
    def exact(self) -> bool:
        """Lines through a deformed body are curves through the body at rest: no exact lengths."""
        return False

    @property
    def grid(self) -> Grid | None:
        """Grid of the body at rest."""
        return self.body.grid

    def materials(self, points: Array, device: str) -> Array:
        """Return the material (…) of what is at the points (…, 3) [m]; air that dilutes it is not told of."""
        rest = self.motion.inverse(np.asarray(to_host(points), np.float64), self.time)
        return to_device(to_host(self.body.materials(rest, "cpu")), device)

    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x): one point a voxel, `SAMPLES` where a border may be near.

        The way back is exact at the corners of voxels, and between them interpolated.

        Raises
        ------
        ShapeError
            If the motion presses matter together that has nowhere to go.
        """
        values = np.zeros((n_materials, *grid.shape), np.float32)
        for begin, end in _slabs(grid):
            _fill(self, grid, begin, end, values[:, begin:end])
        return to_device(values, device)

    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Refuse: a deformed body's lines are the projector's business."""
        raise ShapeError("a deformed phantom has no exact path lengths; project its fractions")

    def without(self, parts: Collection[str]) -> DeformedBody:
        """Return the deformed body without the parts of these names."""
        return replace(self, body=self.body.without(parts))

    def origin(self, points: Float64) -> Float64:
        """Return where matter at points (…, 3) rests [m], and the share of the volume it has beside air: (…, 4)."""
        rest = self.motion.inverse(points, self.time)
        dilution = self.motion.dilution(rest, self.time)
        if dilution.min(initial=1) < 1 - COMPRESSED:
            raise ShapeError(
                f"at {self.time:g} s matter is pressed to {dilution.min():.3f} of its volume: the rest state must be "
                "the end of an exhalation, so that air comes in"
            )
        return np.concatenate([rest, 1 / np.maximum(dilution, 1)[..., None]], axis=-1)

    def resting(self, origin: Float64) -> npt.NDArray[np.int64]:
        """Return the material (…) of what has an `origin` (…, 4)."""
        return np.asarray(self.body.materials(np.ascontiguousarray(origin[..., :3]), "cpu"), np.int64)


def _slabs(grid: Grid) -> Iterator[tuple[int, int]]:
    step = max(1, CHUNK // (grid.shape[1] * grid.shape[2]))
    return ((begin, min(begin + step, grid.shape[0])) for begin in range(0, grid.shape[0], step))


def _fill(deformed: DeformedBody, grid: Grid, begin: int, end: int, values: npt.NDArray[np.float32]) -> None:
    """Write the fractions (material, z, y, x) of the planes from `begin` to `end`."""
    first, last = max(begin - 1, 0), min(end + 1, grid.shape[0])  # a border counts in the next voxel too
    edges = [low + d * np.arange(n + 1) for low, d, n in zip(grid.lower, grid.spacing, grid.shape, strict=True)]
    edges[0] = edges[0][first : last + 1]
    corners = deformed.origin(np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1))
    n = tuple(len(edge) - 1 for edge in edges)
    places = [tuple(slice(p, p + m) for p, m in zip(place, n, strict=True)) for place in product((0, 1), repeat=3)]
    around = [corners[place] for place in places]  # (z, y, x, 4) of each of the 8 corners
    middle = sum(around, np.zeros((*n, 4))) / 8
    at_corners, found = deformed.resting(corners), deformed.resting(middle)
    mixed = np.zeros(n, np.bool_)
    for place in places:
        mixed |= at_corners[place] != found
    own = slice(begin - first, end - first)
    mixed, found, share = binary_dilation(mixed)[own], found[own].ravel(), middle[own, ..., 3].ravel()
    flat = values.reshape(len(values), -1)
    plain, rough = np.flatnonzero(~mixed), np.flatnonzero(mixed)
    flat[found[plain], plain] = share[plain]
    flat[deformed.air, plain] += (1 - share[plain]).astype(np.float32)
    n_samples, weights = prod(SAMPLES), _corner_weights()
    for some in np.array_split(rough, -(-len(rough) * n_samples // CHUNK)) if len(rough) else ():
        nearby = np.stack([corner[own].reshape(-1, 4)[some] for corner in around], axis=1)
        origin = weights @ nearby  # (voxel, sample, 4)
        slot = deformed.resting(origin) * len(some) + np.arange(len(some))[:, None]
        total = np.bincount(slot.ravel(), origin[..., 3].ravel() / n_samples, len(values) * len(some))
        total = total.reshape(len(values), -1)
        total[deformed.air] += 1 - total.sum(axis=0)
        flat[:, some] = total


def _corner_weights() -> Float64:
    """Return the weight of each of a voxel's corners at each sample (sample, 8)."""
    z, y, x = (np.stack([1 - p, p], axis=-1) for p in ((np.arange(n) + 0.5) / n for n in SAMPLES))
    return np.asarray(np.einsum("ia,jb,kc->ijkabc", z, y, x)).reshape(prod(SAMPLES), 8)
