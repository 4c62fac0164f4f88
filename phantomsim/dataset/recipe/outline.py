"""The part of a recipe that no draw changes: its header, grids, and which product is made of which."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from phantomsim.dataset.recipe.products import NAME, Reference, check_names, check_reference, in_order
from phantomsim.dataset.recipe.tree import Path, complaint, nearest
from phantomsim.dataset.recipe.validation import validate
from phantomsim.physics.grid import Grid
from phantomsim.spec import Spec

MOST_SAMPLES: Final = 100_000_000
MOST_VOXELS: Final = 2**31
MOST_LEVELS: Final = 256

PHANTOM_PRODUCTS: Final = ("phantom.labels", "phantom.lesions")
"""Products of the phantom itself: the majority tissue of each voxel, and the table of lesions."""

Table = dict[str, Any]
Count = Annotated[int, Field(ge=1, le=65536)]
Position = Annotated[float, Field(ge=-1e5, le=1e5)]
Spacing = Annotated[float, Field(gt=0, le=1e5)]


class Header(Spec):
    """All of a recipe, its sections still plain tables."""

    model_config = ConfigDict(populate_by_name=False)

    schema_version: Literal[1] = Field(alias="schema", description="version of the recipe's form")
    name: str = Field(description="name of the data set: lower-case letters, digits and -")
    seed: int = Field(ge=0, description="all randomness follows from it")
    samples: int = Field(ge=1, le=MOST_SAMPLES, description="how many samples to make; a set can grow")
    splits: dict[str, float] = Field(
        default={"train": 0.8, "validation": 0.1, "test": 0.1},
        description="fractions of the subjects, by the hash of the subject",
    )
    phantom: Table
    variant: dict[str, Table] = Field(default={})
    grid: dict[str, Table] = Field(default={})
    scan: dict[str, Table] = Field(default={})
    take: dict[str, Table] = Field(default={})
    image: dict[str, Table] = Field(default={})
    truth: dict[str, Table] = Field(default={})
    pair: list[Table] = Field(min_length=1)

    @field_validator("name")
    @classmethod
    def _a_file_name(cls, name: str) -> str:
        if not NAME.fullmatch(name.replace("-", "_")):
            raise ValueError("should be up to 40 lower-case letters, digits and -, a letter first")
        return name

    @field_validator("splits")
    @classmethod
    def _whole(cls, splits: dict[str, float]) -> dict[str, float]:
        if any(fraction <= 0 for fraction in splits.values()) or abs(sum(splits.values()) - 1) > 1e-6:
            raise ValueError(f"should be fractions above 0 that sum to 1; their sum is {sum(splits.values()):g}")
        if not all(NAME.fullmatch(name) for name in splits):
            raise ValueError("names should be up to 40 lower-case letters, digits and _, a letter first")
        return splits


class VariantSpec(Spec):
    """A change of the phantom that redraws nothing."""

    without: tuple[str, ...] = Field(default=(), description="parts of the phantom to leave out")
    motion: bool = Field(default=True, description="false: the phantom at rest")

    @model_validator(mode="after")
    def _changes_something(self) -> VariantSpec:
        if not self.without and self.motion:
            raise ValueError("should change something: without = [parts], or motion = false")
        return self


class GridSpec(Spec):
    """A regular grid of voxels; no distributions, for all samples share it."""

    shape: tuple[Count, Count, Count] = Field(description="number of voxels (z, y, x)")
    spacing_mm: tuple[Spacing, Spacing, Spacing] = Field(description="distance of voxel centres (z, y, x)")
    centre_mm: tuple[Position, Position, Position] = Field((0.0, 0.0, 0.0), description="middle of the grid (z, y, x)")

    @field_validator("shape")
    @classmethod
    def _fits(cls, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        if prod(shape) > MOST_VOXELS:
            raise ValueError(f"is {prod(shape):.3g} voxels; the limit is {MOST_VOXELS:.3g} (8 GiB an image)")
        return shape


class PairSpec(Spec):
    """Two products that a network learns between, and others it may want to see."""

    input: str
    target: str
    extra: tuple[str, ...] = ()


class ScanHead(Spec):
    """What a recipe says of a scan beside the scanner's own fields."""

    like: str | None = Field(None, description="another scan whose drawn values are taken where none are given")
    variant: str | None = Field(None, description="variant of the phantom that is scanned")


