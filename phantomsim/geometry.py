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
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam

Scan = ParallelBeam | FanBeam | ConeBeam | Views

KINDS: Final[dict[str, type[Scan]]] = {"parallel": ParallelBeam, "fan": FanBeam, "cone": ConeBeam, "views": Views}
TYPES: Final[dict[str, type | tuple[type, ...]]] = {"int": int, "float": (int, float)}
CHOICES: Final = {"detector": ("flat", "arc"), "surface": ("flat", "cylinder", "sphere")}
DEPTHS: Final = {"Float64": {"rows": 1, "columns": 1}, "tuple[tuple[float, float], ...]": {}}
"""Types that are nested lists of numbers, and the fields of them that are no lists of vectors."""


def to_json(scan: Scan, z: npt.ArrayLike) -> str:
    """Write a geometry and the positions of its rows as JSON, in SI; every number reads back as the same bits.

    Parameters
    ----------
    scan
        Geometry.
    z
        Plane of each row (row) [m]; for cone beams, the height of each row at the axis.
    """
    kind = next(name for name, known in KINDS.items() if type(scan) is known)
    table = {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in asdict(scan).items()}
    return json.dumps({"kind": kind, **table, "z": np.asarray(z, np.float64).tolist()}, allow_nan=False)


def from_json(text: str) -> tuple[Scan, npt.NDArray[np.float64]]:
    """Read what `to_json` wrote.

    Returns
    -------
        The geometry, and the plane or height of each row (row) [m].

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
        if types[name] == "Float64":
            table[name] = np.asarray(value, np.float64)
        elif types[name] in DEPTHS:
            table[name] = tuple(map(tuple, value))
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
    if types[name] in DEPTHS:
        _check_numbers(name, value, DEPTHS[types[name]].get(name, 2))
        return
    expected = TYPES.get(types[name], str)
    if isinstance(value, bool) or not isinstance(value, expected):
        raise IntegrityError(f"the geometry's {name} must be of type {types[name]}, got {value!r}")
    if isinstance(value, int | float) and not isfinite(value):
        raise IntegrityError(f"the geometry's {name} must be finite, got {value!r}")
    if name in CHOICES and value not in CHOICES[name]:
        raise IntegrityError(f"the geometry's {name} must be one of {', '.join(CHOICES[name])}, got {value!r}")


def _check_numbers(name: str, value: Any, depth: int) -> None:
    rows = value if depth == 2 else [value]
    right = isinstance(rows, list) and all(
        isinstance(row, list) and all(type(v) in (int, float) and isfinite(v) for v in row) for row in rows
    )
    if not right or len({len(row) for row in rows}) > 1:
        raise IntegrityError(f"the geometry's {name} must be finite numbers, in rows of one length")
