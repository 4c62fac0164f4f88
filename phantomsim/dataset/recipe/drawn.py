"""A drawn recipe: every distribution replaced by a value, every table by the type it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from phantomsim.dataset.recipe.distribution import Distribution, is_distribution, parse
from phantomsim.dataset.recipe.outline import Outline, PairSpec, VariantSpec, roles
from phantomsim.dataset.recipe.products import Reference
from phantomsim.dataset.recipe.tree import Path, complaint, dotted, merged, nearest
from phantomsim.dataset.recipe.validation import validate, validate_kind
from phantomsim.physics.errors import RecipeError
from phantomsim.registry import PHANTOMS, RECONSTRUCTORS, SCANNERS

if TYPE_CHECKING:
    from phantomsim.phantoms.phantom import Phantom
    from phantomsim.phantoms.spec import PhantomSpec
    from phantomsim.physics.grid import Grid
    from phantomsim.recon.reconstructor import Reconstructor
    from phantomsim.scanners.scanner import Scanner, Take, Truth

Pick = Callable[[Path, int, Distribution], Any]
"""Gives the value of a distribution from its path and how many choices stand around it at that very place."""


@dataclass(frozen=True)
class Scan:
    """A scanner and the variant of the phantom that it scans (None: the phantom as it is)."""

    scanner: Scanner
    variant: str | None


@dataclass(frozen=True)
class DrawnTake:
    """A take of a signal or of another take.

    Parameters
    ----------
    of
        Product it is made of, ``"scan.ct"``.
    noise
        Name of its noise stream; None for the expectation.
    levels
        The take itself, or one a level where the recipe says ``each``.
    each
        Fields that differ between the levels, with their values; empty where there is one level and no level axis.
    """

    of: str
    noise: str | None
    levels: tuple[Take, ...]
    each: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Image:
    """A reconstruction: products by role, the method, and the name of the grid."""

    of: Mapping[str, str]
    method: Reconstructor
    grid: str


@dataclass(frozen=True)
class DrawnTruth:
    """What a scan should have found: name of the scan, which property, and the name of the grid."""

    scan: str
    spec: Truth
    grid: str


@dataclass(frozen=True)
class DrawnRecipe:
    """One sample's recipe: concrete, validated values, in an order in which the products can be made.

    Parameters
    ----------
    parameters
        Every drawn value by dotted path, JSON-able.
    """

    phantom: PhantomSpec
    variants: Mapping[str, VariantSpec]
    grids: Mapping[str, Grid]
    scans: Mapping[str, Scan]
    takes: Mapping[str, DrawnTake]
    images: Mapping[str, Image]
    truths: Mapping[str, DrawnTruth]
    pairs: tuple[PairSpec, ...]
    parameters: Mapping[str, Any]

    def seen(self, phantom: Phantom, scan: Scan) -> Phantom:
        """Return the phantom, or the variant of it, that a scan sees.

        Raises
        ------
        RecipeError
            If it moves, and the scanner would not see that.
        """
        if scan.variant is not None:
            variant = self.variants[scan.variant]
            phantom = phantom.without(variant.without)
            phantom = phantom if variant.motion else phantom.still()
        if phantom.motion is not None and not scan.scanner.follows_motion:
            raise RecipeError(
                f"{type(scan.scanner).__name__} scans a phantom at rest, and this one moves: leave phantom.motion out, "
                "or scan a variant with motion = false"
            )
        return phantom

    def scan_of(self, product: str) -> Scan:
        """Return the scan that a scan, take or truth goes back to, by the product's name."""
        section, _, name = product.partition(".")
        if section == "take":
            return self.scan_of(self.takes[name].of)
        return self.scans[self.truths[name].scan if section == "truth" else name]

    def scanner_of(self, product: str) -> Scanner:
        """Return the scanner behind a scan, take or truth, by the product's name."""
        return self.scan_of(product).scanner