class TakeHead(Spec):
    """What a recipe says of a take beside the scanner's own fields."""

    like: str | None = Field(None, description="another take whose drawn values are taken where none are given")
    of: str = Field(description="scan, or take, that this is made of")
    noise: str | None = Field(
        None, description='stream of the noise, the take\'s name unless given; "none": expectation'
    )
    each: dict[str, list[Any]] = Field({}, description="fields with one value a level: the product gets a level axis")


class ImageHead(Spec):
    """An image: data and method."""

    of: str | dict[str, str] = Field(description="take or image it is made of, or a table of them by role")
    method: Table
    grid: str


class TruthHead(Spec):
    """What a recipe says of a truth beside the scanner's own fields."""

    of: str = Field(description="scan whose phantom and eyes it is")
    grid: str


@dataclass(frozen=True)
class Entry:
    """A product as the recipe gives it: what no draw changes, and the fields that are drawn."""

    head: Any
    fields: Table = field(default_factory=dict)


@dataclass(frozen=True)
class Outline:
    """A recipe with every name checked; scans, takes and images in an order in which they can be made."""

    phantom: Table
    variants: Mapping[str, VariantSpec]
    grids: Mapping[str, Grid]
    scans: Mapping[str, Entry]
    takes: Mapping[str, Entry]
    images: Mapping[str, Entry]
    truths: Mapping[str, Entry]
    pairs: tuple[PairSpec, ...]


def outline(header: Header) -> Outline:
    """Check all that holds for every draw.

    Raises
    ------
    RecipeError
        For a wrong name, a circle, or a wrong field of what is not drawn.
    """
    for section in ("variant", "grid", "scan", "take", "image", "truth"):
        check_names(section, getattr(header, section))
    variants = {n: validate(VariantSpec, t, ("variant", n)) for n, t in header.variant.items()}
    specs = {n: validate(GridSpec, t, ("grid", n)) for n, t in header.grid.items()}
    scans = _entries("scan", header.scan, ScanHead)
    takes = _entries("take", header.take, TakeHead)
    images = {n: Entry(validate(ImageHead, t, ("image", n))) for n, t in header.image.items()}
    truths = {n: _entry(TruthHead, t, t, ("truth", n)) for n, t in header.truth.items()}
    found = Outline(
        phantom=header.phantom,
        variants=variants,
        grids={n: Grid(**spec.si()) for n, spec in specs.items()},
        scans=scans,
        takes=_ordered("take", takes, {n: [e.head.of] for n, e in takes.items()}),
        images=_ordered("image", images, {n: list(roles(e.head).values()) for n, e in images.items()}),
        truths=truths,
        pairs=tuple(validate(PairSpec, t, ("pair", i)) for i, t in enumerate(header.pair)),
    )
    _check_references(found)
    return found


def roles(head: ImageHead) -> Mapping[str, str]:
    """Return the products an image is made of by role; a single one is its ``data``."""
    return {"data": head.of} if isinstance(head.of, str) else head.of


def _entries(section: str, tables: Mapping[str, Table], head: type[ScanHead] | type[TakeHead]) -> dict[str, Entry]:
    """Read the scans or takes, each after the one that it is like and with that one's head where it has none itself."""
    likes = {}
    for name, table in tables.items():
        others = [f"{section}.{other}" for other in tables if other != name]
        if "like" in table and table["like"] not in others:
            remedy = f"should be another {section}; {nearest(str(table['like']), others)}"
            raise complaint((section, name, "like"), table["like"], remedy)
        likes[f"{section}.{name}"] = [table["like"]] if "like" in table else []
    entries: dict[str, Entry] = {}
    for product in in_order(likes):
        name = product.partition(".")[2]
        inherited: Table = {}
        for like in likes[product]:
            inherited = entries[like.partition(".")[2]].head.model_dump(exclude_unset=True, exclude={"like", "each"})
        entries[name] = _entry(head, inherited | tables[name], tables[name], (section, name))
    return entries


