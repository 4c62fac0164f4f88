"""How the flow of a tree varies over a heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from phantomsim.physics.errors import UnitError


@dataclass(frozen=True)
class Waveform:
    """Flow over its mean: 1 + Σ Re(amplitude_k exp(i 2π k frequency t)), k from 1.

    Parameters
    ----------
    frequency
        Of the heart [Hz].
    amplitudes
        Complex amplitude of each harmonic over the mean flow [1]; none: steady flow.

    Raises
    ------
    UnitError
        If the frequency is not positive.
    """

    frequency: float = 1.0
    amplitudes: tuple[complex, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.frequency < np.inf:
            raise UnitError(f"the frequency of a heartbeat must be positive [Hz], got {self.frequency!r}")

    def phasors(self, time: float) -> tuple[complex, ...]:
        """Return amplitude_k exp(i 2π k frequency t) of each harmonic at a time [s]."""
        turn = 2j * pi * self.frequency * time
        return tuple(complex(a * np.exp(turn * k)) for k, a in enumerate(self.amplitudes, 1))

    def at(self, time: float) -> float:
        """Return the flow over its mean at a time [s]."""
        return 1.0 + sum(phasor.real for phasor in self.phasors(time))


def pulse(frequency: float, height: float, width: float = 0.1, peak: float = 0.2, n_harmonics: int = 6) -> Waveform:
    """Return a heartbeat with one bell-shaped systolic wave.

    A Gaussian repeated with each beat has the harmonics 2 exp(−2π² k² σ²) exp(−i 2π k τ), by Poisson's sum. It is a
    plausible shape, not a fit to measured arteries.

    Parameters
    ----------
    frequency
        Of the heart [Hz].
    height
        Amplitude of the wave over that of a Gaussian with the mean flow: 0 is steady flow.
    width, peak
        Standard deviation σ and time τ of the wave, in beats.
    n_harmonics
        Harmonics kept; the sixth of the default is 0.002 of the mean.
    """
    k = np.arange(1, n_harmonics + 1)
    values = 2 * height * np.exp(-2 * (pi * k * width) ** 2 - 2j * pi * k * peak)
    return Waveform(frequency, tuple(complex(v) for v in values) if height else ())
