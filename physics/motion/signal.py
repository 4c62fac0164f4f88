"""Signals: what drives a motion, as functions of time with their rates, the same at any sampling of time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import UnitError
from phantomsim.physics.rng import Key, uniform

Float64 = npt.NDArray[np.float64]
Times = npt.ArrayLike
"""One time or an array of any shape [s]; signals begin at 0."""


class Signal(ABC):
    """A function of time, 0 for a body as it was drawn."""

    @abstractmethod
    def __call__(self, time: Times) -> Float64:
        """Return the value at each time."""

    @abstractmethod
    def rate(self, time: Times) -> Float64:
        """Return the derivative at each time [1/s]."""


@dataclass(frozen=True)
class Constant(Signal):
    """A signal that stays where it is."""

    value: float = 0.0

    def __call__(self, time: Times) -> Float64:
        """Return the value."""
        return np.full(np.shape(time), self.value)

    def rate(self, time: Times) -> Float64:
        """Return 0."""
        return np.zeros(np.shape(time))


@dataclass(frozen=True)
class Waves(Signal):
    """A sum of sinusoids that begins at 0.

    Parameters
    ----------
    amplitudes, frequencies, phases
        Of each: value ``amplitude · (sin(2π · frequency · t + phase) − sin(phase))``; [Hz], [rad].
    """

    amplitudes: tuple[float, ...]
    frequencies: tuple[float, ...]
    phases: tuple[float, ...]

    def __call__(self, time: Times) -> Float64:
        """Return the sum."""
        total = np.zeros(np.shape(time))
        for a, f, p in zip(self.amplitudes, self.frequencies, self.phases, strict=True):  # one order for every shape
            total = total + a * (np.sin(2 * pi * f * np.asarray(time, np.float64) + p) - np.sin(p))
        return np.asarray(total)

    def rate(self, time: Times) -> Float64:
        """Return the sum's derivative."""
        total = np.zeros(np.shape(time))
        for a, f, p in zip(self.amplitudes, self.frequencies, self.phases, strict=True):
            total = total + 2 * pi * f * a * np.cos(2 * pi * f * np.asarray(time, np.float64) + p)
        return np.asarray(total)


@dataclass(frozen=True)
class Step(Signal):
    """A sudden change from 0 to `height` that lasts: smooth to the second derivative.

    Parameters
    ----------
    begin, duration
        When it begins, and how long the change takes [s].
    """

    begin: float
    duration: float
    height: float = 1.0

    def __post_init__(self) -> None:
        if not self.duration > 0:
            raise UnitError(f"a step takes a positive time [s], got {self.duration!r}")

    def __call__(self, time: Times) -> Float64:
        """Return the height reached."""
        return self.height * rise((np.asarray(time, np.float64) - self.begin) / self.duration)

    def rate(self, time: Times) -> Float64:
        """Return the speed of the change."""
        return self.height / self.duration * slope((np.asarray(time, np.float64) - self.begin) / self.duration)


@dataclass(frozen=True)
class Total(Signal):
    """The sum of signals."""

    signals: tuple[Signal, ...]

    def __call__(self, time: Times) -> Float64:
        """Return the sum."""
        return np.asarray(sum((signal(time) for signal in self.signals), np.zeros(np.shape(time))))

    def rate(self, time: Times) -> Float64:
        """Return the sum of rates."""
        return np.asarray(sum((signal.rate(time) for signal in self.signals), np.zeros(np.shape(time))))


def rise(x: Any) -> Float64:
    """Return the polynomial of fifth degree from 0 (x <= 0) to 1 (x >= 1) with two derivatives of 0 at both ends."""
    x = np.clip(x, 0, 1)
    return np.asarray(x**3 * (10 + x * (6 * x - 15)))


def slope(x: Any) -> Float64:
    """Return the derivative of `rise`; its maximum is 15/8."""
    x = np.clip(x, 0, 1)
    return np.asarray(30 * (x * (1 - x)) ** 2)


def bend(x: Any) -> Float64:
    """Return the second derivative of `rise`."""
    x = np.clip(x, 0, 1)
    return np.asarray(60 * x * (1 - x) * (1 - 2 * x))


def drift(key: Key, size: float, period: float = 60.0) -> Waves:
    """Return a slow wander that stays within ±`size`: three waves of about `period` [s]."""
    return _waves(key, size, 1 / period, 0.6)


def tremor(key: Key, size: float, frequency: float = 5.0) -> Waves:
    """Return a shiver that stays within ±`size`: three waves of about `frequency` [Hz]; rest tremor has 4 to 6 Hz.

    The frequency is a textbook's round figure from memory, grade C.
    """
    return _waves(key, size, frequency, 0.15)


def _waves(key: Key, size: float, frequency: float, spread: float) -> Waves:
    draws = uniform(key, (3, 3), dtype=np.float64)
    amplitudes = size / 2 * draws[0] / draws[0].sum()  # |sin − sin(phase)| <= 2
    frequencies = frequency * (1 + spread * (2 * draws[1] - 1))
    a, f, p = (tuple(float(v) for v in row) for row in (amplitudes, frequencies, 2 * pi * draws[2]))
    return Waves(a, f, p)


def nod(key: Key, size: float, within: float, duration: float = 0.4) -> Step:
    """Return a sudden movement to `size` at a random time within [0, within] [s]."""
    return Step(within * float(uniform(key, 1, dtype=np.float64)[0]), duration, size)
