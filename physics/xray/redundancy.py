"""How often a scan measures each line, and what weight of a view follows.

References
----------
D. L. Parker, "Optimal short scan convolution reconstruction for fanbeam CT", Med. Phys. 9, 254 (1982),
doi:10.1118/1.595078.
G. Wang, "X-ray micro-CT with a displaced detector array", Med. Phys. 29, 1634 (2002), doi:10.1118/1.1489043.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, degrees, pi

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan

Float64 = npt.NDArray[np.float64]


def view_weights(scan: PlanarScan) -> Float64:
    """Return the angle that each ray stands for, so that all rays of one line together stand for one view.

    Returns
    -------
        Weights (view, column) [rad], or (1, 1) where all are equal. A scan over any number of half turns (parallel) or
        whole turns (fan) has equal weights, or Wang's if its detector is shifted by more than a column; a fan over
        less than a turn, but at least half a turn and the fan, has Parker's, widened to the range there is.

    Raises
    ------
    RecipeError
        If the range is none of these: some lines are not measured, or more often than others with no smooth weight;
        or if a shifted detector does not reach beyond the axis.
    """
    half_turns = scan.angular_range / pi
    whole = 1 if isinstance(scan, ParallelBeam) else 2
    turns = round(half_turns / whole)
    if turns >= 1 and abs(half_turns - whole * turns) < 1e-6:
        if isinstance(scan, FanBeam) and abs(scan.column_offset) > 1:
            return pi / scan.n_views * _half_fan(scan)
        return np.full((1, 1), pi / scan.n_views)
    if isinstance(scan, ParallelBeam):
        raise RecipeError(
            f"angular_range must be a multiple of 180° for parallel rays, got {degrees(scan.angular_range):.4g}°"
        )
    return _parker(scan)


def missing_columns(scan: PlanarScan) -> tuple[int, int]:
    """Return the columns that a detector lacks before and behind those it has to reach as far to both sides.

    A half fan's filtered projections do not end with its detector: its weighted projections are 0 there, what the ramp
    makes of them is not. Shifts of up to a column lack nothing.
    """
    if not isinstance(scan, FanBeam) or abs(scan.column_offset) <= 1:
        return 0, 0
    lacking = ceil(2 * abs(scan.column_offset) - 1e-9)
    return (lacking, 0) if scan.column_offset > 0 else (0, lacking)


def completed(scan: FanBeam) -> FanBeam:
    """Return the scan with the columns that it lacks, where its own ones stay."""
    before, behind = missing_columns(scan)
    return replace(
        scan,
        n_columns=scan.n_columns + before + behind,
        column_offset=scan.column_offset + (behind - before) / 2,
    )


def _half_fan(scan: FanBeam) -> Float64:
    """Return weights (1, column) that rise from 0 to 2 over the columns that both sides of the axis have."""
    side = 1.0 if scan.column_offset > 0 else -1.0
    fan = side * scan.fan_angles
    step = abs(scan.fan_angles[1] - scan.fan_angles[0]) if scan.n_columns > 1 else 0.0
    overlap = step / 2 - fan.min()  # to the edge of the last column
    if not overlap > step:
        raise RecipeError(
            f"column_offset = {scan.column_offset:g} moves a detector of {scan.n_columns} columns off the axis; a half "
            f"fan needs some columns beyond it, an offset below {scan.n_columns / 2 - 1:g}"
        )
    return np.asarray(1 + np.sin(pi / 2 * np.clip(fan / overlap, -1, 1)))[None, :]


def _parker(scan: FanBeam) -> Float64:
    if abs(scan.column_offset) > 1:
        raise RecipeError(
            f"column_offset = {scan.column_offset:g} makes a half fan, which needs whole turns; angular_range is "
            f"{degrees(scan.angular_range):.4g}°"
        )
    spare = (scan.angular_range - pi) / 2  # half the range beyond half a turn
    widest = float(np.abs(scan.fan_angles).max())
    if not widest <= spare < pi / 2:
        raise RecipeError(
            f"angular_range must be a multiple of 360°, or between {degrees(pi + 2 * widest):.4g}° (half a turn and "
            f"the fan) and 360°, got {degrees(scan.angular_range):.4g}°"
        )
    # the ray (β, γ) and the ray (β + π − 2γ, −γ) are one line
    view = (scan.angles - scan.first_angle)[:, None]
    fan = scan.fan_angles[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):  # at an edge of the fan one of the two ramps has no width
        rise = np.clip(view / (2 * (spare + fan)), 0, 1)
        fall = np.clip((scan.angular_range - view) / (2 * (spare - fan)), 0, 1)
    weights = np.sin(pi / 2 * np.minimum(np.nan_to_num(rise, nan=1.0), np.nan_to_num(fall, nan=1.0))) ** 2
    return scan.angular_range / scan.n_views * weights
