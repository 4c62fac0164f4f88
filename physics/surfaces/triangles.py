"""Bodies inside a closed mesh of triangles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid, Triple
from phantomsim.physics.surfaces.surface import Float64, Surface

Int64 = npt.NDArray[np.int64]

LINES: Final = 8
"""Lines across a voxel along z and along y."""
CANDIDATES: Final = 1 << 20
"""Pairs of a triangle and a line that are looked at together: some 100 MB."""
PLANES: Final = 1 << 22
"""Voxels of a slab that is filled at once."""


@dataclass(frozen=True, eq=False)
class Triangles(Surface):
    """The body that a closed, evenly oriented mesh encloses.

    Parameters
    ----------
    vertices
        Corners (vertex, 3), (z, y, x) [m].
    faces
        Vertices of each triangle (face, 3), counter-clockwise seen from outside in a right-handed frame (x, y, z). A
        mesh that is inside out as a whole is turned.

    Raises
    ------
    ShapeError
        If an edge does not join two triangles that run along it in opposite senses: the mesh has a hole, a fin, or
        faces turned against their neighbours; or if it encloses no volume.
    UnitError
        If a vertex is not finite.
    """

    vertices: Float64
    faces: Int64

    def __post_init__(self) -> None:
        if self.vertices.ndim != 2 or self.vertices.shape[1:] != (3,) or self.faces.shape[1:] != (3,):
            raise ShapeError(f"a mesh needs vertices (n, 3) and faces (m, 3), got {self.vertices.shape}")
        if not len(self.faces):
            raise ShapeError("a mesh needs triangles, and has none")
        if not np.isfinite(self.vertices).all():
            raise UnitError("vertices of a mesh must be finite [m]")
        if self.faces.min() < 0 or self.faces.max() >= len(self.vertices):
            raise ShapeError(f"faces name vertices 0 to {len(self.vertices) - 1}, got up to {self.faces.max()}")
        self._check_edges()
        extent = float(np.prod(np.subtract(self.upper, self.lower)))
        if abs(self._signed_volume) <= 1e-9 * extent:
            raise ShapeError("the mesh encloses no volume")

    def _check_edges(self) -> None:
        edges = self.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        low, high = edges.min(axis=1), edges.max(axis=1)
        _, index, count = np.unique(low * len(self.vertices) + high, return_inverse=True, return_counts=True)
        if (low == high).any():
            raise ShapeError(f"{np.count_nonzero(low == high)} triangles of the mesh have two corners in one place")
        if wrong := np.count_nonzero(count != 2):
            raise ShapeError(
                f"the mesh is not watertight: {wrong} of {len(count)} edges do not join exactly two triangles; "
                "close its holes and take away inner walls first (trimesh.repair.fill_holes, or the program it is from)"
            )
        balance = np.bincount(index, weights=np.where(edges[:, 0] == low, 1, -1))
        if wrong := np.count_nonzero(balance):
            raise ShapeError(
                f"the triangles of the mesh are not oriented alike: along {wrong} of {len(count)} edges two run the "
                "same way; turn them first (trimesh.repair.fix_normals)"
            )

    @cached_property
    def _signed_volume(self) -> float:
        a, b, c = (self.vertices[self.faces[:, i]] - self.vertices.mean(axis=0) for i in range(3))
        return -float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6  # minus: (z, y, x) is left-handed

    @property
    def volume(self) -> float:
        """Volume, by the divergence theorem [m³]."""
        return abs(self._signed_volume)

    @property
    def lower(self) -> Triple:
        """Corner of the smallest box around the mesh (z, y, x) [m]."""
        z, y, x = (float(c) for c in self.vertices[self.faces].min(axis=(0, 1)))
        return (z, y, x)

    @property
    def upper(self) -> Triple:
        """Opposite corner (z, y, x) [m]."""
        z, y, x = (float(c) for c in self.vertices[self.faces].max(axis=(0, 1)))
        return (z, y, x)

    def occupancy(self, grid: Grid, n_lines: int = LINES) -> npt.NDArray[np.float32]:
        """Return the fraction of each voxel (z, y, x) that lies inside.

        Along each of ``n_lines`` × ``n_lines`` lines through a voxel, parallel to x, it is exact. A line adds 1 to the
        number of shells around it where it enters through a triangle and takes 1 away where it leaves, so that the
        fraction is a running sum of what crossings leave in the voxels they lie in; no line needs sorting. A point
        covered twice, by a mesh that meets itself, counts as covered. The error of a volume falls as 1 / n_lines² for a
        curved surface; a face square to z or y may be off by half the distance of two lines.
        """
        values = np.zeros(grid.shape, np.float32)
        n_z, n_y, n_x = grid.shape
        depth = max(1, PLANES // (n_y * n_x))
        z_low, z_high = (f(self.vertices[self.faces][..., 0], axis=1) for f in (np.min, np.max))
        for begin in range(0, n_z, depth):
            end = min(begin + depth, n_z)
            low, high = (grid.lower[0] + n * grid.spacing[0] for n in (begin, end))
            chosen = np.flatnonzero((z_high >= low) & (z_low <= high))
            if len(chosen):
                values[begin:end] = self._slab(chosen, grid, begin, end, n_lines)
        return values

    def _slab(self, chosen: Int64, grid: Grid, begin: int, end: int, n: int) -> Float64:
        _, n_y, n_x = grid.shape
        steps = np.zeros((end - begin) * n_y * (n_x + 2))
        corner = (grid.lower[0] + begin * grid.spacing[0], grid.lower[1])
        spacing = (grid.spacing[0] / n, grid.spacing[1] / n)
        for row, column, x, sign in self._crossings(chosen, corner, spacing, ((end - begin) * n, n_y * n)):
            place = np.clip((x - grid.lower[2]) / grid.spacing[2], 0, n_x)
            first = place.astype(np.int64)
            share = (place - first) * sign
            index = (row // n * n_y + column // n) * (n_x + 2) + first
            steps += np.bincount(index, sign - share, len(steps))
            steps += np.bincount(index + 1, share, len(steps))
        shells = steps.reshape(end - begin, n_y, n_x + 2)[..., :n_x].cumsum(axis=-1) / n**2
        return np.clip(shells, 0, 1)

    def holds(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3) [m] lie inside (…): where a line along x has come in more often than out."""
        flat = points.reshape(-1, 3)
        size = max(1, CANDIDATES // int(self._bins[2].max()))
        pieces = [self._held(flat[i : i + size]) for i in range(0, max(len(flat), 1), size)]
        return np.concatenate(pieces).reshape(points.shape[:-1])

    @cached_property
    def _bins(self) -> tuple[Int64, Int64, Int64, int]:
        """Faces by the bin of (z, y) that they reach into: all, first of each bin, how many, and bins each way."""
        n = max(1, round(np.sqrt(len(self.faces)) / 2))
        corners = self._binned(self.vertices[:, :2], n)[self.faces]
        first, size = corners.min(axis=1), np.ptp(corners, axis=1) + 1
        owner, serial = _each(np.arange(len(self.faces)), size.prod(axis=1))
        place = (first[owner, 0] + serial // size[owner, 1]) * n + first[owner, 1] + serial % size[owner, 1]
        count = np.bincount(place, minlength=n * n)
        return owner[np.argsort(place, kind="stable")], count.cumsum() - count, count, n

    def _binned(self, places: Float64, n: int) -> Int64:
        low, high = np.asarray(self.lower[:2]), np.asarray(self.upper[:2])
        return np.asarray(np.clip((places - low) / (high - low) * n, 0, n - 1), dtype=np.int64)

    def _held(self, points: Float64) -> npt.NDArray[np.bool_]:
        faces, first, count, n = self._bins
        row, column = self._binned(points[:, :2], n).T
        place = row * n + column
        near = ((points >= self.lower) & (points <= self.upper)).all(axis=1)
        owner, serial = _each(np.flatnonzero(near), np.where(near, count[place], 0)[near])
        met = faces[first[place[owner]] + serial]
        met, x, sign = self._met(self.faces[met], self.vertices[:, :2], *points[owner, :2].T)
        kept = owner[met]
        before = x <= points[kept, 2]
        return np.bincount(kept[before], sign[before], len(points)) > 0.5

    def _crossings(
        self, chosen: Int64, corner: tuple[float, float], spacing: tuple[float, float], shape: tuple[int, int]
    ) -> Iterator[tuple[Int64, Int64, Float64, Float64]]:
        """Yield rows, columns, positions and senses (1 in, −1 out) where lines along x meet triangles.

        The lines stand in the middle of the cells of a lattice over (z, y).
        """
        lattice = (self.vertices[:, :2] - corner) / spacing - 0.5  # lines have whole numbers here
        corners = lattice[self.faces[chosen]]
        last = np.asarray(shape) - 1
        first = np.maximum(np.ceil(corners.min(axis=1)), 0).astype(np.int64)
        size = np.maximum(np.minimum(np.floor(corners.max(axis=1)), last).astype(np.int64) - first + 1, 0)
        count = size.prod(axis=1)
        kept = np.flatnonzero(count)
        ends = count[kept].cumsum()
        cuts = np.searchsorted(ends, np.arange(CANDIDATES, ends[-1] if len(ends) else 0, CANDIDATES)) + 1
        for group in np.split(kept, np.unique(cuts)):
            if not len(group):
                continue
            owner, serial = _each(group, count[group])
            row = first[owner, 0] + serial // size[owner, 1]
            column = first[owner, 1] + serial % size[owner, 1]
            met, position, sign = self._met(self.faces[chosen[owner]], lattice, row, column)
            yield row[met], column[met], position, sign

    def _met(self, faces: Int64, places: Float64, row: Float64, column: Float64) -> tuple[Int64, Float64, Float64]:
        """Return which lines along x meet their triangle, where along x, and in which sense (1 in, −1 out).

        Parameters
        ----------
        faces
            Triangle for each line (line, 3).
        places
            Vertices (vertex, 2) as the lines' `row` and `column` (line) are counted.
        """
        sides = [_left_of(places, faces[:, i], faces[:, (i + 1) % 3], row, column) for i in range(3)]
        met = np.flatnonzero((sides[0] == sides[1]) & (sides[1] == sides[2]))
        faces = faces[met]
        outward = 1.0 if self._signed_volume > 0 else -1.0
        a, b, c = (places[faces[:, i]] for i in range(3))
        x = self.vertices[:, 2][faces]
        u, v = b - a, c - a
        p = np.column_stack([row[met], column[met]]) - a
        area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        second = (p[:, 0] * v[:, 1] - p[:, 1] * v[:, 0]) / area
        third = (u[:, 0] * p[:, 1] - u[:, 1] * p[:, 0]) / area
        position = x[:, 0] + second * (x[:, 1] - x[:, 0]) + third * (x[:, 2] - x[:, 0])
        return met, position, np.where(sides[0][met], outward, -outward)


def _each(names: Int64, counts: Int64) -> tuple[Int64, Int64]:
    """Return each name as often as its count says, and the number of each repetition from 0."""
    first = counts.cumsum() - counts
    return np.repeat(names, counts), np.arange(counts.sum()) - np.repeat(first, counts)


def _left_of(places: Float64, start: Int64, end: Int64, row: Float64, column: Float64) -> npt.NDArray[np.bool_]:
    """Return whether points lie to the left of edges, the same for both triangles that share one.

    Each edge is looked at from its end with the smaller (row, column). A point on it then counts as left, which is what
    a point moved by (−ε², ε) would be: every line meets a closed mesh as often inwards as outwards.
    """
    a, b = places[start], places[end]
    swapped = (b[:, 0] < a[:, 0]) | ((b[:, 0] == a[:, 0]) & (b[:, 1] < a[:, 1]))
    low, high = np.where(swapped[:, None], b, a), np.where(swapped[:, None], a, b)
    edge = high - low
    left = edge[:, 0] * (column - low[:, 1]) - edge[:, 1] * (row - low[:, 0]) >= 0
    return np.asarray(left != swapped)
