"""What decides the bits of a sample besides its recipe: code, libraries, device and processor."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import phantomsim.physics
from phantomsim.physics.array import device_namespace, parse_device

LIBRARIES = ("numpy", "scipy", "numba", "llvmlite", "xraylib", "spekpy", "zarr", "numcodecs", "cupy-cuda13x")
_WITHOUT_EFFECT = ("report", "quality", "commands", "cli.py", "__pycache__")


@cache
def code_digest() -> str:
    """Return a hash of the package's source and data, less what cannot change a sample."""
    physics = Path(phantomsim.physics.__path__[0])
    package = Path(__file__).parents[2]
    digest = hashlib.blake2b(digest_size=8)
    for root in (physics, package):
        for file in sorted(root.rglob("*")):
            parts = file.relative_to(root).parts
            if file.suffix in {".py", ".toml", ".npz", ".json"} and not set(parts) & {*_WITHOUT_EFFECT, "physics"}:
                digest.update("/".join(parts).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def environment(device: str) -> Mapping[str, Any]:
    """Return what this process computes with; equal environments give equal bytes.

    Raises
    ------
    DeviceError
        If the device is not there.
    """
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    found: dict[str, Any] = {
        "phantomsim": _version("phantomsim"),
        "code": code_digest(),
        "python": platform.python_version(),
        "libraries": {name: there for name in LIBRARIES if (there := _version(name))},
        "machine": platform.machine(),
        "cpu": llvm.get_host_cpu_name(),
        "cpu_features": sorted(name for name, there in features.items() if there),
        "backend": "cpu",
    }
    ordinal = parse_device(device)
    if ordinal is not None:
        runtime = device_namespace(device).cuda.runtime
        card = runtime.getDeviceProperties(ordinal)["name"].decode()
        found["backend"] = f"cuda {runtime.runtimeGetVersion()} on {card}"
    return found


def difference(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Return in words what differs between two environments, empty if nothing does."""
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    return ", ".join(
        f"{name} ({theirs.get(name)} there, {ours.get(name)} here)"
        if isinstance(ours.get(name), str) and isinstance(theirs.get(name), str)
        else name
        for name in names
    )
