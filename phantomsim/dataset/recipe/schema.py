"""JSON Schema of recipes, for editors that complete fields and mark mistakes while one types."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from phantomsim.dataset.recipe.distribution import MOST_OPTIONS
from phantomsim.dataset.recipe.outline import (
    GridSpec,
    Header,
    ImageHead,
    PairSpec,
    ScanHead,
    TakeHead,
    TruthHead,
    VariantSpec,
)
from phantomsim.registry import PHANTOMS, RECONSTRUCTORS, SCANNERS, Registry
from phantomsim.scanners import presets
from phantomsim.scanners.scanner import Scanner

Schema = dict[str, Any]

_NUMBER: Final = {"type": "number"}
_PAIR: Final = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_CUT: Final = {"min": _NUMBER, "max": _NUMBER}


def recipe_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of recipes with every registered kind.

    Wherever a drawn field stands, a distribution may stand too. What one field says of another, and names of products,
    are checked by `Recipe` alone.
    """
    definitions: Schema = {"distribution": _distribution()}
    scanners = [spec for spec in SCANNERS.available().values() if issubclass(spec, Scanner)]
    scans = {
        "anyOf": [
            *(_drawn(scanner, definitions, ScanHead) for scanner in scanners),
            {"type": "object", "required": ["like"], "properties": {"like": {"type": "string"}}},
            {"type": "object", "required": ["preset"], "properties": {"preset": {"enum": presets.names()}}},
        ]
    }
    image = _plain(ImageHead, definitions)
    image["properties"]["method"] = _any_kind(RECONSTRUCTORS, definitions)
    schema = _plain(Header, definitions)
    schema["properties"] |= {
        "phantom": {"anyOf": [_any_kind(PHANTOMS, definitions), {"$ref": "#/$defs/distribution"}]},
        "variant": _tables(_plain(VariantSpec, definitions)),
        "grid": _tables(_plain(GridSpec, definitions)),
        "scan": _tables(scans),
        "take": _tables({"anyOf": [_drawn(s.take_spec, definitions, TakeHead, required=False) for s in scanners]}),
        "image": _tables(image),
        "truth": _tables({"anyOf": [_drawn(s.truth_spec, definitions, TruthHead) for s in scanners]}),
        "pair": {"type": "array", "minItems": 1, "items": _plain(PairSpec, definitions)},
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "phantomsim recipe"}
    return {**head, **schema, "$defs": definitions}


def _distribution() -> Schema:
    def one(name: str, value: Schema, **extra: Schema) -> Schema:
        properties = {name: value, **extra}
        return {"type": "object", "properties": properties, "required": [name], "additionalProperties": False}

    whole = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
    options = {"type": "array", "minItems": 1, "maxItems": MOST_OPTIONS}
    return {
        "description": "a distribution, drawn anew for each sample",
        "anyOf": [
            one("uniform", _PAIR),
            one("loguniform", _PAIR),
            one("integers", whole),
            one("normal", _PAIR, **_CUT),
            one("lognormal", _PAIR, **_CUT),
            one("poisson", {"type": "number", "minimum": 0}, **_CUT),
            one("choice", options, weights={"type": "array", "items": _NUMBER}),
        ],
    }


def _tables(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of}


def _any_kind(registry: Registry, definitions: Schema) -> Schema:
    return {"anyOf": [_drawn(spec, definitions) for spec in registry.available().values()]}


def _plain(spec: type[BaseModel], definitions: Schema) -> Schema:
    """Return the schema of a Spec, its definitions moved to the common ones."""
    schema = spec.model_json_schema(ref_template="#/$defs/{model}")
    definitions |= schema.pop("$defs", {})
    return schema


def _drawn(
    spec: type[BaseModel], definitions: Schema, head: type[BaseModel] | None = None, *, required: bool = True
) -> Schema:
    """Return the schema of a Spec in which every field may be a distribution, with the fields of a head beside them."""
    own: Schema = {}
    schema = _plain(spec, own)
    definitions |= {name: _with_distributions(definition) for name, definition in own.items()}
    schema = _with_distributions(schema)
    if "kind" in schema["properties"]:
        schema["required"] = sorted({"kind", *schema.get("required", [])})
    if head is not None:
        beside = _plain(head, definitions)
        schema["properties"] = {**schema.get("properties", {}), **beside["properties"]}
        schema["required"] = sorted({*schema.get("required", []), *beside.get("required", [])})
    if not required:  # a twin takes what it lacks from the take that it is like
        schema["required"] = []
    return schema


def _with_distributions(schema: Schema) -> Schema:
    properties = {
        name: field if name == "kind" else _or_distribution(field)
        for name, field in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties}


def _or_distribution(field: Schema) -> Schema:
    inner = dict(field)
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), dict):
            inner[key] = _or_distribution(inner[key])
    if isinstance(inner.get("prefixItems"), list):
        inner["prefixItems"] = [_or_distribution(item) for item in inner["prefixItems"]]
    return {"anyOf": [inner, {"$ref": "#/$defs/distribution"}]}
