"""Closed-form line integrals of balls and endless cylinders, averaged over each pixel as a detector does."""

from __future__ import annotations

from typing import Any

import numpy as np

from phantomsim.physics.xray.cone import ConeBeam

Triple = tuple[float, float, float]


def ball_chords(scan: ConeBeam, centre: Triple, radius: float, n: int = 3) -> Any:
    """Return the mean chord of a ball at (z, y, x) [m] over each pixel, by n² rays (view, row, column) [m]."""
    return _chords(scan, centre, radius, n, slice(0, 3))


def cylinder_chords(scan: ConeBeam, centre: tuple[float, float], radius: float, n: int = 1) -> Any:
    """Return the mean chord of an endless cylinder along z at `centre` (y, x) [m] (view, row, column) [m]."""
    return _chords(scan, centre, radius, n, slice(1, 3))


def _chords(scan: ConeBeam, centre: Any, radius: float, n: int, axes: slice) -> Any:
    views = scan.views()
    result = np.empty(views.shape)
    for view in range(scan.n_views):  # all rays at once would not stay in cache
        beams = views.part(slice(view, view + 1)).rays(n_subrows=n, n_subcolumns=n)
        start = beams.start[0, 0, 0]
        along = beams.end[0] - start
        z, across = along[..., 0] ** 2, along[..., 1] ** 2 + along[..., 2] ** 2
        length = z + across if axes.start == 0 else across  # squared, as far as it counts
        to = np.asarray(centre) - start[axes]
        nearest = along[..., axes] @ to
        half = np.sqrt(np.maximum(radius**2 - (to @ to) + nearest**2 / length, 0) / length * (z + across))
        result[view] = 2 * half.reshape(scan.n_rows, n, scan.n_columns, n).mean(axis=(1, 3))
    return result
