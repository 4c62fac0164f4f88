"""Moments of stored arrays, for normalisation: exact to merge, in any grouping that keeps the order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Count, mean, sum of squared deviations, and range of the finite values of an array.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", Am. Stat. 37 (1983),
    doi:10.1080/00031305.1983.10483115
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf

    @classmethod
    def of(cls, values: np.ndarray[Any, Any]) -> Moments:
        """Return the moments of an array, in float64; of complex values, those of the magnitude."""
        flat = np.abs(values).ravel() if np.iscomplexobj(values) else values.ravel()
        flat = flat.astype(np.float64)
        total = flat.sum()
        if not math.isfinite(total):
            flat = flat[np.isfinite(flat)]
            total = flat.sum()
        if not flat.size:
            return cls()
        mean = float(total / flat.size)
        low, high = float(flat.min()), float(flat.max())
        flat -= mean
        return cls(flat.size, mean, float(np.square(flat, out=flat).sum()), low, high)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both sets of values together (eq. 2.1 of Chan et al.)."""
        if not other.count or not self.count:
            return self if self.count else other
        count, step = self.count + other.count, other.mean - self.mean
        return Moments(
            count,
            self.mean + step * other.count / count,
            self.squares + other.squares + step**2 * self.count * other.count / count,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )

    @property
    def std(self) -> float:
        """Standard deviation of the values (not of a population that they sample)."""
        return math.sqrt(self.squares / self.count) if self.count else math.nan

    def to_json(self) -> list[float] | None:
        """Return the five numbers, or None if there are no values."""
        return [self.count, self.mean, self.squares, self.minimum, self.maximum] if self.count else None

    @classmethod
    def from_json(cls, numbers: list[Any] | None) -> Moments:
        """Return what `to_json` wrote."""
        return cls(*numbers) if numbers else cls()


def combine(moments: Iterable[Moments]) -> Moments:
    """Return the moments of many sets of values, merged in the order given."""
    return reduce(Moments.__add__, moments, Moments())
