"""Ordered subsets: together they are the whole projector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.cone_projector import ConeJosephProjector
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.physics.xray.ordered_subsets import Scan, interleaved, ordered_subsets, projector
from phantomsim.physics.xray.projector import JosephProjector

MM = 1e-3
GRID = Grid((2, 20, 20), (MM, MM, MM))
CONE = ConeBeam(14, 6, 30, MM, 1.6 * MM, source_to_axis=120 * MM, source_to_detector=210 * MM)
SCANS: dict[str, Scan] = {
    "parallel": ParallelBeam(14, 31, MM, first_angle=0.2),
    "fan": FanBeam(14, 31, 1.6 * MM, angular_range=4.0, source_to_axis=120 * MM, source_to_detector=210 * MM),
    "cone": CONE,
    "helix": replace(CONE, feed=4 * MM, spots=((0.0, 0.0), (MM, 0.0))),
    "views": CONE.views(),
}


@pytest.mark.parametrize("n_subsets", [1, 3, 4])
@pytest.mark.parametrize("name", SCANS)
def test_subsets_give_the_line_integrals_of_the_whole_scan_also_if_views_do_not_divide(
    name: str, n_subsets: int
) -> None:
    volume = np.random.default_rng(1).random(GRID.shape)
    whole = projector(SCANS[name], GRID, "float64")(volume)
    found = np.full_like(whole, np.nan)
    for subset in ordered_subsets(SCANS[name], GRID, n_subsets, "float64"):
        found[subset.selection] = subset.operator(volume)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-12)


def test_geometry_chooses_the_projector() -> None:
    assert isinstance(projector(SCANS["fan"], GRID), JosephProjector)
    assert isinstance(projector(SCANS["helix"], GRID), ConeJosephProjector)
    assert isinstance(interleaved(SCANS["fan"], 2)[0][0], PlanarScan)
    assert isinstance(interleaved(CONE, 2)[0][0], Views)


@pytest.mark.parametrize("n_subsets", [1, 2, 5, 8, 10, 12, 14])
def test_every_subset_comes_once_and_far_from_the_one_before(n_subsets: int) -> None:
    firsts = [views.start for _, views in interleaved(SCANS["parallel"], n_subsets)]
    assert sorted(firsts) == list(range(n_subsets))
    steps = np.abs(np.diff(firsts))
    assert (np.minimum(steps, n_subsets - steps) >= min(n_subsets, 10) // 5).all()


@pytest.mark.parametrize("n_subsets", [0, 15])
def test_more_subsets_than_views_or_none_are_refused(n_subsets: int) -> None:
    with pytest.raises(RecipeError, match="n_subsets must be 1 to the number of views, 14"):
        interleaved(SCANS["parallel"], n_subsets)
