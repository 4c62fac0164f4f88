"""Where the signal of an energy-integrating detector goes besides its own reading: neighbours and later views.

All are linear, act on absorbed energy (view, row, column) after the quanta have been drawn, and so correlate the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.operator import LinearOperator, Space

DIMS = ("view", "row", "column")


class Crosstalk(LinearOperator):
    """Each pixel gives a share of its signal to each of its two neighbours along rows, and along columns.

    Light that leaks through the walls between scintillators, and fluorescence and scatter that are absorbed next door,
    both move signal so. What leaves at the border of the detector is lost. The operator is its own adjoint.

    Parameters
    ----------
    shape
        Of the readings (view, row, column).
    row_share, column_share
        Share that goes to each neighbour in the next row, in the next column; below a half [1].
    dtype
        Of the arrays.

    Raises
    ------
    UnitError
        If a share is not within 0 to 0.5.
    """

    def __init__(
        self, shape: tuple[int, int, int], row_share: float, column_share: float, dtype: str = "float32"
    ) -> None:
        for name, share in (("row_share", row_share), ("column_share", column_share)):
            if not 0 <= share < 0.5:
                raise UnitError(f"{name} must lie within 0 and 0.5 [1], got {share!r}")
        self.shares = (row_share, column_share)
        self.domain = self.range = Space(shape, DIMS, dtype)

    def forward(self, x: Array) -> Array:
        """Spread the signal of each view (view, row, column)."""
        self.domain.check(x)
        real = np.dtype(self.domain.dtype).type
        signal = x.astype(real)
        for axis, share in zip((-2, -1), self.shares, strict=True):
            if share > 0:
                signal = _leaked(signal, axis, real(share))
        return signal

    def adjoint(self, y: Array) -> Array:
        """Apply the transpose, which is the operator itself."""
        return self.forward(y)


def _leaked(x: Array, axis: int, share: Array) -> Array:
    xp = namespace(x)
    x = xp.moveaxis(x, axis, -1)
    out = x * (1 - 2 * share)
    out[..., 1:] += share * x[..., :-1]
    out[..., :-1] += share * x[..., 1:]
    return xp.moveaxis(out, -1, axis)


@dataclass(frozen=True)
class Decay:
    """One exponential component of a scintillator's light or a panel's charge.

    Parameters
    ----------
    share
        Part of the signal in it [1].
    seconds
        Its time constant [s].

    Raises
    ------
    UnitError
        If the share is not within 0 and 1 or the time not positive.
    """

    share: float
    seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or not 0 < self.seconds < np.inf:
            raise UnitError(f"a decay needs a share of 0 to 1 and a positive time [s], got {self!r}")


class Lag(LinearOperator):
    """Afterglow: part of a view's signal comes out in later views, as a sum of exponentials.

    The impulse response after n views is ``(1 − Σ s) δ_n + Σ s (1 − d) dⁿ`` with ``d = exp(−T / τ)``: in endless views
    all signal comes out. There is no signal before the first view.

    Parameters
    ----------
    shape
        Of the readings (view, row, column).
    decays
        Slow components; what is left of the signal is prompt.
    view_time
        T, from view to view [s].
    dtype
        Of the arrays.

    Raises
    ------
    UnitError
        If the shares exceed 1 or the time is not positive.
    """

    def __init__(
        self, shape: tuple[int, int, int], decays: tuple[Decay, ...], view_time: float, dtype: str = "float32"
    ) -> None:
        if not 0 < view_time < np.inf:
            raise UnitError(f"view_time must be positive [s], got {view_time!r}")
        if sum(decay.share for decay in decays) > 1:
            raise UnitError(f"shares of the decays must not exceed 1 together, got {decays}")
        self.decays, self.view_time = decays, view_time
        self.domain = self.range = Space(shape, DIMS, dtype)

    def forward(self, x: Array) -> Array:
        """Let signals (view, row, column) glow on."""
        self.domain.check(x)
        return self._run(x, range(x.shape[0]))

    def adjoint(self, y: Array) -> Array:
        """Apply the transpose: the same from the last view to the first."""
        self.range.check(y)
        return self._run(y, range(y.shape[0] - 1, -1, -1))

    def _run(self, x: Array, views: range) -> Array:
        xp = namespace(x)
        real = np.dtype(self.domain.dtype).type
        x = x.astype(real)
        out = x * real(1 - sum(decay.share for decay in self.decays))
        for decay in self.decays:
            kept = np.exp(-self.view_time / decay.seconds)
            glow = xp.zeros_like(x[0])
            for view in views:
                glow = real(kept) * glow + real(decay.share * -np.expm1(-self.view_time / decay.seconds)) * x[view]
                out[view] += glow
        return out


class PixelGain(LinearOperator):
    """Each reading times a gain of its own.

    Parameters
    ----------
    shape
        Of the readings (view, row, column).
    gain
        Broadcasts to the readings [1].
    dtype
        Of the arrays.
    """

    def __init__(self, shape: tuple[int, int, int], gain: Array, dtype: str = "float32") -> None:
        if np.broadcast_shapes(shape, gain.shape) != shape:
            raise ShapeError(f"gain must broadcast to the readings {shape}, got shape {gain.shape}")
        self.gain = gain.astype(dtype)
        self.domain = self.range = Space(shape, DIMS, dtype)

    def forward(self, x: Array) -> Array:
        """Multiply signals (view, row, column) by their gain."""
        self.domain.check(x)
        return self.gain * x.astype(self.domain.dtype)

    def adjoint(self, y: Array) -> Array:
        """Apply the transpose, which is the operator itself."""
        return self.forward(y)
