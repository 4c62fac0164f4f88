"""Sums that many histories add to: whole numbers of 2⁻²⁰ keV, so that the order of the additions never shows."""

from __future__ import annotations

from threading import Lock
from typing import Any, Final

import numpy as np
from numba import cuda
from numba.core import types
from numba.extending import intrinsic

from phantomsim.physics.array import Array
from phantomsim.physics.errors import ResourceError
from phantomsim.physics.kernel import SIMULATED, Real, scalar

QUANTA_PER_KEV: Final = 2.0**20
_LARGEST = 2.0**62
_QUANTA = np.float32(QUANTA_PER_KEV)


def check_capacity(energy: float) -> None:
    """Refuse to tally so much energy [keV] that a sum could wrap.

    Raises
    ------
    ResourceError
        If it is above 4.4e12 keV.
    """
    if not energy * QUANTA_PER_KEV < _LARGEST:
        raise ResourceError(f"a tally holds up to {_LARGEST / QUANTA_PER_KEV:.2g} keV, got {energy:.2g}; use more runs")


@scalar
def quanta(energy: Real) -> np.int64:
    """Return an energy [keV] below 1024 in whole quanta of 2⁻²⁰ keV."""
    whole = np.int32(energy)
    part = (energy - np.float32(whole)) * _QUANTA
    return (np.int64(whole) << np.int64(20)) + np.int64(np.int32(part + np.float32(0.5)))


_simulator_lock = Lock()


def _add_in_simulator(sums: Array, index: Any, value: Any) -> None:
    with _simulator_lock:
        sums[index] += value


def _add_on_card(sums: Array, index: Any, value: Any) -> None:
    cuda.atomic.add(sums, index, value)


add_on_device = _add_in_simulator if SIMULATED else scalar(_add_on_card)
"""Add a value to ``sums[index]``, int64, in one step that no CUDA thread interrupts (the simulator puts its own atomics
into kernels alone, not into what they call)."""


@intrinsic  # type: ignore[untyped-decorator]
def add(typing_context: Any, sums: Any, index: Any, value: Any) -> Any:
    """Add `value` to ``sums.ravel()[index]``, int64, in one step that no thread interrupts (CPU; unchecked index)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, value = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        builder.atomic_rmw("add", builder.gep(data, [index], inbounds=True), value, "monotonic")
        return context.get_dummy_value()

    return types.void(sums, types.int64, types.int64), generate
