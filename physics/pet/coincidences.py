"""Coincidences: pairs of singles that arrive together, and pairs that cannot, to tell how many are accidental."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import UnitError
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.singles import Integers, Singles

Multiples = Literal["all", "none"]


@dataclass(frozen=True, eq=False)
class Coincidences:
    """Pairs of singles; all on the host.

    Parameters
    ----------
    first, second
        Numbers of the singles (pair), that of the lower crystal first, so that delays have both signs.
    delay
        Arrival of the first single less that of the second (pair) [s], what time of flight measures.
    """

    first: Integers
    second: Integers
    delay: npt.NDArray[np.float64]


@dataclass(frozen=True)
class CoincidenceSorter:
    """How a scanner pairs singles.

    Parameters
    ----------
    window
        Largest difference of arrival [s]: τ, where randoms are 2τ S₁ S₂.
    delay
        By how much the delayed window comes later [s].
    least_blocks
        Fewest blocks apart around the ring: pairs of neighbours are scatter between crystals.
    multiples
        ``"all"``: each pair within the window counts; ``"none"``: a single that has more than one partner counts for
        none.

    Raises
    ------
    UnitError
        If the window is not positive, or the delayed window overlaps the prompt one.
    """

    window: float
    delay: float = 500e-9
    least_blocks: int = 1
    multiples: Multiples = "all"

    def __post_init__(self) -> None:
        if not 0 < self.window < np.inf:
            raise UnitError(f"the coincidence window must be positive [s], got {self.window}")
        if not self.delay > self.window:
            raise UnitError(
                f"delay = {self.delay:g} s must be longer than the window of {self.window:g} s, or delayed pairs are "
                "prompt ones"
            )

    @property
    def reach(self) -> float:
        """How long ago a single may be that still finds partners [s]."""
        return self.delay + self.window

    def prompt(self, singles: Singles, rings: Rings) -> Coincidences:
        """Pair singles that arrive together.

        Parameters
        ----------
        singles
            In order of time.
        rings
            The scanner.
        """
        return self._pairs(singles, rings, 0.0)

    def delayed(self, singles: Singles, rings: Rings) -> Coincidences:
        """Pair each single with those that arrive `delay` later; the arguments are those of `prompt`."""
        return self._pairs(singles, rings, self.delay)

    def _pairs(self, singles: Singles, rings: Rings, delay: float) -> Coincidences:
        """Pair single i with all j later than it by the delay and a window at most."""
        times = singles.time
        begin = np.searchsorted(times, times + delay, side="left") if delay else np.arange(1, len(times) + 1)
        end = np.searchsorted(times, times + (delay + self.window), side="right")
        counts = np.maximum(end - begin, 0)
        first = np.repeat(np.arange(len(times)), counts)
        second = np.arange(len(first)) + np.repeat(begin - np.cumsum(counts) + counts, counts)
        block = singles.crystal % rings.n_crystals // rings.block[1]
        apart = np.abs(block[first] - block[second])
        good = np.minimum(apart, rings.n_blocks - apart) >= self.least_blocks
        first, second = first[good], second[good]
        if self.multiples == "none":
            opens, joins = (np.bincount(side, minlength=len(times)) for side in (first, second))
            if delay == 0:
                partners = opens + joins
                alone = (partners[first] == 1) & (partners[second] == 1)
            else:
                alone = (opens[first] == 1) & (joins[second] == 1)
            first, second = first[alone], second[alone]
        gap = times[first] - times[second] + delay
        swap = singles.crystal[first] > singles.crystal[second]
        first, second = np.where(swap, second, first), np.where(swap, first, second)
        return Coincidences(first, second, np.where(swap, -gap, gap))
