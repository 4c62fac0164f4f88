"""Arrays on any device: the device follows the data, and cupy is imported here alone."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from phantomsim.physics.errors import DeviceError

Array = Any
"""A numpy or cupy array; annotations use it where either is accepted."""


def namespace(*arrays: Array) -> ModuleType:
    """Return the module, numpy or cupy, that the arrays belong to.

    Raises
    ------
    DeviceError
        If host and device arrays are mixed: copies between devices are never silent.
    """
    cupy = sys.modules.get("cupy")  # an array of cupy's cannot exist before cupy is imported
    if cupy is None:
        return np
    on_device = {isinstance(x, cupy.ndarray) for x in arrays if isinstance(x, np.ndarray | cupy.ndarray)}
    if on_device == {True, False}:
        raise DeviceError("arrays live on host and device; move them to one with to_device(x, device)")
    return cupy if on_device == {True} else np


def parse_device(device: str) -> int | None:
    """Return the CUDA ordinal named by ``"cuda"`` or ``"cuda:n"``, or None for ``"cpu"``.

    Raises
    ------
    DeviceError
        If the text names no device.
    """
    kind, _, ordinal = device.partition(":")
    if device == "cpu":
        return None
    if kind == "cuda" and (ordinal.isdigit() or device == "cuda"):
        return int(ordinal or 0)
    raise DeviceError(f"device must be 'cpu', 'cuda' or 'cuda:n', got {device!r}")


def device_namespace(device: str) -> ModuleType:
    """Return the array module of a device and make that device current.

    Raises
    ------
    DeviceError
        If the device is CUDA and cupy or the card is missing.
    """
    ordinal = parse_device(device)
    if ordinal is None:
        return np
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(f"device {device!r} needs cupy: pip install 'phantomsim[gpu]'") from error
    try:
        cupy.cuda.Device(ordinal).use()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"device {device!r} is not there: {error}") from error
    return cupy  # type: ignore[no-any-return]


def to_device(x: Array, device: str) -> Array:
    """Copy an array to a device (no copy if it is there already)."""
    xp = device_namespace(device)
    return to_host(x) if xp is np else xp.asarray(x)


def to_host(x: Array) -> np.ndarray[Any, Any]:
    """Copy an array to the host (no copy if it is there already)."""
    return np.asarray(x) if namespace(x) is np else x.get()
