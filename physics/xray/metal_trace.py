"""Line integrals that metal spoils, filled from their neighbours in each view.

References
----------
W. A. Kalender, R. Hebel, J. Ebersberger, "Reduction of CT artifacts caused by metallic implants", Radiology 164 (1987).
E. Meyer et al., "Normalized metal artifact reduction (NMAR) in computed tomography", Med. Phys. 37 (2010).
"""

from __future__ import annotations

from typing import Final

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError

LEAST_PRIOR: Final = 0.05
"""Line integral of the prior below which nothing is divided by it: such rays hardly meet the body [1]."""


def interpolate(line_integrals: Array, trace: Array) -> Array:
    """Return line integrals with those of the trace replaced by straight lines between their neighbours.

    Parameters
    ----------
    line_integrals
        (view, row, column) [1].
    trace
        Which of them metal spoils (view, row, column), boolean. Where it reaches the end of the detector, the one
        neighbour there is goes on; a row that is all trace becomes 0.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    if line_integrals.shape != trace.shape:
        raise ShapeError(f"line integrals {line_integrals.shape} and their trace {trace.shape} must match")
    xp, n_columns = namespace(line_integrals, trace), trace.shape[-1]
    columns = xp.broadcast_to(xp.arange(n_columns), trace.shape)
    before = xp.maximum.accumulate(xp.where(trace, -1, columns), axis=-1)
    after = xp.minimum.accumulate(xp.where(trace, n_columns, columns)[..., ::-1], axis=-1)[..., ::-1]
    lost = (before < 0) & (after == n_columns)
    left, right = xp.where(before < 0, after, before), xp.where(after == n_columns, before, after)
    left, right = xp.where(lost, 0, left), xp.where(lost, 0, right)
    share = (columns - left) / xp.maximum(right - left, 1)
    ends = [xp.take_along_axis(line_integrals, end, axis=-1) for end in (left, right)]
    filled = ends[0] + share.astype(line_integrals.dtype) * (ends[1] - ends[0])
    return xp.where(trace, xp.where(lost, line_integrals.dtype.type(0), filled), line_integrals)


def interpolate_normalised(line_integrals: Array, trace: Array, prior: Array) -> Array:
    """Return line integrals with those of the trace filled as `interpolate` does, after division by a prior.

    Where the prior knows bones and air, their shadows pass through the trace as the prior has them.

    Parameters
    ----------
    line_integrals, trace
        As for `interpolate`.
    prior
        Line integrals of a body like the one measured but without metal (view, row, column) [1].

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    if line_integrals.shape != prior.shape:
        raise ShapeError(f"line integrals {line_integrals.shape} and prior {prior.shape} must match")
    xp = namespace(line_integrals, trace, prior)
    norm = xp.maximum(prior, prior.dtype.type(LEAST_PRIOR)).astype(line_integrals.dtype)
    return xp.where(trace, interpolate(line_integrals / norm, trace) * norm, line_integrals)


def widened(trace: Array, n_columns: int) -> Array:
    """Return a trace (…, column) that is wider by so many columns on either side."""
    xp = namespace(trace)
    wide = trace
    for _ in range(n_columns):
        padded = xp.pad(wide, [(0, 0)] * (trace.ndim - 1) + [(1, 1)])
        wide = padded[..., :-2] | padded[..., 1:-1] | padded[..., 2:]
    return wide
