from __future__ import annotations

from dataclasses import replace
from math import pi, radians
from typing import Literal

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.physics.xray.redundancy import completed, missing_columns, view_weights

SHORT = FanBeam(n_views=720, n_columns=201, pitch=4e-3, angular_range=radians(240), first_angle=0.4)


@pytest.mark.parametrize(
    "scan",
    [
        ParallelBeam(90, 11, 1e-3),
        ParallelBeam(90, 11, 1e-3, angular_range=3 * pi),
        FanBeam(90, 11, 1e-3),
        FanBeam(90, 11, 1e-3, angular_range=4 * pi),
    ],
)
def test_equal_weights_add_up_to_half_a_turn(scan: PlanarScan) -> None:
    weights = view_weights(scan)
    assert weights.shape == (1, 1)
    assert weights[0, 0] * scan.n_views == pytest.approx(pi, rel=1e-14)


def test_both_rays_of_a_line_together_weigh_one_in_a_short_scan() -> None:
    weights = view_weights(SHORT) / (SHORT.angular_range / SHORT.n_views)
    view = SHORT.angles - SHORT.first_angle
    for column, fan in enumerate(SHORT.fan_angles):  # the detector is symmetric: −γ is column 200 − column
        opposite = view + pi - 2 * fan
        partner = np.interp(opposite, view, weights[:, 200 - column])
        has_partner = (opposite <= view[-1]) & (opposite >= 0)
        np.testing.assert_allclose((weights[:, column] + partner)[has_partner], 1, rtol=0, atol=1e-3)
        alone = (opposite > SHORT.angular_range) & (view - pi - 2 * fan < 0)
        np.testing.assert_allclose(weights[alone, column], 1, rtol=0, atol=1e-12)


def test_short_scan_weights_are_finite_and_between_0_and_1_with_no_spare_angle() -> None:
    exact = replace(SHORT, angular_range=pi + 2 * float(SHORT.fan_angles.max()))
    weights = view_weights(exact) / (exact.angular_range / exact.n_views)
    assert np.isfinite(weights).all()
    assert weights.min() >= 0
    assert weights.max() <= 1


@pytest.mark.parametrize("detector", ["flat", "arc"])
@pytest.mark.parametrize("offset", [40.0, -40.5, 12.25])
def test_both_rays_of_a_line_together_weigh_one_in_a_half_fan(offset: float, detector: Literal["flat", "arc"]) -> None:
    scan = FanBeam(90, 100, 4e-3, column_offset=offset, detector=detector)
    weights = view_weights(scan)[0] * scan.n_views / pi
    side, fan = np.sign(offset), scan.fan_angles
    order = np.argsort(fan)
    opposite = np.interp(-fan[order], fan[order], weights[order], left=np.nan, right=np.nan)
    both = np.isfinite(opposite)
    np.testing.assert_allclose((weights[order] + opposite)[both], 2, rtol=0, atol=2e-3)  # as `np.interp` is linear
    np.testing.assert_allclose(weights[side * fan > np.abs(fan[side * fan < 0]).max() + 4e-3], 2, rtol=0, atol=1e-12)
    assert weights.min() > 0


@pytest.mark.parametrize(("offset", "missing"), [(0.0, (0, 0)), (0.25, (0, 0)), (12.25, (25, 0)), (-12.0, (0, 24))])
def test_a_half_fan_is_completed_around_its_own_columns(offset: float, missing: tuple[int, int]) -> None:
    scan = FanBeam(90, 100, 4e-3, column_offset=offset)
    assert missing_columns(scan) == missing
    whole = completed(scan)
    np.testing.assert_allclose(whole.columns[missing[0] : missing[0] + 100], scan.columns, rtol=0, atol=1e-15)
    assert abs(whole.column_offset) < 1


@pytest.mark.parametrize(
    ("scan", "message"),
    [
        (FanBeam(90, 20, 4e-3, column_offset=9.6), "column_offset = 9.6 moves a detector of 20 columns off the axis"),
        (replace(SHORT, column_offset=30.0), "half fan, which needs whole turns; angular_range is 240°"),
        (ParallelBeam(90, 11, 1e-3, angular_range=radians(200)), "multiple of 180° for parallel rays, got 200°"),
        (ParallelBeam(90, 11, 1e-3, angular_range=radians(90)), "multiple of 180°"),
        (
            replace(SHORT, angular_range=radians(200)),
            r"between 228\..*° \(half a turn and the fan\) and 360°, got 200°",
        ),
        (replace(SHORT, angular_range=radians(400)), "got 400°"),
    ],
)
def test_ranges_that_cannot_be_reconstructed_are_refused(scan: PlanarScan, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        view_weights(scan)
