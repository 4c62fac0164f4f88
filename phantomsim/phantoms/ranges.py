"""Numbers drawn from the ranges that a recipe gives."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from phantomsim.physics.rng import Key, uniform

Range = tuple[float, float]
PositiveRange = tuple[Annotated[float, Field(gt=0, le=10000)], Annotated[float, Field(gt=0, le=10000)]]


def between(key: Key, limits: Range) -> float:
    """Draw a number between two limits."""
    low, high = limits
    return low + (high - low) * float(uniform(key, 1, dtype=np.float64)[0])


def integer_between(key: Key, limits: tuple[int, int]) -> int:
    """Draw an integer from the first limit to the last, both included."""
    low, high = limits
    return low + int((high - low + 1) * float(uniform(key, 1, dtype=np.float64)[0]))