class _Draws:
    """Values picked so far, and the distributions that they came from."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.values: dict[str, Any] = {}
        self.origins: dict[Path, Any] = {}

    def resolve(self, node: Any, path: Path) -> Any:
        """Return a tree with each distribution replaced by a value; the options of a choice may hold more of them."""
        depth = 0
        while is_distribution(node):
            self.origins.setdefault(path, node)
            node = self.pick(path, depth, parse(node, path))
            self.values[dotted(path)] = node
            depth += 1
        if isinstance(node, dict):
            return {name: self.resolve(value, (*path, name)) for name, value in node.items()}
        if isinstance(node, list):
            return [self.resolve(value, (*path, place)) for place, value in enumerate(node)]
        return node


def draw(outline: Outline, pick: Pick) -> DrawnRecipe:
    """Replace every distribution of a recipe by what `pick` gives and validate the result.

    Raises
    ------
    RecipeError
        With the path, the value and what would be right.
    """
    draws = _Draws(pick)
    at: Path = ("phantom",)
    whole = is_distribution(outline.phantom)  # a choice of phantoms
    table = draws.resolve(outline.phantom, at) if whole else _table(draws, outline.phantom, at)
    phantom = validate_kind(PHANTOMS, table, at, draws.origins)
    scans = _scans(outline, draws)
    takes = _takes(outline, draws, scans)
    images = {}
    for name, entry in outline.images.items():
        path: Path = ("image", name, "method")
        method = validate_kind(RECONSTRUCTORS, _table(draws, entry.head.method, path), path, draws.origins)
        images[name] = Image(roles(entry.head), cast("Reconstructor", method), entry.head.grid)
    truths = {}
    for name, entry in outline.truths.items():
        scan = entry.head.of.partition(".")[2]
        fields = _table(draws, entry.fields, ("truth", name))
        spec = validate(scans[scan].scanner.truth_spec, fields, ("truth", name), draws.origins)
        truths[name] = DrawnTruth(scan, spec, entry.head.grid)
    drawn = DrawnRecipe(
        phantom=cast("PhantomSpec", phantom),
        variants=outline.variants,
        grids=outline.grids,
        scans=scans,
        takes=takes,
        images=images,
        truths=truths,
        pairs=outline.pairs,
        parameters=draws.values,
    )
    _check_variables(drawn)
    return drawn


def _check_variables(drawn: DrawnRecipe) -> None:
    """Refuse a pair that names a variable which its take will not have."""
    for place, pair in enumerate(drawn.pairs):
        named: dict[Path, str] = {("input",): pair.input, ("target",): pair.target}
        named |= {("extra", n): text for n, text in enumerate(pair.extra)}
        for where, text in named.items():
            reference = Reference.parse(text)
            if reference.variable and reference.product.startswith("take."):
                known = drawn.scanner_of(reference.product).variables
                if reference.variable not in known:
                    raise complaint(("pair", place, *where), text, nearest(reference.variable, known))


def _table(draws: _Draws, table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Resolve a table that is itself none, whatever its fields are called."""
    return {name: draws.resolve(value, (*path, name)) for name, value in table.items()}


def _scans(outline: Outline, draws: _Draws) -> dict[str, Scan]:
    scans: dict[str, Scan] = {}
    drawn: dict[str, dict[str, Any]] = {}
    for name, entry in outline.scans.items():
        inherited = drawn[entry.head.like.partition(".")[2]] if entry.head.like else {}
        drawn[name] = merged(inherited, _table(draws, entry.fields, ("scan", name)))
        scanner = validate_kind(SCANNERS, drawn[name], ("scan", name), draws.origins)
        scans[name] = Scan(cast("Scanner", scanner), entry.head.variant)
    return scans


def _takes(outline: Outline, draws: _Draws, scans: Mapping[str, Scan]) -> dict[str, DrawnTake]:
    takes: dict[str, DrawnTake] = {}
    drawn: dict[str, dict[str, Any]] = {}
    scan_of: dict[str, Scan] = {f"scan.{name}": scan for name, scan in scans.items()}
    for name, entry in outline.takes.items():
        head, path = entry.head, ("take", name)
        own = _table(draws, entry.fields, path)
        each = _table(draws, head.each, (*path, "each"))
        if head.like:
            like = head.like.partition(".")[2]
            own = merged(drawn[like], own)
            each = {field: values for field, values in takes[like].each.items() if field not in entry.fields} | each
        drawn[name] = own
        scan_of[f"take.{name}"] = scan_of[head.of]
        scanner = scan_of[head.of].scanner
        takes[name] = DrawnTake(
            of=head.of,
            noise=None if head.noise == "none" else head.noise or name,
            levels=tuple(_take(scanner, own | level, path, draws.origins) for level in _levels(each, path)),
            each={field: tuple(values) for field, values in each.items()},
        )
    return takes


def _take(scanner: Scanner, table: dict[str, Any], path: Path, origins: Mapping[Path, Any]) -> Take:
    take = validate(scanner.take_spec, table, path, origins)
    try:
        scanner.check(take)
    except RecipeError as error:
        raise RecipeError(f"{dotted(path)}.{error}") from None
    return take


def _levels(each: Mapping[str, Sequence[Any]], path: Path) -> list[dict[str, Any]]:
    """Return the fields of each level; one level without any where nothing is to differ."""
    if len({len(values) for values in each.values()}) > 1:
        raise RecipeError(f"{dotted((*path, 'each'))}: each field needs as many values, one a level")
    return [dict(zip(each, values, strict=True)) for values in zip(*each.values(), strict=True)] or [{}]
