"""How often a scan measures each line, and what weight of a view follows.

References
----------
D. L. Parker, "Optimal short scan convolution reconstruction for fanbeam CT", Med. Phys. 9, 254 (1982),
doi:10.1118/1.595078.
"""

from __future__ import annotations

from math import degrees, pi

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
        whole turns (fan) has equal weights; a fan over less than a turn, but at least half a turn and the fan, has
        Parker's, widened to the range there is.

    Raises
    ------
    RecipeError
        If the range is none of these: some lines are not measured, or more often than others with no smooth weight.
    """
    half_turns = scan.angular_range / pi
    whole = 1 if isinstance(scan, ParallelBeam) else 2
    turns = round(half_turns / whole)
    if turns >= 1 and abs(half_turns - whole * turns) < 1e-6:
        return np.full((1, 1), pi / scan.n_views)
    if isinstance(scan, ParallelBeam):
        raise RecipeError(
            f"angular_range must be a multiple of 180° for parallel rays, got {degrees(scan.angular_range):.4g}°"
        )
    return _parker(scan)


def _parker(scan: FanBeam) -> Float64:
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
