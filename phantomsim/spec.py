"""Specs: the frozen, strict types that a user fills in through a recipe."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from phantomsim.units import split_unit


class Spec(BaseModel):
    """A part of a recipe: frozen, unknown fields forbidden, units in field names, no NaN and no infinity.

    A Spec holds drawn values only. That any number in a recipe may be a distribution is the recipe's business.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    def si(self, *names: str) -> dict[str, Any]:
        """Return the named fields in SI, unit suffixes dropped, ready to build a value of `physics`.

        Parameters
        ----------
        names
            Bare names to return; without any, every field.
        """
        bare = {}
        for field in type(self).model_fields:
            name, factor = split_unit(field)
            value = getattr(self, field)
            if factor != 1.0 and value is not None:
                value = _scaled(value, factor)
            bare[name] = value
        return {name: bare[name] for name in names} if names else bare


def _scaled(value: Any, factor: float) -> Any:
    return tuple(_scaled(v, factor) for v in value) if isinstance(value, tuple) else factor * value
