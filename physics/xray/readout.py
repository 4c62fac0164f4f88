"""From absorbed energy to calibrated energy: all that a real energy-integrating detector adds on the way.

In order: X-ray cross-talk and optical cross-talk spread the drawn energy over neighbours, afterglow over later views;
electronic noise is added; each pixel has its own gain, which drifts, as its offset does; the converter rounds and cuts
off. The calibration undoes what it knows: the mean offset and each pixel's gain, within its error, as it was at the
start of the scan; dead pixels are filled in from their neighbours. What it does not know becomes rings and shading.

The detector's own pattern comes from a key of its own: the same for every view, take and scan of that detector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ResourceError, ShapeError, UnitError
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.rng import Key, normal, uniform
from phantomsim.physics.xray.covariance import ReadingCovariance
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.noise import Beam, draw_readings, expected_readings, variance_of_readings
from phantomsim.physics.xray.spreading import Crosstalk, Decay, Lag, PixelGain


@dataclass(frozen=True)
class Readout:
    """What an energy-integrating detector does to its signal; every effect is off until it is given.

    Parameters
    ----------
    xray_crosstalk, optical_crosstalk
        Shares of the signal for each neighbour in the next row, in the next column [1].
    decays
        Slow components of the signal.
    view_time
        From view to view [s]; needed with decays.
    gain_spread
        Standard deviation of the pixels' gains about 1, which the calibration removes [1].
    gain_error
        Standard deviation of the calibration's relative error: rings [1].
    gain_drift
        Standard deviation of the relative change of each pixel's gain over the scan, in proportion to time [1].
    offset_drift
        Standard deviation of the change of each pixel's offset over the scan, in proportion to time [keV].
    dead_fraction
        Probability that a pixel is dead [1].

    Raises
    ------
    UnitError
        If a value is out of its range.
    """

    xray_crosstalk: tuple[float, float] = (0.0, 0.0)
    optical_crosstalk: tuple[float, float] = (0.0, 0.0)
    decays: tuple[Decay, ...] = ()
    view_time: float | None = None
    gain_spread: float = 0.0
    gain_error: float = 0.0
    gain_drift: float = 0.0
    offset_drift: float = 0.0
    dead_fraction: float = 0.0

    def __post_init__(self) -> None:
        for name in ("gain_spread", "gain_error", "gain_drift"):
            if not 0 <= getattr(self, name) <= 0.2:
                raise UnitError(f"{name} must be 0 to 0.2 [1]: gains stay positive; got {getattr(self, name)!r}")
        if not 0 <= self.offset_drift < np.inf:
            raise UnitError(f"offset_drift must not be negative [keV], got {self.offset_drift!r}")
        if not 0 <= self.dead_fraction <= 0.5:
            raise UnitError(f"dead_fraction must be 0 to 0.5 [1], got {self.dead_fraction!r}")
        if self.decays and self.view_time is None:
            raise UnitError("decays need view_time, the time from view to view [s]")
        self.spread((1, 1, 1))  # its operators check their own values

    def spread(self, shape: tuple[int, int, int], dtype: str = "float32") -> LinearOperator:
        """Return the operator of all cross-talk and afterglow on readings (view, row, column)."""
        spread: LinearOperator = Crosstalk(shape, *self.xray_crosstalk, dtype)
        if any(self.optical_crosstalk):
            spread = Crosstalk(shape, *self.optical_crosstalk, dtype) @ spread
        if self.decays and self.view_time is not None:
            spread = Lag(shape, self.decays, self.view_time, dtype) @ spread
        return spread


@dataclass(frozen=True, eq=False)
class Pattern:
    """The pixels of one detector, each its own.

    Parameters
    ----------
    gain, calibrated
        True gain at the start of a scan, and what the calibration believes (row, column) [1].
    gain_change, offset_change
        Over a scan (row, column) [1, keV].
    dead
        Pixels that give nothing (row, column).
    """

    gain: Array
    calibrated: Array
    gain_change: Array
    offset_change: Array
    dead: Array

    def gains(self, n_views: int) -> Array:
        """Return the true gain of every reading (view, row, column) [1]."""
        return self.gain * (1 + self._time(n_views) * self.gain_change)

    def offsets(self, n_views: int) -> Array:
        """Return the change of offset of every reading (view, row, column) [keV]."""
        return self._time(n_views) * self.offset_change

    def _time(self, n_views: int) -> Array:
        xp = namespace(self.gain)
        return (xp.arange(n_views, dtype=xp.float32) / xp.float32(n_views))[:, None, None]


def draw_pattern(key: Key, readout: Readout, shape: tuple[int, int], like: Array) -> Pattern:
    """Draw the pixels of a detector.

    Parameters
    ----------
    key
        The detector's own stream: one key, one detector.
    readout
        How far pixels differ.
    shape
        Rows and columns.
    like
        An array on the device where the pattern shall be.

    Raises
    ------
    ResourceError
        If a row of pixels is dead altogether: there is nothing to fill it in from.
    """
    xp = namespace(like)

    def draws(name: str, deviation: float) -> Array:
        # further than 4 deviations no pixel passes a factory's inspection; it also keeps gains positive
        return deviation * xp.clip(normal(key.fold(name), shape, xp), -4, 4)

    gain = 1 + draws("gain", readout.gain_spread)
    dead = uniform(key.fold("dead"), shape, xp) < readout.dead_fraction
    if bool(dead.all(axis=-1).any()):
        raise ResourceError(f"a whole row of {shape[1]} pixels is dead: lower dead_fraction = {readout.dead_fraction}")
    return Pattern(
        gain,
        gain * (1 + draws("gain error", readout.gain_error)),
        draws("gain drift", readout.gain_drift),
        draws("offset drift", readout.offset_drift),
        dead,
    )


def read_out(
    key: Key,
    lengths: Array,
    beam: Beam,
    detector: EnergyIntegratingDetector,
    readout: Readout,
    pattern: Pattern,
    exposure: Array | float = 1.0,
) -> Array:
    """Draw the readings of a scan through the whole chain.

    Parameters
    ----------
    key
        Stream of the noise.
    lengths
        Path length in each material (view, row, column, material) [m], float32.
    beam, detector, exposure
        As for `phantomsim.physics.xray.noise.draw_readings`.
    readout, pattern
        What the detector does, and its pixels.

    Returns
    -------
        Readings (view, row, column), integers of `detector.dtype` [counts].

    Raises
    ------
    ShapeError, UnitError
        As for `draw_readings`, or if the pattern does not fit.
    """
    xp = namespace(lengths)
    absorbed = _analog(detector)
    quanta = draw_readings(key.fold("quanta"), lengths, beam, absorbed, exposure)
    energy = readout.spread(quanta.shape).forward(absorbed.absorbed_energy(quanta))
    if detector.electronic_noise > 0:
        energy += xp.float32(detector.electronic_noise) * normal(key.fold("electronics"), energy.shape, xp)
    counts = xp.rint(_amplified(energy, detector, pattern))
    return xp.clip(counts, 0, detector.largest).astype(detector.dtype)


def expected_read_out(
    lengths: Array,
    beam: Beam,
    detector: EnergyIntegratingDetector,
    readout: Readout,
    pattern: Pattern,
    exposure: Array | float = 1.0,
) -> Array:
    """Return the expectation of `read_out` before rounding, cut off where the converter is (view, row, column)."""
    absorbed = _analog(detector)
    energy = expected_readings(lengths, beam, absorbed, exposure) / absorbed.gain
    spread = readout.spread(energy.shape).forward(energy)
    return namespace(lengths).clip(_amplified(spread, detector, pattern), 0, detector.largest)


def covariance_of_read_out(
    lengths: Array,
    beam: Beam,
    detector: EnergyIntegratingDetector,
    readout: Readout,
    pattern: Pattern,
    exposure: Array | float = 1.0,
) -> ReadingCovariance:
    """Return the covariance of `read_out` where the converter cuts nothing off [counts²], its rounding included."""
    absorbed = _analog(detector)
    variance = variance_of_readings(lengths, beam, absorbed, exposure) / np.float32(absorbed.gain**2)
    shape = variance.shape
    live = (~pattern.dead).astype(np.float32)
    gains = np.float32(detector.gain) * pattern.gains(shape[0]) * live
    electronic = gains**2 * np.float32(detector.electronic_noise**2) + np.float32(1 / 12) * live
    return ReadingCovariance(PixelGain(shape, gains) @ readout.spread(shape), variance, electronic)


def calibrated_energy(reading: Array, detector: EnergyIntegratingDetector, pattern: Pattern) -> Array:
    """Return what the scanner takes for the absorbed energy: known offset and gains undone, dead pixels filled in.

    Parameters
    ----------
    reading
        Readings (view, row, column) [counts].
    detector, pattern
        Those that made them.

    Returns
    -------
        Energy (view, row, column) [keV], float32; a dead pixel holds the straight line between the nearest live ones
        of its row.
    """
    _check(reading, pattern)
    energy = detector.absorbed_energy(reading) / pattern.calibrated
    return fill_dead(energy, pattern.dead)


def fill_dead(values: Array, dead: Array) -> Array:
    """Return values (view, row, column) with dead pixels (row, column) interpolated along their rows."""
    xp = namespace(values)
    n = dead.shape[-1]
    place = xp.broadcast_to(xp.arange(n), dead.shape)
    before = _running(xp.where(dead, -1, place), largest=True)
    after = _running(xp.where(dead, n, place)[:, ::-1], largest=False)[:, ::-1]
    before, after = xp.where(before < 0, after, before), xp.where(after >= n, before, after)
    weight = (place - before) / xp.maximum(after - before, 1)
    rows = xp.arange(dead.shape[0])[:, None]
    weight = weight.astype(values.dtype)
    return (1 - weight) * values[:, rows, before] + weight * values[:, rows, after]


def _running(x: Array, *, largest: bool) -> Array:
    """Return the largest or smallest of a row up to each place (cupy has no ``maximum.accumulate``)."""
    xp = namespace(x)
    out, step = x.copy(), 1
    while step < x.shape[-1]:
        pick = xp.maximum if largest else xp.minimum
        out[:, step:] = pick(out[:, step:], out[:, :-step].copy())
        step *= 2
    return out


def _analog(detector: EnergyIntegratingDetector) -> EnergyIntegratingDetector:
    """Return the scintillator alone, read as finely as float32 holds up to twice the converter's range."""
    gain = detector.gain * 2.0 ** (23 - detector.bits)
    return replace(detector, gain=gain, electronic_noise=0.0, bits=24, offset=0.0)


def _amplified(energy: Array, detector: EnergyIntegratingDetector, pattern: Pattern) -> Array:
    """Return what reaches the converter (view, row, column) [counts]."""
    _check(energy, pattern)
    xp = namespace(energy)
    signal = pattern.gains(energy.shape[0]) * energy + pattern.offsets(energy.shape[0])
    signal = xp.where(pattern.dead, xp.float32(0), xp.float32(detector.gain) * signal)
    return signal + xp.float32(detector.offset)


def _check(readings: Array, pattern: Pattern) -> None:
    if readings.shape[1:] != pattern.gain.shape:
        raise ShapeError(f"the pattern has {pattern.gain.shape} pixels, the readings {readings.shape[1:]}")
