"""Time of flight: where on its line a pair of photons may come from, given the difference of their arrivals."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from phantomsim.physics.constants import SPEED_OF_LIGHT
from phantomsim.physics.errors import UnitError

REACH: Final = 4.5  # standard deviations behind a bin's edge after which its kernel ends
STEPS: Final = 2048


@dataclass(frozen=True)
class TimeOfFlight:
    """Bins of arrival time, and the Gaussian blur of its difference.

    Bin b is centred at (b − (n_bins − 1) / 2) · width, in the time by which the photon in the first detector of a pair
    is later than that in the second; such a pair comes from beyond the middle of its line, towards the second detector.

    Parameters
    ----------
    resolution
        Full width at half maximum of the time difference [s].
    width
        Width of a bin [s].
    n_bins
        Number of bins.

    Raises
    ------
    UnitError
        If one of them is not positive.
    """

    resolution: float
    width: float
    n_bins: int

    def __post_init__(self) -> None:
        for name in ("resolution", "width", "n_bins"):
            if not 0 < getattr(self, name) < np.inf:
                raise UnitError(f"{name} of time of flight must be positive, got {getattr(self, name)}")

    @property
    def sigma(self) -> float:
        """Standard deviation of the place on the line [m]."""
        return self.resolution / sqrt(8 * log(2)) * SPEED_OF_LIGHT / 2

    @property
    def spacing(self) -> float:
        """Distance of the bins on the line [m]."""
        return self.width * SPEED_OF_LIGHT / 2

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Place of each bin on the line, from its middle towards the second detector (bin) [m]."""
        return self.spacing * (np.arange(self.n_bins, dtype=np.float64) - (self.n_bins - 1) / 2)

    @property
    def reach(self) -> float:
        """Distance from a bin's centre behind which nothing counts for it [m]."""
        return self.spacing / 2 + REACH * self.sigma

    def kernel(self) -> npt.NDArray[np.float64]:
        """Return the chance that a pair is put into a bin, by the distance of its origin from the bin's centre.

        Returns
        -------
            Chances at ``STEPS`` equal steps from 0 to `reach` (step), and two zeros behind.
        """
        distance = np.linspace(0, self.reach, STEPS + 1)
        edges = (distance[:, None] + self.spacing / 2 * np.array([1, -1])) / (sqrt(2) * self.sigma)
        chances: npt.NDArray[np.float64] = np.zeros(STEPS + 3)
        chances[:-2] = (erf(edges[:, 0]) - erf(edges[:, 1])) / 2
        return chances
