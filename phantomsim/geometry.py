"""Scan geometries as text, so that data carries all that a reconstructor needs to know of its scan."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import IntegrityError, PhantomsimError
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan

KINDS: Final[dict[str, type[ParallelBeam] | type[FanBeam]]] = {"parallel": ParallelBeam, "fan": FanBeam}
TYPES: Final[dict[str, type | tuple[type, ...]]] = {"int": int, "float": (int, float)}


def to_json(scan: PlanarScan, z: npt.ArrayLike) -> str:
    """Write a geometry and the positions of its rows as JSON, in SI; every number reads back as the same bits.

    Parameters
    ----------
    scan
        Geometry of a plane.
    z
        Plane of each row (row) [m].
    """
    kind = next(name for name, known in KINDS.items() if type(scan) is known)
    return json.dumps({"kind": kind, **asdict(scan), "z": np.asarray(z, np.float64).tolist()}, allow_nan=False)


def from_json(text: str) -> tuple[PlanarScan, npt.NDArray[np.float64]]:
    """Read what `to_json` wrote.

    Returns
    -------
        The geometry, and the plane of each row (row) [m].

    Raises
    ------
    IntegrityError
        If the text is not such a geometry, naming the field.
    """
    try:
        table = json.loads(text)
    except (json.JSONDecodeError, TypeError) as error:
        raise IntegrityError(f"the geometry is not JSON: {error}") from error
    if not isinstance(table, dict) or table.get("kind") not in KINDS:
        found = table.get("kind") if isinstance(table, dict) else table
        raise IntegrityError(f"a geometry's kind must be one of {', '.join(KINDS)}, got {found!r}")
    known = KINDS[table.pop("kind")]
    z = _planes(table.pop("z", None))
    types = {field.name: str(field.type) for field in fields(known)}
    for name in types.keys() - table.keys():
        raise IntegrityError(f"the geometry lacks {name!r}")
    for name, value in table.items():
        _check(name, value, types)
    try:
        return known(**table), z
    except PhantomsimError as error:
        raise IntegrityError(f"the geometry is impossible: {error}") from error


def _planes(values: Any) -> npt.NDArray[np.float64]:
    numbers = isinstance(values, list) and all(type(v) in (int, float) for v in values)
    if not numbers or not values or not np.isfinite(values).all():
        raise IntegrityError(f"a geometry's z must be a list of finite row positions [m], got {values!r}")
    return np.asarray(values, np.float64)


def _check(name: str, value: object, types: dict[str, str]) -> None:
    if name not in types:
        near = get_close_matches(name, types, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise IntegrityError(f"the geometry has an unknown field {name!r}{hint}")
    expected = TYPES.get(types[name], str)
    if isinstance(value, bool) or not isinstance(value, expected):
        raise IntegrityError(f"the geometry's {name} must be of type {types[name]}, got {value!r}")
    if isinstance(value, int | float) and not isfinite(value):
        raise IntegrityError(f"the geometry's {name} must be finite, got {value!r}")
    if name == "detector" and value not in ("flat", "arc"):
        raise IntegrityError(f"the geometry's detector must be 'flat' or 'arc', got {value!r}")