def _entry(head: type[Spec], table: Table, own: Table, path: Path) -> Entry:
    known = head.model_fields
    head_table = {name: value for name, value in table.items() if name in known}
    return Entry(validate(head, head_table, path), {name: value for name, value in own.items() if name not in known})


def _ordered(section: str, entries: Mapping[str, Entry], of: Mapping[str, list[str]]) -> dict[str, Entry]:
    """Put entries into an order in which each comes after those of its own section that it is like or made of."""
    products = {f"{section}.{name}": entry for name, entry in entries.items()}
    needs = {}
    for product, entry in products.items():
        like = getattr(entry.head, "like", None)
        needed = [*of[product.partition(".")[2]], *([like] if like else [])]
        needs[product] = [other for text in needed if (other := Reference.parse(text).product) in products]
    return {product.partition(".")[2]: products[product] for product in in_order(needs)}


def _check_references(found: Outline) -> None:
    scans, takes, images, truths = (
        [f"{section}.{name}" for name in entries]
        for section, entries in (
            ("scan", found.scans),
            ("take", found.takes),
            ("image", found.images),
            ("truth", found.truths),
        )
    )
    for name, entry in found.scans.items():
        if entry.head.variant is not None:
            _check_name("variant", entry.head.variant, found.variants, ("scan", name, "variant"))
    for name, entry in found.takes.items():
        _check_whole(entry.head.of, [*scans, *takes], ("take", name, "of"))
        _check_take(entry.head, ("take", name))
    for name, entry in found.images.items():
        check_names(f"image.{name}.of", roles(entry.head))
        for role, of in roles(entry.head).items():
            path: Path = ("image", name, "of") if isinstance(entry.head.of, str) else ("image", name, "of", role)
            if of in scans:
                raise complaint(path, of, 'is a signal without noise; make a take of it (noise = "none") and name that')
            _check_whole(of, [*takes, *images], path)
        _check_name("grid", entry.head.grid, found.grids, ("image", name, "grid"))
    for name, entry in found.truths.items():
        _check_whole(entry.head.of, scans, ("truth", name, "of"))
        _check_name("grid", entry.head.grid, found.grids, ("truth", name, "grid"))
    everything = [*scans, *takes, *images, *truths, *PHANTOM_PRODUCTS]
    for place, pair in enumerate(found.pairs):
        for side in ("input", "target"):
            check_reference(getattr(pair, side), everything, ("pair", place, side))
        for i, text in enumerate(pair.extra):
            check_reference(text, everything, ("pair", place, "extra", i))
        if "phantom.labels" in (pair.input, pair.target, *pair.extra) and not found.grids:
            raise complaint(("pair", place), "phantom.labels", "needs a grid; the first one of the recipe is taken")


def _check_whole(text: str, known: Collection[str], path: Path) -> None:
    if check_reference(text, known, path).variable:
        raise complaint(path, text, f"should be a whole product: {Reference.parse(text).product!r}")


def _check_name(section: str, name: str, known: Collection[str], path: Path) -> None:
    if name not in known:
        raise complaint(path, name, f"no such {section}; {nearest(name, known)}")


def _check_take(head: TakeHead, path: Path) -> None:
    if head.noise is not None and not NAME.fullmatch(head.noise):
        raise complaint(
            (*path, "noise"), head.noise, "should be the name of a stream: lower-case letters, digits and _"
        )
    for name, values in head.each.items():
        if not 1 <= len(values) <= MOST_LEVELS:
            raise complaint((*path, "each", name), values, f"should be 1 to {MOST_LEVELS} values, one a level")
