"""Pulses that come too fast: counts that are lost, and heights that add.

A recorded pulse takes the time τ. Those that arrive meanwhile are not counted but add to its height, so its spectrum is
``f * exp(nτ (f* − 1))``: a Poisson number of further pulses, each of the spectrum f (a convolution exponential). If
the counter is paralysable each pulse, counted or not, makes it wait for τ from then on: of n pulses a second it records
``n exp(−nτ)``; else ``n / (1 + nτ)``. Pulses below the lowest threshold neither count nor add.

Both spectra are exact for rectangular heights read over τ, and those of counts recorded too: recorded counts are
a renewal process, whose variance over a time long against τ is ``m (1 − 2 nτ exp(−nτ))`` or ``m / (1 + nτ)²``.

References
----------
D. F. Yu, J. A. Fessler, "Mean and variance of single photon counting with deadtime", Phys. Med. Biol. 45 (2000),
doi:10.1088/0031-9155/45/7/324.
K. Taguchi et al., "An analytical model of the effects of pulse pileup on the energy spectrum recorded by energy
resolved photon counting x-ray detectors", Med. Phys. 37 (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import UnitError
from phantomsim.physics.rng import Key, normal
from phantomsim.physics.xray.event_classes import LATTICE_STEP


@dataclass(frozen=True)
class DeadTime:
    """How long a counter is busy with a pulse.

    Parameters
    ----------
    seconds
        τ [s].
    paralysable
        Whether a pulse that is not counted prolongs the wait.

    Raises
    ------
    UnitError
        If τ is not positive.
    """

    seconds: float
    paralysable: bool

    def __post_init__(self) -> None:
        if not 0 < self.seconds < np.inf:
            raise UnitError(f"dead time must be positive [s], got {self.seconds!r}; without one give None")

    def recorded_share(self, load: Array) -> Array:
        """Return recorded over true pulses for a load nτ (…) [1]."""
        xp = namespace(load)
        return xp.exp(-load) if self.paralysable else 1 / (1 + load)

    def recorded_rate(self, rate: Array) -> Array:
        """Return the recorded rate of a true one (…) [1/s]."""
        return rate * self.recorded_share(rate * self.seconds)

    def dispersion(self, load: Array) -> Array:
        """Return variance over mean of the recorded pulses for a load nτ (…) [1]."""
        xp = namespace(load)
        return 1 - 2 * load * xp.exp(-load) if self.paralysable else 1 / (1 + load) ** 2


@dataclass(frozen=True, eq=False)
class PileUp:
    """What a counter makes of pulses in energy bins.

    Parameters
    ----------
    dead_time
        Of the counter.
    duration
        Time over which a reading counts [s]; long against the dead time.
    thresholds
        Ascending [keV].

    Raises
    ------
    UnitError
        If the reading is shorter than ten dead times, or thresholds are too close for the lattice of pulse heights.
    """

    dead_time: DeadTime
    duration: float
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 10 * self.dead_time.seconds <= self.duration < np.inf:
            raise UnitError(
                f"a reading must last ten dead times or more, got {self.duration!r} s for {self.dead_time.seconds!r} s"
            )
        if not np.all(np.diff(self._borders) > 0):
            raise UnitError(f"with a dead time thresholds must be {LATTICE_STEP:g} keV apart, got {self.thresholds}")

    @property
    def _borders(self) -> list[int]:
        """First lattice cell of each bin, by the cells' centres, and the end of the last but one."""
        return [int(np.ceil(t / LATTICE_STEP - 0.5)) for t in self.thresholds]

    def expected(self, counts: Array, pulses: Array) -> Array:
        """Return the recorded counts for expected true ones.

        Parameters
        ----------
        counts
            True pulses in each bin (bin, ray), float64.
        pulses
            Of any strength, by height below the highest threshold (ray, lattice), float64: the spectrum within bins.

        Returns
        -------
            Recorded counts (bin, ray).
        """
        return self._record(counts, self._shapes(pulses))[0]

    def draw(self, key: Key, counts: Array, mean: Array, pulses: Array) -> Array:
        """Draw recorded counts for drawn true ones.

        Recorded counts are a renewal process with heights. They follow the true ones by their expectation, and scatter
        about it so that the covariance between bins is that of the process, over a time long against τ and to first
        order in the scatter of the true counts.

        Parameters
        ----------
        key
            Random stream.
        counts
            Drawn true pulses in each bin (bin, ray), float64.
        mean
            Their expectation (bin, ray), float64.
        pulses
            As for `expected`.

        Returns
        -------
            Recorded counts (bin, ray), whole numbers not below 0, float64.
        """
        xp = namespace(counts)
        shapes = self._shapes(pulses)
        expected, slope = self._record(mean, shapes)
        load = mean.sum(axis=0) * (self.dead_time.seconds / self.duration)
        total = xp.maximum(expected.sum(axis=0), 1e-30)
        excess = (self.dead_time.dispersion(load) - 1) / total
        covariance = xp.einsum("br,cr->rbc", expected, expected * excess)
        covariance += xp.einsum("br,bc->rbc", expected, xp.eye(len(expected)))
        bond = xp.einsum("br,cr->rbc", self._bond(mean, shapes, expected / total), expected)
        covariance -= bond + bond.swapaxes(1, 2)
        covariance -= xp.einsum("bxr,xr,cxr->rbc", slope, mean, slope)
        values, vectors = xp.linalg.eigh(covariance)
        scatter = xp.sqrt(xp.maximum(values, 0)) * normal(key, values.shape, xp, np.float64)
        recorded = self._record(counts, shapes)[0] + xp.einsum("rbx,rx->br", vectors, scatter)
        return xp.maximum(xp.rint(recorded), 0)

    def _shapes(self, pulses: Array) -> list[Array]:
        """Return the spectrum of each bin but the last, of sum 1 (ray, lattice)."""
        xp = namespace(pulses)
        shapes = []
        borders = self._borders
        for low, high in pairwise(borders):
            part = xp.zeros_like(pulses)
            part[:, low:high] = pulses[:, low:high] + 1e-30  # an empty bin is flat
            shapes.append(part / part.sum(axis=1, keepdims=True))
        return shapes

    def _bond(self, counts: Array, shapes: list[Array], probability: Array) -> Array:
        """Return the covariance of a recorded pulse's bin and the gap to the next, over the mean gap (bin, ray).

        Only a paralysable counter has one: a pulse with company is high, and keeps the counter busy for longer. If the
        last of its company comes at a time U, the expected gap is ``τ + (1 + e^nτ (1 − e^−nU)) / n``. Over all numbers
        of company, weighted with their heights, ``e^−nU`` adds up to
        ``q = e^−x f * [1 + f * (1 − e^{x (f − 1)}) / (1 − f)]``, and the covariance is ``(1 + x) e^−x p − q``.
        """
        xp = namespace(counts)
        bond = xp.zeros_like(counts)
        if not self.dead_time.paralysable or len(counts) == 1:
            return bond
        total = xp.maximum(counts.sum(axis=0), 1e-30)
        load = total * (self.dead_time.seconds / self.duration)
        first = sum(counts[b][:, None] * shape for b, shape in enumerate(shapes)) / total[:, None]
        added = _halfway(first)
        rest = -_exponential(load[:, None] * added) * xp.exp(-load)[:, None]
        rest[:, 0] += 1
        company = _divide_by_one_less(_convolve(added, rest), added)
        company[:, 0] += 1
        late = _convolve(first, company) * xp.exp(-load)[:, None]
        borders = self._borders
        for b, window in enumerate(pairwise(borders)):
            bond[b] = (1 + load) * xp.exp(-load) * probability[b] - late[:, slice(*window)].sum(axis=1)
        bond[-1] = -bond[:-1].sum(axis=0)
        return bond

    def _record(self, counts: Array, shapes: list[Array]) -> tuple[Array, Array]:
        """Return recorded counts (bin, ray) and their slope in the true ones (recorded bin, true bin, ray)."""
        xp = namespace(counts)
        load_of_one = self.dead_time.seconds / self.duration
        total = counts.sum(axis=0)
        load = total * load_of_one
        share = self.dead_time.recorded_share(load)
        fall = -xp.ones_like(load) if self.dead_time.paralysable else -1 / (1 + load)  # slope of log share
        n_bins, borders = len(counts), self._borders
        recorded, slope = xp.zeros_like(counts), xp.zeros((n_bins, n_bins, counts.shape[1]))
        if n_bins > 1:
            heights = sum(counts[b][:, None] * shape for b, shape in enumerate(shapes))
            added = [_halfway(shape) for shape in shapes]
            series = _exponential(load_of_one * sum(counts[b][:, None] * shape for b, shape in enumerate(added)))
            piled = _convolve(heights, series)  # one pulse and any number on top of it
            alone = share * xp.exp(-load)
            for b in range(n_bins - 1):
                window = borders[b], borders[b + 1]
                beside_one, of_piled = _window(series, *window), _window(piled, *window)
                recorded[b] = alone * piled[:, slice(*window)].sum(axis=1)
                slope[b] = recorded[b] * load_of_one * (fall - 1)
                for x, (shape, more) in enumerate(zip(shapes, added, strict=True)):
                    own = (shape * beside_one).sum(axis=1) + load_of_one * (more * of_piled).sum(axis=1)
                    slope[b, x] += alone * own
        recorded[-1] = total * share - recorded[:-1].sum(axis=0)
        slope[-1] = share * (1 + load * fall) - slope[:-1].sum(axis=0)
        return recorded, slope


