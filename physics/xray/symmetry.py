"""The symmetries that a planar scan shares with its grid.

A square has eight: four quarter turns, each with or without a mirror. One that maps the pixels onto pixels and the rays
onto rays lets the integral along a ray of the turned image stand for the integral along the turned ray, so that up to
eight rays share one set of interpolation weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.geometry import ParallelBeam, PlanarScan

TOLERANCE = 1e-9
"""How far a turned ray may be from a ray of the scan [rad], [pixel], [column]: far below float32."""


@dataclass(frozen=True)
class Symmetry:
    """A mirror x → −x, if `mirrored`, then quarter turns (y, x) → (x, −y), and where they take the rays of a scan.

    Parameters
    ----------
    quarter_turns
        Number of quarter turns, 0 to 3.
    mirrored
        Whether x is mirrored first.
    views
        View that each view becomes (view).
    reverses
        Whether its columns then run backwards (view).
    """

    quarter_turns: int
    mirrored: bool
    views: npt.NDArray[np.int64]
    reverses: npt.NDArray[np.bool_]

    def turn(self, plane: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the turned plane (y, x): its value at a point is that of `plane` at the turned point."""
        turned = np.rot90(plane, self.quarter_turns)
        return turned[:, ::-1] if self.mirrored else turned


def shared_symmetries(scan: PlanarScan, grid: Grid) -> tuple[Symmetry, ...]:
    """Return the symmetries of the square that map grid and scan onto themselves; the identity comes first."""
    found = [Symmetry(0, False, np.arange(scan.n_views), np.zeros(scan.n_views, np.bool_))]
    for quarter_turns, mirrored in ((0, True), (1, False), (1, True), (2, False), (2, True), (3, False), (3, True)):
        if _maps_grid(grid, quarter_turns, mirrored):
            found += _map_rays(scan, quarter_turns, mirrored)
    return tuple(found)


def _maps_grid(grid: Grid, quarter_turns: int, mirrored: bool) -> bool:
    (_, n_y, n_x), (_, d_y, d_x), (_, c_y, c_x) = grid.shape, grid.spacing, grid.centre
    moves_y = quarter_turns != 0
    moves_x = not (quarter_turns == 2 and mirrored)  # these two together mirror y alone
    swaps = quarter_turns % 2 == 1
    return (
        not (swaps and (n_y != n_x or abs(d_y - d_x) > TOLERANCE * d_x / n_x))
        and not (moves_y and abs(c_y) > TOLERANCE * d_y)
        and not (moves_x and abs(c_x) > TOLERANCE * d_x)
    )


def _map_rays(scan: PlanarScan, quarter_turns: int, mirrored: bool) -> list[Symmetry]:
    turned = (-scan.angles if mirrored else scan.angles) + quarter_turns * pi / 2
    views = _find(scan.angles, turned)
    reverses = np.full(scan.n_views, mirrored)
    if isinstance(scan, ParallelBeam):  # a parallel ray is the same from behind, with the columns reversed
        behind = _find(scan.angles, turned + pi)
        reverses = np.where(views < 0, ~reverses, reverses)
        views = np.where(views < 0, behind, views)
    if not np.array_equal(np.sort(views), np.arange(scan.n_views)):
        return []
    if reverses.any() and np.abs(scan.columns + scan.columns[::-1]).max() > TOLERANCE * scan.pitch:
        return []
    return [Symmetry(quarter_turns, mirrored, views, reverses)]


def _find(angles: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the index of the angle that equals each wanted one up to full turns, or −1."""
    turn = 2 * pi
    order = np.argsort(angles % turn)
    ascending = (angles % turn)[order]
    after = np.searchsorted(ascending, wanted % turn)
    result = np.full(len(wanted), -1)
    for neighbour in (after - 1, after):
        index = neighbour % len(angles)
        distance = (wanted - ascending[index] + pi) % turn - pi
        result = np.where(np.abs(distance) < TOLERANCE, order[index], result)
    return result
