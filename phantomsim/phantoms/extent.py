"""Where a phantom is."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.phantom import Phantom
from phantomsim.physics.array import to_host
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid

WORLD: Final = 2.56
"""Side of the cube in which a phantom is looked for [m]."""


def object_box(phantom: Phantom) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the corners (z, y, x) [m] of a box that holds all but the background, to a fiftieth of its size.

    Raises
    ------
    ShapeError
        If there is nothing within `WORLD` metres.
    """
    centre, side = np.zeros(3), np.full(3, WORLD)
    for n in (64, 48):
        (dz, dy, dx), (z, y, x) = side / n, centre
        grid = Grid((n, n, n), (float(dz), float(dy), float(dx)), (float(z), float(y), float(x)))
        there = to_host(phantom.fractions(grid).values[0]) < 1 - 1e-6
        if not there.any():
            raise ShapeError(f"the phantom has nothing but {phantom.tissues[0].name} within {WORLD} m")
        spans = [np.flatnonzero(there.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
        lower = np.array([grid.lower[a] + span[0] * grid.spacing[a] for a, span in enumerate(spans)])
        upper = np.array([grid.lower[a] + (span[-1] + 1) * grid.spacing[a] for a, span in enumerate(spans)])
        centre, side = (lower + upper) / 2, upper - lower
    return lower, upper
