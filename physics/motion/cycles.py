"""Signals that come back: breathing, held breath, and heart beats, regular or not.

A cycle's length and size come from a key and the cycle's number alone, so that a signal is the same function of time
however it is sampled. Cycle 0 begins at time 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi
from typing import Final

import numpy as np

from phantomsim.physics.errors import UnitError
from phantomsim.physics.motion.signal import Float64, Signal, Times
from phantomsim.physics.rng import Key, normal, uniform

SYSTOLE: Final = 0.30
"""Length of the contraction over the root of the interval [√s]: 0.27 s at 75 beats a minute; grade C."""
RELAXATION: Final = 0.5
"""Length of the relaxation over that of the contraction; grade C."""
PREMATURE: Final = 0.65
"""Interval before an ectopic beat over the mean; the pause after it makes up for it. Grade C."""
SHORTEST: Final = 0.3
"""Shortest cycle over the mean one."""


@dataclass(frozen=True)
class Breathing(Signal):
    """Regular breathing after Lujan: 0 at the end of exhalation, where the body stays longest, 1 at inhalation.

    Parameters
    ----------
    period
        Length of a breath [s].
    exponent
        n of ``sin^2n(π t / period)``: the larger, the longer the rest.

    References
    ----------
    A. E. Lujan et al., "A method for incorporating organ motion due to breathing into 3D dose calculations",
    Med. Phys. 26 (1999), doi:10.1118/1.598577; its form, from memory.
    """

    period: float = 4.0
    exponent: int = 2

    def __post_init__(self) -> None:
        _check(self.period, self.exponent)

    def __call__(self, time: Times) -> Float64:
        """Return how much of a breath is in."""
        return _breath(np.asarray(time) / self.period, self.exponent)

    def rate(self, time: Times) -> Float64:
        """Return how fast it comes in."""
        return _flow(np.asarray(time) / self.period, self.exponent) / self.period


@dataclass(frozen=True)
class IrregularBreathing(Signal):
    """Breathing whose every breath has a period and a depth of its own, both lognormal.

    Parameters
    ----------
    key
        Stream of the breaths.
    period, exponent
        Mean length of a breath [s], and n as in `Breathing`.
    period_spread, depth_spread
        Standard deviation over mean of lengths and of depths; depths have mean 1.
    """

    key: Key
    period: float = 4.0
    period_spread: float = 0.15
    depth_spread: float = 0.2
    exponent: int = 2

    def __post_init__(self) -> None:
        _check(self.period, self.exponent)
        _check_spreads(self.period_spread, self.depth_spread)

    def __call__(self, time: Times) -> Float64:
        """Return how much of an average breath is in."""
        phase, _, depth = self._at(time)
        return depth * _breath(phase, self.exponent)

    def rate(self, time: Times) -> Float64:
        """Return how fast it comes in."""
        phase, period, depth = self._at(time)
        return depth * _flow(phase, self.exponent) / period

    def _at(self, time: Times) -> tuple[Float64, Float64, Float64]:
        number, phase, period = _locate(time, self.key, self.period, self.period_spread, 0.0)
        depths = _lognormal(self.key.fold("depth"), self.depth_spread, int(number.max(initial=0)) + 1)
        return phase, period, depths[number]


@dataclass(frozen=True)
class BreathHold(Signal):
    """A breath held while the diaphragm drifts back: ``level · exp(−drift · t / level)``.

    Parameters
    ----------
    level
        How much of a breath is in at time 0.
    drift
        How fast it is lost then [1/s]; a few per cent of an excursion in a held breath, grade C.
    """

    level: float = 0.9
    drift: float = 0.005

    def __post_init__(self) -> None:
        if not (self.level > 0 and self.drift >= 0):
            raise UnitError(f"a held breath has a level above 0 and a drift of 0 or more, got {self}")

    def __call__(self, time: Times) -> Float64:
        """Return how much of a breath is in."""
        return np.asarray(self.level * np.exp(-self.drift / self.level * np.asarray(time, np.float64)))

    def rate(self, time: Times) -> Float64:
        """Return how fast it is lost, negative."""
        return -self.drift / self.level * self(time)


@dataclass(frozen=True)
class Heartbeat(Signal):
    """Contraction of the heart, beat by beat: 0 when relaxed, 1 at the end of systole.

    Within a beat it rises as sin² while the heart contracts, falls as sin² while it relaxes, and then rests: the rest
    is what a short beat loses.

    Parameters
    ----------
    key
        Stream of the beats.
    interval
        Mean length of a beat, R to R [s].
    spread
        Standard deviation over mean of the lengths, lognormal.
    ectopic
        Probability that a beat comes early, with a pause after it.
    """

    key: Key
    interval: float = 0.85
    spread: float = 0.05
    ectopic: float = 0.0

    def __post_init__(self) -> None:
        _check(self.interval, 1)
        _check_spreads(self.spread, self.spread)
        if not 0 <= self.ectopic <= 1:
            raise UnitError(f"ectopic is a probability, got {self.ectopic!r}")

    def __call__(self, time: Times) -> Float64:
        """Return the contraction."""
        since, systole, relaxation = self._at(time)
        up, down = np.clip(since / systole, 0, 1), np.clip((since - systole) / relaxation, 0, 1)
        return np.asarray(np.sin(pi / 2 * up) ** 2 * np.cos(pi / 2 * down) ** 2)

    def rate(self, time: Times) -> Float64:
        """Return how fast it contracts, negative while it relaxes."""
        since, systole, relaxation = self._at(time)
        up, down = np.clip(since / systole, 0, 1), np.clip((since - systole) / relaxation, 0, 1)
        return np.asarray(pi / 2 * (np.sin(pi * up) / systole - np.sin(pi * down) / relaxation))

    def onsets(self, until: float) -> Float64:
        """Return when each beat begins, up to a time and one beyond it (beat) [s]."""
        return _onsets(until, self.key, self.interval, self.spread, self.ectopic)

    def _at(self, time: Times) -> tuple[Float64, Float64, Float64]:
        _, phase, length = _locate(time, self.key, self.interval, self.spread, self.ectopic)
        systole = np.minimum(SYSTOLE * np.sqrt(length), length / (1 + RELAXATION))
        return phase * length, systole, RELAXATION * systole


def _breath(phase: Float64, n: int) -> Float64:
    return np.asarray(np.sin(pi * phase) ** (2 * n))


def _flow(phase: Float64, n: int) -> Float64:
    return np.asarray(2 * n * pi * np.sin(pi * phase) ** (2 * n - 1) * np.cos(pi * phase))


def _check(period: float, exponent: int) -> None:
    if not 0 < period < np.inf or exponent < 1:
        raise UnitError(f"a cycle needs a positive length [s] and an exponent of at least 1, got {period}, {exponent}")


def _check_spreads(*spreads: float) -> None:
    if not all(0 <= spread <= 0.5 for spread in spreads):
        raise UnitError(f"spreads are standard deviations over means, 0 to 0.5, got {spreads}")


def _lognormal(key: Key, spread: float, n: int) -> Float64:
    """Return positive numbers of mean 1 and the given standard deviation (n); number i does not depend on n."""
    variance = np.log1p(spread**2)
    return np.asarray(np.exp(np.sqrt(variance) * normal(key, n, dtype=np.float64) - variance / 2))


@lru_cache(maxsize=64)
def _table(key: Key, mean: float, spread: float, ectopic: float, n: int) -> Float64:
    """Return when cycles begin (n + 1) [s]."""
    lengths = np.maximum(_lognormal(key.fold("length"), spread, n), SHORTEST)
    if ectopic:
        early = uniform(key.fold("ectopic"), n, dtype=np.float64) < ectopic
        after = np.concatenate([[False], early[:-1]]) & ~early
        lengths = lengths * np.where(early, PREMATURE, np.where(after, 2 - PREMATURE, 1.0))
    begins = np.concatenate([[0.0], np.cumsum(mean * lengths)])
    begins.flags.writeable = False
    return begins


def _onsets(until: float, key: Key, mean: float, spread: float, ectopic: float) -> Float64:
    n = 64
    while (begins := _table(key, mean, spread, ectopic, n))[-1] <= until:
        n *= 2
    return begins[: int(np.searchsorted(begins, until, "right")) + 1]


def _locate(
    time: Times, key: Key, mean: float, spread: float, ectopic: float
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], Float64, Float64]:
    """Return number, phase (0 to 1) and length [s] of the cycle at each time."""
    at = np.asarray(time, np.float64)
    if at.size and at.min() < 0:
        raise UnitError(f"cycles begin at 0 s, got a time of {at.min()} s")
    begins = _onsets(float(at.max(initial=0)), key, mean, spread, ectopic)
    number = np.asarray(np.searchsorted(begins, at, "right") - 1, np.int64)
    length = begins[number + 1] - begins[number]
    return number, (at - begins[number]) / length, length
