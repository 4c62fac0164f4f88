"""A kernel around the elementary functions: they must be the same float32 polynomials on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.elementary import exp, floor, log, sincos, sincos_turns
from phantomsim.physics.kernel import Kernel, loop_nest, scalar


@scalar
def _all(x: Array, i: int, out: Array) -> None:
    out[0, i] = log(x[0, i])
    out[1, i] = exp(x[1, i])
    out[2, i], out[3, i] = sincos(x[2, i])
    out[4, i], out[5, i] = sincos_turns(x[3, i])
    out[6, i] = floor(x[2, i])


@loop_nest
def _blocks(begin: int, end: int, x: Array, out: Array) -> None:
    for i in range(begin, end):
        _all(x, i, out)


def _thread(i: int, x: Array, out: Array) -> None:
    _all(x, i, out)


Kernel("test.elementary", _blocks, _thread, "real[:,::1];real[:,::1]")


def cases() -> Iterator[tuple[str, int, int, tuple[Any, ...], tuple[int, ...], float]]:
    """Yield one case that covers the ranges; exp stays small, so that the tolerance means something for all."""
    n = 256
    x = np.stack([np.geomspace(1e-3, 8, n), np.linspace(-8, 2, n), np.linspace(-40, 40, n), np.arange(n) / n])
    yield "test.elementary", n, n, (x.astype(np.float32), np.zeros((7, n), np.float32)), (1,), 1e-7
