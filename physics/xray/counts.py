"""Counts of a photon-counting detector behind an object: expectation, draws and covariance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.rng import Key, poisson
from phantomsim.physics.xray.event_classes import NEIGHBOURS
from phantomsim.physics.xray.noise import Beam
from phantomsim.physics.xray.photon_counting import PhotonCountingDetector
from phantomsim.physics.xray.pulse_pile_up import PileUp
from phantomsim.physics.xray.transmission import EnergySum, transmit

Float64 = npt.NDArray[np.float64]
DIMS = ("bin", "view", "row", "column")


def expected_counts(
    lengths: Array,
    beam: Beam,
    detector: PhotonCountingDetector,
    exposure: Array | float = 1.0,
    duration: float | None = None,
) -> Array:
    """Return the expectation of counts.

    Parameters
    ----------
    lengths, beam, detector, exposure, duration
        As for `draw_counts`.

    Returns
    -------
        Mean counts (bin, view, row, column), float32. With a dead time, recorded counts at the mean of the true ones.

    Raises
    ------
    ShapeError, UnitError
        As for `draw_counts`.
    """
    scan = _Scan(lengths, beam, detector, exposure, duration)
    means = []
    for view in range(lengths.shape[0]):
        mean = scan.mean(view)
        if scan.pile_up is not None:
            mean = scan.pile_up.expected(mean.reshape(len(mean), -1), scan.pulses(view)).reshape(mean.shape)
        means.append(mean)
    xp = namespace(lengths)
    return xp.stack(means, axis=1).astype(xp.float32)


def draw_counts(
    key: Key,
    lengths: Array,
    beam: Beam,
    detector: PhotonCountingDetector,
    exposure: Array | float = 1.0,
    duration: float | None = None,
) -> Array:
    """Draw the counts of a scan.

    Parameters
    ----------
    key
        Random stream; a view depends on nothing but the key, its number and what its rays meet.
    lengths
        Path length in each material (view, row, column, material) [m], float32.
    beam
        Photons *on* a pixel with no object, and materials: what the semiconductor absorbs is the detector's business.
    detector
        What counts them. Photons beside its border are lost, so that pixels there count fewer of their neighbours'.
    exposure
        Dose relative to that of `beam`: a number, or an array of trailing axes of the rays.
    duration
        Time that a reading takes [s]; needed with a dead time, and only there.

    Returns
    -------
        Counts (bin, view, row, column), uint32, on the device of `lengths`.

    Raises
    ------
    ShapeError
        If materials or the axes of `exposure` do not match.
    UnitError
        If an exposure is negative, or a dead time lacks its duration.
    """
    scan = _Scan(lengths, beam, detector, exposure, duration)
    counts = []
    for view in range(lengths.shape[0]):
        photons = poisson(key.fold("photons", view), scan.photons(view))
        count = scan.count(photons)
        if scan.pile_up is not None:
            flat = count.reshape(len(count), -1)
            mean = scan.mean(view).reshape(flat.shape)
            noise = key.fold("pile-up", view)
            count = scan.pile_up.draw(noise, flat, mean, scan.pulses(view)).reshape(count.shape)
        counts.append(count)
    xp = namespace(lengths)
    return xp.stack(counts, axis=1).astype(xp.uint32)


class CountCovariance(LinearOperator):
    """The covariance of counts without pile-up: ``A diag(λ) Aᵀ``, λ the photons of each class, A what they count.

    Nothing but path lengths is stored: the photons of a view are worked out while it is applied.

    Parameters
    ----------
    lengths, beam, detector, exposure
        As for `draw_counts`.
    """

    def __init__(
        self, lengths: Array, beam: Beam, detector: PhotonCountingDetector, exposure: Array | float = 1.0
    ) -> None:
        if detector.dead_time is not None:
            raise UnitError("the covariance is that of counts without pile-up; give a detector without a dead time")
        self._scan = _Scan(lengths, beam, detector, exposure, None)
        self.domain = self.range = Space((detector.n_bins, *lengths.shape[:-1]), DIMS, "float64")

    def forward(self, x: Array) -> Array:
        """Apply the covariance to an array (bin, view, row, column)."""
        self.domain.check(x)
        xp = namespace(x)
        views = (self._scan.count(self._scan.photons(v) * self._scan.seen(x[:, v])) for v in range(x.shape[1]))
        return xp.stack(list(views), axis=1)

    def adjoint(self, y: Array) -> Array:
        """Apply the covariance, which is its own transpose."""
        return self.forward(y)

    def variance(self) -> Array:
        """Return the diagonal: every count is Poisson, so it is the mean (bin, view, row, column)."""
        xp = namespace(self._scan.lengths)
        return xp.stack([self._scan.mean(view) for view in range(self.domain.shape[1])], axis=1)


class _Scan:
    """What every view of a scan needs."""

    def __init__(
        self,
        lengths: Array,
        beam: Beam,
        detector: PhotonCountingDetector,
        exposure: Array | float,
        duration: float | None,
    ) -> None:
        if lengths.ndim != 4:
            raise ShapeError(f"lengths must be (view, row, column, material), got shape {lengths.shape}")
        xp = namespace(lengths)
        relative = xp.asarray(exposure, dtype=lengths.dtype)
        if relative.shape != lengths.shape[3 - relative.ndim : -1]:
            raise ShapeError(f"exposure must have trailing axes of the rays {lengths.shape[:-1]}, got {relative.shape}")
        if not (relative >= 0).all():
            raise UnitError("exposure relative to the beam must not be negative")
        self.lengths = lengths
        self.exposure = xp.broadcast_to(relative, lengths.shape[:-1])
        self.classes = detector.classes(beam.energy)
        self._hits = xp.asarray(self.classes.hits)
        self._photons = EnergySum(beam.mu, beam.quanta[:, None] * self.classes.probability)
        self._pulses = EnergySum(beam.mu, beam.quanta[:, None] * self.classes.pulses)
        self.pile_up: PileUp | None = None
        if detector.dead_time is not None:
            if duration is None:
                raise UnitError("a detector with a dead time needs the duration of a reading [s]")
            self.pile_up = PileUp(detector.dead_time, duration, detector.thresholds)

    def photons(self, view: int) -> Array:
        """Return the expected photons of each class (row, column, class)."""
        return transmit(self.lengths[view], self._photons) * self.exposure[view][..., None]

    def pulses(self, view: int) -> Array:
        """Return pulses by height (ray, lattice), those of a pixel taken as those of its own photons, float64."""
        xp = namespace(self.lengths)
        pulses = transmit(self.lengths[view], self._pulses).astype(xp.float64)
        return pulses.reshape(-1, pulses.shape[-1])

    def mean(self, view: int) -> Array:
        """Return expected counts without pile-up (bin, row, column), float64."""
        return self.count(self.photons(view))

    def count(self, photons: Array) -> Array:
        """Return what numbers of photons (row, column, class) count (bin, row, column), float64: exact for integers."""
        xp = namespace(photons)
        n_rows, n_columns, n_classes = photons.shape
        flat = photons.reshape(-1, n_classes).astype(xp.float64)
        counts = xp.zeros((self._hits.shape[2], n_rows, n_columns))
        for to, of, n in _shifts(n_rows, n_columns):
            counts[:, *to] += (flat @ self._hits[:, n]).T.reshape(counts.shape)[:, *of]
        return counts

    def seen(self, counts: Array) -> Array:
        """Apply the transpose of `count` to an array (bin, row, column)."""
        xp = namespace(counts)
        n_bins, n_rows, n_columns = counts.shape
        photons = xp.zeros((n_rows, n_columns, self._hits.shape[0]))
        for to, of, n in _shifts(n_rows, n_columns):
            photons[of] += xp.moveaxis(counts[:, *to], 0, -1) @ self._hits[:, n].T
        return photons


def _shifts(n_rows: int, n_columns: int) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice], int]]:
    """Yield for each neighbour the pixels that count, those whose photons they count, and its number."""
    for n, step in enumerate(NEIGHBOURS):
        to = tuple(slice(max(0, s), size + min(0, s)) for s, size in zip(step, (n_rows, n_columns), strict=True))
        of = tuple(slice(max(0, -s), size + min(0, -s)) for s, size in zip(step, (n_rows, n_columns), strict=True))
        if all(part.stop > part.start for part in to):
            yield (to[0], to[1]), (of[0], of[1]), n
