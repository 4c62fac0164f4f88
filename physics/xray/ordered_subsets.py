"""Projectors by geometry, and ordered subsets of interleaved views."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.solvers.subsets import Subset
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.cone_projector import ConeJosephProjector
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.projector import JosephProjector

Scan = PlanarScan | ConeBeam | Views
GOLDEN = 0.381966
"""Share of all subsets from each to the next: steps of the golden section come nowhere near where they were lately."""


def projector(scan: Scan, grid: Grid, dtype: str = "float32") -> LinearOperator:
    """Return Joseph's projector of a volume on a grid onto the line integrals (view, row, column) of a scan.

    Raises
    ------
    UnitError
        If the grid reaches a source.
    """
    if isinstance(scan, PlanarScan):
        return JosephProjector(scan, grid, dtype)
    return ConeJosephProjector(scan, grid, dtype)


def interleaved(scan: Scan, n_subsets: int) -> list[tuple[Scan, slice]]:
    """Divide a scan into every n-th view, beginning with each of the first n.

    Parameters
    ----------
    scan
        Geometry; the number of views need not be a multiple of `n_subsets`.
    n_subsets
        Number of parts.

    Returns
    -------
        Geometry of each part and the slice of its views, in an order in which consecutive parts lie far apart.

    Raises
    ------
    RecipeError
        If there are not as many views as subsets, or none.
    """
    if not 1 <= n_subsets <= scan.n_views:
        raise RecipeError(f"n_subsets must be 1 to the number of views, {scan.n_views}, got {n_subsets!r}")
    views = scan.views() if isinstance(scan, ConeBeam) else scan
    step = min(
        (k for k in range(1, n_subsets + 1) if gcd(k, n_subsets) == 1), key=lambda k: abs(k - GOLDEN * n_subsets)
    )
    firsts = [k * step % n_subsets for k in range(n_subsets)]
    return [(_part(views, slice(first, None, n_subsets)), slice(first, None, n_subsets)) for first in firsts]


def ordered_subsets(scan: Scan, grid: Grid, n_subsets: int, dtype: str = "float32") -> list[Subset]:
    """Return the projector of each part of a scan, with the views that it gives; see `interleaved`.

    A single slice is projected fastest where the views of each subset map onto each other by quarter turns: for a full
    turn, where their number is a multiple of four.
    """
    return [Subset(projector(part, grid, dtype), views) for part, views in interleaved(scan, n_subsets)]


def _part(scan: PlanarScan | Views, views: slice) -> PlanarScan | Views:
    if isinstance(scan, Views):
        return scan.part(views)
    indices = range(*views.indices(scan.n_views))
    spacing = scan.angular_range / scan.n_views
    return replace(
        scan,
        n_views=len(indices),
        first_angle=scan.first_angle + spacing * indices.start,
        angular_range=spacing * indices.step * len(indices),
    )
