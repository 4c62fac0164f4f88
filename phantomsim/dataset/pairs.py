"""Training pairs: a map-style data set of numpy arrays that any framework takes as it is.

PyTorch, whose ``DataLoader`` asks for no more than a length and items::

    loader = DataLoader(Pairs("ct.zarr", split="train"), batch_size=16, shuffle=True, num_workers=4)

JAX or NumPy::

    pairs = Pairs("ct.zarr", split="train")
    for batch in np.random.default_rng(0).permutation(len(pairs)).reshape(-1, 16):
        inputs, targets = map(np.stack, zip(*pairs.take(batch)))
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from phantomsim.dataset.storage.chunks import read_sample
from phantomsim.dataset.storage.layout import ArrayLayout
from phantomsim.dataset.storage.statistics import Moments
from phantomsim.dataset.view import Contents, open_contents
from phantomsim.physics.errors import RecipeError

Item = Any
"""``(input, target)``, or ``(input, target, extra)``, or what the transform made of them."""


class Pairs:
    """The finished, valid samples of a split as ``(input, target)`` pairs of numpy arrays.

    Holds no open file, so it can be pickled, forked and shared between threads.

    Parameters
    ----------
    path
        Folder of the store, ``NAME.zarr``.
    split
        Name of a split; None takes all samples.
    input, target
        Products by name, ``"image.low"`` or ``"take.low.reading"``; those of the recipe's first pair unless given.
    extra
        More products or tables (``"phantom.lesions"``): each item then ends with a dict of them.
    transform
        Called with the two or three parts of an item, returns the item.

    Raises
    ------
    IntegrityError
        If there is no data set, or it is damaged.
    RecipeError
        If a product is not in the set.
    ValueError
        If there is no such split.
    """

    def __init__(
        self,
        path: str | Path,
        split: str | None = "train",
        input: str | None = None,
        target: str | None = None,
        extra: Sequence[str] = (),
        transform: Callable[..., Item] | None = None,
    ) -> None:
        contents = open_contents(path)
        pair: Mapping[str, str] = next(iter(contents.attributes["pairs"]), {})
        names = {"input": input or pair.get("input"), "target": target or pair.get("target")}
        for role, name in names.items():
            if name is None:
                raise RecipeError(f"the recipe has no [[pair]]; name the {role}: Pairs(path, {role}='image.…')")
        records = contents.select(split)
        self.split, self.transform, self.store = split, transform, contents.store
        self.indices: tuple[int, ...] = tuple(record["index"] for record in records)
        self.input, self.target = (_arrays(contents, str(name)) for name in names.values())
        self.tables = {name: _table(records, name) for name in extra if _is_table(records, name)}
        self.extra = {name: _arrays(contents, name) for name in extra if name not in self.tables}

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: int) -> Item:
        index = self.indices[i]
        item = (self._read(self.input, index), self._read(self.target, index))
        if self.extra or self.tables:
            extra = {name: self._read(arrays, index) for name, arrays in self.extra.items()}
            item = (*item, extra | {name: table[i] for name, table in self.tables.items()})  # type: ignore[assignment]
        return self.transform(*item) if self.transform else item

    def take(self, positions: Iterable[int]) -> list[Item]:
        """Return many items, read by as many threads as there are cores."""
        return list(_pool(os.getpid()).map(self.__getitem__, map(int, positions)))

    __getitems__ = take  # what PyTorch's DataLoader calls for a batch, where a data set has it

    @property
    def statistics(self) -> dict[str, Moments]:
        """Moments of every stored array over this split, by stored name; use those of the training split throughout."""
        return open_contents(self.store.root).statistics(self.split)

    def _read(self, arrays: Mapping[str, ArrayLayout], index: int) -> Any:
        found = {name: read_sample(self.store, array, index) for name, array in arrays.items()}
        return found if len(found) > 1 else next(iter(found.values()))


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return this process's readers; a forked child has another number, and its parent's threads do not exist in it."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="phantomsim-read")


def _arrays(contents: Contents, product: str) -> dict[str, ArrayLayout]:
    """Return the arrays of a product by their own names: one for an image, several for a whole take."""
    path = product.replace(".", "/")
    arrays = contents.store.layout.arrays
    found = {a.name.rpartition("/")[2]: a for a in arrays if a.name == path or a.name.startswith(f"{path}/")}
    if not found:
        known = ", ".join(a.name.replace("/", ".") for a in arrays)
        raise RecipeError(f"there is no product {product!r} in this set; it has {known}")
    return found


def _is_table(records: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(name.removeprefix("phantom.") in record["truths"] for record in records)


def _table(records: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [record["truths"].get(name.removeprefix("phantom.")) for record in records]
