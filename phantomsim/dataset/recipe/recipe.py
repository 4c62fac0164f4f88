"""Recipes: what a data set is made of, as TOML data, validated before any work and drawn anew for each sample."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from typing import Any, Final

from phantomsim.dataset.recipe.distribution import Distribution, is_distribution, unit
from phantomsim.dataset.recipe.drawn import DrawnRecipe, draw
from phantomsim.dataset.recipe.outline import Header, Outline, outline
from phantomsim.dataset.recipe.shipped import find
from phantomsim.dataset.recipe.tree import Path, check_plain, complaint, dotted, merged
from phantomsim.dataset.recipe.trials import check_shapes, corners
from phantomsim.dataset.recipe.validation import validate
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from phantomsim.scanners import presets

LONGEST_TEXT: Final = 2**20
"""Characters of the longest recipe that is read."""

TRIALS: Final = 8
"""Random draws that a recipe must survive, beside its corners."""

OUTSIDE_DIGEST: Final = ("samples", "splits")
"""What may change in a recipe without changing any sample: a set can grow, and be split anew."""


@dataclass(frozen=True)
class Recipe:
    """A validated recipe.

    Parameters
    ----------
    name, seed, samples, splits
        As the recipe has them.
    digest
        SHA-256 of all that decides the content of a sample.
    text
        The recipe as it was written.
    outline
        What no draw changes, names checked.
    """

    name: str
    seed: int
    samples: int
    splits: Mapping[str, float]
    digest: str
    text: str
    outline: Outline

    @classmethod
    def load(cls, source: str | PathLike[str]) -> Recipe:
        """Read a recipe from a file, a folder that holds a ``recipe.toml``, or by the name of a shipped one.

        Raises
        ------
        RecipeError
            If it cannot be read or is not right.
        """
        path = find(source)
        try:
            return cls.from_text(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RecipeError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise RecipeError(f"{path}: not a text in UTF-8") from None

    @classmethod
    def from_text(cls, text: str) -> Recipe:
        """Read a recipe from TOML. Nothing in it is executed, and no file is written.

        Raises
        ------
        RecipeError
            If it is not TOML, or if any field could be wrong in any sample: in at most four lines, each with the
            path of a field, its value and what would be right.
        """
        tree = _parse(text)
        check_plain(tree)
        for name in Header.model_fields:
            if is_distribution(tree.get(name)) and name in {"name", "seed", "samples"}:
                raise complaint((name,), tree[name], "holds for the whole data set and cannot be a distribution")
        tree = _with_presets(tree)
        header = validate(Header, tree, ())
        found = outline(header)
        content = {name: value for name, value in tree.items() if name not in OUTSIDE_DIGEST}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        recipe = cls(header.name, header.seed, header.samples, header.splits, digest, text, found)
        at_random = (recipe.draw(Key(header.seed).fold("trial", trial)) for trial in range(TRIALS))
        check_shapes(chain(corners(found), at_random))
        recipe._check_variants()
        return recipe

    def _check_variants(self) -> None:
        """Refuse parts that a phantom can never have, and motion that a scanner does not see, once one is generated."""
        if not self.outline.variants and "motion" not in self.outline.phantom:
            return
        key = Key(self.seed).fold("variants")
        drawn = self.draw(key)
        phantom = drawn.phantom.phantom(key)
        for name, variant in self.outline.variants.items():
            try:
                phantom.without(variant.without)
            except RecipeError as error:
                raise complaint(("variant", name, "without"), variant.without, str(error)) from None
        for name, scan in drawn.scans.items():
            try:
                drawn.seen(phantom, scan)
            except RecipeError as error:
                raise RecipeError(f"scan.{name}: {error}") from None

    def draw(self, key: Key) -> DrawnRecipe:
        """Draw every distribution from the stream that its path names, so that no draw depends on another.

        Parameters
        ----------
        key
            Key of the sample's recipe.
        """

        def pick(path: Path, depth: int, distribution: Distribution) -> Any:
            return distribution.quantile(unit(key.fold(dotted(path), *["option"] * depth)))

        return draw(self.outline, pick)


def _parse(text: str) -> dict[str, Any]:
    if len(text) > LONGEST_TEXT:
        raise RecipeError(f"recipe: {len(text)} characters; the limit is {LONGEST_TEXT}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise RecipeError("recipe: tables and lists are nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on the digits of a whole number
        raise RecipeError(f"recipe: not TOML: {' '.join(str(error).split())[:200]}") from None


def _with_presets(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe in which every scan has the fields of its preset where it gives none itself."""
    scans = tree.get("scan")
    if not isinstance(scans, dict) or not any(isinstance(scan, dict) and "preset" in scan for scan in scans.values()):
        return tree
    filled = {}
    for name, scan in scans.items():
        if not isinstance(scan, dict) or "preset" not in scan:
            filled[name] = scan
            continue
        own = {field: value for field, value in scan.items() if field != "preset"}
        try:
            filled[name] = merged(presets.fields(str(scan["preset"])), own)
        except RecipeError as error:
            raise complaint(("scan", name, "preset"), scan["preset"], str(error)) from None
    return {**tree, "scan": filled}
