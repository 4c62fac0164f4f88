"""One sample, from a recipe and an index: the page to read first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

from phantomsim import labelled
from phantomsim.dataset.job import Sample
from phantomsim.dataset.recipe.products import Reference
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key

if TYPE_CHECKING:
    from phantomsim.dataset.recipe import Recipe
    from phantomsim.dataset.recipe.drawn import DrawnRecipe, DrawnTake
    from phantomsim.phantoms.phantom import Phantom
    from phantomsim.physics.grid import Grid

Product = Any
"""A Dataset for a scan or a take, a DataArray for an image or a truth."""


def make_sample(recipe: Recipe, index: int, device: str = "cpu") -> Sample:
    """Make one sample of a recipe: the same bits whoever asks, whenever, and in whatever order.

    Parameters
    ----------
    recipe
        What to make.
    index
        Number of the sample, from 0; it may lie beyond ``recipe.samples``.
    device
        ``"cpu"`` or ``"cuda:n"``.
    """
    key = Key(recipe.seed).fold(index)
    drawn = recipe.draw(key.fold("recipe"))  # distributions become values, kept with the sample
    phantom = drawn.phantom.phantom(key.fold("phantom")).to(device)
    products: dict[str, Product] = {}
    for name, scan in drawn.scans.items():  # phantom, or a variant of it → signal
        seen = drawn.seen(phantom, scan)
        products[f"scan.{name}"] = scan.scanner.simulate(seen, key.fold("scan", name))
    for name, take in drawn.takes.items():  # signal, or another take → data
        products[f"take.{name}"] = _detect(drawn, take, products[take.of], key)
    for name, image in drawn.images.items():  # data, and other products by role → image
        roles = {role: products[of] for role, of in image.of.items()}
        products[f"image.{name}"] = _by_level(image.method.reconstruct, roles, drawn.grids[image.grid])
    for name, truth in drawn.truths.items():  # what the scan should have found
        seen = drawn.seen(phantom, drawn.scans[truth.scan])
        scanner = drawn.scanner_of(f"truth.{name}")
        products[f"truth.{name}"] = scanner.truth(seen, truth.spec, drawn.grids[truth.grid])
    truths = {**phantom.truths, "products": _records(products)}
    return Sample(_named(drawn, products, phantom), drawn.parameters, truths, phantom.subject)


def _detect(drawn: DrawnRecipe, take: DrawnTake, source: Product, key: Key) -> Product:
    scanner = drawn.scanner_of(take.of)
    stream = None if take.noise is None else key.fold("take", take.noise)
    if not take.each:
        return scanner.detect(source, take.levels[0], stream)
    levels = [
        scanner.detect(source, spec, None if stream is None else stream.fold(n)) for n, spec in enumerate(take.levels)
    ]
    return _stack(levels).assign_coords({f"level_{field}": ("level", list(v)) for field, v in take.each.items()})


def _by_level(reconstruct: Callable[..., Product], roles: Mapping[str, Product], grid: Grid) -> Product:
    """Reconstruct each level of a product that has them."""
    counts = {product.sizes["level"] for product in roles.values() if "level" in product.sizes}
    if not counts:
        return reconstruct(roles, grid)
    (n_levels,) = counts
    levels = [
        reconstruct({role: p.isel(level=n) if "level" in p.sizes else p for role, p in roles.items()}, grid)
        for n in range(n_levels)
    ]
    return _stack(levels)


def _stack(levels: list[Product]) -> Product:
    if len({tuple(sorted(level.sizes.items())) for level in levels}) > 1:
        raise RecipeError("each: the levels of one product must have one shape; make another take for another shape")
    return xr.concat(levels, "level", combine_attrs="override")


def _named(drawn: DrawnRecipe, products: Mapping[str, Product], phantom: Phantom) -> dict[str, xr.DataArray]:
    """Return the arrays that the pairs name, by the name under which they are stored."""
    arrays: dict[str, xr.DataArray] = {}
    for text in dict.fromkeys(_mentioned(drawn)):
        reference = Reference.parse(text)
        path = reference.product.replace(".", "/")
        if reference.product == "phantom.labels":
            arrays[path] = _labels(phantom, next(iter(drawn.grids.values())))
        elif reference.product != "phantom.lesions":  # a table: every sample has it among its truths
            product = products[reference.product]
            if isinstance(product, xr.DataArray):
                arrays[path] = product
            else:
                for variable in [reference.variable] if reference.variable else map(str, product.data_vars):
                    if variable not in product:
                        raise RecipeError(
                            f"{text}: no such variable; {reference.product} has {list(product.data_vars)}"
                        )
                    arrays[f"{path}/{variable}"] = product[variable]
    return arrays


def _records(products: Mapping[str, Product]) -> dict[str, dict[str, Any]]:
    """Return what data says of itself beside its arrays, such as its geometry: it may differ between samples."""
    return {
        name: dict(product.attrs)
        for name, product in products.items()
        if name.startswith("take.") and isinstance(product, xr.Dataset)
    }


def _mentioned(drawn: DrawnRecipe) -> Iterable[str]:
    for pair in drawn.pairs:
        yield from (pair.input, pair.target, *pair.extra)


def _labels(phantom: Phantom, grid: Grid) -> xr.DataArray:
    names = [tissue.name for tissue in phantom.tissues]
    return labelled.image(phantom.labels(grid), grid, "1", "majority tissue", tissues=names)
