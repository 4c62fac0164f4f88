"""Writes TOML, which Python can only read: plain and ugly, for tests that change recipes."""

import json
import math
from typing import Any


def toml(tree: dict[str, Any]) -> str:
    """Return a table as TOML, all inner tables inline."""
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in tree.items())


def _key(key: Any) -> str:
    return json.dumps(str(key), ensure_ascii=True).replace("\\ud", "\\u0")  # no surrogates in TOML


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) and ("." in repr(value) or "e" in repr(value)) else f"{value}"
    return _key(value) if isinstance(value, str) else str(value)
