"""How far the rays of a CT scan run in each tissue, of phantoms at rest and of those that move while it turns."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.extent import object_box
from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.cone_projector import ConeJosephProjector
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan, rays
from phantomsim.physics.xray.projector import JosephProjector

if TYPE_CHECKING:
    from phantomsim.phantoms.phantom import Phantom

Float64 = npt.NDArray[np.float64]
Scan = PlanarScan | ConeBeam | Views

FARTHEST: Final = 0.03
"""How far the outside of a body moves at most [m]; what goes farther is left out of a scan of a deformed body."""


def path_lengths(phantom: Phantom, scan: Scan, z: Float64, row_spacing: float, *, grid: Grid | None = None) -> Array:
    """Return path lengths in every tissue but the background (view, row, column, material) [m].

    Parameters
    ----------
    phantom
        What is scanned, at rest: exact lines where it has them, else Joseph's through the fractions of its voxels.
    scan
        Geometry.
    z
        Plane of each row of a planar scan (row) [m].
    row_spacing
        Distance of these planes [m].
    grid
        Voxels for a body that has neither exact lines nor voxels of its own; by default around all of it, as fine as
        the detector's pixels at the axis.
    """
    if phantom.exact:
        return _exact(phantom, scan, z)
    grid = phantom.body.grid or grid or _grid(phantom, scan)
    if isinstance(scan, ParallelBeam | FanBeam):
        return _through_planes(phantom, scan, z, row_spacing, grid)
    return _through_volume(phantom, scan, grid)


def moving_path_lengths(phantom: Phantom, scan: Scan, z: Float64, row_spacing: float, times: Float64) -> Array:
    """Return path lengths as `path_lengths` does, of a phantom that moves.

    Parameters
    ----------
    phantom, scan, z, row_spacing
        As for `path_lengths`.
    times
        When each of equally many views, in turn, are measured (frame) [s]; the phantom rests during a frame.
    """
    grid = _grid(phantom.still(), scan, FARTHEST)
    cuts = np.linspace(0, scan.n_views, min(len(times), scan.n_views) + 1).round().astype(int)
    frames = [
        path_lengths(phantom.at(float(time)), views(scan, int(begin), int(end)), z, row_spacing, grid=grid)
        for time, begin, end in zip(times, cuts[:-1], cuts[1:], strict=True)
    ]
    xp = namespace(*frames)
    return xp.concatenate(frames, axis=0)


def views(scan: Scan, begin: int, end: int) -> Scan:
    """Return the part of a scan from one view to the one before another."""
    if isinstance(scan, Views):
        return scan.part(slice(begin, end))
    if isinstance(scan, ConeBeam):
        return scan.views().part(slice(begin, end))
    share = scan.angular_range / scan.n_views
    return replace(
        scan,
        n_views=end - begin,
        first_angle=scan.first_angle + begin * share,
        angular_range=(end - begin) * share,
    )


def _exact(phantom: Phantom, scan: Scan, z: Float64) -> Array:
    """Return exact lengths, row by row or view by view: the rays take more memory than the lengths."""
    if isinstance(scan, ParallelBeam | FanBeam):
        axis, parts = 1, (rays(scan, z[n : n + 1]) for n in range(len(z)))
    else:
        each = scan.views() if isinstance(scan, ConeBeam) else scan
        axis, parts = 0, (each.part(slice(n, n + 1)).rays() for n in range(each.n_views))
    lengths = [phantom.path_lengths(part)[..., 1:] for part in parts]
    xp = namespace(*lengths)
    return xp.ascontiguousarray(xp.concatenate(lengths, axis=axis))


def _through_planes(phantom: Phantom, scan: PlanarScan, z: Float64, row_spacing: float, given: Grid) -> Array:
    """Project the fractions of a volume in the planes of the rows, each tissue on its own."""
    grid = Grid((len(z), *given.shape[1:]), (row_spacing, *given.spacing[1:]), (float(z.mean()), *given.centre[1:]))
    fractions = phantom.fractions(grid).values[1:]
    xp = namespace(fractions)
    stack = Grid((fractions.shape[0] * len(z), *grid.shape[1:]), grid.spacing, grid.centre)
    lengths = JosephProjector(scan, stack)(fractions.reshape(stack.shape))
    lengths = lengths.reshape(scan.n_views, -1, len(z), scan.n_columns)
    return xp.ascontiguousarray(xp.moveaxis(lengths, 1, -1))


def _through_volume(phantom: Phantom, scan: ConeBeam | Views, grid: Grid) -> Array:
    """Project the fractions of a volume, one tissue after another."""
    project = ConeJosephProjector(scan, grid)
    fractions = phantom.fractions(grid).values[1:]
    xp = namespace(fractions)
    return xp.ascontiguousarray(xp.stack([project(fraction) for fraction in fractions], axis=-1))


def _grid(phantom: Phantom, scan: Scan, margin: float = 0.0) -> Grid:
    """Return voxels around all of a phantom and a margin [m], as fine as the detector's pixels at the axis."""
    lower, upper = object_box(phantom)
    size = _resolution(scan)
    n = [max(1, ceil((b - a + 2 * margin) / size)) for a, b in zip(lower, upper, strict=True)]
    z, y, x = ((lower + upper) / 2).tolist()
    return Grid((n[0], n[1], n[2]), (size, size, size), (z, y, x))


def _resolution(scan: Scan) -> float:
    """Return the width of a detector pixel, seen at the axis [m]."""
    if isinstance(scan, ParallelBeam):
        return scan.pitch
    if isinstance(scan, FanBeam):
        return scan.pitch * scan.source_to_axis / scan.source_to_detector
    if isinstance(scan, ConeBeam):
        return min(scan.row_pitch, scan.column_pitch) * scan.source_to_axis / scan.source_to_detector
    to_origin = float(np.linalg.norm(scan.source, axis=1).mean())
    pitch = min(float(np.diff(p).min()) for p in (scan.rows, scan.columns) if len(p) > 1)
    return pitch * to_origin / float(scan.distance.mean())