def _halfway(shape: Array) -> Array:
    """Move pulse heights up by half a cell: a pulse from a cell's middle carries another as far as that."""
    moved = shape / 2
    moved[:, 1:] += shape[:, :-1] / 2
    return moved


def _exponential(exponent: Array) -> Array:
    """Return the exponential of power series (ray, lattice), cut off where they are: k aₖ = Σⱼ j eⱼ aₖ₋ⱼ."""
    xp = namespace(exponent)
    n = exponent.shape[1]
    weighted = exponent * xp.arange(n)
    series = xp.zeros_like(exponent)
    series[:, 0] = xp.exp(exponent[:, 0])
    for k in range(1, n):
        series[:, k] = (weighted[:, 1 : k + 1] * series[:, k - 1 :: -1][:, :k]).sum(axis=1) / k
    return series


def _convolve(first: Array, second: Array) -> Array:
    """Return the product of power series (ray, lattice), cut off where they are."""
    xp = namespace(first)
    product = xp.zeros_like(first)
    for j in range(first.shape[1]):
        product[:, j:] += first[:, j, None] * second[:, : first.shape[1] - j]
    return product


def _divide_by_one_less(series: Array, divisor: Array) -> Array:
    """Return ``series / (1 − divisor)`` of power series (ray, lattice), cut off where they are."""
    xp = namespace(series)
    quotient = xp.zeros_like(series)
    for k in range(series.shape[1]):
        quotient[:, k] = series[:, k]
        if k:
            quotient[:, k] += (divisor[:, 1 : k + 1] * quotient[:, k - 1 :: -1][:, :k]).sum(axis=1)
        quotient[:, k] /= 1 - divisor[:, 0]
    return quotient


def _window(series: Array, low: int, high: int) -> Array:
    """Return ``Σ_{low ≤ d < high} series[d − j]`` for every j (ray, lattice)."""
    xp = namespace(series)
    n = series.shape[1]
    sums = xp.concatenate([xp.zeros_like(series[:, :1]), xp.cumsum(series, axis=1)], axis=1)
    j = np.arange(n)
    return sums[:, np.clip(high - j, 0, n)] - sums[:, np.clip(low - j, 0, n)]
