"""The covariance of a scan's readings, as an operator: dense it would hold the square of their number."""

from __future__ import annotations

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.operator import LinearOperator


class ReadingCovariance(LinearOperator):
    """``C diag(v) Cᵀ + diag(e)``: independent quanta that a linear detector spreads, then independent electronics.

    Parameters
    ----------
    spread
        C: what takes the energies of the quanta to the signals that are converted, such as ``gain @ lag @ crosstalk``.
    variance
        v, of the energies before they spread (view, row, column) [keV²].
    electronic
        e, of what is added after that: a number, or an array that broadcasts to the readings [keV²].

    Raises
    ------
    ShapeError
        If the variance does not fit the operator.
    UnitError
        If a variance is negative.
    """

    def __init__(self, spread: LinearOperator, variance: Array, electronic: Array | float = 0.0) -> None:
        spread.domain.check(variance)
        if spread.range.shape != spread.domain.shape:
            raise ShapeError(f"spread must map readings to readings, got {spread.domain} to {spread.range}")
        xp = namespace(variance)
        electronic = xp.asarray(electronic, dtype=variance.dtype)
        if not (variance >= 0).all() or not (electronic >= 0).all():
            raise UnitError("variances must not be negative [keV²]")
        self.spread, self.variance, self.electronic = spread, variance, electronic
        self.domain = self.range = spread.range

    def forward(self, x: Array) -> Array:
        """Apply the covariance to an array of readings (view, row, column)."""
        self.domain.check(x)
        return self.spread.forward(self.variance * self.spread.adjoint(x)) + self.electronic * x

    def adjoint(self, y: Array) -> Array:
        """Apply the covariance, which is its own transpose."""
        return self.forward(y)
